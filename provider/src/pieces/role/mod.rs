//! The IAM role that API Gateway assumes to reach the bucket.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::desired::Tags;
use crate::plan::{Action, Changes};
use crate::policy::canonical;

pub mod aws;

/// The role as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name, unique in the account.
    pub name: String,
    /// Its path, where that is not `/`. It never changes: another path is another role.
    pub path: Option<String>,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    /// Its tags, the owner tag among them.
    pub tags: Tags,
}

/// The role as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Who may assume it, as canonical JSON text.
    pub trust: String,
    /// The ARN of its permissions boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// The tags that are ours.
    pub tags: Tags,
}

/// What has to happen to the role.
pub fn plan(old: Option<&State>, new: Option<&Desired>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "roleArn"),
    };
    let mut changes = Changes::default();
    changes.field("roleArn", &old.trust, &trust_policy());
    changes.option("role.permissionsBoundaryArn", &old.boundary, &new.boundary);
    changes.tags(&old.tags, &new.tags);
    changes.field("name", &old.name, &new.name);
    (Action::unless_empty(&changes), changes)
}

/// The trust policy: API Gateway and nobody else.
///
/// It has no condition on the source account, because API Gateway sends none when it assumes a role for an S3
/// integration, and every request would fail. The role is bound to one API and one bucket by what it may do and by
/// `iam:PassRole`, which does not work across accounts.
/// Source: <https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/479>
pub fn trust_policy() -> String {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "apigateway.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }],
    });
    canonical(&policy.to_string())
}
