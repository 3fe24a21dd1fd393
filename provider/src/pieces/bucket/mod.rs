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
    /// Whether it was made elsewhere, and is only served.
    pub existing: bool,
    /// The Region where it is.
    pub region: String,
    /// Its policy as canonical JSON text; none for no policy.
    pub policy: Option<String>,
    /// Whether S3 keeps earlier versions of objects.
    pub versioning: bool,
    /// The KMS key that new objects are encrypted with; none for S3's own.
    pub kms_key_arn: Option<String>,
    /// The rules by which S3 tells pages of several origins apart.
    pub cors: Option<Rules>,
    /// Whether objects are deleted with it.
    pub force_destroy: bool,
    /// Its tags, the owner tag among them.
    pub tags: Tags,
}

/// CORS rules of one kind for several origins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// The origins.
    pub origins: Vec<String>,
    /// The HTTP methods.
    pub methods: Vec<String>,
    /// Whether they say more than that, which only somebody else can have put there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// The bucket as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Whether it was made elsewhere, and is only served.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existing: bool,
    /// Its policy as canonical JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whether S3 keeps earlier versions of objects.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub versioning: bool,
    /// The KMS key that new objects are encrypted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// Whether somebody has changed how new objects are encrypted, besides the key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encrypted_otherwise: bool,
    /// Whether somebody has switched ACLs on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub acls: bool,
    /// Whether somebody has lifted the block of public access.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unblocked: bool,
    /// Its CORS rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<Rules>,
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
    changes.field("bucket.existing", &old.existing, &new.existing);
    if !new.existing {
        changes.field("bucket.secureTransportOnly", &old.policy, &new.policy);
        changes.field("bucket.versioning", &old.versioning, &new.versioning);
        let encryption = (&old.kms_key_arn, old.encrypted_otherwise);
        changes.field("bucket.kmsKeyArn", &encryption, &(&new.kms_key_arn, false));
        // What S3 gives every new bucket, and no property asks for.
        changes.field("bucketArn", &(old.acls, old.unblocked), &(false, false));
        changes.field("cors", &old.cors, &new.cors);
        changes.tags(&old.tags, &new.tags);
    }
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
