use serde_json::json;

use super::*;
use crate::value::{Unknown, Value};

fn properties(json: Json) -> Object {
    match Value::from(json) {
        Value::Object(object) => object,
        other => panic!("{other:?} is no object"),
    }
}

fn told(properties: &Object) -> String {
    let failures = read(properties).expect_err("not to be read");
    failures.iter().map(|failure| format!("{}: {}", failure.path, failure.reason)).collect::<Vec<_>>().join("\n")
}

#[test]
fn unknown_properties_are_named_with_the_nearest_right_one() {
    let inputs =
        json!({ "stage": "x", "stagename": "x", "Path": "x", "bucket": { "forceDestory": true }, "zzzzzzzz": 1 });
    insta::assert_snapshot!(told(&properties(inputs)), @"
    Path: there is no property `Path`; did you mean `path`?
    bucket.forceDestory: there is no property `bucket.forceDestory`; did you mean `bucket.forceDestroy`?
    stage: there is no property `stage`; did you mean `stageName`?
    stagename: there is no property `stagename`; did you mean `stageName`?
    zzzzzzzz: there is no property `zzzzzzzz`; the properties are `accessLog`, `allowedIpRanges`, `apiKeys`, `authorization`, `authorizer`, `bucket`, `cache`, `cors`, `description`, `domain`, `endpoint`, `executionLog`, `indexDocument`, `metricsEnabled`, `name`, `operations`, `path`, `policy`, `quota`, `role`, `stageName`, `tags`, `throttle`, `tracingEnabled`, `waitForReady`, `webAclArn`
    ");
}

#[test]
fn wrong_types_are_named() {
    let inputs = json!({
        "name": 1, "operations": ["GET", "FETCH", 3], "bucket": "b", "waitForReady": "yes", "tags": { "a b": [] },
        "cache": { "sizeGb": 1 },
    });
    insta::assert_snapshot!(told(&properties(inputs)), @r#"
    bucket: `bucket` must be an object, not a string
    cache.sizeGb: `cache.sizeGb` must be one of `0.5`, `1.6`, `6.1`, `13.5`, `28.4`, `58.2`, `118`, `237`
    name: `name` must be a string, not a number
    operations[1]: `operations[1]` must be one of `GET`, `HEAD`, `LIST`, `PUT`, `DELETE`
    operations[2]: `operations[2]` must be a string, not a number
    tags["a b"]: `tags["a b"]` must be a string, not a list
    waitForReady: `waitForReady` must be a boolean, not a string
    "#);
}

#[test]
fn unknown_values_pass_and_secrets_are_remembered() {
    let mut inputs = properties(json!({ "bucket": {} }));
    inputs.insert("name".to_owned(), Value::UNKNOWN);
    inputs.insert("operations".to_owned(), Value::Unknown(Unknown::Array));
    inputs.insert("description".to_owned(), Value::from("hush").into_secret());
    let read = read(&inputs).expect("to be read");
    assert_eq!(read.typed.name.as_deref(), Some(value::UNKNOWN));
    assert_eq!(read.typed.operations, None);
    assert_eq!(read.typed.description.as_deref(), Some("hush"));
    assert_eq!(read.unknown.iter().map(String::as_str).collect::<Vec<_>>(), ["name", "operations"]);
    assert_eq!(read.secrets, ["hush"]);
}

#[test]
fn required_parts_may_be_unknown() {
    for cors in [Value::UNKNOWN, Value::Object([("allowOrigins".to_owned(), Value::UNKNOWN)].into())] {
        let read = read(&[("cors".to_owned(), cors)].into()).expect("to be read");
        assert_eq!(read.typed.cors.expect("some").allow_origins, [value::UNKNOWN]);
        assert!(read.unknown.contains("cors"));
    }
    for throttle in [Value::UNKNOWN, Value::Object([("rateLimit".to_owned(), Value::UNKNOWN)].into())] {
        let inputs = [("throttle".to_owned(), throttle)].into();
        let (read, failures) = examine(&inputs);
        assert!(read.unknown.contains("throttle"));
        let missing = inputs["throttle"] != Value::UNKNOWN;
        assert_eq!(failures.iter().any(|failure| failure.reason == "`throttle.burstLimit` is missing"), missing);
    }
}

#[test]
fn configuration_may_come_as_json_text() {
    let config = properties(json!({
        "region": "eu-central-1", "maxAttempts": "5", "defaultTags": "{\"a\":\"1\"}", "allowedAccountIds": "[\"123456789012\"]",
    }));
    let config = read_config(&config).expect("to be read").typed;
    assert_eq!((config.max_attempts, config.region.as_deref()), (Some(5), Some("eu-central-1")));
    assert_eq!(config.default_tags, Some([("a".to_owned(), "1".to_owned())].into()));
    assert_eq!(config.allowed_account_ids, Some(vec!["123456789012".to_owned()]));
}
