//! What inputs may say, but probably should not: risks and costs to tell in a preview.

use s3dataproxy_schema::{Authorization, EndpointType, Inputs, Operation};

use crate::inputs::Read;

/// Properties that say who may call. While one is not known yet, nobody can say that everybody may.
const GUARDS: [&str; 4] = ["allowedIpRanges", "authorization", "endpoint", "policy"];

/// Properties that say how often.
const LIMITS: [&str; 3] = ["apiKeys", "throttle", "webAclArn"];

/// What the user should know before it is made, each with the properties that change it.
pub fn warnings(read: &Read<Inputs>) -> Vec<String> {
    let inputs = &read.typed;
    let mut found = Vec::new();
    let told_later = |names: &[&str]| names.iter().any(|name| read.unknown.contains(*name));
    let guarded = told_later(&GUARDS);
    let signed = inputs.authorization.unwrap_or_default() != Authorization::None;
    let confined = inputs.allowed_ip_ranges.is_some()
        || inputs.policy.is_some()
        || inputs.endpoint.as_ref().is_some_and(|endpoint| endpoint.kind == Some(EndpointType::Private));
    let limited = inputs.throttle.is_some() || inputs.web_acl_arn.is_some();
    if !guarded && !told_later(&LIMITS) && !signed && !confined && !limited && inputs.api_keys.is_none() {
        found.push(
            "everybody who knows the URL may call it, as often as the account's limit allows, and requests and traffic \
             are charged: set `throttle`, `authorization`, `apiKeys` or `allowedIpRanges`"
                .to_owned(),
        );
    }
    let writes = |operation: &&Operation| matches!(operation, Operation::Put | Operation::Delete);
    let mut writes: Vec<Operation> = inputs.operations.iter().flatten().filter(writes).copied().collect();
    writes.sort();
    writes.dedup();
    if !guarded && !signed && !confined && !writes.is_empty() {
        let verbs: Vec<&str> = writes.iter().map(|op| if *op == Operation::Put { "write" } else { "delete" }).collect();
        let who = if inputs.api_keys.is_some() { "whoever has an API key" } else { "everybody who knows the URL" };
        found.push(format!(
            "{who} may {} objects: set `authorization` or `allowedIpRanges`, or take {} out of `operations`",
            verbs.join(" and "),
            writes
                .iter()
                .map(|op| if *op == Operation::Put { "`PUT`" } else { "`DELETE`" })
                .collect::<Vec<_>>()
                .join(", "),
        ));
    }
    if inputs.cache.is_some() {
        found.push(
            "a cache is charged by the hour, used or not, and keeps objects of up to 1 MB only: leave `cache` out when it \
             is not worth it"
                .to_owned(),
        );
    }
    let own_url = inputs.endpoint.as_ref().and_then(|endpoint| endpoint.disable_execute_api);
    if inputs.domain.is_some() && own_url.is_none() {
        found.push(
            "the URL that API Gateway gives answers besides the one of `domain`: set `endpoint.disableExecuteApi` to `true` to \
             switch it off, or to `false` to keep it"
                .to_owned(),
        );
    }
    if inputs.domain.is_none() && own_url == Some(true) && !read.unknown.contains("domain") {
        found.push(
            "no URL answers, as `endpoint.disableExecuteApi` switches off the only one: set `domain`, or lead a domain name \
             that is made elsewhere to the stage"
                .to_owned(),
        );
    }
    if inputs.execution_log.as_ref().and_then(|log| log.data_trace) == Some(true) {
        found.push(
            "headers and bodies of requests and answers are written to the execution log, keys and tokens among them, and \
             all of it is charged: set `executionLog.dataTrace` to `false` when the fault is found"
                .to_owned(),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: serde_json::Value) -> String {
        let unknown = std::collections::BTreeSet::new();
        of(json, unknown)
    }

    fn of(json: serde_json::Value, unknown: std::collections::BTreeSet<String>) -> String {
        let typed = serde_json::from_value(json).expect("inputs");
        warnings(&Read { typed, unknown, secrets: Vec::new() }).join("\n")
    }

    #[test]
    fn risks_are_told_with_what_changes_them() {
        insta::assert_snapshot!(told(serde_json::json!({})), @"
        everybody who knows the URL may call it, as often as the account's limit allows, and requests and traffic are charged: set `throttle`, `authorization`, `apiKeys` or `allowedIpRanges`
        ");
        for silenced in [
            serde_json::json!({ "throttle": { "rateLimit": 1, "burstLimit": 1 } }),
            serde_json::json!({ "apiKeys": ["a"] }),
            serde_json::json!({ "policy": "{}" }),
            serde_json::json!({ "webAclArn": "arn" }),
            serde_json::json!({ "authorization": "AWS_IAM", "operations": ["PUT"] }),
            serde_json::json!({ "allowedIpRanges": ["203.0.113.0/24"], "operations": ["PUT"] }),
        ] {
            assert_eq!(told(silenced.clone()), "", "{silenced}");
        }
        insta::assert_snapshot!(told(serde_json::json!({ "operations": ["GET", "PUT"] })), @"
        everybody who knows the URL may call it, as often as the account's limit allows, and requests and traffic are charged: set `throttle`, `authorization`, `apiKeys` or `allowedIpRanges`
        everybody who knows the URL may write objects: set `authorization` or `allowedIpRanges`, or take `PUT` out of `operations`
        ");
        insta::assert_snapshot!(
            told(serde_json::json!({ "apiKeys": ["a"], "executionLog": { "dataTrace": true } })),
            @"headers and bodies of requests and answers are written to the execution log, keys and tokens among them, and all of it is charged: set `executionLog.dataTrace` to `false` when the fault is found"
        );
        insta::assert_snapshot!(
            told(serde_json::json!({ "apiKeys": ["a"], "cache": {} })),
            @"a cache is charged by the hour, used or not, and keeps objects of up to 1 MB only: leave `cache` out when it is not worth it"
        );
        let domain = |endpoint| {
            let domain = serde_json::json!({ "name": "a.example", "certificateArn": "arn" });
            told(serde_json::json!({ "apiKeys": ["a"], "domain": domain, "endpoint": endpoint }))
        };
        insta::assert_snapshot!(
            domain(serde_json::json!({})),
            @"the URL that API Gateway gives answers besides the one of `domain`: set `endpoint.disableExecuteApi` to `true` to switch it off, or to `false` to keep it"
        );
        assert_eq!(domain(serde_json::json!({ "disableExecuteApi": false })), "");
        let off = serde_json::json!({ "apiKeys": ["a"], "endpoint": { "disableExecuteApi": true } });
        insta::assert_snapshot!(
            told(off.clone()),
            @"no URL answers, as `endpoint.disableExecuteApi` switches off the only one: set `domain`, or lead a domain name that is made elsewhere to the stage"
        );
        assert_eq!(of(off, ["domain".to_owned()].into()), "");
        for guard in GUARDS {
            assert_eq!(of(serde_json::json!({ "operations": ["PUT"] }), [guard.to_owned()].into()), "", "{guard}");
        }
        for limit in LIMITS {
            let told = of(serde_json::json!({ "operations": ["PUT"] }), [limit.to_owned()].into());
            assert!(told.starts_with("everybody who knows the URL may write objects"), "{limit}: {told}");
        }
        insta::assert_snapshot!(told(serde_json::json!({ "operations": ["DELETE", "PUT"], "apiKeys": ["a"] })), @"
        whoever has an API key may write and delete objects: set `authorization` or `allowedIpRanges`, or take `PUT`, `DELETE` out of `operations`
        ");
    }
}
