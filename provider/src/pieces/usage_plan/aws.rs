//! The usage plan at Amazon API Gateway.

use aws_sdk_apigateway::config;
use aws_sdk_apigateway::error::ProvideErrorMetadata;
use aws_sdk_apigateway::types::{
    ApiStage, Op, PatchOperation, QuotaPeriodType, QuotaSettings, ThrottleSettings, UsagePlan,
};
use s3dataproxy_schema::{Quota, QuotaPeriod, Throttle};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::patches::{self, Patch};
use super::{Desired, State, link};
use crate::apply::Run;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::aws::{Clients, OnlyRefusals};
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::owner::{self, Whose};
use crate::partition::Partition;
use crate::pieces::rest_api::aws::retag;
use crate::pieces::stage;
use crate::pieces::stage::aws::tidy;
use crate::plan::Action;

pub mod keys;

/// How often something is made when no answer came and nothing was made.
const ATTEMPTS: usize = 3;

/// Makes, changes or deletes the plan with its keys.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => return Ok(()),
        Action::Create | Action::Update => bring(run).await?,
        Action::Delete => delete(run).await?,
    }
    // A stage that was replaced goes only now, as a plan can be taken off a stage only while there is one.
    let api = run.state().rest_api.as_ref().map(|api| api.id.clone());
    match api {
        Some(api) if run.desired.is_some() => tidy(run, &api).await,
        _ => Ok(()),
    }
}

/// What an observer knows already and looks for.
pub struct Known<'a> {
    /// The plan's name.
    pub name: &'a str,
    /// The owner tag's value.
    pub owner: &'a str,
    /// The tags that are ours.
    pub tags: &'a Tags,
    /// The stage it should be for.
    pub link: &'a str,
    /// The plan as it was last seen or made.
    pub state: Option<&'a State>,
}

/// The plan with its keys as they are; none if neither is there. A plan that is not known is looked for by its owner.
pub async fn observe(aws: &Clients, known: &Known<'_>) -> Result<Option<State>, Error> {
    let id = known.state.map(|state| state.id.as_str()).filter(|id| !id.is_empty());
    let plan = async {
        match id {
            Some(id) => get(aws, id).await,
            None => find(aws, known).await,
        }
    };
    let (plan, mut keys) = tokio::try_join!(plan, keys::observe(aws, known))?;
    let Some(plan) = plan else {
        return Ok((!keys.is_empty()).then(|| State { keys, ..State::default() }));
    };
    let mut strangers: BTreeSet<String> =
        keys::of_plan(aws, plan.id().unwrap_or_default()).await?.into_iter().map(|(id, _)| id).collect();
    keys.values_mut().for_each(|key| key.linked = strangers.remove(&key.id));
    let renamed = plan.name() != Some(known.name);
    Ok(Some(State { keys, strangers, renamed, ..state(&plan, known.tags, known.link) }))
}

/// The state behind an answer, without keys. Of its stages, the one that is wanted, or else the first.
pub fn state(plan: &UsagePlan, ours: &Tags, wanted: &str) -> State {
    let links = links(plan);
    let tags = plan.tags.iter().flatten().filter(|(key, _)| ours.contains_key(*key));
    State {
        id: plan.id.clone().unwrap_or_default(),
        link: links.iter().find(|link| *link == wanted).or(links.first()).cloned().unwrap_or_default(),
        throttle: plan
            .throttle()
            .map(|limits| Throttle { rate_limit: limits.rate_limit, burst_limit: limits.burst_limit.into() }),
        quota: plan.quota().and_then(quota),
        tags: tags.map(|(key, value)| (key.clone(), value.clone())).collect(),
        ..State::default()
    }
}

/// The stages that a plan is for.
fn links(plan: &UsagePlan) -> Vec<String> {
    let stages = plan.api_stages().iter();
    stages.map(|stage| link(stage.api_id().unwrap_or_default(), stage.stage().unwrap_or_default())).collect()
}

fn quota(quota: &QuotaSettings) -> Option<Quota> {
    let period = match quota.period()? {
        QuotaPeriodType::Day => QuotaPeriod::Day,
        QuotaPeriodType::Week => QuotaPeriod::Week,
        QuotaPeriodType::Month => QuotaPeriod::Month,
        _ => return None,
    };
    Some(Quota { limit: quota.limit.into(), period, offset: Some(quota.offset.into()) })
}

async fn get(aws: &Clients, id: &str) -> Result<Option<UsagePlan>, Error> {
    let doing = format!("read the usage plan `{id}`");
    match aws.apigateway.get_usage_plan().usage_plan_id(id).send().await {
        Ok(answer) => Ok(Some(
            UsagePlan::builder()
                .set_id(answer.id)
                .set_name(answer.name)
                .set_api_stages(answer.api_stages)
                .set_throttle(answer.throttle)
                .set_quota(answer.quota)
                .set_tags(answer.tags)
                .build(),
        )),
        Err(error) if error.code() == Some("NotFoundException") => Ok(None),
        Err(error) => Err(aws.explain(Call(ApiGateway, "GetUsagePlan", &doing), error)),
    }
}

/// The plan of this name that this life of the resource made.
async fn find(aws: &Clients, known: &Known<'_>) -> Result<Option<UsagePlan>, Error> {
    let doing = format!("look for the usage plan `{}`", known.name);
    let ours = |tags: &Tags| owner::whose(tags, known.owner) == Whose::Ours;
    let found = all(aws, &doing).await?.into_iter().find(|plan| {
        let tags = plan.tags.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        plan.name() == Some(known.name) && ours(&tags)
    });
    Ok(found)
}

/// Every usage plan.
pub async fn all(aws: &Clients, doing: &str) -> Result<Vec<UsagePlan>, Error> {
    let mut found = Vec::new();
    let mut pages = aws.apigateway.get_usage_plans().limit(500).into_paginator().items().send();
    while let Some(plan) = pages.next().await {
        found.push(plan.map_err(|error| aws.explain(Call(ApiGateway, "GetUsagePlans", doing), error))?);
    }
    Ok(found)
}

fn desired(run: &Run) -> &Desired {
    run.desired().usage_plan.as_ref().expect("a plan is made or changed only where one is wanted")
}

fn wanted_link(run: &Run) -> String {
    let api = run.state().rest_api.as_ref().map(|api| api.id.clone()).unwrap_or_default();
    link(&api, &desired(run).stage)
}

/// What is there of this life by name and owner, also what is not recorded.
async fn look(run: &Run) -> Result<Option<State>, Error> {
    let state = run.state().usage_plan.clone();
    let (desired, link) = (desired(run), wanted_link(run));
    let known = Known {
        name: &desired.name,
        owner: &run.desired().owner,
        tags: &desired.tags,
        link: &link,
        state: state.as_ref(),
    };
    let doing = format!("look for the usage plan `{}`", desired.name);
    run.stop.look(&doing, observe(&run.aws, &known)).await
}

async fn bring(run: &Run) -> Result<(), Error> {
    let desired = desired(run);
    let lacks =
        |state: &State| state.id.is_empty() || desired.clients.iter().any(|name| !state.keys.contains_key(name));
    let lacking = run.state().usage_plan.as_ref().is_none_or(lacks);
    // Of what is to be made, a run that was lost may have made some.
    if lacking && run.resumes.load(Ordering::Relaxed) {
        let found = look(run).await?.unwrap_or_default();
        let mut state = run.state();
        let known = state.usage_plan.take().filter(|known| !known.id.is_empty() || !known.keys.is_empty());
        state.usage_plan = Some(found.beside(known.unwrap_or_default()));
    }
    let old = run.state().usage_plan.clone().unwrap_or_default();
    let doing = format!("set up the usage plan `{}`", desired.name);
    if old.id.is_empty() {
        create(run).await?;
    } else {
        update(run, &old, &doing).await?;
    }
    let id = run.state().usage_plan.clone().unwrap_or_default().id;
    let tags = run.state().usage_plan.clone().unwrap_or_default().tags;
    retag(run, &arn(&run.aws.region, "usageplans", &id), &tags, &desired.tags, &doing).await?;
    run.state().usage_plan.get_or_insert_default().tags = desired.tags.clone();
    keys::bring(run, desired, &id).await
}

/// The ARN by which API Gateway's management names a plan or a key.
fn arn(region: &str, kind: &str, id: &str) -> String {
    format!("arn:{}:apigateway:{region}::/{kind}/{id}", Partition::of(region).name)
}

/// Makes the plan. API Gateway makes another one each time it is asked, so a call without an answer is not repeated before
/// looking for what it may have made.
async fn create(run: &Run) -> Result<(), Error> {
    let (desired, link) = (desired(run), wanted_link(run));
    let doing = format!("create the usage plan `{}`", desired.name);
    (run.progress)(&format!("creating usage plan {}", desired.name));
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        if let Some(lost) = &lost {
            let found = look(run).await.map_err(|_| Error::clone(lost))?.filter(|state| !state.id.is_empty());
            if let Some(found) = found {
                run.state().usage_plan = Some(found);
                return Ok(());
            }
        }
        run.check(&doing)?;
        let (api, stage) = link.split_once(':').unwrap_or_default();
        let request = run.aws.apigateway.create_usage_plan().name(&desired.name);
        let request = request.api_stages(ApiStage::builder().api_id(api).stage(stage).build());
        let request = request.set_throttle(desired.throttle.as_ref().map(throttle_settings));
        let request = request.set_quota(desired.quota.as_ref().map(quota_settings));
        let request = request.set_tags(Some(desired.tags.clone().into_iter().collect()));
        let only_refusals = config::Builder::new().retry_classifier(OnlyRefusals);
        let error = match request.customize().config_override(only_refusals).send().await {
            Ok(answer) => {
                let keys = run.state().usage_plan.take().unwrap_or_default().keys;
                run.state().usage_plan = Some(State {
                    id: answer.id.unwrap_or_default(),
                    link,
                    throttle: desired.throttle.clone(),
                    quota: desired.quota.clone(),
                    tags: desired.tags.clone(),
                    // Those of a plan that somebody deleted belong to none.
                    keys: keys.into_iter().map(|(name, key)| (name, super::Key { linked: false, ..key })).collect(),
                    ..State::default()
                });
                return Ok(());
            }
            Err(error) => run.aws.explain(Call(ApiGateway, "CreateUsagePlan", &doing), error),
        };
        match error.kind {
            Kind::Unreachable | Kind::Unanswered | Kind::Faulty => lost = Some(error),
            _ => return Err(error),
        }
    }
    Err(lost.unwrap_or_else(|| Error::new(Kind::Other, doing, "it was not tried")))
}

fn throttle_settings(throttle: &Throttle) -> ThrottleSettings {
    let burst = i32::try_from(throttle.burst_limit).unwrap_or(i32::MAX);
    ThrottleSettings::builder().rate_limit(throttle.rate_limit).burst_limit(burst).build()
}

fn quota_settings(quota: &Quota) -> QuotaSettings {
    let number = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    QuotaSettings::builder()
        .limit(number(quota.limit))
        .offset(number(quota.offset.unwrap_or(0)))
        .period(QuotaPeriodType::from(patches::period(quota.period)))
        .build()
}

/// Brings limits and stage to what they should be, in one call: API Gateway takes one in 20 seconds.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
async fn update(run: &Run, old: &State, doing: &str) -> Result<(), Error> {
    let (desired, link) = (desired(run), wanted_link(run));
    let limits = patches::limits((&old.throttle, &old.quota), (&desired.throttle, &desired.quota));
    let moves = old.link != link;
    let joins = moves.then(|| Patch::Add(patches::STAGES, link.clone()));
    let leaves = (moves && !old.link.is_empty()).then(|| Patch::Remove(patches::STAGES, Some(old.link.clone())));
    let name = old.renamed.then(|| Patch::Replace(patches::NAME, desired.name.clone()));
    let all: Vec<Patch> = name.into_iter().chain(limits).chain(joins).chain(leaves.clone()).collect();
    if all.is_empty() {
        return Ok(());
    }
    run.check(doing)?;
    if let Err(error) = patch(run, &old.id, all.clone(), doing).await {
        // A first try may have taken effect and its answer been lost, and what it leaves be gone.
        let Ok(Some(seen)) = get(&run.aws, &old.id).await else { return Err(error) };
        let links = links(&seen);
        let name = (seen.name() != Some(&desired.name)).then(|| Patch::Replace(patches::NAME, desired.name.clone()));
        let seen = state(&seen, &Tags::new(), &link);
        let limits = patches::limits((&seen.throttle, &seen.quota), (&desired.throttle, &desired.quota));
        let joins = (!links.contains(&link)).then(|| Patch::Add(patches::STAGES, link.clone()));
        let leaves = leaves.filter(|_| error.kind != Kind::NotFound && links.contains(&old.link));
        let rest: Vec<Patch> = name.into_iter().chain(limits).chain(joins).chain(leaves).collect();
        if rest == all {
            return Err(error);
        }
        if !rest.is_empty() {
            patch(run, &old.id, rest, doing).await?;
        }
    }
    let mut state = run.state();
    let plan = state.usage_plan.get_or_insert_default();
    (plan.throttle, plan.quota, plan.link) = (desired.throttle.clone(), desired.quota.clone(), link);
    plan.renamed = false;
    Ok(())
}

async fn patch(run: &Run, id: &str, patches: Vec<Patch>, doing: &str) -> Result<(), Error> {
    let patches = patches.into_iter().map(|patch| {
        let (op, path, value) = match patch {
            Patch::Add(path, value) => (Op::Add, path, Some(value)),
            Patch::Replace(path, value) => (Op::Replace, path, Some(value)),
            Patch::Remove(path, value) => (Op::Remove, path, value),
        };
        PatchOperation::builder().op(op).path(path).set_value(value).build()
    });
    let request = run.aws.apigateway.update_usage_plan().usage_plan_id(id);
    let answer = request.set_patch_operations(Some(patches.collect())).send().await;
    answer.map(drop).map_err(|error| run.aws.explain(Call(ApiGateway, "UpdateUsagePlan", doing), error))
}

/// Whether a plan that could not leave a stage is still on it: not where plan or stage are gone.
async fn is_still_on(run: &Run, id: &str, link: &str, error: &Error) -> bool {
    match get(&run.aws, id).await {
        Ok(Some(plan)) => error.kind != Kind::NotFound && state(&plan, &Tags::new(), link).link == link,
        Ok(None) => false,
        Err(_) => true,
    }
}

/// Takes the plan off stages of ours that are not on record, because a run that was lost has moved it there. Tells whether
/// there were any; what somebody else has put it on is theirs.
async fn leave_ours(run: &Run, id: &str, doing: &str) -> Result<bool, Error> {
    let (api, note) = {
        let state = run.state();
        (state.rest_api.as_ref().map(|api| api.id.clone()).unwrap_or_default(), owner::note(&state.owner))
    };
    let mut left = false;
    for other in get(&run.aws, id).await?.iter().flat_map(links) {
        let Some((on, stage)) = other.split_once(':').filter(|(on, _)| *on == api) else { continue };
        let seen = stage::aws::get(&run.aws, on, stage).await?;
        if seen.is_some_and(|seen| seen.description() == Some(&note)) {
            run.check(doing)?;
            patch(run, id, vec![Patch::Remove(patches::STAGES, Some(other.clone()))], doing).await?;
            left = true;
        }
    }
    Ok(left)
}

/// Deletes the plan, which has to leave its stage first, then the keys.
async fn delete(run: &Run) -> Result<(), Error> {
    let Some(plan) = run.state().usage_plan.clone() else { return Ok(()) };
    let doing = format!("delete the usage plan `{}`", plan.id);
    if !plan.id.is_empty() {
        if !plan.link.is_empty() {
            run.check(&doing)?;
            let leave = vec![Patch::Remove(patches::STAGES, Some(plan.link.clone()))];
            if let Err(error) = patch(run, &plan.id, leave, &doing).await
                && is_still_on(run, &plan.id, &plan.link, &error).await
            {
                return Err(error);
            }
            run.state().usage_plan.get_or_insert_default().link.clear();
        }
        let mut free = false;
        loop {
            run.check(&doing)?;
            match run.aws.apigateway.delete_usage_plan().usage_plan_id(&plan.id).send().await {
                Ok(_) => break,
                Err(error) if error.code() == Some("NotFoundException") => break,
                Err(error) if error.code() == Some("BadRequestException") && !free => {
                    free = true;
                    if !leave_ours(run, &plan.id, &doing).await? {
                        return Err(run.aws.explain(Call(ApiGateway, "DeleteUsagePlan", &doing), error));
                    }
                }
                Err(error) => return Err(run.aws.explain(Call(ApiGateway, "DeleteUsagePlan", &doing), error)),
            }
        }
        let mut state = run.state();
        let plan = state.usage_plan.get_or_insert_default();
        plan.id.clear();
        plan.keys.values_mut().for_each(|key| key.linked = false);
    }
    let clients: Vec<String> = plan.keys.keys().cloned().collect();
    keys::drop_all(run, &clients).await?;
    run.state().usage_plan = None;
    Ok(())
}
