//! What is written down of requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line for each request: who asked for what, and what came of it. The account needs a
/// [role for CloudWatch Logs](https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html) in the Region,
/// which all its APIs share: it is looked at first, and never changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessLog {
    /// How many days lines are kept: one of
    /// [those that CloudWatch Logs has](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html),
    /// such as 1, 7, 30, 90, 365 or 3653. By default for ever, until the resource is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_in_days: Option<i64>,
    /// The ARN of a log group made elsewhere, or of an Amazon Data Firehose stream whose name begins with
    /// `amazon-apigateway-`. By default a log group `/aws/apigateway/NAME` is made, and deleted with the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
    /// What a line says: up to 3 KB without line breaks, with
    /// [variables](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html)
    /// of which one is `$context.requestId` or `$context.extendedRequestId`. By default a JSON object with the request's id
    /// and time, the caller and its address, method and path, status, length, latencies and the error, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The ARN of the KMS key that encrypts the log group that is made. The key's policy has to
    /// [let CloudWatch Logs use it](https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html). By
    /// default CloudWatch Logs encrypts with a key of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
}

/// What API Gateway does on the way, for finding faults: its own notes, in the log group
/// `API-Gateway-Execution-Logs_ID/STAGE` that it makes by itself, and that is deleted with the resource. The account needs a
/// role for CloudWatch Logs, as for `accessLog`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecutionLog {
    /// How much is noted. `ERROR` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// Whether requests and answers are noted with their headers and bodies, which may be confidential, up to 1,024 bytes
    /// each. For finding a fault, not for good. `false` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_trace: Option<bool>,
}

/// How much API Gateway notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogLevel {
    /// What failed.
    #[default]
    #[serde(rename = "ERROR")]
    Error,
    /// Every step of every request.
    #[serde(rename = "INFO")]
    Info,
}
