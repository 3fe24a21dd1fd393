//! The log group that access logs go to, where the user names no destination.

use s3dataproxy_schema::Inputs;
use serde::{Deserialize, Serialize};

use crate::desired::Tags;
use crate::partition::Partition;
use crate::plan::{Action, Changes};

pub mod aws;

/// The log group as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name.
    pub name: String,
    /// How many days it keeps what it has; none for ever.
    pub retention: Option<i64>,
    /// The ARN of the key that encrypts it; none for CloudWatch Logs' own.
    pub kms_key_arn: Option<String>,
    /// Its tags, the owner tag among them.
    pub tags: Tags,
}

/// The log group as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Its name.
    pub name: String,
    /// How many days it keeps what it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<i64>,
    /// The ARN of the key that encrypts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The tags that are ours.
    pub tags: Tags,
}

impl Desired {
    /// What the inputs ask for; none where nothing is logged, or to a place made elsewhere.
    pub fn of(inputs: &Inputs, name: &str, tags: &Tags) -> Option<Desired> {
        let log = inputs.access_log.as_ref().filter(|log| log.destination_arn.is_none())?;
        Some(Desired {
            name: group_name(name),
            retention: log.retention_in_days,
            kms_key_arn: log.kms_key_arn.clone(),
            tags: tags.clone(),
        })
    }
}

/// The name of a resource's log group.
pub fn group_name(name: &str) -> String {
    format!("/aws/apigateway/{name}")
}

/// The name of the log group that API Gateway makes for its own notes on a stage.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>
pub fn of_execution(api: &str, stage: &str) -> String {
    format!("API-Gateway-Execution-Logs_{api}/{stage}")
}

/// Whether a log group has API Gateway's notes on this REST API.
pub fn is_of_execution(group: &str, api: &str) -> bool {
    group.starts_with(&of_execution(api, ""))
}

/// A log group's ARN, in the form without `:*` that API Gateway and tags want.
pub fn arn(partition: Partition, region: &str, account: &str, group: &str) -> String {
    format!("arn:{}:logs:{region}:{account}:log-group:{group}", partition.name)
}

/// What has to happen to the log group, and at the end of everything to those that API Gateway has made.
pub fn plan(old: Option<&State>, new: Option<&Desired>, ends_with_notes: bool) -> (Action, Changes) {
    if ends_with_notes && old.is_none() {
        return Action::appear(true, false, "executionLog");
    }
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "logGroupArn"),
    };
    let mut changes = Changes::default();
    changes.option("accessLog.retentionInDays", &old.retention, &new.retention);
    changes.option("accessLog.kmsKeyArn", &old.kms_key_arn, &new.kms_key_arn);
    changes.tags(&old.tags, &new.tags);
    changes.field("name", &old.name, &new.name);
    (Action::unless_empty(&changes), changes)
}
