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
    /// List the keys: GET on the mount path, with S3's `prefix`, `delimiter`, `max-keys`, `continuation-token`,
    /// `start-after` and `encoding-type`. The answer is S3's own, in XML.
    #[serde(rename = "LIST")]
    List,
    /// Write an object of at most 10 MB.
    #[serde(rename = "PUT")]
    Put,
    /// Delete an object; in a bucket with versions, hide it behind a delete marker.
    #[serde(rename = "DELETE")]
    Delete,
}
