//! Looking at what is there, piece by piece, into a state that can be planned with.
//!
//! A piece is missing only if AWS says exactly that it is not there; whatever else goes wrong is an error, so that
//! nothing is ever forgotten because of a bad connection or a missing permission.

use crate::aws::Clients;
use crate::desired::{Desired, Tags};
use crate::error::{Error, Kind};
use crate::lives::Lives;
use crate::owner::{self, Whose};
use crate::pieces::usage_plan::aws::Known;
use crate::pieces::{bucket, definition, domain, log_group, rest_api, role, role_policy, stage, usage_plan};
use crate::state::State;

/// The state as it really is. `desired` is what was last applied: what there is has to be compared with its document.
pub async fn observe(aws: &Clients, state: &State, desired: &Desired) -> Result<State, Error> {
    let bucket = async {
        match &state.bucket {
            Some(old) if old.existing => Ok(Some(old.clone())),
            Some(old) => bucket::aws::observe(aws, &old.name, &old.tags).await,
            None => Ok(None),
        }
    };
    let role = async {
        match &state.role {
            Some(old) if old.existing => Ok(Some(old.clone())),
            Some(old) => role::aws::observe(aws, &old.name, &old.tags).await,
            None => Ok(None),
        }
    };
    let role_policy = async {
        match (&state.role, &state.role_policy) {
            (Some(role), Some(_)) => role_policy::aws::observe(aws, &role.name).await,
            _ => Ok(None),
        }
    };
    let api = observe_api(aws, state, desired);
    let usage_plan = async {
        match &state.usage_plan {
            Some(_) => observe_usage_plan(aws, state, desired).await,
            None => Ok(None),
        }
    };
    let log_group = async {
        match &state.log_group {
            Some(old) => log_group::aws::observe(aws, &old.name, &old.tags).await,
            None => Ok(None),
        }
    };
    let domain = async {
        match &state.domain {
            Some(old) => observe_domain(aws, state, old).await,
            None => Ok(None),
        }
    };
    let (bucket, role, role_policy, (rest_api, definition, stage), log_group, usage_plan, domain) =
        tokio::try_join!(bucket, role, role_policy, api, log_group, usage_plan, domain)?;
    // What carries another owner's tag by now is not there for us, whatever its name.
    let bucket = bucket.filter(|seen| still_recorded(&seen.tags, state.bucket.as_ref().map(|old| &old.tags), state));
    let role = role.filter(|seen| still_recorded(&seen.tags, state.role.as_ref().map(|old| &old.tags), state));
    let rest_api =
        rest_api.filter(|seen| still_recorded(&seen.tags, state.rest_api.as_ref().map(|old| &old.tags), state));
    let log_group =
        log_group.filter(|seen| still_recorded(&seen.tags, state.log_group.as_ref().map(|old| &old.tags), state));
    let domain = domain.filter(|seen| still_recorded(&seen.tags, state.domain.as_ref().map(|old| &old.tags), state));
    let domain = domain.or_else(|| state.domain.clone().and_then(domain::State::left_over));
    let mut seen = State {
        bucket,
        role,
        role_policy,
        rest_api,
        definition,
        log_group,
        stage,
        usage_plan,
        domain,
        ..state.clone()
    };
    seen.leftovers.deployments.extend(replaced(state, seen.stage.as_ref()));
    if let (Some(api), Some(stage)) =
        (&seen.rest_api, seen.stage.as_ref().filter(|stage| stage.settings.notes.is_some()))
    {
        seen.execution_logs.insert(log_group::of_execution(&api.id, &stage.name));
    }
    Ok(seen.rooted())
}

/// A deployment of ours that the stage serves no more, which is to be deleted.
fn replaced(state: &State, seen: Option<&stage::State>) -> Option<String> {
    let ours = state.stage.as_ref().filter(|old| !old.digest.is_empty())?;
    (seen.map(|stage| &stage.deployment_id) != Some(&ours.deployment_id)).then(|| ours.deployment_id.clone())
}

fn still_recorded(seen: &Tags, known: Option<&Tags>, state: &State) -> bool {
    owner::is_recorded(seen, known.unwrap_or(&Tags::new()), &state.owner)
}

/// Adds what a run may have made and not recorded, which was cut off, or killed when it made what the state lacks: things
/// of our names that carry our owner tag.
pub async fn recover(aws: &Clients, lives: &Lives, state: State, desired: &Desired) -> Result<State, Error> {
    let lacks_a_root = (state.bucket.is_none() && !desired.bucket.existing)
        || (state.role.is_none() && desired.role.given.is_none())
        || state.rest_api.is_none();
    if !state.cut_off && !lacks_a_root {
        return Ok(state);
    }
    // It may have been about to take over what an earlier life left unfinished.
    let adopts = state.cut_off && lives.finished(aws, &desired.owner).await?.is_none();
    let is_ours = |whose: Whose| whose == Whose::Ours || (whose == Whose::AnotherLifes && adopts);
    let bucket = async {
        match &state.bucket {
            None if desired.bucket.existing => Ok(None),
            None => match bucket::aws::tags_of(aws, &desired.bucket.name).await {
                // One that may not even be looked at is not ours.
                Err(error) if error.kind == Kind::Denied => Ok(None),
                Ok(Some(tags)) if is_ours(owner::whose(&tags, &desired.owner)) => {
                    bucket::aws::observe(aws, &desired.bucket.name, &desired.bucket.tags).await
                }
                found => found.map(|_| None),
            },
            known => Ok(known.clone()),
        }
    };
    let role = async {
        match &state.role {
            None if desired.role.given.is_some() => Ok(None),
            None => role::aws::observe(aws, &desired.role.name, &desired.role.tags).await,
            known => Ok(known.clone()),
        }
    };
    let rest_api = async {
        match &state.rest_api {
            None => {
                let doing = "find a REST API that was cut off";
                let found = rest_api::aws::of_resource(aws, &desired.rest_api.tags, &desired.owner, doing).await?;
                Ok(found
                    .into_iter()
                    .find(|(api, whose)| is_ours(*whose) && api.name == desired.rest_api.name)
                    .map(|(api, _)| api))
            }
            known => Ok(known.clone()),
        }
    };
    let usage_plan = async {
        match (&state.usage_plan, &desired.usage_plan) {
            (None, None) => Ok(None),
            // Some of its keys may be missing.
            _ => observe_usage_plan(aws, &state, desired).await,
        }
    };
    let log_group = async {
        match (&state.log_group, &desired.log_group) {
            (None, Some(wanted)) => {
                let found = log_group::aws::observe(aws, &wanted.name, &wanted.tags).await?;
                Ok(found.filter(|found| is_ours(owner::whose(&found.tags, &desired.owner))))
            }
            (known, _) => Ok(known.clone()),
        }
    };
    // A deployment whose answer was lost may have moved the stage.
    let stage = async {
        match (&state.rest_api, &state.stage) {
            (Some(api), Some(known)) => {
                let seen = stage::aws::get(aws, &api.id, &known.name).await?;
                Ok(seen.map(|seen| stage::aws::state(&seen, known)))
            }
            (_, known) => Ok(known.clone()),
        }
    };
    let domain = async {
        match (&state.domain, &desired.domain) {
            // A change whose answer was lost may have added an endpoint.
            (Some(known), Some(wanted)) if known.name == wanted.name => {
                Ok(observe_domain(aws, &state, known).await?.or_else(|| known.clone().left_over()))
            }
            // Another name may be known, which this one was to replace.
            (known, Some(wanted)) => {
                let api = state.rest_api.as_ref().map(|api| api.id.as_str()).unwrap_or_default();
                let found = domain::aws::observe(aws, &wanted.name, &wanted.tags, &wanted.base_path, api).await?;
                let ours = found.filter(|found| is_ours(owner::whose(&found.tags, &desired.owner)));
                Ok(ours.map(|found| found.in_place_of(known.clone())).or(known.clone()))
            }
            (known, None) => Ok(known.clone()),
        }
    };
    let (bucket, role, rest_api, log_group, usage_plan, stage, domain) =
        tokio::try_join!(bucket, role, rest_api, log_group, usage_plan, stage, domain)?;
    let mut leftovers = state.leftovers.clone();
    leftovers.deployments.extend(replaced(&state, stage.as_ref()));
    let role = role.filter(|found| state.role.is_some() || is_ours(owner::whose(&found.tags, &desired.owner)));
    Ok(State { bucket, role, rest_api, log_group, usage_plan, stage, domain, leftovers, ..state })
}

async fn observe_domain(aws: &Clients, state: &State, old: &domain::State) -> Result<Option<domain::State>, Error> {
    let mapping = old.mapping.clone().unwrap_or_default();
    let api = state.rest_api.as_ref().map(|api| api.id.as_str()).unwrap_or_default();
    let seen = domain::aws::observe(aws, &old.name, &old.tags, &mapping.base_path, api).await?;
    Ok(seen.map(|seen| domain::State { replaced: old.replaced.clone(), ..seen }))
}

async fn observe_usage_plan(
    aws: &Clients,
    state: &State,
    desired: &Desired,
) -> Result<Option<usage_plan::State>, Error> {
    let api = state.rest_api.as_ref().map(|api| api.id.as_str()).unwrap_or_default();
    let known = Known {
        name: &desired.rest_api.name,
        owner: &state.owner,
        // What was there once and is not wanted any more has its tags too.
        tags: desired.usage_plan.as_ref().map_or(&desired.rest_api.tags, |plan| &plan.tags),
        link: &usage_plan::link(api, &desired.stage.name),
        state: state.usage_plan.as_ref(),
    };
    usage_plan::aws::observe(aws, &known).await
}

type Api = (Option<rest_api::State>, Option<definition::State>, Option<stage::State>);

async fn observe_api(aws: &Clients, state: &State, desired: &Desired) -> Result<Api, Error> {
    let Some(old) = &state.rest_api else { return Ok((None, None, None)) };
    let Some(api) = rest_api::aws::get(aws, &old.id).await? else { return Ok((None, None, None)) };
    let definition = async {
        let Some(old) = &state.definition else { return Ok(None) };
        let role_arn = state.role.as_ref().map(|role| role.arn.as_str()).unwrap_or_default();
        let drift = if old.digest == desired.definition.digest(role_arn) {
            let content = definition::aws::content(aws, api.id.as_deref().unwrap_or_default()).await?;
            definition::aws::drift(&api, &content, &desired.definition, role_arn)
        } else {
            // It is to be put anew anyway.
            old.drift.clone()
        };
        Ok(Some(definition::aws::state(&api, old.digest.clone(), drift)))
    };
    let stage = async {
        let Some(stage) = &state.stage else { return Ok(None) };
        let seen = stage::aws::get(aws, &old.id, &stage.name).await?;
        Ok(seen.map(|seen| stage::aws::state(&seen, stage)))
    };
    let (definition, stage) = tokio::try_join!(definition, stage)?;
    let api = rest_api::State { unmarked: old.unmarked, ..rest_api::aws::state(&api, &old.tags) };
    Ok((Some(api), definition, stage))
}
