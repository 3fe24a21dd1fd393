//! Inputs of the bucket piece.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The S3 bucket that holds the data. One that is made is private: only the role of the API reads it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bucket {
    /// The bucket's name: 3 to 63 lower-case letters, digits and hyphens, and taken by nobody else on AWS
    /// ([naming rules](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)). The resource's
    /// `name` by default. A change replaces the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("willReplaceOnChanges" = true))]
    pub name: Option<String>,
    /// Whether the bucket `bucket.name` was made elsewhere. It is served, and never changed or deleted; what would change
    /// it (`forceDestroy`, `secureTransportOnly`, `versioning`) cannot be set. A bucket of another account has to allow the
    /// role in its own policy. `false` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<bool>,
    /// The Region of an existing bucket, where it is not the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Only the keys below this prefix are served, and the role may reach no others: with `models/v1`, the URL's `a.bin` is
    /// the object `models/v1/a.bin`. Segments of letters, digits and `_ - . =`, with or without a slash at the end. The
    /// whole bucket by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Whether S3 keeps the earlier versions of objects that are overwritten or deleted. Switched off again, it keeps those
    /// that it has and makes no more. `false` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versioning: Option<bool>,
    /// The ARN of the KMS key that objects are encrypted with. A bucket that is made encrypts new objects with it, by way
    /// of a bucket key; the role gets the permissions for the key that its operations need. The key's own policy has to
    /// allow the account. S3's own keys by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// Whether deleting the resource also deletes every object, object version and unfinished upload in the bucket.
    /// Where it is `false`, a bucket that holds anything is kept and the operation fails and says so. `false` by
    /// default. It counts from the next `pulumi up` on: set it there first, then destroy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_destroy: Option<bool>,
    /// Whether a bucket policy refuses plain HTTP. API Gateway itself always uses HTTPS. `true` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_transport_only: Option<bool>,
}
