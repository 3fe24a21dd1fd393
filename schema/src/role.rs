//! The role that API Gateway assumes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The IAM role that API Gateway assumes to reach the bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// The ARN of a role made elsewhere, which is used and never changed or deleted: none is made then. It has to let
    /// `apigateway.amazonaws.com` assume it, and to allow on the bucket what `operations` need: `s3:GetObject` for `GET` and
    /// `HEAD`, `s3:PutObject`, `s3:DeleteObject`, and `s3:ListBucket` for lists and so that a missing key is a 404; where objects are
    /// encrypted with a KMS key, on that `kms:Decrypt` to read and `kms:GenerateDataKey` besides to write. Confine it
    /// to `bucket.prefix`, if there is one: a key with `..` may reach whatever this role may. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The role's [path](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names),
    /// such as `/research/`: with a slash at both ends, up to 512 characters. A change replaces the resource. `/` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("willReplaceOnChanges" = true))]
    pub path: Option<String>,
    /// The ARN of the policy that is the role's
    /// [permissions boundary](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html), where an
    /// organization asks for one. It has to allow what the role does for the URL to work: reading, and what else `operations`
    /// has, in this one bucket. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_arn: Option<String>,
}
