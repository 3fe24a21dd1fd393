//! The S3 bucket that holds the data, with its tags and its policy.
//!
//! A new bucket is private, encrypted and without ACLs by S3's own defaults, so one call makes the secure baseline.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::desired::Tags;
use crate::partition::Partition;
use crate::plan::{Action, Changes};
use crate::policy::canonical;

pub mod aws;

/// The bucket as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name, unique in all of AWS.
    pub name: String,
    /// Its policy as canonical JSON text; none for no policy.
    pub policy: Option<String>,
    /// Whether objects are deleted with it.
    pub force_destroy: bool,
    /// Its tags, the owner tag among them.
    pub tags: Tags,
}

/// The bucket as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Its policy as canonical JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The tags that are ours.
    pub tags: Tags,
}

/// What has to happen to the bucket.
pub fn plan(old: Option<&State>, new: Option<&Desired>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "bucketName"),
    };
    let mut changes = Changes::default();
    changes.field("bucket.secureTransportOnly", &old.policy, &new.policy);
    changes.tags(&old.tags, &new.tags);
    // The engine replaces the whole resource when the name changes; only a plan made by hand gets here.
    changes.field("bucket.name", &old.name, &new.name);
    (Action::unless_empty(&changes), changes)
}

/// A policy that refuses plain HTTP and allows nothing.
pub fn secure_transport_policy(partition: Partition, bucket: &str) -> String {
    let arn = arn(partition, bucket);
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "SecureTransportOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }],
    });
    canonical(&policy.to_string())
}

/// A bucket's ARN.
pub fn arn(partition: Partition, bucket: &str) -> String {
    format!("arn:{}:s3:::{bucket}", partition.name)
}
