//! From the provider's configuration, the environment and AWS's files to clients.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_apigateway as apigateway;
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_iam as iam;
use aws_sdk_s3 as s3;
use aws_sdk_sts as sts;
use aws_sdk_wafv2 as wafv2;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use s3dataproxy_schema::Config;

use super::Clients;
use super::pace::{InTurn, MarkEdge, Pace};
use super::probe::Probe;
use super::retry::{Conflicts, GiveUpConnecting};
use crate::error::{Error, Kind};
use crate::partition::Partition;

/// How often a call is tried where `maxAttempts` does not say.
const MAX_ATTEMPTS: u32 = 8;

/// How long an attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);

/// For tests: how many seconds a second of API Gateway's quotas lasts, at custom endpoints too; 0 for no pace at all.
const PACE: &str = "S3DATAPROXY_PACE";

/// The endpoints that are not AWS's own.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "one a service")]
pub struct CustomEndpoints {
    pub s3: Option<String>,
    pub iam: Option<String>,
    pub apigateway: Option<String>,
    pub logs: Option<String>,
    pub sts: Option<String>,
    pub wafv2: Option<String>,
}

/// Makes the clients: finds Region and credentials, and makes no AWS call besides those that credentials need.
pub async fn connect(config: &Config) -> Result<Clients, Error> {
    let sdk = load(config).await?;
    let region = sdk.region().map(Region::to_string).unwrap_or_default();
    let (account, key) = credentials(&sdk, config.profile.as_deref()).await?;
    let endpoints = endpoints(config, &sdk);

    macro_rules! client {
        ($service:ident, $endpoint:expr) => {{
            let mut builder =
                $service::config::Builder::from(&sdk).retry_classifier(Conflicts).interceptor(GiveUpConnecting);
            builder.set_endpoint_url($endpoint.clone());
            builder
        }};
    }
    // A custom endpoint is one host for all buckets, so their names go into the path.
    let s3 = client!(s3, endpoints.s3).force_path_style(endpoints.s3.is_some());
    let scale = pace_scale(std::env::var(PACE).ok().as_deref(), endpoints.apigateway.is_some())?;
    let pace = (scale > 0.0).then(|| {
        let place = (account.clone().unwrap_or(key), region.clone(), endpoints.apigateway.clone());
        Pace::of(place, scale)
    });
    let mut apigateway = client!(apigateway, endpoints.apigateway);
    if let Some(pace) = &pace {
        // An attempt begins with the wait for its turn, which has no limit of its own.
        let timeouts = sdk.timeout_config().map(TimeoutConfig::to_builder).unwrap_or_default();
        let timeouts = timeouts.disable_operation_attempt_timeout().read_timeout(ATTEMPT).build();
        let in_turn = InTurn::new(pace.clone(), None);
        apigateway = apigateway.timeout_config(timeouts).interceptor(MarkEdge).auth_scheme_resolver(in_turn);
    }
    let clients = Clients {
        rest_apis: Default::default(),
        s3: s3::Client::from_conf(s3.build()),
        iam: iam::Client::from_conf(client!(iam, endpoints.iam).build()),
        apigateway: apigateway::Client::from_conf(apigateway.build()),
        logs: logs::Client::from_conf(client!(logs, endpoints.logs).build()),
        sts: sts::Client::from_conf(client!(sts, endpoints.sts).build()),
        wafv2: wafv2::Client::from_conf(client!(wafv2, endpoints.wafv2).build()),
        execute_api_url: execute_api_url(config, endpoints.apigateway.as_deref(), &region),
        probe: Probe::new(&sdk),
        account,
        region,
        endpoints,
        pace,
    };
    if let Some(allowed) = &config.allowed_account_ids {
        check_account(&clients, allowed).await?;
    }
    Ok(clients)
}

async fn load(config: &Config) -> Result<SdkConfig, Error> {
    let attempts = config.max_attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(MAX_ATTEMPTS);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(attempts)
                .with_initial_backoff(Duration::from_millis(500))
                .with_max_backoff(Duration::from_secs(20)),
        )
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).operation_attempt_timeout(ATTEMPT).build(),
        );
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &config.profile {
        // A profile that is named here wins over keys in the environment: these may be another account's.
        loader = loader
            .profile_name(profile)
            .credentials_provider(ProfileFileCredentialsProvider::builder().profile_name(profile).build());
    }
    if let Some(url) = &config.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let (Some(key), Some(secret)) = (&config.access_key, &config.secret_key) {
        let keys = aws_credential_types::Credentials::new(key, secret, config.token.clone(), None, "configuration");
        loader = loader.credentials_provider(keys);
    }
    let sdk = loader.load().await;
    if sdk.region().is_none_or(|region| region.as_ref().is_empty()) {
        return Err(Error::new(Kind::Config, "reach AWS", "no AWS Region is set")
            .hint("run `pulumi config set s3dataproxy:region REGION`, or set `AWS_REGION` or the profile's region"));
    }
    let Some(role) = &config.assume_role else { return Ok(sdk) };
    let mut provider = AssumeRoleProvider::builder(&role.role_arn)
        .configure(&sdk)
        .session_name(role.session_name.as_deref().unwrap_or("s3dataproxy"));
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    let provider = provider.build().await;
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(provider);
    Ok(sdk.into_builder().credentials_provider(provider).build())
}

/// How many seconds a second of API Gateway's quotas lasts: AWS's own where AWS answers, and none elsewhere.
fn pace_scale(set: Option<&str>, elsewhere: bool) -> Result<f64, Error> {
    let Some(set) = set else { return Ok(if elsewhere { 0.0 } else { 1.0 }) };
    let scale = set.parse().ok().filter(|scale| (0.0..=1.0).contains(scale));
    scale.ok_or_else(|| Error::new(Kind::Config, "reach AWS", format!("`{PACE}` must be a number from 0 to 1")))
}

/// Looks credentials up, and tells their account where they name it, and the id of their key.
async fn credentials(sdk: &SdkConfig, profile: Option<&str>) -> Result<(Option<String>, String), Error> {
    let missing = |reason: String| {
        let place = profile.map_or_else(String::new, |profile| format!(" in the profile `{profile}`"));
        Error::new(Kind::Config, "reach AWS", format!("no usable AWS credentials{place}: {reason}")).hint(
            "log in with the AWS CLI, or set `AWS_PROFILE`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or the \
             provider's `profile`, or `accessKey` and `secretKey`",
        )
    };
    let provider = sdk.credentials_provider().ok_or_else(|| missing("there is no source of them".to_owned()))?;
    match provider.provide_credentials().await {
        Ok(found) => Ok((found.account_id().map(|id| id.as_str().to_owned()), found.access_key_id().to_owned())),
        Err(error) => {
            let mut reason: &dyn std::error::Error = &error;
            while let Some(source) = reason.source() {
                reason = source;
            }
            Err(missing(reason.to_string()))
        }
    }
}

async fn check_account(clients: &Clients, allowed: &[String]) -> Result<(), Error> {
    let doing = "check `allowedAccountIds`";
    let account = clients.account(doing).await?;
    if allowed.contains(&account) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Config,
        doing,
        format!("the credentials belong to account {account}, which is not among them"),
    ))
}

/// The endpoints in force: a service's own, the common one, or none for AWS's.
fn endpoints(config: &Config, sdk: &SdkConfig) -> CustomEndpoints {
    let own = config.endpoints.clone().unwrap_or_default();
    let common = config.endpoint_url.as_ref();
    let pick = |own: Option<String>, id: &'static str| own.or(common.cloned()).or_else(|| from_environment(sdk, id));
    CustomEndpoints {
        s3: pick(own.s3, "S3"),
        iam: pick(own.iam, "IAM"),
        apigateway: pick(own.apigateway, "API Gateway"),
        logs: pick(own.logs, "CloudWatch Logs"),
        sts: pick(own.sts, "STS"),
        wafv2: pick(own.wafv2, "WAFV2"),
    }
}

/// What the environment and AWS's files say of a service's endpoint, such as `AWS_ENDPOINT_URL_S3`.
fn from_environment(sdk: &SdkConfig, service: &'static str) -> Option<String> {
    let key = aws_types::service_config::ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let single = sdk.service_config().and_then(|config| config.load_config(key));
    single.or_else(|| sdk.endpoint_url().map(str::to_owned))
}

fn execute_api_url(config: &Config, endpoint: Option<&str>, region: &str) -> String {
    let template = match (&config.execute_api_url, endpoint) {
        (Some(template), _) => template.trim_end_matches('/').to_owned(),
        (None, Some(endpoint)) => {
            format!("{}/_aws/execute-api/{{restApiId}}/{{stage}}", endpoint.trim_end_matches('/'))
        }
        (None, None) => "https://{restApiId}.execute-api.{region}.{dnsSuffix}/{stage}".to_owned(),
    };
    template.replace("{region}", region).replace("{dnsSuffix}", Partition::of(region).dns_suffix)
}
