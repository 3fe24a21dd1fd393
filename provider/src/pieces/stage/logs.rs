//! What a stage writes down, and where.

use s3dataproxy_schema::{ExecutionLog, Inputs, LogLevel};
use serde::{Deserialize, Serialize};

use super::settings::{ALL, Patch};
use crate::partition::Partition;
use crate::pieces::log_group;
use crate::plan::Changes;

/// What stands for the account until it is known.
const ACCOUNT: &str = "{account}";

/// What a line of the access log says where the user does not. What there is nothing of is a bare `-`, so every value has
/// quotes around it; the client's own words, which could hold some, such as `User-Agent`, are left out.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html>
pub const FORMAT: &str = concat!(
    r#"{"requestId":"$context.requestId","extendedRequestId":"$context.extendedRequestId","#,
    r#""requestTime":"$context.requestTime","ip":"$context.identity.sourceIp","user":"$context.identity.userArn","#,
    r#""principalId":"$context.authorizer.principalId","subject":"$context.authorizer.claims.sub","#,
    r#""apiKeyId":"$context.identity.apiKeyId","httpMethod":"$context.httpMethod","path":"$context.path","#,
    r#""protocol":"$context.protocol","status":"$context.status","responseLength":"$context.responseLength","#,
    r#""responseLatency":"$context.responseLatency","integrationStatus":"$context.integration.status","#,
    r#""integrationLatency":"$context.integration.latency","errorType":"$context.error.responseType","#,
    r#""error":"$context.error.message"}"#
);

/// A line for each request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLog {
    /// The ARN of where lines go.
    pub destination: String,
    /// What a line says.
    pub format: String,
}

impl AccessLog {
    /// What the inputs ask for. The ARN of a log group that is made has no account yet, see [`AccessLog::in_account`].
    pub fn of(inputs: &Inputs, name: &str, partition: Partition, region: &str) -> Option<AccessLog> {
        let log = inputs.access_log.as_ref()?;
        let made = || log_group::arn(partition, region, ACCOUNT, &log_group::group_name(name));
        Some(AccessLog {
            destination: log.destination_arn.clone().unwrap_or_else(made),
            format: log.format.as_deref().unwrap_or(FORMAT).trim_end_matches(['\n', '\r']).to_owned(),
        })
    }

    /// The same with the account in its place.
    pub fn in_account(&self, account: Option<&str>) -> AccessLog {
        let destination = account.map_or_else(|| self.destination.clone(), |id| self.destination.replace(ACCOUNT, id));
        AccessLog { destination, ..self.clone() }
    }

    /// Whether lines go to CloudWatch Logs, and not to a Firehose stream.
    pub fn is_group(&self) -> bool {
        self.destination.split(':').nth(2) == Some("logs")
    }

    /// What of UpdateStage's paths gets which value, to come here from `old`.
    pub(super) fn patches(new: Option<&AccessLog>, old: Option<&AccessLog>) -> Vec<Patch> {
        match (old, new) {
            (old, Some(new)) if old != Some(new) => vec![
                Patch::set("/accessLogSettings/destinationArn", &new.destination),
                Patch::set("/accessLogSettings/format", &new.format),
            ],
            (Some(_), None) => vec![Patch::remove("/accessLogSettings")],
            _ => Vec::new(),
        }
    }

    /// The user's properties that differ.
    pub(super) fn compare(old: Option<&AccessLog>, new: Option<&AccessLog>, changes: &mut Changes) {
        match (old, new) {
            (Some(old), Some(new)) => {
                changes.field("accessLog.destinationArn", &old.destination, &new.destination);
                changes.field("accessLog.format", &old.format, &new.format);
            }
            (old, new) => changes.option("accessLog", &old.map(|_| ()), &new.map(|_| ())),
        }
    }
}

/// API Gateway's own notes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Notes {
    /// How much is noted.
    pub level: LogLevel,
    /// Whether headers and bodies are noted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub data_trace: bool,
}

impl Notes {
    /// What the inputs ask for.
    pub fn of(inputs: &Inputs) -> Option<Notes> {
        let ExecutionLog { level, data_trace } = inputs.execution_log.as_ref()?;
        Some(Notes { level: level.unwrap_or_default(), data_trace: data_trace.unwrap_or(false) })
    }

    pub(super) fn patches(new: Option<&Notes>, old: Option<&Notes>) -> Vec<Patch> {
        if new == old {
            return Vec::new();
        }
        let level = match new.map(|notes| notes.level) {
            None => "OFF",
            Some(LogLevel::Error) => "ERROR",
            Some(LogLevel::Info) => "INFO",
        };
        let traced = new.is_some_and(|notes| notes.data_trace);
        vec![
            Patch::set(&format!("{ALL}logging/loglevel"), level),
            Patch::set(&format!("{ALL}logging/dataTrace"), &traced.to_string()),
        ]
    }

    pub(super) fn compare(old: Option<&Notes>, new: Option<&Notes>, changes: &mut Changes) {
        match (old, new) {
            (Some(old), Some(new)) => {
                changes.field("executionLog.level", &old.level, &new.level);
                changes.field("executionLog.dataTrace", &old.data_trace, &new.data_trace);
            }
            (old, new) => changes.option("executionLog", &old.map(|_| ()), &new.map(|_| ())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_one_that_api_gateway_takes_and_its_lines_are_json() {
        assert!(FORMAT.len() <= 3000 && !FORMAT.contains('\n'));
        let line: serde_json::Value = serde_json::from_str(FORMAT).expect("JSON");
        assert_eq!(line["requestId"], "$context.requestId");
        // Without values.
        assert!(line.as_object().expect("an object").values().all(serde_json::Value::is_string));
    }

    #[test]
    fn the_account_comes_into_the_log_groups_arn_only() {
        let inputs = |json| serde_json::from_value::<Inputs>(json).expect("inputs");
        let log = |json| AccessLog::of(&inputs(json), "data", Partition::of("eu-west-1"), "eu-west-1").expect("a log");
        let made = log(serde_json::json!({ "accessLog": {} }));
        assert_eq!(
            made.in_account(Some("123456789012")).destination,
            "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/apigateway/data"
        );
        assert!(made.is_group());
        let stream = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/amazon-apigateway-x";
        let given = log(serde_json::json!({ "accessLog": { "destinationArn": stream } }));
        assert_eq!(given.in_account(Some("9")).destination, stream);
        assert!(!given.is_group());
    }
}
