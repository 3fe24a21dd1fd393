//! How much each client may ask for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many requests each client of `apiKeys` has in a period. What is above is a 429 that S3 never sees. API Gateway
/// counts as well as it can, so a quota is
/// [a target, not a limit](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html) to
/// rely on for costs.
// It is kept in the state too, where a later plugin may have written more: the table of shapes refuses what users mistype.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Requests in a period: 1 or more.
    pub limit: i64,
    /// How long a period is.
    pub period: QuotaPeriod,
    /// The day on which a period begins: 0 for `DAY`; 0 (Sunday) to 6 for `WEEK`; 0 (the first) to 27 for `MONTH`. 0 by
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
}

/// How long the period of a quota is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum QuotaPeriod {
    /// A day.
    #[default]
    #[serde(rename = "DAY")]
    Day,
    /// A week.
    #[serde(rename = "WEEK")]
    Week,
    /// A month.
    #[serde(rename = "MONTH")]
    Month,
}
