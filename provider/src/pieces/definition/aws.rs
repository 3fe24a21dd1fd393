//! The definition at Amazon API Gateway: one import, and a look at what became of it.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_apigateway::operation::get_rest_api::GetRestApiOutput;
use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{ApiKeySourceType, Method, Op, PatchOperation, PutMode, Resource};
use serde_json::{Map, Value as Json, json};

use super::openapi::{access, auth};
use super::routes::{self, Routes};
use super::{Desired, State};
use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::error::Error;
use crate::plan::Action;

/// Puts the definition, or only its description. It goes with the REST API.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => Ok(()),
        Action::Create | Action::Update => put(run).await,
        Action::Delete => {
            run.state().definition = None;
            Ok(())
        }
    }
}

async fn put(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().definition;
    let (id, role_arn, old) = {
        let state = run.state();
        let id = state.rest_api.as_ref().map(|api| api.id.clone()).unwrap_or_default();
        (id, state.role.as_ref().map(|role| role.arn.clone()).unwrap_or_default(), state.definition.clone())
    };
    let doing = format!("define the REST API `{id}`");
    run.check(&doing)?;
    let digest = desired.digest(&role_arn);
    let put = State { digest: digest.clone(), description: desired.description.clone(), drift: Vec::new() };
    if old.is_some_and(|old| old.digest == digest && old.drift.is_empty()) {
        // Only words changed: no import, and nothing to deploy.
        let text = desired.description.clone().unwrap_or_default();
        let patch = PatchOperation::builder().op(Op::Replace).path("/description").value(text).build();
        let answer = run.aws.apigateway.update_rest_api().rest_api_id(&id).patch_operations(patch).send().await;
        answer.map_err(|error| run.aws.explain(Call(ApiGateway, "UpdateRestApi", &doing), error))?;
    } else {
        (run.progress)(&format!("defining REST API {id}"));
        let body = Blob::new(desired.document(&role_arn));
        let request = run.aws.apigateway.put_rest_api().rest_api_id(&id).mode(PutMode::Overwrite).body(body);
        let answer = request.send().await;
        let answer = answer.map_err(|error| run.aws.explain(Call(ApiGateway, "PutRestApi", &doing), error))?;
        for warning in answer.warnings() {
            run.warn(format!("API Gateway took the definition with a warning: {warning}"));
        }
    }
    run.state().definition = Some(put);
    Ok(())
}

/// Every resource of a REST API with its methods.
async fn resources(aws: &Clients, id: &str) -> Result<Vec<Resource>, Error> {
    let doing = format!("read the definition of the REST API `{id}`");
    let pages = aws.apigateway.get_resources().rest_api_id(id).embed("methods").limit(500);
    let resources: Result<Vec<Resource>, _> = pages.into_paginator().items().send().collect().await;
    resources.map_err(|error| aws.explain(Call(ApiGateway, "GetResources", &doing), error))
}

/// The routes that API Gateway has.
fn routes_of(resources: &[Resource], authorizers: &Authorizers) -> Routes {
    let mut routes = Routes::new();
    for resource in resources {
        for (verb, method) in resource.resource_methods.iter().flatten() {
            routes.insert(format!("{verb} {}", resource.path().unwrap_or_default()), of_method(method, authorizers));
        }
    }
    routes
}

fn of_method(method: &Method, authorizers: &Authorizers) -> Json {
    let integration = method.method_integration();
    let answers = integration.and_then(|integration| integration.integration_responses.as_ref());
    let answers = answers.into_iter().flatten().map(|(status, answer)| {
        let pattern = answer.selection_pattern().filter(|pattern| !pattern.is_empty());
        let answer = json!({
            "pattern": pattern,
            "headers": texts(answer.response_parameters()),
            "templates": texts(answer.response_templates()),
            "contentHandling": answer.content_handling().map(|handling| handling.as_str()),
        });
        (status.clone(), answer)
    });
    let gives = method.method_responses().into_iter().flatten().map(|(status, response)| {
        let headers: BTreeSet<&String> =
            response.response_parameters().into_iter().flatten().map(|(name, _)| name).collect();
        (status.clone(), json!(headers))
    });
    json!({
        "authorization": auth::told(
            method.authorization_type().unwrap_or("NONE"),
            &method.authorization_scopes().iter().map(|scope| scope.as_str().into()).collect::<Vec<_>>(),
            method.authorizer_id().and_then(|id| authorizers.get(id)).unwrap_or(&Json::Null),
        ),
        "apiKey": method.api_key_required().unwrap_or_default(),
        "validated": method.request_validator_id().is_some(),
        "takes": method.request_parameters().into_iter().flatten().map(|(name, _)| name).collect::<BTreeSet<_>>(),
        "gives": gives.collect::<Map<_, _>>(),
        "type": integration.and_then(|i| i.r#type()).map(|kind| kind.as_str().to_uppercase()),
        "verb": integration.and_then(|i| i.http_method()),
        "uri": integration.and_then(|i| i.uri()),
        "credentials": integration.and_then(|i| i.credentials()),
        "parameters": texts(integration.and_then(|i| i.request_parameters())),
        "template": texts(integration.and_then(|i| i.request_templates())),
        "passthrough": integration.and_then(|i| i.passthrough_behavior()).unwrap_or_default(),
        "timeout": integration.map(|i| i.timeout_in_millis()).filter(|wait| *wait > 0).unwrap_or(routes::LONGEST_WAIT),
        "contentHandling": integration.and_then(|i| i.content_handling()).map(|handling| handling.as_str()),
        "cacheKeys": integration.map(|i| i.cache_key_parameters().iter().collect::<BTreeSet<_>>()).unwrap_or_default(),
        "answers": answers.collect::<Map<_, _>>(),
    })
}

fn texts(map: Option<&HashMap<String, String>>) -> Json {
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), Json::from(value.as_str())))
        .collect::<Map<_, _>>()
        .into()
}

/// Authorizers by their ids, in the form of [`auth::told`].
type Authorizers = HashMap<String, Json>;

async fn authorizers(aws: &Clients, id: &str) -> Result<Authorizers, Error> {
    let doing = format!("read the authorizers of the REST API `{id}`");
    // An API has ten at most.
    let answer = aws.apigateway.get_authorizers().rest_api_id(id).limit(500).send().await;
    let answer = answer.map_err(|error| aws.explain(Call(ApiGateway, "GetAuthorizers", &doing), error))?;
    let told = answer.items().iter().map(|authorizer| {
        let is_custom = authorizer.authorizer_uri().is_some();
        let told = json!({
            "type": authorizer.r#type().map(|kind| kind.as_str()),
            "pools": authorizer.provider_arns,
            "uri": authorizer.authorizer_uri(),
            "credentials": authorizer.authorizer_credentials(),
            "source": authorizer.identity_source().filter(|source| !source.is_empty()).map(auth::source),
            "pattern": authorizer.identity_validation_expression().filter(|pattern| !pattern.is_empty()),
            // For user pools it means nothing, and API Gateway fills it in.
            "ttl": authorizer.authorizer_result_ttl_in_seconds().filter(|_| is_custom),
        });
        (authorizer.id().unwrap_or_default().to_owned(), told)
    });
    Ok(told.collect())
}

/// What API Gateway says by itself, as far as it was changed from its defaults.
async fn own_answers(aws: &Clients, id: &str) -> Result<Routes, Error> {
    let doing = format!("read the gateway responses of the REST API `{id}`");
    let answer = aws.apigateway.get_gateway_responses().rest_api_id(id).limit(500).send().await;
    let answer = answer.map_err(|error| aws.explain(Call(ApiGateway, "GetGatewayResponses", &doing), error))?;
    let changed = answer.items().iter().filter(|response| !response.default_response);
    Ok(changed
        .filter_map(|response| {
            let says = json!({
                "status": response.status_code(),
                "headers": texts(response.response_parameters()),
                "templates": texts(response.response_templates()),
            });
            Some((routes::own_answer(response.response_type()?.as_str()), says))
        })
        .collect())
}

/// What a REST API does.
pub struct Content {
    /// Each resource with its methods.
    pub routes: Routes,
    /// Its own answers.
    pub answers: Routes,
}

/// Reads what a REST API does.
pub async fn content(aws: &Clients, id: &str) -> Result<Content, Error> {
    let (resources, answers) = tokio::try_join!(resources(aws, id), own_answers(aws, id))?;
    let mut methods =
        resources.iter().filter_map(|resource| resource.resource_methods.as_ref()).flat_map(HashMap::values);
    let asks = methods.any(|method| method.authorizer_id().is_some());
    let authorizers = if asks { authorizers(aws, id).await? } else { Authorizers::new() };
    Ok(Content { routes: routes_of(&resources, &authorizers), answers })
}

/// The resource policy, in the form in which policies are compared.
pub fn resource_policy(api: &GetRestApiOutput) -> Option<String> {
    let text = api.policy.as_deref().filter(|text| !text.is_empty())?;
    Some(access::told(text, api.id.as_deref().unwrap_or_default()).unwrap_or_else(|| text.to_owned()))
}

/// What differs between the document and what is there, in words.
pub fn drift(api: &GetRestApiOutput, content: &Content, desired: &Desired, role_arn: &str) -> Vec<String> {
    let document = desired.api.document("", None, role_arn);
    let mut drift = routes::differences(&routes::of_document(&document), &content.routes);
    drift.extend(routes::differences(&routes::own_answers(&document), &content.answers));
    let id = api.id.as_deref().unwrap_or_default();
    let ours = document.get("x-amazon-apigateway-policy").map(|policy| access::compared(policy, id));
    if resource_policy(api) != ours {
        drift.push("resource policy".to_owned());
    }
    if api.disable_execute_api_endpoint != desired.api.disabled {
        drift.push("disableExecuteApiEndpoint".to_owned());
    }
    if api.binary_media_types() != ["*/*"] {
        drift.push("binary media types".to_owned());
    }
    if api.minimum_compression_size.is_some() {
        drift.push("minimum compression size".to_owned());
    }
    if api.api_key_source.as_ref().is_some_and(|source| *source != ApiKeySourceType::Header) {
        drift.push("API key source".to_owned());
    }
    drift
}

/// The state behind an answer: `known` where what is there is what the document says, else with what differs.
pub fn state(api: &GetRestApiOutput, digest: String, drift: Vec<String>) -> State {
    let description = api.description.clone().filter(|text| !text.is_empty());
    State { digest, description, drift }
}
