//! The way to AWS: clients made from one configuration, errors in words, retries, readiness.

use aws_sdk_apigateway as apigateway;
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_iam as iam;
use aws_sdk_s3 as s3;

pub mod config;
pub mod error;
pub mod probe;
mod retry;

pub(crate) use retry::OnlyRefusals;

/// The clients, and what their configuration says.
pub struct Clients {
    /// Amazon S3.
    pub s3: s3::Client,
    /// AWS IAM.
    pub iam: iam::Client,
    /// Amazon API Gateway.
    pub apigateway: apigateway::Client,
    /// Amazon CloudWatch Logs.
    pub logs: logs::Client,
    /// The Region.
    pub region: String,
    /// The account, where the credentials or the configuration tell it.
    pub account: Option<String>,
    /// The base URL of a stage, with names in braces to be filled in.
    pub execute_api_url: String,
    /// Sends the readiness probe, through the same HTTP client as everything else.
    pub probe: probe::Probe,
    /// The custom endpoint of each service that has one, for error messages.
    pub endpoints: config::CustomEndpoints,
}
