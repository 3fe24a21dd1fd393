//! What a run left that was killed before it could be recorded, where the resource has no `name`.
//!
//! The engine draws another name for the next run, so that one meets nothing of what was made. But the REST API, which
//! is made first then, carries the owner tag and the name of all the rest. It is told to the user and never touched: a
//! stack of the same name, elsewhere, may be making it right now.

use std::collections::BTreeSet;
use std::fmt::Write;

use tokio::sync::OnceCell;

use crate::aws::Clients;
use crate::error::Error;
use crate::owner::{self, Whose};
use crate::pieces::{bucket, log_group, rest_api, role, role_policy, stage};

/// A create under a name that the user has not given.
#[derive(Debug, Default)]
pub struct Unnamed {
    /// The names that the engine has on record, also of what is to be replaced.
    pub recorded: BTreeSet<String>,
    /// The REST APIs of other lives of this resource, once they were looked for.
    pub lives: OnceCell<Vec<rest_api::State>>,
}

impl Unnamed {
    /// Whether it is certain that no other life of this resource has used this name.
    pub fn is_new(&self, name: &str) -> bool {
        self.lives.get().is_some_and(|lives| lives.iter().all(|life| life.name != name))
    }

    /// The REST APIs that nobody knows of, beside the one in use.
    pub fn lost<'a>(&'a self, used: Option<&'a str>) -> impl Iterator<Item = &'a rest_api::State> {
        let lives = self.lives.get().into_iter().flatten();
        lives.filter(move |life| !self.recorded.contains(&life.name) && used != Some(&life.id))
    }
}

/// What the user should know of a REST API that was lost, and can do: `name` is the one of the resource that is made.
pub async fn tell(aws: &Clients, api: &rest_api::State, owner: &str, name: &str) -> Result<String, Error> {
    let stages = stage::aws::names(aws, &api.id).await?;
    if !stages.is_empty() {
        return Ok(format!(
            "the REST API `{}` (`{}`) is this resource's, too, and deployed. Unless it is being replaced, or is on record \
             elsewhere, a run that was lost has made it, or `retainOnDelete` kept it; then `pulumi import \
             s3dataproxy:index:S3DataProxy '{}' {}` records it as a resource of its own, to be kept or destroyed",
            api.id, api.name, api.name, api.id
        ));
    }
    let mut words = format!(
        "the REST API `{}` (`{}`) is this resource's, too, and unfinished. Unless it is on record elsewhere, or a run is \
         at work on it, one that was lost has made it; then this deletes it with all that belongs to it:",
        api.id, api.name
    );
    for command in commands(aws, api, owner, name).await? {
        let _ = write!(words, "\n  aws {command}");
    }
    Ok(words)
}

/// The commands that delete what is unfinished. The REST API, by which the rest is found, goes last.
async fn commands(aws: &Clients, api: &rest_api::State, owner: &str, name: &str) -> Result<Vec<String>, Error> {
    let region = &aws.region;
    let mut commands = Vec::new();
    // With the same name it is in use.
    if api.name != name {
        let group = log_group::group_name(&api.name);
        let policy = role_policy::aws::observe(aws, &api.name);
        let (bucket, role, log_group, policy) = tokio::try_join!(
            bucket::aws::tags_of(aws, &api.name),
            role::aws::tags_of(aws, &api.name),
            log_group::aws::tags_of(aws, &group),
            policy,
        )?;
        let is_lost = |tags| owner::whose(&tags, owner) == Whose::AnotherLifes;
        if bucket.is_some_and(is_lost) {
            commands.push(format!("s3api delete-bucket --bucket {} --region {region}", api.name));
        }
        if role.is_some_and(is_lost) {
            if policy.is_some_and(|policy| !policy.policy.is_empty()) {
                let policy = role_policy::NAME;
                commands.push(format!("iam delete-role-policy --role-name {} --policy-name {policy}", api.name));
            }
            commands.push(format!("iam delete-role --role-name {}", api.name));
        }
        if log_group.is_some_and(is_lost) {
            commands.push(format!("logs delete-log-group --log-group-name {group} --region {region}"));
        }
    }
    commands.push(format!("apigateway delete-rest-api --rest-api-id {} --region {region}", api.id));
    Ok(commands)
}
