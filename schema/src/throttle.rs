//! How fast clients may ask.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many requests the stage takes, of all clients together, and with `apiKeys` also each client. What is above is a 429 that S3 never sees. API Gateway
/// counts in each of its servers, so the limits are
/// [targets, not exact](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html), and
/// the account's own limit, 10,000 requests a second in most Regions, holds above them.
// It is kept in the state too, where a later plugin may have written more: the table of shapes refuses what users mistype.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Throttle {
    /// Requests a second in the long run: 0 or more. With 0 nothing passes.
    pub rate_limit: f64,
    /// Requests that may come at once, before the rate counts: 0 or more.
    pub burst_limit: i64,
}
