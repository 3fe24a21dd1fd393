//! What a run that was killed has made, and nobody recorded: its state is the one from before.
//!
//! The next update goes on where it stopped, and meets most of it. For the rest a refresh and a delete look, as far as
//! things say whose they are. What the credentials may not look at is not ours: who makes things may look at them.

use std::collections::BTreeSet;

use crate::apply::Stop;
use crate::aws::Clients;
use crate::desired::{Desired, Tags};
use crate::error::{Error, Kind};
use crate::lives::Lives;
use crate::owner::{self, Whose};
use crate::pieces::stage::aws::strays;
use crate::pieces::usage_plan::aws::{Known, keys};
use crate::pieces::{domain, log_group, role, usage_plan};
use crate::state::State;

/// What was found beside a state.
#[derive(Default)]
pub struct Found {
    log_group: Option<log_group::State>,
    usage_plan: Option<usage_plan::State>,
    domains: Vec<domain::State>,
    /// The name of a role.
    role: Option<String>,
    api: strays::Found,
    /// The name of the stage that is wanted.
    stage: String,
}

/// For a delete: what would be left when everything of the state is gone. For an import: what else its owner has.
pub async fn beside(aws: &Clients, state: &State, desired: &Desired) -> Result<Found, Error> {
    // All of it comes after the REST API.
    if state.rest_api.is_none() {
        return Ok(Found::default());
    }
    let (log_group, usage_plan, domains, role) = tokio::try_join!(
        find_log_group(aws, state, desired, false),
        keyed(aws, state, desired),
        named(aws, state, desired),
        find_role(aws, state, desired)
    )?;
    Ok(Found { log_group, usage_plan, domains, role, ..Found::default() })
}

/// For a delete: the logs that API Gateway may have begun where a lost run let it note what it does.
pub async fn logs(aws: &Clients, state: &State) -> Result<Vec<String>, Error> {
    let Some(api) = &state.rest_api else { return Ok(Vec::new()) };
    let recorded = state.stage.as_ref().map(|stage| stage.name.as_str());
    allowed(strays::logs(aws, &api.id, recorded, &state.owner).await)
}

/// For a delete: lists early what it tells of at its end.
pub async fn listed(aws: &Clients) -> Result<(), Error> {
    allowed(aws.rest_apis().await.map(drop))
}

/// For a refresh and a delete: what other lives have that nobody knows of, in words.
pub async fn of_others(
    aws: &Clients,
    stop: &Stop,
    lives: &Lives,
    state: &State,
    deployed: bool,
) -> Result<Vec<String>, Error> {
    allowed(lives.look_and_tell(aws, stop, state, deployed).await)
}

/// For a refresh: also what is in the REST API. The usage plan comes after a deployment, so it is looked for only where
/// that, or the document, is not as it was recorded.
pub async fn within(aws: &Clients, state: &State, seen: &State, desired: &Desired) -> Result<Found, Error> {
    let api = async {
        match &seen.rest_api {
            Some(api) => allowed(strays::look(aws, &api.id, &state.owner).await),
            None => Ok(strays::Found::default()),
        }
    };
    let (api, log_group, domains, role) = tokio::try_join!(
        api,
        find_log_group(aws, state, desired, false),
        named(aws, state, desired),
        find_role(aws, state, desired)
    )?;
    let stage = desired.stage.name.clone();
    let found = Found { log_group, domains, role, api, stage, ..Found::default() };
    let deployed = |state: &State| state.stage.as_ref().map(|stage| stage.deployment_id.clone());
    let drifted = seen.definition.as_ref().is_some_and(|definition| !definition.drift.is_empty());
    if drifted || deployed(state) != deployed(seen) || found.added_to(seen) != *seen {
        return Ok(Found { usage_plan: keyed(aws, state, desired).await?, ..found });
    }
    Ok(found)
}

/// For a create that met what another life left unfinished: what that one wanted, and this one does not.
pub async fn unwanted(aws: &Clients, state: &State, desired: &Desired) -> Result<Found, Error> {
    match desired.log_group {
        Some(_) => Ok(Found::default()),
        None => Ok(Found { log_group: find_log_group(aws, state, desired, true).await?, ..Found::default() }),
    }
}

impl Found {
    /// A state with what was found.
    pub fn added_to(&self, state: &State) -> State {
        let mut state = state.clone();
        let adds = self.log_group.is_some() || self.usage_plan.is_some();
        if let Some(api) = state.rest_api.as_ref().filter(|_| adds) {
            // Where logs were switched on, API Gateway may have begun a log of its own.
            let name = state.stage.as_ref().map(|stage| log_group::of_execution(&api.id, &stage.name));
            state.execution_logs.extend(name);
        }
        state.log_group = state.log_group.or_else(|| self.log_group.clone());
        for found in &self.domains {
            // It was to take the place of the one that is known.
            state.domain = Some(match state.domain {
                Some(known) => known.replacing(found.clone()),
                None => found.clone(),
            });
        }
        state.usage_plan = match (state.usage_plan, self.usage_plan.clone()) {
            (Some(known), Some(found)) => Some(found.beside(known)),
            (known, found) => known.or(found),
        };
        self.api.add_to(&mut state, &self.stage);
        state.leftovers.role = state.leftovers.role.or_else(|| self.role.clone());
        state
    }
}

/// Nothing where the credentials may not look. Credentials that AWS does not accept at all are another matter.
fn allowed<T: Default>(found: Result<T, Error>) -> Result<T, Error> {
    let denied = |error: &Error| {
        error.kind == Kind::Denied && error.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied"))
    };
    match found {
        Err(error) if denied(&error) => Ok(T::default()),
        found => found,
    }
}

/// The log group of the resource's name that this life made, or another one.
async fn find_log_group(
    aws: &Clients,
    state: &State,
    desired: &Desired,
    of_others: bool,
) -> Result<Option<log_group::State>, Error> {
    if state.log_group.is_some() {
        return Ok(None);
    }
    let name = log_group::group_name(&desired.rest_api.name);
    let Some(tags) = allowed(log_group::aws::tags_of(aws, &name).await)? else { return Ok(None) };
    let ours = match owner::whose(&tags, &state.owner) {
        Whose::Ours => true,
        Whose::AnotherLifes => of_others,
        Whose::Unmarked | Whose::Anothers => false,
    };
    if ours { log_group::aws::observe(aws, &name, &desired.bucket.tags).await } else { Ok(None) }
}

/// The role of the resource's name that this life made to take the place of one that was made elsewhere.
async fn find_role(aws: &Clients, state: &State, desired: &Desired) -> Result<Option<String>, Error> {
    let name = &desired.rest_api.name;
    let given = state.role.as_ref().is_some_and(|role| role.existing && role.name != *name);
    if !given || state.leftovers.role.is_some() {
        return Ok(None);
    }
    let tags = allowed(role::aws::tags_of(aws, name).await)?;
    let is_ours = tags.is_some_and(|tags| owner::whose(&tags, &state.owner) == Whose::Ours);
    Ok(is_ours.then(|| name.clone()))
}

/// The usage plan where none is recorded, or the keys that are not.
async fn keyed(aws: &Clients, state: &State, desired: &Desired) -> Result<Option<usage_plan::State>, Error> {
    let api = state.rest_api.as_ref().map(|api| api.id.as_str()).unwrap_or_default();
    let known = Known {
        name: &desired.rest_api.name,
        owner: &state.owner,
        tags: &desired.rest_api.tags,
        link: &usage_plan::link(api, &desired.stage.name),
        state: state.usage_plan.as_ref(),
    };
    match known.state {
        None => allowed(usage_plan::aws::observe(aws, &known).await),
        Some(recorded) => {
            let mut keys = allowed(keys::observe(aws, &known).await)?;
            let ids: BTreeSet<&String> = recorded.keys.values().map(|key| &key.id).collect();
            keys.retain(|_, key| !ids.contains(&key.id));
            Ok((!keys.is_empty()).then(|| usage_plan::State { keys, ..usage_plan::State::default() }))
        }
    }
}

/// The domain names that this life made, beside the ones that are recorded. One that leads elsewhere by now is in use.
async fn named(aws: &Clients, state: &State, desired: &Desired) -> Result<Vec<domain::State>, Error> {
    let all = allowed(domain::aws::all(aws, "look for a domain name that a lost run made").await)?;
    let recorded = |name: &str| {
        let known = state.domain.iter().flat_map(|known| {
            std::iter::once(known.name.as_str()).chain(known.replaced.iter().map(|replaced| replaced.name.as_str()))
        });
        known.into_iter().any(|known| known == name)
    };
    let is_ours = |tags: &Tags| owner::whose(tags, &state.owner) == Whose::Ours;
    let api = state.rest_api.as_ref().map(|api| api.id.as_str()).unwrap_or_default();
    let mut found = Vec::new();
    for (name, _) in all.into_iter().filter(|(name, tags)| !recorded(name) && is_ours(tags)) {
        let seen = domain::aws::observe(aws, &name, &desired.bucket.tags, "", api).await?;
        found.extend(seen.filter(|seen| seen.mapping.as_ref().is_none_or(|mapping| mapping.api == api)));
    }
    Ok(found)
}
