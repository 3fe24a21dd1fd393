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
    let Some(desired) = &run.desired().role_policy else { return Ok(()) };
    let role = &run.desired().role.name;
    let doing = format!("put the policy of the role `{role}`");
    run.check(&doing)?;
    let request = run.aws.iam.put_role_policy().role_name(role).policy_name(NAME);
    let answer = request.policy_document(&desired.policy).send().await;
    answer.map_err(|error| run.aws.explain(Call(Iam, "PutRolePolicy", &doing), error))?;
    run.state().role_policy = Some(State { policy: desired.policy.clone() });
    Ok(())
}

async fn delete(run: &Run) -> Result<(), Error> {
    // In a role made elsewhere there is none of ours.
    let role = run.state().role.clone().filter(|role| !role.existing);
    if let Some(role) = role {
        let doing = format!("delete the policy of the role `{}`", role.name);
        run.check(&doing)?;
        delete_policy(run, &role.name, &doing).await?;
    }
    run.state().role_policy = None;
    Ok(())
}

/// Deletes our policy in a role.
pub async fn delete_policy(run: &Run, role: &str, doing: &str) -> Result<(), Error> {
    match run.aws.iam.delete_role_policy().role_name(role).policy_name(NAME).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(()),
        Err(error) => Err(run.aws.explain(Call(Iam, "DeleteRolePolicy", doing), error)),
    }
}
