//! What an API does, in one form, whether it comes from our document or from API Gateway.
//!
//! API Gateway fills in defaults and drops what it does not keep; this form holds only what both sides say alike. A
//! difference here is real drift, which a comparison of documents could not tell from normalisation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::openapi::{auth, keys, methods};

/// What each route does, by `METHOD /path`.
pub type Routes = BTreeMap<String, Json>;

/// How many milliseconds API Gateway waits for S3 where a document does not say.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
pub const LONGEST_WAIT: i32 = 29_000;

/// The document's name for every verb that has no method of its own.
const ANY: &str = "x-amazon-apigateway-any-method";

/// The routes of an OpenAPI document of ours.
pub fn of_document(document: &Json) -> Routes {
    let mut routes = Routes::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let integration = &operation["x-amazon-apigateway-integration"];
            let answers = integration["responses"].as_object().into_iter().flatten().map(|(pattern, answer)| {
                let status = answer["statusCode"].as_str().unwrap_or_default().to_owned();
                let answer = json!({
                    "pattern": if pattern == "default" { Json::Null } else { Json::from(pattern.as_str()) },
                    "headers": filled(&answer["responseParameters"]),
                    "templates": filled(&answer["responseTemplates"]),
                    "contentHandling": answer["contentHandling"],
                });
                (status, answer)
            });
            let takes = operation["parameters"].as_array().into_iter().flatten().map(methods::source);
            let cache_keys = integration["cacheKeyParameters"].as_array().into_iter().flatten();
            let cache_keys: BTreeSet<&str> = cache_keys.filter_map(Json::as_str).collect();
            let gives = operation["responses"].as_object().into_iter().flatten().map(|(status, response)| {
                let headers = response["headers"].as_object().into_iter().flatten();
                let names: BTreeSet<String> =
                    headers.map(|(name, _)| format!("method.response.header.{name}")).collect();
                (status.clone(), json!(names))
            });
            let route = json!({
                "authorization": auth::of_operation(document, operation),
                "apiKey": keys::asked_by(operation),
                "validated": false,
                "takes": takes.collect::<BTreeSet<_>>(),
                "gives": gives.collect::<Map<_, _>>(),
                "type": integration["type"].as_str().unwrap_or_default().to_uppercase(),
                "verb": integration["httpMethod"],
                "uri": integration["uri"],
                "credentials": integration["credentials"],
                "parameters": filled(&integration["requestParameters"]),
                "template": filled(&integration["requestTemplates"]),
                "passthrough": integration["passthroughBehavior"].as_str().unwrap_or_default().to_uppercase(),
                "timeout": LONGEST_WAIT,
                "contentHandling": integration["contentHandling"],
                "cacheKeys": cache_keys,
                "answers": answers.collect::<Map<_, _>>(),
            });
            let verb = if method == ANY { "ANY".to_owned() } else { method.to_uppercase() };
            routes.insert(format!("{verb} {path}"), route);
        }
    }
    routes
}

/// What an OpenAPI document of ours makes of API Gateway's own answers.
pub fn own_answers(document: &Json) -> Routes {
    let answers = document["x-amazon-apigateway-gateway-responses"].as_object().into_iter().flatten();
    answers
        .map(|(kind, answer)| {
            let says = json!({
                "status": answer["statusCode"],
                "headers": filled(&answer["responseParameters"]),
                "templates": filled(&answer["responseTemplates"]),
            });
            (own_answer(kind), says)
        })
        .collect()
}

/// What an own answer is called among what differs.
pub fn own_answer(kind: &str) -> String {
    format!("gateway response {kind}")
}

/// What differs, in words: a route, and the part of it.
pub fn differences(ours: &Routes, theirs: &Routes) -> Vec<String> {
    let mut found = Vec::new();
    for (route, our) in ours {
        match theirs.get(route) {
            None => found.push(format!("{route} is missing")),
            Some(their) => parts(route, our, their, &mut found),
        }
    }
    found.extend(theirs.keys().filter(|route| !ours.contains_key(*route)).map(|route| format!("{route} was added")));
    found
}

fn parts(path: &str, our: &Json, their: &Json, found: &mut Vec<String>) {
    match (our, their) {
        (Json::Object(our), Json::Object(their)) => {
            let more = their.keys().filter(|key| !our.contains_key(*key));
            for key in our.keys().chain(more) {
                let side = |map: &Map<String, Json>| map.get(key).cloned().unwrap_or_default();
                parts(&format!("{path}, {key}"), &side(our), &side(their), found);
            }
        }
        (our, their) if our != their => found.push(path.to_owned()),
        _ => {}
    }
}

/// An object, empty where there is none.
fn filled(json: &Json) -> Json {
    if json.is_object() { json.clone() } else { json!({}) }
}
