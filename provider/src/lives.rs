//! Other lives of the resource in AWS: what is being replaced, and what runs have made that were killed before anybody could
//! record it.
//!
//! Of all pieces only REST APIs can be looked for by the owner tag, and a REST API carries the name of the rest. What is
//! unfinished and has the resource's name is taken over (`adopt.rs`). All else that nobody knows of is told to the user and
//! never touched: a stack of the same name, elsewhere, may be making it right now.

use std::collections::BTreeSet;
use std::fmt::Write;

use tokio::sync::OnceCell;

use crate::apply::Stop;
use crate::aws::Clients;
use crate::desired::Tags;
use crate::error::Error;
use crate::owner::{self, Whose};
use crate::pieces::{bucket, log_group, rest_api, role, role_policy, stage};
use crate::state::State;

/// The other lives of a resource.
#[derive(Debug)]
pub struct Lives {
    /// The owner tags that the engine has on record, or is about to have.
    pub recorded: BTreeSet<String>,
    /// Whether the user has given no name, so that the next run after a lost one has another.
    pub unnamed: bool,
    found: OnceCell<Vec<Life>>,
}

/// A REST API of another life.
#[derive(Clone, Debug)]
pub struct Life {
    /// The REST API.
    pub api: rest_api::State,
    /// Whether it is deployed, which makes it finished: it may be in use.
    pub deployed: bool,
    /// Whether it is on record.
    pub recorded: bool,
    /// The bucket that it serves, where that is known: the user may have given it a name of its own.
    bucket: Option<String>,
}

impl Lives {
    /// Nothing is looked for yet.
    pub fn new(recorded: BTreeSet<String>, unnamed: bool) -> Lives {
        Lives { recorded, unnamed, found: OnceCell::new() }
    }

    /// The other lives of the resource of this owner, looked for once.
    pub async fn look(&self, aws: &Clients, owner: &str) -> Result<&[Life], Error> {
        let look = async {
            let doing = "look for REST APIs that earlier runs made";
            self.sorted(aws, rest_api::aws::all(aws, doing).await?, owner).await
        };
        Ok(self.found.get_or_try_init(|| look).await?)
    }

    /// Those among REST APIs.
    async fn sorted(&self, aws: &Clients, apis: Vec<rest_api::State>, owner: &str) -> Result<Vec<Life>, Error> {
        let mut found = Vec::new();
        for api in apis.into_iter().filter(|api| owner::whose(&api.tags, owner) == Whose::AnotherLifes) {
            let recorded = api.tags.get(owner::TAG).is_some_and(|owner| self.recorded.contains(owner));
            // What is on record may be anything.
            let deployed = !recorded && stage::aws::is_deployed(aws, &api.id, &owner::note(owner)).await?;
            let unfinished = !recorded && !deployed;
            // Before this one puts another policy in its place.
            let bucket = if unfinished { served(aws, &api.name, owner).await } else { None };
            found.push(Life { api, deployed, recorded, bucket });
        }
        Ok(found)
    }

    /// The one that is finished and that nobody knows of, under whatever name: with another one, bucket or role may be the
    /// same all the same.
    pub async fn finished(&self, aws: &Clients, owner: &str) -> Result<Option<&Life>, Error> {
        Ok(self.look(aws, owner).await?.iter().find(|life| life.deployed))
    }

    /// The one of this name, as far as they were looked for.
    pub fn of_name(&self, name: &str) -> Option<&Life> {
        self.found.get()?.iter().find(|life| life.api.name == name && !life.recorded)
    }

    /// Whether it is certain that no other life has this name.
    pub fn is_new(&self, name: &str) -> bool {
        self.found.get().is_some_and(|lives| lives.iter().all(|life| life.api.name != name))
    }

    /// What the user should know of those that nobody knows of, and can do; nothing where there are none, or it was not
    /// looked.
    pub async fn tell(&self, aws: &Clients, stop: &Stop, state: &State) -> Vec<String> {
        self.tell_of(aws, stop, state, true).await
    }

    async fn tell_of(&self, aws: &Clients, stop: &Stop, state: &State, deployed: bool) -> Vec<String> {
        let mut all = Vec::new();
        let lives = self.found.get().into_iter().flatten().filter(|life| !life.recorded);
        for life in lives.filter(|life| deployed || !life.deployed) {
            let told = tell(aws, stop, life, state).await.unwrap_or_else(|error| {
                let (id, name) = (&life.api.id, &life.api.name);
                Some(format!("a lost run of this resource may have left the REST API `{id}` (`{name}`): {error}"))
            });
            all.extend(told);
        }
        all
    }

    /// The same for a refresh or a delete, with one look for all resources of a command. A refresh does not tell those that are
    /// `deployed`: it would do so each time where a stack of the same name, elsewhere, has one.
    pub async fn look_and_tell(
        &self,
        aws: &Clients,
        stop: &Stop,
        state: &State,
        deployed: bool,
    ) -> Result<Vec<String>, Error> {
        let look = async { self.sorted(aws, aws.rest_apis().await?.to_vec(), &state.owner).await };
        self.found.get_or_try_init(|| look).await?;
        Ok(self.tell_of(aws, stop, state, deployed).await)
    }
}

/// The bucket that a lost role's policy names. Nobody has to be allowed to look there.
async fn served(aws: &Clients, role: &str, owner: &str) -> Option<String> {
    let tags = role::aws::tags_of(aws, role).await.ok()??;
    if owner::whose(&tags, owner) != Whose::AnotherLifes {
        return None;
    }
    role_policy::aws::observe(aws, role).await.ok()??.bucket()
}

async fn tell(aws: &Clients, stop: &Stop, life: &Life, state: &State) -> Result<Option<String>, Error> {
    let Life { api, deployed, .. } = life;
    let taken = state.rest_api.as_ref().is_some_and(|known| known.id == api.id);
    if *deployed && !taken {
        return Ok(Some(format!(
            "the REST API `{}` (`{}`) is this resource's, too, and deployed. Unless it is being replaced, or is on record \
             elsewhere, a run that was lost has made it, or `retainOnDelete` kept it; then `pulumi import \
             s3dataproxy:index:S3DataProxy '{}' {}` records it as a resource of its own, to be kept or destroyed",
            api.id,
            api.name,
            spare_name(&api.name, &state.owner),
            api.id
        )));
    }
    let mut commands = stop.look("look at what it left", commands(aws, life, state)).await?;
    let mut words = if taken {
        "a run that was lost has made what this one has no use for; unless somebody else has, this deletes it:"
            .to_owned()
    } else {
        // By it the rest is found, so it goes last.
        commands.push(format!("apigateway delete-rest-api --rest-api-id {} --region {}", api.id, aws.region));
        format!(
            "the REST API `{}` (`{}`) is this resource's, too, and unfinished. Unless it is on record elsewhere, or a run \
             is at work on it, one that was lost has made it; then this deletes it with what has its name:",
            api.id, api.name
        )
    };
    for command in &commands {
        let _ = write!(words, "\n  aws {command}");
    }
    Ok((!commands.is_empty()).then_some(words))
}

/// The commands that delete what another life has under its name.
async fn commands(aws: &Clients, life: &Life, state: &State) -> Result<Vec<String>, Error> {
    let (name, region) = (&life.api.name, &aws.region);
    let own_bucket = life.bucket.as_ref().unwrap_or(name);
    let group = log_group::group_name(name);
    let (bucket, role, log_group, policy) = tokio::try_join!(
        bucket::aws::tags_of(aws, own_bucket),
        role::aws::tags_of(aws, name),
        log_group::aws::tags_of(aws, &group),
        role_policy::aws::observe(aws, name),
    )?;
    let is_lost =
        |tags: Option<Tags>| tags.is_some_and(|tags| owner::whose(&tags, &state.owner) == Whose::AnotherLifes);
    let mut commands = Vec::new();
    if is_lost(bucket) && state.bucket.as_ref().is_none_or(|bucket| bucket.name != *own_bucket) {
        commands.push(format!("s3api delete-bucket --bucket {own_bucket} --region {region}"));
    }
    if is_lost(role) && state.role.as_ref().is_none_or(|role| role.name != *name) {
        if policy.is_some_and(|policy| !policy.policy.is_empty()) {
            let policy = role_policy::NAME;
            commands.push(format!("iam delete-role-policy --role-name {name} --policy-name {policy}"));
        }
        commands.push(format!("iam delete-role --role-name {name}"));
    }
    if is_lost(log_group) && state.log_group.as_ref().is_none_or(|known| known.name != group) {
        commands.push(format!("logs delete-log-group --log-group-name {group} --region {region}"));
    }
    Ok(commands)
}

/// A name for an import beside the resource of this owner: that of the pieces, where it is another one.
fn spare_name(name: &str, owner: &str) -> String {
    if name == owner::name(owner) { format!("{name}-lost") } else { name.to_owned() }
}
