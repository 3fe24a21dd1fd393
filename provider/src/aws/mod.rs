//! The way to AWS: clients made from one configuration, errors in words, retries, readiness.

use aws_sdk_apigateway as apigateway;
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_iam as iam;
use aws_sdk_s3 as s3;
use aws_sdk_sts as sts;
use aws_sdk_wafv2 as wafv2;

pub mod config;
pub mod error;
mod pace;
pub mod probe;
mod retry;

pub(crate) use retry::OnlyRefusals;

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::apply::{Stop, Tell};
use crate::error::{Error, Kind};
use crate::pieces::rest_api;
use crate::state::State;
use error::{Call, Service};
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
    /// AWS STS.
    pub sts: sts::Client,
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
    /// Every REST API as it was when first asked, for looks at what earlier commands have left.
    rest_apis: Arc<OnceCell<Vec<rest_api::State>>>,
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

    /// Every REST API with all of its tags, listed once for a command.
    pub async fn rest_apis(&self) -> Result<&[rest_api::State], Error> {
        let list = || rest_api::aws::all(self, "look for REST APIs that earlier runs made");
        Ok(self.rest_apis.get_or_try_init(list).await?)
    }

    /// The account that the credentials belong to.
    pub async fn account(&self, doing: &str) -> Result<String, Error> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let identity = self.sts.get_caller_identity().send().await;
        let identity = identity.map_err(|error| self.explain(Call(Service::Sts, "GetCallerIdentity", doing), error))?;
        Ok(identity.account.unwrap_or_default())
    }

    /// Whether a resource of which nothing was found was looked for in its own account.
    pub async fn is_accounts_of(&self, state: &State) -> Result<(), Error> {
        let doing = "look for the resource";
        let Some(known) = state.account() else { return Ok(()) };
        let account = self.account(doing).await?;
        if account == known {
            return Ok(());
        }
        let reason = format!("it is in account {known}, and the credentials belong to account {account}");
        Err(Error::new(Kind::Config, doing, reason)
            .hint("use the credentials, the profile or the role of its own account"))
    }
}
