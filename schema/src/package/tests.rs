//! The package against the types it is made from, and against the committed copy.

use serde_json::{Map, Value as Json};

use super::{docs, package};
use crate::{Operation, RESOURCE, SCHEMA};

/// Every object's properties: the resource's, the provider's and those of the types, with a name for the message.
fn property_lists(package: &Json) -> Vec<(String, &Map<String, Json>)> {
    let resource = &package["resources"][RESOURCE];
    let mut lists = vec![
        ("inputs".to_owned(), &resource["inputProperties"]),
        ("outputs".to_owned(), &resource["properties"]),
        ("config".to_owned(), &package["provider"]["inputProperties"]),
    ];
    let types = package["types"].as_object().expect("types are an object");
    lists.extend(
        types
            .iter()
            .filter(|(_, spec)| spec["type"] == "object")
            .map(|(token, spec)| (token.clone(), &spec["properties"])),
    );
    lists.into_iter().map(|(name, list)| (name, list.as_object().expect("properties are an object"))).collect()
}

fn names<T: schemars::JsonSchema>() -> Vec<String> {
    let root = schemars::schema_for!(T).to_value();
    root["properties"].as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn committed_schema_is_current() {
    let committed: Json = serde_json::from_str(SCHEMA).expect("schema.json is JSON");
    assert!(committed == package(), "schema/schema.json is stale: run `cargo run -p sdk-gen -- schema`");
}

#[test]
fn every_input_is_an_output_of_the_same_shape() {
    let package = package();
    let resource = &package["resources"][RESOURCE];
    for name in names::<crate::Inputs>() {
        assert!(resource["inputProperties"].get(&name).is_some(), "`{name}` is no input");
        assert_eq!(resource["inputProperties"][&name], resource["properties"][&name], "`{name}`");
    }
}

#[test]
fn what_is_always_there_is_required() {
    let package = package();
    let required = package["resources"][RESOURCE]["required"].as_array().expect("a list");
    let sometimes = ["logGroupArn", "domainTarget", "apiKeyIds", "apiKeyValues"];
    let always = names::<crate::Outputs>().into_iter().filter(|name| !sometimes.contains(&name.as_str()));
    let expected = ["name".to_owned(), "path".to_owned()].into_iter().chain(always);
    assert_eq!(*required, expected.map(Json::from).collect::<Vec<_>>());
    assert_eq!(package["resources"][RESOURCE]["requiredInputs"], serde_json::json!([]));
}

#[test]
fn outputs_do_not_hide_inputs() {
    let inputs = names::<crate::Inputs>();
    let hidden: Vec<_> = names::<crate::Outputs>().into_iter().filter(|name| inputs.contains(name)).collect();
    assert!(hidden.is_empty(), "{hidden:?} are both inputs and outputs of their own");
}

#[test]
fn everything_is_described_in_whole_sentences() {
    let package = package();
    for (owner, properties) in property_lists(&package) {
        for (name, property) in properties {
            let text = property["description"].as_str().unwrap_or_default();
            assert!(text.ends_with('.'), "{owner}: `{name}` is described as {text:?}");
        }
    }
    for (token, spec) in package["types"].as_object().expect("types are an object") {
        assert!(spec["description"].as_str().is_some_and(|text| text.ends_with('.')), "`{token}` has no description");
    }
}

#[test]
fn every_reference_has_its_type() {
    let package = package();
    for (owner, properties) in property_lists(&package) {
        for (name, property) in properties {
            for reference in [&property["$ref"], &property["items"]["$ref"], &property["additionalProperties"]["$ref"]]
            {
                let Some(reference) = reference.as_str() else { continue };
                let token = reference.trim_start_matches("#/types/");
                assert!(package["types"].get(token).is_some(), "{owner}: `{name}` refers to {reference}");
            }
        }
    }
}

#[test]
fn operations_are_the_values_the_types_accept() {
    let package = package();
    let values = package["types"]["s3dataproxy:index:Operation"]["enum"].as_array().expect("an enum");
    assert!(!values.is_empty());
    for value in values {
        assert!(serde_json::from_value::<Operation>(value["value"].clone()).is_ok(), "{value}");
        assert!(value["description"].as_str().is_some_and(|text| text.ends_with('.')), "{value}");
    }
}

#[test]
fn credentials_are_secret_and_names_announce_the_replacement() {
    let package = package();
    let config = &package["provider"]["inputProperties"];
    assert_eq!((&config["secretKey"]["secret"], &config["token"]["secret"]), (&true.into(), &true.into()));
    assert_eq!(package["config"]["variables"], *config);
    let resource = &package["resources"][RESOURCE];
    assert_eq!(resource["inputProperties"]["name"]["willReplaceOnChanges"], true);
    assert_eq!(package["types"]["s3dataproxy:index:Bucket"]["properties"]["name"]["willReplaceOnChanges"], true);
}

#[test]
fn doc_comments_lose_their_line_breaks_and_nothing_else() {
    for (comment, expected) in [
        ("one\nline", "one line"),
        ("a paragraph\nof two lines\n\nanother", "a paragraph of two lines\n\nanother"),
        ("a list:\n- first\n  item\n- second", "a list:\n- first item\n- second"),
        ("code:\n```sh\na\n  b\n```\nafter", "code:\n```sh\na\n  b\n```\nafter"),
    ] {
        assert_eq!(docs::unwrap(comment), expected, "{comment:?}");
    }
}
