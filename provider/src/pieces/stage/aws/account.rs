//! The account's role for CloudWatch Logs, without which API Gateway refuses to log: looked at, never changed, as all
//! REST APIs of the account share it.

use aws_sdk_iam::error::ProvideErrorMetadata;

use crate::aws::Clients;
use crate::aws::error::{Call, Service};
use crate::desired::Desired;
use crate::error::{Error, Kind};
use crate::pieces::role::trusts_api_gateway;
use crate::pieces::stage::{self, Settings};
use crate::policy::percent_decode;
use crate::state::State;

/// Makes sure that logs can be switched on, where they are to be. Called before anything is made or changed.
pub async fn look(aws: &Clients, state: &State, desired: &Desired) -> Result<(), Error> {
    let logs = |settings: &Settings| settings.logs_to_cloud_watch();
    let on = |stage: &stage::State| stage.name == desired.stage.name && logs(&stage.settings);
    if !logs(&desired.stage.settings) || state.stage.as_ref().is_some_and(on) {
        return Ok(());
    }
    let doing = "switch on logs";
    let answer = aws.apigateway.get_account().send().await;
    let account = answer.map_err(|error| aws.explain(Call(Service::ApiGateway, "GetAccount", doing), error))?;
    let problem = match account.cloudwatch_role_arn.filter(|arn| !arn.is_empty()) {
        None => Some("the account has none in its API Gateway settings".to_owned()),
        Some(arn) => role_problem(aws, &arn, doing).await?,
    };
    let Some(problem) = problem else { return Ok(()) };
    let (partition, region) = (desired.partition.name, &aws.region);
    let reason = format!("API Gateway writes logs with a role of the account in the Region `{region}`, and {problem}");
    Err(Error::new(Kind::Invalid, doing, reason).hint(format!(
        "have an administrator make a role that `apigateway.amazonaws.com` may assume, with the policy \
         `arn:{partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs`, and set it once: `aws \
         apigateway update-account --region {region} --patch-operations op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN`; \
         or leave `accessLog` and `executionLog` out"
    )))
}

/// Why the role cannot be used, as far as one may look.
async fn role_problem(aws: &Clients, arn: &str, doing: &str) -> Result<Option<String>, Error> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let role = match aws.iam.get_role().role_name(name).send().await {
        Ok(answer) => answer.role,
        Err(error) if error.code() == Some("NoSuchEntity") => {
            return Ok(Some(format!("the one that is set, `{arn}`, is not there any more")));
        }
        Err(error) => {
            let error = aws.explain(Call(Service::Iam, "GetRole", doing), error);
            // It is there for others to look after.
            return if error.kind == Kind::Denied { Ok(None) } else { Err(error) };
        }
    };
    let trust = role.and_then(|role| role.assume_role_policy_document).unwrap_or_default();
    let trusted = trusts_api_gateway(&percent_decode(&trust));
    Ok((!trusted).then(|| format!("the one that is set, `{arn}`, does not let `apigateway.amazonaws.com` assume it")))
}
