//! The IAM role that API Gateway assumes to reach the bucket.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::desired::Tags;
use crate::plan::{Action, Changes};
use crate::policy::canonical;

pub mod aws;

/// The role as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name, unique in the account.
    pub name: String,
    /// Its ARN, where it was made elsewhere and is only used.
    pub given: Option<String>,
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
    /// Whether it was made elsewhere, and is only used.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existing: bool,
    /// Who may assume it, as canonical JSON text.
    pub trust: String,
    /// The ARN of its permissions boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// The tags that are ours.
    pub tags: Tags,
}

impl State {
    /// Its ARN, where it was made elsewhere.
    pub fn given(&self) -> Option<&str> {
        self.existing.then_some(self.arn.as_str())
    }
}

/// What has to happen to the role.
pub fn plan(old: Option<&State>, new: Option<&Desired>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "roleArn"),
    };
    let mut changes = Changes::default();
    if new.given.is_some() || old.existing {
        changes.field("role.arn", &old.given(), &new.given.as_deref());
        return (Action::unless_empty(&changes), changes);
    }
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

/// Whether a trust policy has a statement that lets API Gateway in.
pub fn trusts_api_gateway(policy: &str) -> bool {
    let listed = |value: &Json, wanted: &str| match value {
        Json::String(one) => one == wanted,
        Json::Array(several) => several.iter().any(|one| one == wanted),
        _ => false,
    };
    let policy: Json = serde_json::from_str(policy).unwrap_or_default();
    let statements = match &policy["Statement"] {
        Json::Array(several) => several.clone(),
        one => vec![one.clone()],
    };
    statements.iter().any(|statement| {
        statement["Effect"] == "Allow" && listed(&statement["Principal"]["Service"], "apigateway.amazonaws.com")
    })
}

#[cfg(test)]
mod tests {
    use super::trusts_api_gateway;

    #[test]
    fn trust_is_read_in_every_form() {
        let trust =
            |statement: &str| trusts_api_gateway(&format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#));
        let api_gateway =
            r#"{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
        assert!(trust(api_gateway));
        assert!(trust(&format!("[{api_gateway}]")));
        assert!(trust(
            r#"{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","apigateway.amazonaws.com"]}}"#
        ));
        assert!(!trust(r#"{"Effect":"Deny","Principal":{"Service":"apigateway.amazonaws.com"}}"#));
        assert!(!trust(r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}"#));
        assert!(!trusts_api_gateway(""));
    }
}
