//! The stage's web ACL at AWS WAF.

use std::time::Duration;

use aws_sdk_wafv2::error::ProvideErrorMetadata;
use tokio::time::Instant;

use super::arn;
use crate::apply::Run;
use crate::aws::error::{Call, Service::Wafv2};
use crate::error::Error;

/// What AWS WAF answers while a web ACL, or the stage, is not yet known everywhere.
/// Source: <https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html>
const NOT_YET: &str = "WAFUnavailableEntityException";

/// What AWS WAF answers for what is not there.
const GONE: &str = "WAFNonexistentItemException";

/// How long to wait until it is: AWS says seconds to a number of minutes.
const LONGEST: Duration = Duration::from_secs(300);

/// How long to wait between tries.
const PAUSE: Duration = Duration::from_secs(5);

/// Puts a web ACL before a stage, in place of another if there is one.
pub(super) async fn associate(run: &Run, api: &str, stage: &str, web_acl: &str) -> Result<(), Error> {
    let doing = format!("associate the web ACL `{web_acl}` with the stage `{stage}` of the REST API `{api}`");
    let end = Instant::now() + LONGEST;
    loop {
        run.check(&doing)?;
        let request = run.aws.wafv2.associate_web_acl().web_acl_arn(web_acl);
        match request.resource_arn(arn(&run.aws.region, api, stage)).send().await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Some(NOT_YET) && Instant::now() < end => {
                (run.progress)(&format!("waiting for AWS WAF to know the web ACL and stage {stage}"));
                tokio::select! { () = tokio::time::sleep(PAUSE) => {}, _ = run.stop.come() => {} }
            }
            Err(error) => return Err(run.aws.explain(Call(Wafv2, "AssociateWebACL", &doing), error)),
        }
    }
}

/// Takes the web ACL away from a stage, if it has one: it could not be deleted while a stage has it.
pub(super) async fn disassociate(run: &Run, api: &str, stage: &str) -> Result<(), Error> {
    let doing = format!("take the web ACL away from the stage `{stage}` of the REST API `{api}`");
    run.check(&doing)?;
    match run.aws.wafv2.disassociate_web_acl().resource_arn(arn(&run.aws.region, api, stage)).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(GONE) => Ok(()),
        Err(error) => Err(run.aws.explain(Call(Wafv2, "DisassociateWebACL", &doing), error)),
    }
}
