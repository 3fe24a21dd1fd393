//! The API keys of a usage plan at Amazon API Gateway.

use std::collections::BTreeMap;

use aws_sdk_apigateway::config;
use aws_sdk_apigateway::error::ProvideErrorMetadata;
use aws_sdk_apigateway::types::{ApiKey, Op, PatchOperation};
use futures_util::{StreamExt, stream};

use super::{ATTEMPTS, Known, arn, look, patches};
use crate::apply::Run;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::aws::{Clients, OnlyRefusals};
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::owner::{self, Whose};
use crate::pieces::rest_api::aws::retag;
use crate::pieces::usage_plan::{Desired, Key, key_prefix};

/// How many keys are made or deleted at the same time: API Gateway takes five a second.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const AT_ONCE: usize = 4;

/// What no client's name has: behind it is the id of a key that is one too many.
const EXTRA: char = '#';

/// What all keys of a plan are linked as.
const KIND: &str = "API_KEY";

/// The keys of this life, and those that are known, by their clients. Whether the plan has them is left open.
pub async fn observe(aws: &Clients, known: &Known<'_>) -> Result<BTreeMap<String, Key>, Error> {
    let (doing, prefix) = (format!("read the API keys of `{}`", known.name), key_prefix(known.name));
    let is_known = |key: &ApiKey| {
        let mut recorded = known.state.into_iter().flat_map(|state| state.keys.values());
        recorded.any(|other| Some(other.id.as_str()) == key.id())
    };
    let mut named = named(aws, &prefix, &doing).await?;
    // The list goes by names, and somebody may have changed one.
    for (client, key) in known.state.into_iter().flat_map(|state| &state.keys) {
        if !named.iter().any(|(_, found)| found.id() == Some(&key.id))
            && let Some(found) = get(aws, &key.id, &doing).await?
        {
            named.push((client.clone(), found));
        }
    }
    // Of two with one name, the one on record is the client's.
    named.sort_by_key(|(_, key)| is_known(key));
    let keys = named.into_iter().filter_map(|(client, key)| {
        let tags: Tags = key.tags.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        let ours = match owner::whose(&tags, known.owner) {
            Whose::Ours => true,
            Whose::Unmarked | Whose::AnotherLifes => is_known(&key),
            Whose::Anothers => false,
        };
        let renamed = key.name().and_then(|name| name.strip_prefix(&prefix)) != Some(&client);
        ours.then(|| (client, Key { renamed, ..state(&key, known.tags) }))
    });
    let mut found = BTreeMap::new();
    for (client, key) in keys {
        if let Some(other) = found.insert(client.clone(), key) {
            // A try that timed out may have made one more. It is nobody's, and goes with the next update.
            found.insert(format!("{client}{EXTRA}{}", other.id), other);
        }
    }
    Ok(found)
}

/// A key by its id; none if it is not there.
async fn get(aws: &Clients, id: &str, doing: &str) -> Result<Option<ApiKey>, Error> {
    match aws.apigateway.get_api_key().api_key(id).include_value(true).send().await {
        Ok(answer) => Ok(Some(
            ApiKey::builder()
                .set_id(answer.id)
                .set_name(answer.name)
                .set_value(answer.value)
                .enabled(answer.enabled)
                .set_tags(answer.tags)
                .build(),
        )),
        Err(error) if error.code() == Some("NotFoundException") => Ok(None),
        Err(error) => Err(aws.explain(Call(ApiGateway, "GetApiKey", doing), error)),
    }
}

/// The keys whose names begin like this, by the rest of their names.
pub async fn named(aws: &Clients, prefix: &str, doing: &str) -> Result<Vec<(String, ApiKey)>, Error> {
    let mut found = Vec::new();
    let pages = aws.apigateway.get_api_keys().name_query(prefix).include_values(true).limit(500);
    let mut pages = pages.into_paginator().items().send();
    while let Some(key) = pages.next().await {
        let key = key.map_err(|error| aws.explain(Call(ApiGateway, "GetApiKeys", doing), error))?;
        let client = key.name().and_then(|name| name.strip_prefix(prefix)).map(str::to_owned);
        found.extend(client.map(|client| (client, key)));
    }
    Ok(found)
}

/// Ids and names of the keys that a plan has.
pub async fn of_plan(aws: &Clients, plan: &str) -> Result<Vec<(String, String)>, Error> {
    let doing = format!("read the keys of the usage plan `{plan}`");
    let mut found = Vec::new();
    let mut pages = aws.apigateway.get_usage_plan_keys().usage_plan_id(plan).limit(500).into_paginator().items().send();
    while let Some(key) = pages.next().await {
        let key = key.map_err(|error| aws.explain(Call(ApiGateway, "GetUsagePlanKeys", &doing), error))?;
        found.push((key.id.unwrap_or_default(), key.name.unwrap_or_default()));
    }
    Ok(found)
}

/// The state behind an answer.
pub fn state(key: &ApiKey, ours: &Tags) -> Key {
    let tags = key.tags.iter().flatten().filter(|(key, _)| ours.contains_key(*key));
    Key {
        id: key.id.clone().unwrap_or_default(),
        value: key.value.clone().unwrap_or_default(),
        linked: false,
        enabled: key.enabled,
        renamed: false,
        tags: tags.map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}

/// Gives every client a key that works, then takes those of others away.
pub async fn bring(run: &Run, desired: &Desired, plan: &str) -> Result<(), Error> {
    let bring = |client: &'_ String| {
        let client = client.clone();
        async move { bring_one(run, desired, plan, &client).await }
    };
    let each: Vec<_> = desired.clients.iter().map(bring).collect();
    all(each).await?;
    let keys = run.state().usage_plan.clone().unwrap_or_default().keys;
    let dropped: Vec<String> = keys.into_keys().filter(|client| !desired.clients.contains(client)).collect();
    unlink(run, &dropped, plan).await?;
    drop_all(run, &dropped).await?;
    send_away(run, plan).await
}

/// Takes keys of others out of the plan. They stay where else they are used.
async fn send_away(run: &Run, plan: &str) -> Result<(), Error> {
    let strangers = run.state().usage_plan.clone().unwrap_or_default().strangers;
    for id in strangers {
        take_out(run, plan, &id, &format!("take the API key `{id}`, which somebody added, out of the usage plan"))
            .await?;
        run.state().usage_plan.get_or_insert_default().strangers.remove(&id);
    }
    Ok(())
}

async fn take_out(run: &Run, plan: &str, key: &str, doing: &str) -> Result<(), Error> {
    run.check(doing)?;
    match run.aws.apigateway.delete_usage_plan_key().usage_plan_id(plan).key_id(key).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NotFoundException") => Ok(()),
        Err(error) => Err(run.aws.explain(Call(ApiGateway, "DeleteUsagePlanKey", doing), error)),
    }
}

/// Does all of this, also where one fails: a call that is dropped half way may have made something.
async fn all(each: Vec<impl Future<Output = Result<(), Error>>>) -> Result<(), Error> {
    let done: Vec<_> = stream::iter(each).buffer_unordered(AT_ONCE).collect().await;
    done.into_iter().collect()
}

async fn bring_one(run: &Run, desired: &Desired, plan: &str, client: &str) -> Result<(), Error> {
    let doing = format!("set up the API key of `{client}`");
    let known = run.state().usage_plan.clone().unwrap_or_default().keys.remove(client);
    let key = match known {
        Some(key) => key,
        None => create(run, desired, client).await?,
    };
    let enable = (!key.enabled).then(|| ("/enabled", "true".to_owned()));
    let rename = key.renamed.then(|| (patches::NAME, desired.key_name(client)));
    let patches: Vec<_> = enable.into_iter().chain(rename).collect();
    if !patches.is_empty() {
        run.check(&doing)?;
        let patch = |(path, value)| PatchOperation::builder().op(Op::Replace).path(path).value(value).build();
        let patches = patches.into_iter().map(patch).collect();
        let request = run.aws.apigateway.update_api_key().api_key(&key.id).set_patch_operations(Some(patches));
        let answer = request.send().await;
        answer.map_err(|error| run.aws.explain(Call(ApiGateway, "UpdateApiKey", &doing), error))?;
        change(run, client, |key| (key.enabled, key.renamed) = (true, false));
    }
    retag(run, &arn(&run.aws.region, "apikeys", &key.id), &key.tags, &desired.tags, &doing).await?;
    change(run, client, |key| key.tags = desired.tags.clone());
    if !key.linked {
        run.check(&doing)?;
        let request = run.aws.apigateway.create_usage_plan_key().usage_plan_id(plan).key_id(&key.id).key_type(KIND);
        if let Err(error) = request.send().await {
            // A first try may have taken effect and its answer been lost.
            if error.code() != Some("ConflictException") || !is_linked(run, plan, &key.id, &doing).await? {
                return Err(run.aws.explain(Call(ApiGateway, "CreateUsagePlanKey", &doing), error));
            }
        }
        change(run, client, |key| key.linked = true);
    }
    Ok(())
}

/// Whether a plan has a key.
async fn is_linked(run: &Run, plan: &str, key: &str, doing: &str) -> Result<bool, Error> {
    match run.aws.apigateway.get_usage_plan_key().usage_plan_id(plan).key_id(key).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("NotFoundException") => Ok(false),
        Err(error) => Err(run.aws.explain(Call(ApiGateway, "GetUsagePlanKey", doing), error)),
    }
}

/// Makes a client's key. As with the plan, a call without an answer is not repeated before looking.
async fn create(run: &Run, desired: &Desired, client: &str) -> Result<Key, Error> {
    let doing = format!("create the API key of `{client}`");
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        if let Some(lost) = &lost {
            let found = look(run).await.map_err(|_| Error::clone(lost))?;
            if let Some(key) = found.and_then(|mut plan| plan.keys.remove(client)) {
                change(run, client, |known| *known = key.clone());
                return Ok(key);
            }
        }
        run.check(&doing)?;
        let request = run.aws.apigateway.create_api_key().name(desired.key_name(client)).enabled(true);
        let request = request.set_tags(Some(desired.tags.clone().into_iter().collect()));
        let only_refusals = config::Builder::new().retry_classifier(OnlyRefusals);
        let error = match request.customize().config_override(only_refusals).send().await {
            Ok(answer) => {
                let key = Key {
                    id: answer.id.unwrap_or_default(),
                    value: answer.value.unwrap_or_default(),
                    linked: false,
                    enabled: true,
                    renamed: false,
                    tags: desired.tags.clone(),
                };
                change(run, client, |known| *known = key.clone());
                return Ok(key);
            }
            Err(error) => run.aws.explain(Call(ApiGateway, "CreateApiKey", &doing), error),
        };
        match error.kind {
            Kind::Unreachable | Kind::Unanswered | Kind::Faulty => lost = Some(error),
            _ => return Err(error),
        }
    }
    Err(lost.unwrap_or_else(|| Error::new(Kind::Other, doing, "it was not tried")))
}

/// Writes down what became of a client's key.
fn change(run: &Run, client: &str, how: impl FnOnce(&mut Key)) {
    let mut state = run.state();
    how(state.usage_plan.get_or_insert_default().keys.entry(client.to_owned()).or_default());
}

/// Takes the keys of clients out of the plan: from then on they let nobody in.
async fn unlink(run: &Run, clients: &[String], plan: &str) -> Result<(), Error> {
    for client in clients {
        let key = run.state().usage_plan.clone().unwrap_or_default().keys.remove(client).unwrap_or_default();
        if !key.linked {
            continue;
        }
        take_out(run, plan, &key.id, &format!("take the API key of `{client}` out of the usage plan")).await?;
        change(run, client, |key| key.linked = false);
    }
    Ok(())
}

/// Deletes the keys of clients.
pub async fn drop_all(run: &Run, clients: &[String]) -> Result<(), Error> {
    let delete = |client: &'_ String| {
        let client = client.clone();
        async move { delete(run, &client).await }
    };
    let each: Vec<_> = clients.iter().map(delete).collect();
    all(each).await?;
    Ok(())
}

async fn delete(run: &Run, client: &str) -> Result<(), Error> {
    let key = run.state().usage_plan.clone().unwrap_or_default().keys.remove(client).unwrap_or_default();
    let doing = format!("delete the API key of `{client}`");
    run.check(&doing)?;
    match run.aws.apigateway.delete_api_key().api_key(&key.id).send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("NotFoundException") => {}
        Err(error) => return Err(run.aws.explain(Call(ApiGateway, "DeleteApiKey", &doing), error)),
    }
    run.state().usage_plan.get_or_insert_default().keys.remove(client);
    Ok(())
}
