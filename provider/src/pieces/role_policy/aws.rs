//! The role's inline policy at AWS IAM.

use aws_sdk_iam::error::ProvideErrorMetadata;

use super::{NAME, State};
use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::Iam};
use crate::error::Error;
use crate::plan::Action;
use crate::policy::{canonical, percent_decode};

/// Makes, changes or deletes the policy.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => Ok(()),
        Action::Create | Action::Update => put(run).await,
        Action::Delete => delete(run).await,
    }
}

/// The policy as it is; none if it is not there.
pub async fn observe(aws: &Clients, role: &str) -> Result<Option<State>, Error> {
    let doing = format!("read the policy of the role `{role}`");
    match aws.iam.get_role_policy().role_name(role).policy_name(NAME).send().await {
        Ok(answer) => Ok(Some(State { policy: canonical(&percent_decode(&answer.policy_document)) })),
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
        Err(error) => Err(aws.explain(Call(Iam, "GetRolePolicy", &doing), error)),
    }
}

async fn put(run: &Run) -> Result<(), Error> {
    let (role, desired) = (&run.desired().role.name, &run.desired().role_policy);
    let doing = format!("put the policy of the role `{role}`");
    run.check(&doing)?;
    let request = run.aws.iam.put_role_policy().role_name(role).policy_name(NAME);
    let answer = request.policy_document(&desired.policy).send().await;
    answer.map_err(|error| run.aws.explain(Call(Iam, "PutRolePolicy", &doing), error))?;
    run.state().role_policy = Some(State { policy: desired.policy.clone() });
    Ok(())
}

async fn delete(run: &Run) -> Result<(), Error> {
    let Some(role) = run.state().role.as_ref().map(|role| role.name.clone()) else { return Ok(()) };
    let doing = format!("delete the policy of the role `{role}`");
    run.check(&doing)?;
    match run.aws.iam.delete_role_policy().role_name(&role).policy_name(NAME).send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("NoSuchEntity") => {}
        Err(error) => return Err(run.aws.explain(Call(Iam, "DeleteRolePolicy", &doing), error)),
    }
    run.state().role_policy = None;
    Ok(())
}
