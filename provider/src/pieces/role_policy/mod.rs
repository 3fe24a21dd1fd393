//! The role's inline policy: exactly what the operations need, on exactly one bucket.

use std::collections::BTreeSet;

use s3dataproxy_schema::Operation;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::pieces::bucket;
use crate::pieces::definition::Api;
use crate::plan::{Action, Changes};
use crate::policy::canonical;

pub mod aws;

/// The inline policy's name in the role.
pub const NAME: &str = "s3dataproxy";

/// The id of the statement about the KMS key.
pub const KEY: &str = "Key";

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
    /// What others have added to the role: names of inline policies, and ARNs of managed ones.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub others: BTreeSet<String>,
}

impl State {
    /// The KMS key that the policy is about.
    pub fn kms_key_arn(&self) -> Option<String> {
        let policy: Json = serde_json::from_str(&self.policy).ok()?;
        let statements = policy["Statement"].as_array().cloned().unwrap_or_else(|| vec![policy["Statement"].clone()]);
        let key = statements.into_iter().find(|statement| statement["Sid"] == KEY)?;
        key["Resource"].as_str().map(str::to_owned)
    }

    /// The bucket that the policy is about.
    pub fn bucket(&self) -> Option<String> {
        let policy: Json = serde_json::from_str(&self.policy).ok()?;
        let statements = policy["Statement"].as_array().cloned().unwrap_or_else(|| vec![policy["Statement"].clone()]);
        statements.iter().find_map(|statement| {
            let resource = &statement["Resource"];
            let arn = resource.as_str().or_else(|| resource[0].as_str())?;
            let (_, rest) = arn.split_once(":s3:::")?;
            rest.split('/').next().map(str::to_owned)
        })
    }
}

/// What has to happen to the policy.
pub fn plan(old: Option<&State>, new: Option<&Desired>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "operations"),
    };
    let mut changes = Changes::default();
    // The role may do what the operations need, and nothing else.
    if old.policy != new.policy || !old.others.is_empty() {
        changes.update("operations");
    }
    (Action::unless_empty(&changes), changes)
}

/// The policy for what the API does.
///
/// `s3:ListBucket` is there so that a missing key is a 404: without it S3 does not say whether a key exists and answers
/// 403. It names no prefix when it looks for that, so where objects are read the condition on the prefix counts only if
/// there is one. Lists always name it.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub fn policy(api: &Api, kms_key_arn: Option<&str>) -> String {
    let arn = bucket::arn(api.partition, &api.bucket);
    let mut statements = Vec::new();
    let mut objects: BTreeSet<&str> = BTreeSet::new();
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for operation in &api.operations {
        let (more, with_key): (&[&str], &[&str]) = match operation {
            Operation::Get => (&["s3:GetObject", "s3:GetObjectVersion"], &["kms:Decrypt"]),
            // The checksums of an encrypted object need both.
            // Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
            Operation::Head => (&["s3:GetObject", "s3:GetObjectVersion"], &["kms:Decrypt", "kms:GenerateDataKey"]),
            // `If-Match` compares with the object that is there.
            // Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
            Operation::Put => (&["s3:GetObject", "s3:PutObject"], &["kms:GenerateDataKey"]),
            Operation::Delete => (&["s3:DeleteObject"], &[]),
            Operation::List => (&[], &[]),
        };
        objects.extend(more);
        keys.extend(with_key);
    }
    if !objects.is_empty() {
        statements.push(json!({
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": objects,
            "Resource": format!("{arn}/{}*", api.prefix),
        }));
    }
    let lists = api.operations.contains(&Operation::List);
    let reads = api.operations.iter().any(|operation| matches!(operation, Operation::Get | Operation::Head));
    if lists || reads {
        let mut statement = json!({
            "Sid": if lists { "ListKeys" } else { "MissingKeysAre404" },
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn,
        });
        if !api.prefix.is_empty() {
            let operator = if reads { "StringLikeIfExists" } else { "StringLike" };
            statement["Condition"] = json!({ operator: { "s3:prefix": format!("{}*", api.prefix) } });
        }
        statements.push(statement);
    }
    if let Some(key) = kms_key_arn.filter(|_| !keys.is_empty()) {
        statements.push(json!({
            "Sid": KEY,
            "Effect": "Allow",
            "Action": keys,
            "Resource": key,
            "Condition": {
                "StringEquals": { "kms:ViaService": format!("s3.{}.{}", api.region, api.partition.dns_suffix) },
            },
        }));
    }
    canonical(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}
