//! The stage and its deployment at Amazon API Gateway.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_apigateway::config;
use aws_sdk_apigateway::error::ProvideErrorMetadata;
use aws_sdk_apigateway::operation::get_stage::GetStageOutput;
use aws_sdk_apigateway::types::{Op, PatchOperation};
use s3dataproxy_schema::LogLevel;

use super::cache::{self, Cache};
use super::logs::{AccessLog, Notes};
use super::settings::Patch;
use super::{Settings, State};
use crate::apply::Run;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::aws::{Clients, OnlyRefusals};
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::owner;
use crate::pieces::rest_api::aws::retag;
use crate::pieces::{log_group, role, usage_plan};
use crate::plan::Action;

pub mod account;
pub mod strays;
mod web_acl;

/// How long to wait between looks at the cache.
const PAUSE: Duration = Duration::from_secs(5);

/// How often to look: for an hour. AWS says that a cache takes minutes.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html>
const LOOKS: usize = 720;

/// How often CreateDeployment is tried when no answer came and nothing was made.
const ATTEMPTS: usize = 3;

/// How many digits of a document's digest a deployment's description has.
const SHORT: usize = 16;

/// Makes or changes the stage. It goes with the REST API.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => Ok(()),
        Action::Create | Action::Update => bring(run).await,
        Action::Delete => {
            release(run).await?;
            run.state().stage = None;
            Ok(())
        }
    }
}

/// Takes the web ACL away from what is to go, which goes right afterwards: the REST API may have to wait for its turn.
async fn release(run: &Run) -> Result<(), Error> {
    let (api, stage, replaced) = {
        let state = run.state();
        let guarded = state.stage.as_ref().filter(|stage| stage.settings.web_acl.is_some());
        (state.rest_api.clone(), guarded.map(|stage| stage.name.clone()), state.leftovers.web_acls.clone())
    };
    let Some(api) = api else { return Ok(()) };
    for name in stage.iter().chain(&replaced) {
        web_acl::disassociate(run, &api.id, name).await?;
        delete(run, &api.id, name).await?;
        let mut state = run.state();
        state.leftovers.forget(name, "");
        state.stage.iter_mut().filter(|stage| stage.name == *name).for_each(|stage| stage.settings.web_acl = None);
    }
    Ok(())
}

/// The stage as API Gateway tells it; none if it is not there.
pub async fn get(aws: &Clients, api: &str, stage: &str) -> Result<Option<GetStageOutput>, Error> {
    let doing = format!("read the stage `{stage}` of the REST API `{api}`");
    match aws.apigateway.get_stage().rest_api_id(api).stage_name(stage).send().await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some("NotFoundException") => Ok(None),
        Err(error) => Err(aws.explain(Call(ApiGateway, "GetStage", &doing), error)),
    }
}

/// The names of a REST API's stages.
pub async fn names(aws: &Clients, api: &str) -> Result<Vec<String>, Error> {
    let doing = format!("read the stages of the REST API `{api}`");
    let answer = aws.apigateway.get_stages().rest_api_id(api).send().await;
    let answer = answer.map_err(|error| aws.explain(Call(ApiGateway, "GetStages", &doing), error))?;
    Ok(answer.item.unwrap_or_default().into_iter().filter_map(|stage| stage.stage_name).collect())
}

/// Whether a REST API has stages that were not made with this note.
pub async fn is_deployed(aws: &Clients, api: &str, note: &str) -> Result<bool, Error> {
    let doing = format!("read the stages of the REST API `{api}`");
    match aws.apigateway.get_stages().rest_api_id(api).send().await {
        Ok(answer) => Ok(answer.item().iter().any(|stage| stage.description() != Some(note))),
        // It has just been deleted.
        Err(error) if error.code() == Some("NotFoundException") => Ok(false),
        Err(error) => Err(aws.explain(Call(ApiGateway, "GetStages", &doing), error)),
    }
}

/// The deployment that a stage serves.
pub fn deployment(stage: &GetStageOutput) -> String {
    stage.deployment_id().unwrap_or_default().to_owned()
}

/// The state behind an answer. A deployment that is not the one we made may be of anything, so its digest is empty.
pub fn state(stage: &GetStageOutput, old: &State) -> State {
    let deployment = stage.deployment_id().unwrap_or_default();
    let tags = stage.tags.iter().flatten().filter(|(key, _)| old.tags.contains_key(*key));
    State {
        name: stage.stage_name().unwrap_or_default().to_owned(),
        deployment_id: deployment.to_owned(),
        digest: if deployment == old.deployment_id { old.digest.clone() } else { String::new() },
        settings: Settings {
            // One that was associated elsewhere is no concern of ours.
            web_acl: web_acl(stage).filter(|_| old.settings.web_acl.is_some()),
            ..settings(stage)
        },
        tags: tags.map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}

/// The ARN of the web ACL before a stage.
pub fn web_acl(stage: &GetStageOutput) -> Option<String> {
    stage.web_acl_arn().filter(|arn| !arn.is_empty()).map(str::to_owned)
}

/// The settings behind an answer, with whatever web ACL there is.
fn settings(stage: &GetStageOutput) -> Settings {
    let methods = stage.method_settings().and_then(|settings| settings.get("*/*"));
    Settings {
        throttle: methods.and_then(|methods| {
            Settings::throttle(methods.throttling_rate_limit, methods.throttling_burst_limit.into())
        }),
        metrics: methods.is_some_and(|methods| methods.metrics_enabled),
        tracing: stage.tracing_enabled,
        access_log: stage.access_log_settings().map(|log| AccessLog {
            destination: log.destination_arn().unwrap_or_default().to_owned(),
            format: log.format().unwrap_or_default().to_owned(),
        }),
        notes: methods.and_then(|methods| {
            let level = match methods.logging_level()? {
                "ERROR" => LogLevel::Error,
                "INFO" => LogLevel::Info,
                _ => return None,
            };
            Some(Notes { level, data_trace: methods.data_trace_enabled })
        }),
        cache: stage.cache_cluster_enabled.then(|| {
            let others = methods.and_then(|methods| methods.unauthorized_cache_control_header_strategy.as_ref());
            Cache {
                size_gb: stage.cache_cluster_size.as_ref().and_then(|size| size.as_str().parse().ok()).unwrap_or(0.0),
                ttl_seconds: methods.map_or(cache::TTL, |methods| methods.cache_ttl_in_seconds.into()),
                encrypted: methods.is_some_and(|methods| methods.cache_data_encrypted),
                in_order: others.is_some_and(|others| others.as_str() == cache::OTHERS)
                    && methods.is_some_and(|m| m.caching_enabled && m.require_authorization_for_cache_control),
            }
        }),
        exceptions: {
            let settings = stage.method_settings().into_iter().flatten();
            settings.map(|(method, _)| method.clone()).filter(|method| method != "*/*").collect()
        },
        canary: stage.canary_settings().is_some(),
        web_acl: web_acl(stage),
    }
}

/// A stage's ARN.
pub fn arn(region: &str, api: &str, stage: &str) -> String {
    format!("{}/stages/{stage}", crate::pieces::rest_api::arn(region, api))
}

/// Brings the stage from whatever it is to what it should be: deploy, move, set, tag, then tidy up.
async fn bring(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().stage;
    let (api, digest) = {
        let state = run.state();
        (
            state.rest_api.as_ref().map(|api| api.id.clone()).unwrap_or_default(),
            state.definition.as_ref().map(|definition| definition.digest.clone()).unwrap_or_default(),
        )
    };
    let doing = format!("deploy the REST API `{api}` to the stage `{}`", desired.name);
    // Without the keys that the document has for it, a cache would give one answer for all: it goes first.
    // Source: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2231
    let cached = |old: &State| old.name == desired.name && old.settings.cache.is_some();
    if desired.settings.cache.is_none() && run.state().stage.as_ref().is_some_and(cached) {
        let old = run.state().stage.clone().unwrap_or_default().settings;
        update(run, &api, &Settings { cache: None, ..old.clone() }, &old).await?;
    }
    // A web ACL guards the stage before a document goes live that counts on it.
    if run.state().stage.as_ref().is_some_and(|old| old.name == desired.name) {
        guard(run, &api).await?;
    }
    let old = run.state().stage.clone().unwrap_or_default();
    // A stage that was to be deleted is still there: a deployment moves it, where making it would fail.
    let back = run.state().leftovers.stages.contains(&desired.name);
    let fresh = old.name.is_empty() && !run.resumes.load(Ordering::Relaxed);
    let (there, settings) = if old.name == desired.name {
        (Some(old.deployment_id.clone()), old.settings.clone())
    } else if back {
        (None, get(&run.aws, &api, &desired.name).await?.as_ref().map(settings).unwrap_or_default())
    } else if fresh {
        (None, Settings::default())
    } else {
        let seen = take_over(run, &api, &doing).await?;
        (seen.as_ref().map(deployment), seen.as_ref().map(settings).unwrap_or_default())
    };
    // Before a stage that the state does not have, a web ACL is ours only if we know of it.
    let ours = old.name == desired.name
        || desired.settings.web_acl.is_some()
        || run.state().leftovers.web_acls.contains(&desired.name);
    let settings = Settings { web_acl: settings.web_acl.clone().filter(|_| ours), ..settings };
    let moves = old.name != desired.name && there.is_some();
    if old.digest != digest || back || moves {
        deploy(run, &api, &digest, &old, there, settings, &doing).await?;
    } else if old.name != desired.name {
        rename(run, &api, &old, &doing).await?;
    }
    set(run, &api).await?;
    let tags = run.state().stage.clone().unwrap_or_default().tags;
    retag(run, &arn(&run.aws.region, &api, &desired.name), &tags, &desired.tags, &doing).await?;
    run.state().stage.get_or_insert_default().tags = desired.tags.clone();
    tidy(run, &api).await
}

/// Tells the stage its settings, where they differ.
async fn set(run: &Run, api: &str) -> Result<(), Error> {
    let desired = &run.desired().stage;
    guard(run, api).await?;
    let old = run.state().stage.clone().unwrap_or_default().settings;
    let account = run.state().account().map(str::to_owned);
    let settings = desired.settings.in_account(account.as_deref());
    update(run, api, &settings, &old).await?;
    // Also where a run that was lost has switched it on.
    if settings.notes.is_some() {
        run.state().execution_logs.insert(log_group::of_execution(api, &desired.name));
    }
    if let Some(old) = old.web_acl.filter(|_| settings.web_acl.is_none()) {
        // Another one by now is somebody else's; which one a lost answer was about is not known.
        let seen = get(&run.aws, api, &desired.name).await?.as_ref().and_then(web_acl);
        if seen.is_some_and(|seen| old.is_empty() || seen == old) {
            web_acl::disassociate(run, api, &desired.name).await?;
        }
    }
    run.state().stage.get_or_insert_default().settings = settings;
    Ok(())
}

/// Puts the web ACL that is wanted before the stage, if it has it not. One that is not wanted goes after everything else.
async fn guard(run: &Run, api: &str) -> Result<(), Error> {
    let desired = &run.desired().stage;
    let old = run.state().stage.clone().unwrap_or_default().settings.web_acl;
    let Some(wanted) = desired.settings.web_acl.as_ref().filter(|wanted| Some(*wanted) != old.as_ref()) else {
        return Ok(());
    };
    let done = web_acl::associate(run, api, &desired.name, wanted).await;
    let now = match &done {
        Ok(()) => Some(wanted.clone()),
        // Which one it has nobody knows: the next run tells it again.
        Err(error) if error.may_have_worked() => Some(String::new()),
        Err(_) => old,
    };
    run.state().stage.get_or_insert_default().settings.web_acl = now;
    done
}

/// Tells API Gateway what differs between two settings of the stage.
async fn update(run: &Run, api: &str, settings: &Settings, old: &Settings) -> Result<(), Error> {
    let desired = &run.desired().stage;
    let patches = settings.patches(old).into_iter();
    let patches: Vec<PatchOperation> = patches
        .map(|Patch { path, value }| {
            let op = if value.is_some() { Op::Replace } else { Op::Remove };
            PatchOperation::builder().op(op).path(path).set_value(value).build()
        })
        .collect();
    if patches.is_empty() {
        return Ok(());
    }
    let doing = format!("set up the stage `{}` of the REST API `{api}`", desired.name);
    if settings.cache != old.cache {
        settle(run, api, &doing).await?;
    }
    run.check(&doing)?;
    let request = run.aws.apigateway.update_stage().rest_api_id(api).stage_name(&desired.name);
    let answer = request.set_patch_operations(Some(patches)).send().await;
    answer.map_err(|error| run.aws.explain(Call(ApiGateway, "UpdateStage", &doing), error))?;
    let mut state = run.state();
    // One that is to go is still there.
    let web_acl = settings.web_acl.clone().or(old.web_acl.clone());
    state.stage.get_or_insert_default().settings = Settings { web_acl, ..settings.clone() };
    Ok(())
}

/// Waits until API Gateway has done what it does with the stage's cache, which takes minutes and lets no change in between.
async fn settle(run: &Run, api: &str, doing: &str) -> Result<(), Error> {
    let name = &run.desired().stage.name;
    for _ in 0..LOOKS {
        run.check(doing)?;
        let seen = get(&run.aws, api, name).await?;
        let status = seen.and_then(|stage| stage.cache_cluster_status);
        if !status.is_some_and(|status| status.as_str().ends_with("_IN_PROGRESS")) {
            return Ok(());
        }
        (run.progress)(&format!("waiting for the cache of stage {name}"));
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::new(Kind::Other, doing, "API Gateway is still at the cache after an hour")
        .hint("run `pulumi up` again when the stage's cache status in the AWS console is no longer in progress"))
}

/// The stage of the name that is wanted, where a run that was lost has made it. Another's is not moved.
async fn take_over(run: &Run, api: &str, doing: &str) -> Result<Option<GetStageOutput>, Error> {
    let desired = &run.desired().stage;
    let Some(seen) = run.stop.look(doing, get(&run.aws, api, &desired.name)).await? else { return Ok(None) };
    if seen.description() != Some(&owner::note(&run.desired().owner)) {
        let reason = "the REST API has a stage of this name already, made by somebody else";
        return Err(
            Error::new(Kind::AlreadyExists, doing, reason).hint("choose another `stageName`, or delete that stage")
        );
    }
    let deployment = deployment(&seen);
    let mut state = run.state();
    if state.stage.as_ref().is_none_or(|stage| stage.deployment_id != deployment) {
        state.leftovers.deployments.push(deployment);
    }
    Ok(Some(seen))
}

/// Deploys the definition. API Gateway makes the stage, or moves it, in the same call.
async fn deploy(
    run: &Run,
    api: &str,
    digest: &str,
    old: &State,
    before: Option<String>,
    settings: Settings,
    doing: &str,
) -> Result<(), Error> {
    let desired = &run.desired().stage;
    run.check(doing)?;
    (run.progress)(&format!("deploying to stage {}", desired.name));
    let deployment_id = new_deployment(run, api, digest, before, doing).await?;
    // The one that was made is on record first; then come those that may have been made before, and nobody heard of.
    let unsure = run.state().cut_off;
    let note = owner::note(&run.desired().owner);
    let unheard = if unsure { noted(&run.aws, api, &note, doing).await } else { Ok(Vec::new()) };
    let renamed = !old.name.is_empty() && old.name != desired.name;
    let mut state = run.state();
    // One that somebody else made is theirs to delete.
    if !old.digest.is_empty() {
        state.leftovers.deployments.push(old.deployment_id.clone());
    }
    if renamed {
        state.leftovers.replaced(old);
    }
    for id in unheard.iter().flatten() {
        if !state.leftovers.deployments.contains(id) {
            state.leftovers.deployments.push(id.clone());
        }
    }
    state.leftovers.forget(&desired.name, &deployment_id);
    state.stage = Some(State {
        name: desired.name.clone(),
        deployment_id,
        digest: digest.to_owned(),
        settings,
        tags: if renamed { Tags::new() } else { old.tags.clone() },
    });
    unheard.map(drop)
}

/// The deployments whose description begins with this note, which says who made them.
async fn noted(aws: &Clients, api: &str, note: &str, doing: &str) -> Result<Vec<String>, Error> {
    let pages = aws.apigateway.get_deployments().rest_api_id(api).limit(500).into_paginator().items().send();
    let found: Result<Vec<_>, _> = pages.collect().await;
    let found = found.map_err(|error| aws.explain(Call(ApiGateway, "GetDeployments", doing), error))?;
    let noted = found.into_iter().filter(|deployment| deployment.description().unwrap_or_default().starts_with(note));
    Ok(noted.filter_map(|deployment| deployment.id).collect())
}

/// Makes a deployment and gives its id. API Gateway makes another one each time it is asked, so a call without an answer
/// is not repeated before looking at what the stage serves. That may be a deployment which nobody has told us of, so its
/// description says the document that is in it.
async fn new_deployment(
    run: &Run,
    api: &str,
    digest: &str,
    before: Option<String>,
    doing: &str,
) -> Result<String, Error> {
    let desired = &run.desired().stage;
    let note = owner::note(&run.desired().owner);
    let description = format!("{note}: {}", digest.get(..SHORT).unwrap_or(digest));
    let mut attempt = 1;
    loop {
        let request = run.aws.apigateway.create_deployment().rest_api_id(api).stage_name(&desired.name);
        let request = request.description(&description);
        // A stage that is there keeps its own.
        let request = if before.is_none() { request.stage_description(&note) } else { request };
        let only_refusals = config::Builder::new().retry_classifier(OnlyRefusals);
        let error = match request.customize().config_override(only_refusals).send().await {
            Ok(answer) => return Ok(answer.id.unwrap_or_default()),
            Err(error) => run.aws.explain(Call(ApiGateway, "CreateDeployment", doing), error),
        };
        if !matches!(error.kind, Kind::Unreachable | Kind::Unanswered | Kind::Throttled | Kind::Faulty) {
            return Err(error);
        }
        let Ok(seen) = get(&run.aws, api, &desired.name).await else { return Err(error) };
        let back = run.state().leftovers.stages.contains(&desired.name);
        let served = seen.map(|stage| deployment(&stage)).filter(|id| Some(id) != before.as_ref() && !back);
        if let Some(id) = served {
            match noted(&run.aws, api, &description, doing).await {
                Ok(made) if made.contains(&id) => return Ok(id),
                Ok(_) => {}
                Err(_) => return Err(error),
            }
        }
        if attempt == ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        run.check(doing)?;
    }
}

/// Makes a stage of the new name for the same deployment.
async fn rename(run: &Run, api: &str, old: &State, doing: &str) -> Result<(), Error> {
    let desired = &run.desired().stage;
    run.check(doing)?;
    let request = run.aws.apigateway.create_stage().rest_api_id(api).stage_name(&desired.name);
    let request = request.deployment_id(&old.deployment_id).description(owner::note(&run.desired().owner));
    let answer = request.set_tags(Some(desired.tags.clone().into_iter().collect())).send().await;
    if let Err(error) = answer {
        // A first try may have taken effect and its answer been lost.
        let ours = error.code() == Some("ConflictException")
            && get(&run.aws, api, &desired.name).await?.is_some_and(|seen| deployment(&seen) == old.deployment_id);
        if !ours {
            return Err(run.aws.explain(Call(ApiGateway, "CreateStage", doing), error));
        }
    }
    let mut state = run.state();
    state.leftovers.replaced(old);
    state.leftovers.forget(&desired.name, &old.deployment_id);
    state.stage = Some(State {
        name: desired.name.clone(),
        settings: Settings::default(),
        tags: desired.tags.clone(),
        ..old.clone()
    });
    Ok(())
}

async fn delete(run: &Run, api: &str, stage: &str) -> Result<(), Error> {
    let doing = format!("delete the stage `{stage}` of the REST API `{api}`");
    run.check(&doing)?;
    match run.aws.apigateway.delete_stage().rest_api_id(api).stage_name(stage).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NotFoundException") => Ok(()),
        Err(error) => Err(run.aws.explain(Call(ApiGateway, "DeleteStage", &doing), error)),
    }
}

/// Deletes what was replaced: stages first, because a deployment goes only when no stage serves it. A stage that a usage
/// plan is for, or a domain name leads to, stays until that has left it.
pub async fn tidy(run: &Run, api: &str) -> Result<(), Error> {
    role::aws::tidy(run).await?;
    let leftovers = run.state().leftovers.clone();
    let planned = run.state().usage_plan.as_ref().map(|plan| plan.link.clone());
    let mapped = run.state().domain.as_ref().and_then(|domain| domain.mapping.clone());
    for stage in leftovers.stages {
        let leads = mapped.as_ref().is_some_and(|mapping| mapping.api == api && mapping.stage == stage);
        if leads || planned.as_ref() == Some(&usage_plan::link(api, &stage)) {
            return Ok(());
        }
        if leftovers.web_acls.contains(&stage) {
            web_acl::disassociate(run, api, &stage).await?;
        }
        delete(run, api, &stage).await?;
        run.state().leftovers.web_acls.remove(&stage);
        run.state().leftovers.stages.retain(|other| *other != stage);
    }
    for deployment in leftovers.deployments {
        let doing = format!("delete the deployment `{deployment}` of the REST API `{api}`");
        run.check(&doing)?;
        match run.aws.apigateway.delete_deployment().rest_api_id(api).deployment_id(&deployment).send().await {
            Ok(_) => {}
            Err(error) if error.code() == Some("NotFoundException") => {}
            // Somebody made a stage of their own for it; it is theirs now.
            Err(error) if error.message().is_some_and(|message| message.contains("Active stages")) => {
                run.warn(format!("the deployment `{deployment}` stays: another stage serves it"));
            }
            Err(error) => return Err(run.aws.explain(Call(ApiGateway, "DeleteDeployment", &doing), error)),
        }
        run.state().leftovers.deployments.retain(|other| *other != deployment);
    }
    Ok(())
}
