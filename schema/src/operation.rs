//! What clients may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What clients may do with the objects. The role's policy grants exactly what the chosen operations need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Operation {
    /// Read an object, whole or in byte ranges.
    #[serde(rename = "GET")]
    Get,
    /// Read an object's headers, such as its size and ETag, without its content.
    #[serde(rename = "HEAD")]
    Head,
}
