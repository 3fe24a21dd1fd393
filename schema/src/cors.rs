//! Which web pages may use the URL.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which web pages may use the URL from a browser (cross-origin resource sharing). Preflights, answers and errors carry the
/// headers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cors {
    /// The origins whose pages may use the URL, such as `https://example.com`, or `*` alone for all. Of several, S3 itself
    /// tells each answer's origin from the bucket's CORS rules, so a bucket that exists already takes one origin or `*`.
    pub allow_origins: Vec<String>,
    /// The request headers that pages may send. By default all that the operations act upon, and those for authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_headers: Option<Vec<String>>,
    /// The response headers that pages may read. By default all that the operations answer with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expose_headers: Option<Vec<String>>,
    /// For how many seconds a browser may remember a preflight: 0 to 86400. 600 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<i64>,
    /// Whether pages may send cookies and HTTP authentication. It does not go with the origin `*`. `false` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
}
