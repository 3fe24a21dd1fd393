use super::*;
use crate::desired::tests::place;
use crate::inputs::read;
use crate::plan::plan;
use crate::plan::tests::applied;

fn inputs() -> Object {
    Object::from([("name".to_owned(), Value::from("data-1"))])
}

fn lines(outputs: &Object) -> String {
    let show = |(name, value): (&String, &Value)| {
        let text = format!("{value:?}");
        format!("{name}: {}", text.chars().take(110).collect::<String>())
    };
    outputs.iter().filter(|(name, _)| *name != state::KEY).map(show).collect::<Vec<_>>().join("\n")
}

const URL: &str = "https://{restApiId}.execute-api.eu-central-1.amazonaws.com/{stage}";

#[test]
fn a_preview_of_create_knows_what_follows_from_names() {
    let inputs = inputs();
    let read = read(&inputs).expect("inputs");
    let desired = Desired::new(&read.typed, &place());
    let state = State::empty("eu-central-1", "o");
    let source = Source { inputs: &inputs, read: &read, desired: &desired, state: &state, execute_api_url: URL };
    let planned = |account| lines(&source.planned(&plan(None, Some(&desired)), account));
    insta::assert_snapshot!(planned(None), @r#"
    bucketArn: "arn:aws:s3:::data-1"
    bucketName: "data-1"
    deploymentId: unknown String
    executionArn: unknown String
    invokeUrl: unknown String
    name: "data-1"
    openApiDocument: unknown String
    path: "data"
    restApiId: unknown String
    roleArn: unknown String
    roleName: "data-1"
    stageArn: unknown String
    "#);
    let with_account = planned(Some("123456789012"));
    assert!(with_account.contains(r#"roleArn: "arn:aws:iam::123456789012:role/data-1""#), "{with_account}");
    assert!(with_account.contains(r#"openApiDocument: "{\"openapi"#), "{with_account}");
}

#[test]
fn a_preview_of_update_keeps_what_stays() {
    let inputs = inputs();
    let read = read(&inputs).expect("inputs");
    let desired = Desired::new(&read.typed, &place());
    let state = applied(&desired);
    let mut changed = desired.clone();
    changed.definition.api.mount = "v2".to_owned();
    let source = Source { inputs: &inputs, read: &read, desired: &changed, state: &state, execute_api_url: URL };
    insta::assert_snapshot!(lines(&source.planned(&plan(Some(&state), Some(&changed)), None)), @r#"
    bucketArn: "arn:aws:s3:::data-1"
    bucketName: "data-1"
    deploymentId: unknown String
    executionArn: "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3"
    invokeUrl: "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/prod/v2"
    name: "data-1"
    openApiDocument: "{\"openapi\":\"3.0.1\",\"info\":{\"title\":\"data-1\",\"version\":\"1\"},\"paths\":{\"/v2/{key+}\":{\"get\":{
    path: "v2"
    restApiId: "a1b2c3"
    roleArn: "arn:aws:iam::123456789012:role/data-1"
    roleName: "data-1"
    stageArn: "arn:aws:apigateway:eu-central-1::/restapis/a1b2c3/stages/prod"
    "#);
}

#[test]
fn what_a_preview_knows_is_what_an_update_gives() {
    let inputs = inputs();
    let read = read(&inputs).expect("inputs");
    let desired = Desired::new(&read.typed, &place());
    let empty = State::empty("eu-central-1", "o");
    let before = Source { inputs: &inputs, read: &read, desired: &desired, state: &empty, execute_api_url: URL };
    let planned = before.planned(&plan(None, Some(&desired)), Some("123456789012"));
    let state = applied(&desired);
    let actual = Source { state: &state, ..before }.actual();
    for (name, value) in planned.into_iter().filter(|(_, value)| *value != Value::UNKNOWN) {
        assert_eq!(Some(&value), actual.get(&name), "{name}");
    }
}

#[test]
fn after_a_failure_only_what_exists_is_told() {
    let inputs = inputs();
    let read = read(&inputs).expect("inputs");
    let desired = Desired::new(&read.typed, &place());
    let state = State { bucket: applied(&desired).bucket, ..State::empty("eu-central-1", "o") };
    let source = Source { inputs: &inputs, read: &read, desired: &desired, state: &state, execute_api_url: URL };
    insta::assert_snapshot!(lines(&source.actual()), @r#"
    bucketArn: "arn:aws:s3:::data-1"
    bucketName: "data-1"
    name: "data-1"
    path: "data"
    "#);
}

#[test]
fn what_is_made_from_a_secret_is_a_secret() {
    let mut inputs = inputs();
    inputs.insert("description".to_owned(), Value::from("say \"hush\"").into_secret());
    let read = read(&inputs).expect("inputs");
    let desired = Desired::new(&read.typed, &place());
    let state = applied(&desired);
    let outputs =
        Source { inputs: &inputs, read: &read, desired: &desired, state: &state, execute_api_url: URL }.actual();
    let secret: Vec<&str> =
        outputs.iter().filter(|(_, value)| value.has_secret()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(secret, ["__state", "description", "openApiDocument"]);
    assert!(!format!("{outputs:?}").contains("hush"));
}

#[test]
fn a_refresh_shows_drift_as_the_users_properties() {
    let mut inputs = inputs();
    inputs.insert("tags".to_owned(), Value::from(serde_json::json!({ "env": "prod", "team": "a" })));
    inputs.insert("description".to_owned(), Value::from("ours").into_secret());
    let read = read(&inputs).expect("inputs");
    let mut state = applied(&Desired::new(&read.typed, &place()));
    assert_eq!(drifted(&inputs, &read, &state), inputs);
    state.bucket.get_or_insert_default().tags.remove("env");
    state.role.get_or_insert_default().tags.insert("team".to_owned(), "b".to_owned());
    state.definition.get_or_insert_default().description = Some("theirs".to_owned());
    let seen = drifted(&inputs, &read, &state);
    assert_eq!(seen["tags"], Value::from(serde_json::json!({ "team": "b" })));
    assert_eq!(seen["description"], Value::from("theirs").into_secret());
}

#[test]
fn the_url_of_a_private_endpoint_names_the_first_vpc_endpoint() {
    let endpoint = serde_json::json!({ "type": "PRIVATE", "vpcEndpointIds": ["vpce-2", "vpce-1"] });
    let inputs =
        Object::from([("name".to_owned(), Value::from("data-1")), ("endpoint".to_owned(), Value::from(endpoint))]);
    let read = read(&inputs).expect("inputs");
    let desired = Desired::new(&read.typed, &place());
    let state = applied(&desired);
    let url = |execute_api_url| {
        let source = Source { inputs: &inputs, read: &read, desired: &desired, state: &state, execute_api_url };
        source.actual().get("invokeUrl").and_then(Value::as_str).map(str::to_owned)
    };
    assert_eq!(url(URL).as_deref(), Some("https://a1b2c3-vpce-1.execute-api.eu-central-1.amazonaws.com/prod/data"));
    // A user's own form stays.
    let own = "https://data.example/{restApiId}/{stage}";
    assert_eq!(url(own).as_deref(), Some("https://data.example/a1b2c3/prod/data"));
}

#[test]
fn a_domain_name_leads_the_url_before_it_is_made() {
    let domain = [("name", "data.example.com"), ("certificateArn", "arn"), ("basePath", "v1")];
    let domain = domain.map(|(name, value)| (name.to_owned(), Value::from(value)));
    let mut inputs = inputs();
    inputs.insert("domain".to_owned(), Value::Object(domain.into_iter().collect()));
    let read = read(&inputs).expect("inputs");
    let desired = Desired::new(&read.typed, &place());
    let empty = State::empty("eu-central-1", "o");
    let source = |state| Source { inputs: &inputs, read: &read, desired: &desired, state, execute_api_url: URL };
    let planned = source(&empty).planned(&plan(None, Some(&desired)), None);
    assert_eq!(planned["domainTarget"], Value::UNKNOWN);
    let url = format!("https://data.example.com/v1/{}", place().default_path);
    assert_eq!(planned["invokeUrl"].as_str(), Some(url.as_str()));
    assert_eq!(source(&empty).probe_url(), None);

    let state = applied(&desired);
    let actual = source(&state).actual();
    assert_eq!(actual["invokeUrl"], planned["invokeUrl"]);
    assert!(lines(&actual).contains("d-1.example"), "{}", lines(&actual));
    // Nobody has made the DNS record yet.
    let own = format!("https://a1b2c3.execute-api.eu-central-1.amazonaws.com/prod/{}", place().default_path);
    assert_eq!(source(&state).probe_url(), Some(own));
    // One that is not there is not told.
    let gone = State { domain: None, ..state.clone() };
    let without = source(&gone).actual();
    assert!(!without.contains_key("domainTarget") && !without.contains_key("invokeUrl"));
}
