use serde_json::json;

use super::*;

#[test]
fn a_state_reads_back() {
    let state = State {
        role_policy: Some(role_policy::State { policy: "{}".to_owned(), ..Default::default() }),
        ..State::empty("r", "o")
    };
    assert_eq!(State::from_json(state.to_json()).expect("a state"), state);
}

#[test]
fn fewer_fields_have_defaults_and_more_are_left_out() {
    let json = json!({ "version": 1, "region": "r", "bucket": { "name": "b", "later": 1 }, "later": {} });
    let state = State::from_json(json).expect("a state");
    assert_eq!(state.bucket, Some(bucket::State { name: "b".to_owned(), ..bucket::State::default() }));
    assert_eq!(state.stage, None);
}

#[test]
fn what_is_no_state_is_told() {
    for (json, expected) in [
        (
            json!({ "version": 2, "region": "r" }),
            "the resource's state has version 2, and this plugin knows versions up to 1",
        ),
        (json!({}), "the resource's state is damaged (it has no version)"),
        (json!("text"), "the resource's state is damaged (it has no version)"),
        (json!({ "version": 1 }), "the resource's state is damaged (it has no Region)"),
        (
            json!({ "version": 1, "region": "r", "bucket": 7 }),
            "the resource's state is damaged (invalid type: integer `7`",
        ),
    ] {
        let told = State::from_json(json).expect_err(expected).to_string();
        assert!(told.starts_with(expected), "{told}");
    }
}
