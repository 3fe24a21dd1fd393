//! The REST API at Amazon API Gateway.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_apigateway::config;
use aws_sdk_apigateway::error::ProvideErrorMetadata;
use aws_sdk_apigateway::operation::get_rest_api::GetRestApiOutput;
use aws_sdk_apigateway::types::{
    ApiStatus, EndpointConfiguration, EndpointType, IpAddressType, Op, PatchOperation, SecurityPolicy,
};
use s3dataproxy_schema::EndpointType as Kinds;

use super::endpoint::Patch;
use super::{Endpoint, State, arn};
use crate::apply::Run;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::aws::{Clients, OnlyRefusals};
use crate::desired::{Desired, Tags};
use crate::error::{Error, Kind};
use crate::owner::{self, Whose};
use crate::pieces::Piece;
use crate::plan::Action;

/// How often CreateRestApi is tried when no answer came and nothing was made.
const ATTEMPTS: usize = 3;

/// How long to wait between looks at a change that API Gateway has under way.
const PAUSE: Duration = Duration::from_secs(2);

/// How often to look: for an hour and a half, as at a domain name, whose edge-optimized endpoints AWS makes in the same way.
const LOOKS: usize = 2700;

/// Makes, changes or deletes the REST API.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => Ok(()),
        Action::Create => create_or_adopt(run).await,
        Action::Update => update(run).await,
        Action::Delete => delete(run).await,
    }
}

/// The REST API as API Gateway tells it; none if it is not there.
pub async fn get(aws: &Clients, id: &str) -> Result<Option<GetRestApiOutput>, Error> {
    let doing = format!("read the REST API `{id}`");
    match aws.apigateway.get_rest_api().rest_api_id(id).send().await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some("NotFoundException") => Ok(None),
        Err(error) => Err(aws.explain(Call(ApiGateway, "GetRestApi", &doing), error)),
    }
}

/// The REST API of this name that a resource of ours made; none if there is none. Two are an error.
pub async fn find_by_name(aws: &Clients, name: &str) -> Result<Option<GetRestApiOutput>, Error> {
    let doing = format!("find the REST API `{name}`");
    let mut found = all(aws, &doing).await?;
    found.retain(|api| api.name == name && api.tags.contains_key(owner::TAG));
    let ids: Vec<&str> = found.iter().map(|api| api.id.as_str()).collect();
    match ids.as_slice() {
        [] => Ok(None),
        [id] => get(aws, id).await,
        several => Err(Error::new(Kind::Invalid, doing, format!("several have this name: {}", several.join(", ")))
            .hint("name one by its id")),
    }
}

/// The state behind an answer. Of its tags, those in `ours`.
pub fn state(api: &GetRestApiOutput, ours: &Tags) -> State {
    let tags = api.tags.iter().flatten().filter(|(key, _)| ours.contains_key(*key));
    State {
        id: api.id.clone().unwrap_or_default(),
        name: api.name.clone().unwrap_or_default(),
        endpoint: endpoint(api.endpoint_configuration.as_ref(), api.security_policy.as_ref()),
        tags: tags.map(|(key, value)| (key.clone(), value.clone())).collect(),
        unmarked: false,
    }
}

/// The endpoint behind an answer.
fn endpoint(told: Option<&EndpointConfiguration>, policy: Option<&SecurityPolicy>) -> Endpoint {
    let kind = match told.and_then(|told| told.types().first()) {
        Some(EndpointType::Edge) => Kinds::Edge,
        Some(EndpointType::Private) => Kinds::Private,
        _ => Kinds::Regional,
    };
    let protocols = told.and_then(|told| told.ip_address_type());
    let dual_stack = kind == Kinds::Private || protocols == Some(&IpAddressType::Dualstack);
    let mut vpc_endpoint_ids = told.map(|told| told.vpc_endpoint_ids().to_vec()).unwrap_or_default();
    vpc_endpoint_ids.sort();
    Endpoint { kind, dual_stack, vpc_endpoint_ids, security_policy: None }
        .with_policy(policy.map(|policy| policy.as_str().to_owned()))
}

/// What CreateRestApi is told of an endpoint.
fn configuration(endpoint: &Endpoint) -> EndpointConfiguration {
    let told = EndpointConfiguration::builder().types(endpoint.kind_name().into());
    let told = told.set_ip_address_type(endpoint.dual_stack.then(|| endpoint.ip_address_type().into()));
    let ids = Some(endpoint.vpc_endpoint_ids.clone()).filter(|ids| !ids.is_empty());
    told.set_vpc_endpoint_ids(ids).build()
}

/// Makes the REST API of a run that may not be the first: one that a lost run of this name has made is taken over.
///
/// Without a name of the user's there is none, as a rule. So it is made while others are looked for: the look costs no time.
async fn create_or_adopt(run: &Run) -> Result<(), Error> {
    let Desired { rest_api: desired, owner, .. } = run.desired();
    if run.lives.unnamed {
        let look = run.stop.look("look for REST APIs that earlier runs made", run.lives.look(&run.aws, owner));
        // A look that fails is no reason to make nothing.
        let (made, _) = tokio::join!(create(run), look);
        made?;
    }
    let Some(earlier) = run.lives.of_name(&desired.name) else {
        return if run.lives.unnamed { Ok(()) } else { create(run).await };
    };
    // A drawn name may come again, with an update plan, or where the engine's configuration tells names.
    if run.lives.unnamed {
        delete(run).await?;
    }
    run.claim(Piece::RestApi, &earlier.api.tags, &format!("create the REST API `{}`", desired.name)).await?;
    run.resumes.store(true, Ordering::Relaxed);
    run.state().rest_api = Some(of_tags(earlier.api.clone(), &desired.tags));
    update(run).await
}

/// The same with only the tags that are ours.
fn of_tags(mut api: State, ours: &Tags) -> State {
    api.tags.retain(|key, _| ours.contains_key(key));
    api
}

/// Makes the REST API, empty, so that its id is known before anything is put into it.
///
/// API Gateway makes another one each time it is asked, and has no token against that. So a call without an answer is
/// not repeated before looking for what it may have made, by the owner tag.
async fn create(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().rest_api;
    let doing = format!("create the REST API `{}`", desired.name);
    let mut lost = None;
    for attempt in 0..ATTEMPTS {
        if (attempt > 0 || run.resumes.load(Ordering::Relaxed))
            && let Some(found) = find(run, &doing).await.map_err(|error| lost.clone().unwrap_or(error))?
        {
            run.state().rest_api = Some(found);
            return update(run).await;
        }
        run.check(&doing)?;
        (run.progress)(&format!("creating REST API {}", desired.name));
        let endpoint = configuration(&desired.endpoint);
        let request = run.aws.apigateway.create_rest_api().name(&desired.name).endpoint_configuration(endpoint);
        let request = request.set_tags(Some(desired.tags.clone().into_iter().collect()));
        let request = request.set_security_policy(desired.endpoint.security_policy.as_deref().map(Into::into));
        let request = request.set_endpoint_access_mode(desired.endpoint.access_mode().map(Into::into));
        let only_refusals = config::Builder::new().retry_classifier(OnlyRefusals);
        match request.customize().config_override(only_refusals).send().await {
            Ok(answer) => {
                let id = answer.id.unwrap_or_default();
                run.state().rest_api = Some(State {
                    id: id.clone(),
                    name: desired.name.clone(),
                    endpoint: desired.endpoint.clone(),
                    tags: desired.tags.clone(),
                    unmarked: false,
                });
                return settle(run, &id, answer.api_status, answer.api_status_message, &doing).await;
            }
            Err(error) => {
                let error = run.aws.explain(Call(ApiGateway, "CreateRestApi", &doing), error);
                match error.kind {
                    Kind::Unreachable | Kind::Unanswered | Kind::Faulty => lost = Some(error),
                    _ => return Err(error),
                }
            }
        }
    }
    let found = find(run, &doing).await.map_err(|error| lost.clone().unwrap_or(error))?;
    match found {
        Some(found) => {
            run.state().rest_api = Some(found);
            update(run).await
        }
        None => Err(lost.unwrap_or_else(|| Error::new(Kind::Other, doing, "it was not tried"))),
    }
}

/// What an earlier try made: the REST API of this life, or of another one that got no further than to here.
async fn find(run: &Run, doing: &str) -> Result<Option<State>, Error> {
    let look = of_resource(&run.aws, &run.desired().rest_api.tags, &run.desired().owner, doing);
    let found = run.stop.look(doing, look).await?;
    let found: Vec<_> = found.into_iter().filter(|(api, _)| api.name == run.desired().rest_api.name).collect();
    if let Some((ours, _)) = found.iter().find(|(_, whose)| *whose == Whose::Ours) {
        return Ok(Some(ours.clone()));
    }
    for (api, _) in found {
        match run.claim(Piece::RestApi, &api.tags, doing).await {
            Ok(()) => return Ok(Some(api)),
            Err(error) if error.kind == Kind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The REST APIs that a life of this resource made. Of their tags, those in `wanted`.
pub async fn of_resource(aws: &Clients, wanted: &Tags, owner: &str, doing: &str) -> Result<Vec<(State, Whose)>, Error> {
    let found = all(aws, doing).await?.into_iter().filter_map(|mut api| {
        let whose = owner::whose(&api.tags, owner);
        api.tags.retain(|key, _| wanted.contains_key(key));
        matches!(whose, Whose::Ours | Whose::AnotherLifes).then_some((api, whose))
    });
    Ok(found.collect())
}

/// All tags of a REST API; none if it is not there.
pub async fn tags_of(aws: &Clients, id: &str) -> Result<Option<Tags>, Error> {
    Ok(get(aws, id).await?.map(|api| api.tags.unwrap_or_default().into_iter().collect()))
}

/// Every REST API, with all of its tags.
pub async fn all(aws: &Clients, doing: &str) -> Result<Vec<State>, Error> {
    let mut found = Vec::new();
    let mut pages = aws.apigateway.get_rest_apis().limit(500).into_paginator().items().send();
    while let Some(api) = pages.next().await {
        let api = api.map_err(|error| aws.explain(Call(ApiGateway, "GetRestApis", doing), error))?;
        let tags = api.tags.unwrap_or_default().into_iter().collect();
        found.push(State {
            id: api.id.unwrap_or_default(),
            name: api.name.unwrap_or_default(),
            endpoint: endpoint(api.endpoint_configuration.as_ref(), api.security_policy.as_ref()),
            tags,
            unmarked: false,
        });
    }
    Ok(found)
}

async fn update(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().rest_api;
    let old = run.state().rest_api.clone().unwrap_or_default();
    let doing = format!("update the REST API `{}`", old.id);
    if old.name != desired.name {
        run.check(&doing)?;
        let patch = PatchOperation::builder().op(Op::Replace).path("/name").value(&desired.name).build();
        let answer = run.aws.apigateway.update_rest_api().rest_api_id(&old.id).patch_operations(patch).send().await;
        answer.map_err(|error| run.aws.explain(Call(ApiGateway, "UpdateRestApi", &doing), error))?;
        run.state().rest_api.get_or_insert_default().name = desired.name.clone();
    }
    let mut known = old.endpoint.clone();
    // A run that was lost may have changed it already, or API Gateway still be at it.
    let moves = known.kind != desired.endpoint.kind || known.vpc_endpoint_ids != desired.endpoint.vpc_endpoint_ids;
    if moves
        && run.resumes.load(Ordering::Relaxed)
        && let Some(seen) = run.stop.look(&doing, get(&run.aws, &old.id)).await?
    {
        known = endpoint(seen.endpoint_configuration.as_ref(), seen.security_policy.as_ref());
        run.state().rest_api.get_or_insert_default().endpoint = known.clone();
        // What failed is tried again.
        if under_way(seen.api_status.as_ref()) {
            settle(run, &old.id, seen.api_status, seen.api_status_message, &doing).await?;
        }
    }
    for patches in desired.endpoint.patches(&known) {
        move_endpoint(run, &old.id, patches, &doing).await?;
    }
    retag(run, &arn(&run.aws.region, &old.id), &old.tags, &desired.tags, &doing).await?;
    run.state().rest_api.get_or_insert_default().tags = desired.tags.clone();
    Ok(())
}

/// Changes the endpoint, and waits until API Gateway has done it: the next change would be refused. Until then the API goes
/// on as it was.
async fn move_endpoint(run: &Run, id: &str, patches: Vec<Patch>, doing: &str) -> Result<(), Error> {
    run.check(doing)?;
    (run.progress)(&format!("changing the endpoint of REST API {id}"));
    let patches = patches
        .into_iter()
        .map(|(op, path, value)| PatchOperation::builder().op(Op::from(op)).path(path).value(value).build());
    let request = run.aws.apigateway.update_rest_api().rest_api_id(id).set_patch_operations(Some(patches.collect()));
    let answer = request.send().await;
    let answer = answer.map_err(|error| run.aws.explain(Call(ApiGateway, "UpdateRestApi", doing), error))?;
    run.state().rest_api.get_or_insert_default().endpoint =
        endpoint(answer.endpoint_configuration.as_ref(), answer.security_policy.as_ref());
    settle(run, id, answer.api_status, answer.api_status_message, doing).await
}

fn under_way(status: Option<&ApiStatus>) -> bool {
    matches!(status, Some(ApiStatus::Updating | ApiStatus::Pending))
}

/// Waits until API Gateway has done what it does with the endpoint.
async fn settle(
    run: &Run,
    id: &str,
    mut status: Option<ApiStatus>,
    mut words: Option<String>,
    doing: &str,
) -> Result<(), Error> {
    for _ in 0..LOOKS {
        if !under_way(status.as_ref()) {
            return done(status.as_ref(), words, doing);
        }
        run.check(doing)?;
        (run.progress)(&format!("waiting for the endpoint of REST API {id}"));
        tokio::time::sleep(PAUSE).await;
        let Some(seen) = get(&run.aws, id).await? else {
            return Err(Error::new(Kind::NotFound, doing, "somebody has deleted the REST API meanwhile")
                .hint("`pulumi refresh` and `pulumi up` make it again"));
        };
        (status, words) = (seen.api_status, seen.api_status_message);
    }
    Err(Error::new(Kind::Other, doing, "API Gateway has still not finished after an hour and a half")
        .hint("run `pulumi up` again when its status in the AWS console is `Available`"))
}

/// What has come of a change of the endpoint.
fn done(status: Option<&ApiStatus>, words: Option<String>, doing: &str) -> Result<(), Error> {
    if status != Some(&ApiStatus::Failed) {
        return Ok(());
    }
    let words = words.unwrap_or_else(|| "API Gateway does not say why".to_owned());
    Err(Error::new(Kind::Invalid, doing, format!("the REST API's status is FAILED: {words}"))
        .hint("check `endpoint.type` and `endpoint.securityPolicy`, and run `pulumi up` again"))
}

async fn delete(run: &Run) -> Result<(), Error> {
    let Some(State { id, .. }) = run.state().rest_api.clone() else { return Ok(()) };
    let doing = format!("delete the REST API `{id}`");
    run.check(&doing)?;
    match run.aws.apigateway.delete_rest_api().rest_api_id(&id).send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("NotFoundException") => {}
        Err(error) => return Err(run.aws.explain(Call(ApiGateway, "DeleteRestApi", &doing), error)),
    }
    run.state().rest_api = None;
    Ok(())
}

/// Brings the tags of something in API Gateway from `old` to `new`.
pub async fn retag(run: &Run, arn: &str, old: &Tags, new: &Tags, doing: &str) -> Result<(), Error> {
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(*value));
    let changed: HashMap<String, String> = changed.map(|(key, value)| (key.clone(), value.clone())).collect();
    if !changed.is_empty() {
        run.check(doing)?;
        let answer = run.aws.apigateway.tag_resource().resource_arn(arn).set_tags(Some(changed)).send().await;
        answer.map_err(|error| run.aws.explain(Call(ApiGateway, "TagResource", doing), error))?;
    }
    let dropped: Vec<String> = old.keys().filter(|key| !new.contains_key(*key)).cloned().collect();
    if !dropped.is_empty() {
        run.check(doing)?;
        let answer = run.aws.apigateway.untag_resource().resource_arn(arn).set_tag_keys(Some(dropped)).send().await;
        answer.map_err(|error| run.aws.explain(Call(ApiGateway, "UntagResource", doing), error))?;
    }
    Ok(())
}
