//! The way to AWS: clients made from one configuration, errors in words, retries, readiness.

use aws_sdk_apigateway as apigateway;
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_iam as iam;
use aws_sdk_s3 as s3;
use aws_sdk_wafv2 as wafv2;

pub mod config;
pub mod error;
mod pace;
pub mod probe;
mod retry;

pub(crate) use retry::OnlyRefusals;

use std::sync::Arc;

use crate::apply::{Stop, Tell};
use pace::{InTurn, Pace, Waiting};

/// The clients, and what their configuration says.
#[derive(Clone)]
pub struct Clients {
    /// Amazon S3.
    pub s3: s3::Client,
    /// AWS IAM.
    pub iam: iam::Client,
    /// Amazon API Gateway.
    pub apigateway: apigateway::Client,
    /// Amazon CloudWatch Logs.
    pub logs: logs::Client,
    /// AWS WAF.
    pub wafv2: wafv2::Client,
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
    /// The pace at which API Gateway is called; none where its quotas do not count.
    pace: Option<Arc<Pace>>,
}

impl Clients {
    /// The same clients for one operation: waits for API Gateway's pace end when it has to stop, and are told.
    pub fn waiting(&self, stop: Stop, tell: Tell) -> Clients {
        let mut clients = self.clone();
        if let Some(pace) = &self.pace {
            let in_turn = InTurn::new(pace.clone(), Some(Waiting { stop, tell }));
            let config = self.apigateway.config().to_builder().auth_scheme_resolver(in_turn);
            clients.apigateway = apigateway::Client::from_conf(config.build());
        }
        clients
    }
}
