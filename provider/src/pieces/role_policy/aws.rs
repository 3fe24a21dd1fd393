//! The role's inline policy at AWS IAM, and what others have put beside it.

use std::collections::BTreeSet;

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

/// The policy as it is, with what others have added; none if neither is there.
pub async fn observe(aws: &Clients, role: &str) -> Result<Option<State>, Error> {
    let doing = format!("read the policy of the role `{role}`");
    let policy = async {
        match aws.iam.get_role_policy().role_name(role).policy_name(NAME).send().await {
            Ok(answer) => Ok(canonical(&percent_decode(&answer.policy_document))),
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(String::new()),
            Err(error) => Err(aws.explain(Call(Iam, "GetRolePolicy", &doing), error)),
        }
    };
    let (policy, others) = tokio::try_join!(policy, others(aws, role, &doing))?;
    let seen = State { policy, others };
    Ok((seen != State::default()).then_some(seen))
}

/// The other policies in a role. An ARN has colons, which a name cannot have.
async fn others(aws: &Clients, role: &str, doing: &str) -> Result<BTreeSet<String>, Error> {
    let inline = async {
        let names: Result<Vec<String>, _> =
            aws.iam.list_role_policies().role_name(role).into_paginator().items().send().collect().await;
        match names {
            Ok(names) => Ok(names),
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(Vec::new()),
            Err(error) => Err(aws.explain(Call(Iam, "ListRolePolicies", doing), error)),
        }
    };
    let attached = async {
        let policies: Result<Vec<_>, _> =
            aws.iam.list_attached_role_policies().role_name(role).into_paginator().items().send().collect().await;
        match policies {
            Ok(policies) => Ok(policies),
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(Vec::new()),
            Err(error) => Err(aws.explain(Call(Iam, "ListAttachedRolePolicies", doing), error)),
        }
    };
    let (inline, attached) = tokio::try_join!(inline, attached)?;
    let inline = inline.into_iter().filter(|name| name != NAME);
    Ok(inline.chain(attached.into_iter().filter_map(|policy| policy.policy_arn)).collect())
}

/// Takes the other policies out of a role. Managed ones stay for whoever uses them elsewhere.
pub async fn take_others_off(run: &Run, role: &str, doing: &str) -> Result<(), Error> {
    let (aws, iam) = (&run.aws, &run.aws.iam);
    for policy in others(aws, role, doing).await? {
        run.check(doing)?;
        if policy.contains(':') {
            match iam.detach_role_policy().role_name(role).policy_arn(&policy).send().await {
                Ok(_) => {}
                // A first try took effect and its answer was lost.
                Err(error) if error.code() == Some("NoSuchEntity") => {}
                Err(error) => return Err(aws.explain(Call(Iam, "DetachRolePolicy", doing), error)),
            }
        } else {
            delete_policy(run, role, &policy, doing).await?;
        }
    }
    Ok(())
}

async fn put(run: &Run) -> Result<(), Error> {
    let Some(desired) = &run.desired().role_policy else { return Ok(()) };
    let role = &run.desired().role.name;
    let doing = format!("put the policy of the role `{role}`");
    let old = run.state().role_policy.clone().unwrap_or_default();
    if old.policy != desired.policy {
        run.check(&doing)?;
        let request = run.aws.iam.put_role_policy().role_name(role).policy_name(NAME);
        let answer = request.policy_document(&desired.policy).send().await;
        answer.map_err(|error| run.aws.explain(Call(Iam, "PutRolePolicy", &doing), error))?;
        run.state().role_policy.get_or_insert_default().policy = desired.policy.clone();
    }
    if !old.others.is_empty() {
        take_others_off(run, role, &doing).await?;
        run.state().role_policy.get_or_insert_default().others.clear();
    }
    Ok(())
}

async fn delete(run: &Run) -> Result<(), Error> {
    // In a role made elsewhere there is none of ours.
    let role = run.state().role.clone().filter(|role| !role.existing);
    if let Some(role) = role {
        let doing = format!("delete the policy of the role `{}`", role.name);
        run.check(&doing)?;
        delete_policy(run, &role.name, NAME, &doing).await?;
    }
    run.state().role_policy = None;
    Ok(())
}

/// Deletes an inline policy of a role.
pub async fn delete_policy(run: &Run, role: &str, policy: &str, doing: &str) -> Result<(), Error> {
    match run.aws.iam.delete_role_policy().role_name(role).policy_name(policy).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(()),
        Err(error) => Err(run.aws.explain(Call(Iam, "DeleteRolePolicy", doing), error)),
    }
}
