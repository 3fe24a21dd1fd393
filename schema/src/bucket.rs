//! Inputs of the bucket piece.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The S3 bucket that holds the data. It is private: only the role of the API reads it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bucket {
    /// The bucket's name: 3 to 63 lower-case letters, digits and hyphens, and taken by nobody else on AWS
    /// ([naming rules](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)). The resource's
    /// `name` by default. A change replaces the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("willReplaceOnChanges" = true))]
    pub name: Option<String>,
    /// Whether deleting the resource also deletes every object, object version and unfinished upload in the bucket.
    /// Where it is `false`, a bucket that holds anything is kept and the operation fails and says so. `false` by
    /// default. It counts from the next `pulumi up` on: set it there first, then destroy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_destroy: Option<bool>,
    /// Whether a bucket policy refuses plain HTTP. API Gateway itself always uses HTTPS. `true` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_transport_only: Option<bool>,
}
