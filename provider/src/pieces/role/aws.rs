//! The role at AWS IAM.

use std::sync::atomic::Ordering;

use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::{Role, Tag};

use super::{State, trust_policy, trusts_api_gateway};
use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::Iam};
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::pieces::Piece;
use crate::pieces::role_policy::{self, aws::delete_policy};
use crate::plan::Action;
use crate::policy::canonical;

/// Makes, changes or deletes the role.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => Ok(()),
        Action::Create | Action::Update if run.desired().role.given.is_some() => take(run).await,
        Action::Update if run.state().role.as_ref().is_some_and(|role| !role.existing) => update(run).await,
        Action::Create | Action::Update => {
            create(run).await?;
            update(run).await
        }
        Action::Delete => delete(run).await,
    }
}

/// The role as it is; none if it is not there. Of its tags, those in `ours`.
pub async fn observe(aws: &Clients, name: &str, ours: &Tags) -> Result<Option<State>, Error> {
    let role = get(aws, name).await?;
    Ok(role.map(|mut role| {
        role.tags.retain(|key, _| ours.contains_key(key));
        role
    }))
}

async fn get(aws: &Clients, name: &str) -> Result<Option<State>, Error> {
    let doing = format!("read the role `{name}`");
    match aws.iam.get_role().role_name(name).send().await {
        Ok(answer) => Ok(answer.role.map(state)),
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
        Err(error) => Err(aws.explain(Call(Iam, "GetRole", &doing), error)),
    }
}

/// All tags of a role; none if it is not there.
pub async fn tags_of(aws: &Clients, name: &str) -> Result<Option<Tags>, Error> {
    Ok(get(aws, name).await?.map(|role| role.tags))
}

/// Uses a role that was made elsewhere, once a look has told that it can be. One of ours that was used until now is left
/// over: it goes when nothing that is deployed names it any more.
async fn take(run: &Run) -> Result<(), Error> {
    let arn = run.desired().role.given.clone().unwrap_or_default();
    let doing = format!("use the role `{arn}`");
    run.check(&doing)?;
    let refused = |reason: &str| {
        Error::new(Kind::Invalid, &doing, reason)
            .hint("check `role.arn`; the role's trust policy has to name the service `apigateway.amazonaws.com`")
    };
    match run.stop.look(&doing, get(&run.aws, &run.desired().role.name)).await {
        Ok(None) => return Err(refused("there is no such role")),
        Ok(Some(seen)) if seen.arn != arn => return Err(refused(&format!("the role of this name is `{}`", seen.arn))),
        Ok(Some(seen)) if !trusts_api_gateway(&seen.trust) => {
            return Err(refused("it does not let API Gateway assume it"));
        }
        Ok(Some(_)) => {}
        // It is there for others to look after.
        Err(error) if error.kind == Kind::Denied => {}
        Err(error) => return Err(error),
    }
    let mut state = run.state();
    if let Some(old) = state.role.take().filter(|old| !old.existing) {
        state.leftovers.role = Some(old.name);
        state.role_policy = None;
    }
    state.role = Some(State { name: run.desired().role.name.clone(), arn, existing: true, ..State::default() });
    Ok(())
}

/// Deletes the role of ours that another one has replaced.
pub async fn tidy(run: &Run) -> Result<(), Error> {
    let Some(name) = run.state().leftovers.role.clone() else { return Ok(()) };
    // One that is used again is not left over.
    if run.state().role.as_ref().is_some_and(|role| !role.existing && role.name == name) {
        run.state().leftovers.role = None;
        return Ok(());
    }
    let doing = format!("delete the role `{name}`");
    run.check(&doing)?;
    delete_policy(run, &name, role_policy::NAME, &doing).await?;
    run.check(&doing)?;
    delete_role(run, &name, &doing).await?;
    run.state().leftovers.role = None;
    Ok(())
}

/// Makes the role, or takes over the one that an earlier run of this resource made.
async fn create(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().role;
    let doing = format!("create the role `{}`", desired.name);
    (run.progress)(&format!("creating role {}", desired.name));
    let request = run.aws.iam.create_role().role_name(&desired.name).assume_role_policy_document(trust_policy());
    let request = request.description("Lets Amazon API Gateway reach one S3 bucket; made by s3dataproxy");
    let request = request.set_path(desired.path.clone()).set_permissions_boundary(desired.boundary.clone());
    let made = match request.set_tags(Some(sdk_tags(desired.tags.clone()))).send().await {
        Ok(answer) => {
            let arn = answer.role.map(|role| role.arn).unwrap_or_default();
            let (name, boundary) = (desired.name.clone(), desired.boundary.clone());
            State { name, arn, existing: false, trust: trust_policy(), boundary, tags: desired.tags.clone() }
        }
        Err(error) if error.code() == Some("EntityAlreadyExists") => {
            // It may be a first try's whose answer was lost, until a look has told.
            let found = run.stop.look(&doing, observe(&run.aws, &desired.name, &desired.tags)).await;
            let found = found.inspect_err(|_| run.lost.store(true, Ordering::Relaxed))?.unwrap_or_default();
            run.claim(Piece::Role, &found.tags, &doing).await?;
            // A role cannot move.
            let path = desired.path.as_deref().unwrap_or("/");
            if !found.arn.ends_with(&format!(":role{path}{}", desired.name)) {
                let reason = format!("there is a role of ours of this name with another path: `{}`", found.arn);
                let hint = "set `role.path` to that role's, run `pulumi up`, and change it then";
                return Err(Error::new(Kind::AlreadyExists, &doing, reason).hint(hint));
            }
            // What was made after it by the same run may be there too.
            run.resumes.store(true, Ordering::Relaxed);
            found
        }
        Err(error) => return Err(run.aws.explain(Call(Iam, "CreateRole", &doing), error)),
    };
    run.state().role = Some(made);
    Ok(())
}

async fn update(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().role;
    let doing = format!("update the role `{}`", desired.name);
    let old = run.state().role.clone().unwrap_or_default();
    if old.trust != trust_policy() {
        run.check(&doing)?;
        let request = run.aws.iam.update_assume_role_policy().role_name(&desired.name);
        let answer = request.policy_document(trust_policy()).send().await;
        answer.map_err(|error| run.aws.explain(Call(Iam, "UpdateAssumeRolePolicy", &doing), error))?;
        run.state().role.get_or_insert_default().trust = trust_policy();
    }
    if old.boundary != desired.boundary {
        run.check(&doing)?;
        bound(run, &desired.name, desired.boundary.as_deref(), &doing).await?;
        run.state().role.get_or_insert_default().boundary = desired.boundary.clone();
    }
    let changed: Tags =
        desired.tags.iter().filter(|(key, value)| old.tags.get(*key) != Some(*value)).map(clone_pair).collect();
    if !changed.is_empty() {
        run.check(&doing)?;
        let answer = run.aws.iam.tag_role().role_name(&desired.name).set_tags(Some(sdk_tags(changed))).send().await;
        answer.map_err(|error| run.aws.explain(Call(Iam, "TagRole", &doing), error))?;
    }
    let dropped: Vec<String> = old.tags.keys().filter(|key| !desired.tags.contains_key(*key)).cloned().collect();
    if !dropped.is_empty() {
        run.check(&doing)?;
        let request = run.aws.iam.untag_role().role_name(&desired.name);
        let answer = request.set_tag_keys(Some(dropped)).send().await;
        answer.map_err(|error| run.aws.explain(Call(Iam, "UntagRole", &doing), error))?;
    }
    run.state().role.get_or_insert_default().tags = desired.tags.clone();
    Ok(())
}

/// Gives the role a permissions boundary, or takes it away.
async fn bound(run: &Run, role: &str, boundary: Option<&str>, doing: &str) -> Result<(), Error> {
    let (iam, aws) = (&run.aws.iam, &run.aws);
    match boundary {
        Some(arn) => {
            let answer = iam.put_role_permissions_boundary().role_name(role).permissions_boundary(arn).send().await;
            answer.map_err(|error| aws.explain(Call(Iam, "PutRolePermissionsBoundary", doing), error))?;
        }
        None => match iam.delete_role_permissions_boundary().role_name(role).send().await {
            Ok(_) => {}
            Err(error) if error.code() == Some("NoSuchEntity") => {}
            Err(error) => return Err(aws.explain(Call(Iam, "DeleteRolePermissionsBoundary", doing), error)),
        },
    }
    Ok(())
}

async fn delete(run: &Run) -> Result<(), Error> {
    tidy(run).await?;
    let Some(State { name, existing, .. }) = run.state().role.clone() else { return Ok(()) };
    if !existing {
        let doing = format!("delete the role `{name}`");
        run.check(&doing)?;
        delete_role(run, &name, &doing).await?;
    }
    run.state().role = None;
    Ok(())
}

/// Deletes a role. IAM refuses while somebody's policy is in it, so those are taken off first.
async fn delete_role(run: &Run, name: &str, doing: &str) -> Result<(), Error> {
    let delete = || run.aws.iam.delete_role().role_name(name).send();
    let mut answer = delete().await;
    if answer.as_ref().is_err_and(|error| error.code() == Some("DeleteConflict")) {
        role_policy::aws::take_others_off(run, name, doing).await?;
        run.check(doing)?;
        answer = delete().await;
    }
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(()),
        Err(error) => Err(run.aws.explain(Call(Iam, "DeleteRole", doing), error)),
    }
}

/// What IAM says of a role. Policies come back percent-encoded.
fn state(role: Role) -> State {
    let trust = role.assume_role_policy_document.as_deref().map(crate::policy::percent_decode).unwrap_or_default();
    let tags = role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    let boundary = role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn);
    State { name: role.role_name, arn: role.arn, existing: false, trust: canonical(&trust), boundary, tags }
}

fn sdk_tags(tags: Tags) -> Vec<Tag> {
    tags.into_iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}

fn clone_pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}
