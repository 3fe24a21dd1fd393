//! The role's inline policy: exactly what the operations need, on exactly one bucket.

use s3dataproxy_schema::Operation;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::partition::Partition;
use crate::pieces::bucket;
use crate::plan::{Action, Changes};
use crate::policy::canonical;

pub mod aws;

/// The inline policy's name in the role.
pub const NAME: &str = "s3dataproxy";

/// The policy as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The policy as canonical JSON text.
    pub policy: String,
}

/// The policy as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The policy as canonical JSON text.
    pub policy: String,
}

/// What has to happen to the policy.
pub fn plan(old: Option<&State>, new: Option<&Desired>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "operations"),
    };
    let mut changes = Changes::default();
    changes.field("operations", &old.policy, &new.policy);
    (Action::unless_empty(&changes), changes)
}

/// The policy for a set of operations.
///
/// `s3:ListBucket` is there so that a missing key is a 404: without it S3 does not say whether a key exists and answers
/// 403. Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub fn policy(partition: Partition, bucket: &str, operations: &[Operation]) -> String {
    let arn = bucket::arn(partition, bucket);
    let reads = operations.iter().any(|operation| matches!(operation, Operation::Get | Operation::Head));
    let mut statements = Vec::new();
    if reads {
        statements.push(json!({
            "Sid": "ReadObjects",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": format!("{arn}/*"),
        }));
        statements.push(json!({
            "Sid": "MissingKeysAre404",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn,
        }));
    }
    canonical(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}
