//! What `accessLog` and `executionLog` may say.

use s3dataproxy_schema::{AccessLog, Inputs};

use super::arn::is_arn;
use crate::inputs::Failure;
use crate::value::UNKNOWN;

/// For how many days CloudWatch Logs can keep what it has.
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The most bytes of a format.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const LONGEST: usize = 3 * 1024;

/// Checks what types cannot. Parts that are not known yet are skipped.
pub(super) fn check(inputs: &Inputs, failures: &mut Vec<Failure>) {
    let Some(log) = &inputs.access_log else { return };
    let AccessLog { retention_in_days, destination_arn, format, kms_key_arn } = log;
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        failures.extend(wrong.then(|| Failure::new(path, reason)));
    };
    let reason = format!("`accessLog.retentionInDays` must be one of {}; for ever is to leave it out", days());
    let days_are_right = retention_in_days.is_none_or(|days| DAYS.contains(&days));
    fail("accessLog.retentionInDays", !days_are_right, &reason);
    for (path, set) in
        [("accessLog.retentionInDays", retention_in_days.is_some()), ("accessLog.kmsKeyArn", kms_key_arn.is_some())]
    {
        let reason =
            format!("`{path}` is for the log group that is made, and `accessLog.destinationArn` names another place");
        fail(path, set && destination_arn.as_ref().is_some_and(|arn| !arn.contains(UNKNOWN)), &reason);
    }
    fail(
        "accessLog.kmsKeyArn",
        kms_key_arn.as_ref().is_some_and(|arn| !is_arn(arn, "kms", "key/")),
        "`accessLog.kmsKeyArn` must be the ARN of a KMS key, such as \
         `arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`",
    );
    if let Some(arn) = destination_arn {
        fail(
            "accessLog.destinationArn",
            !is_group(arn) && !is_arn(arn, "firehose", "deliverystream/amazon-apigateway-"),
            "`accessLog.destinationArn` must be the ARN of a log group, such as \
             `arn:aws:logs:eu-central-1:123456789012:log-group:requests`, or of a Firehose stream whose name begins with \
             `amazon-apigateway-`",
        );
        let reason = "`accessLog.destinationArn` is a log group's ARN without `:*` at its end";
        fail("accessLog.destinationArn", arn.ends_with(":*") && is_arn(arn, "logs", "log-group:"), reason);
    }
    if let Some(format) = format.as_ref().filter(|format| !format.contains(UNKNOWN)) {
        let reason = format!(
            "`accessLog.format` is one line of up to {LONGEST} bytes that has `$context.requestId` or \
             `$context.extendedRequestId`"
        );
        let named = format.contains("$context.requestId") || format.contains("$context.extendedRequestId");
        fail(
            "accessLog.format",
            format.len() > LONGEST || format.trim_end_matches(['\n', '\r']).contains(['\n', '\r']) || !named,
            &reason,
        );
    }
}

/// Whether a text is a log group's ARN, with or without the `:*` that some of AWS's answers have.
fn is_group(arn: &str) -> bool {
    is_arn(arn, "logs", "log-group:") && arn.trim_end_matches(":*").split(':').count() <= 7
}

fn days() -> String {
    let all: Vec<String> = DAYS.iter().map(i64::to_string).collect();
    all.join(", ")
}
