//! The Pulumi package schema, made from the contract's types.
//!
//! What a property is called, means and holds comes from the types alone (`rewrite`); here is only what the types
//! cannot say: the package's own facts and which of them are inputs and which outputs.

mod docs;
mod rewrite;

use serde_json::{Map, Value as Json, json};

use self::rewrite::{Object, Types};
use crate::{Config, Inputs, Outputs, PACKAGE, RESOURCE, VERSION};

const DESCRIPTION: &str = "An Amazon API Gateway REST API in front of an S3 bucket, as one Pulumi resource.";

/// The package schema, ready to be written to `schema.json`.
pub fn package() -> Json {
    let mut types = Types::new(PACKAGE);
    let config = types.object::<Config>();
    let inputs = types.object::<Inputs>();
    let outputs = types.object::<Outputs>();
    json!({
        "name": PACKAGE,
        "displayName": "S3DataProxy",
        "version": VERSION,
        "description": DESCRIPTION,
        "keywords": ["pulumi", "aws", "s3", "apigateway", "proxy", "kind/native", "category/cloud"],
        "license": "Apache-2.0",
        "publisher": "S3DataProxy",
        "language": languages(),
        "config": { "variables": config.properties },
        "types": types.into_json(),
        "provider": provider(config),
        "resources": { RESOURCE: resource(inputs, outputs) },
    })
}

/// What only one language's SDK needs to know. Each SDK carries the schema's version, as it asks for that plugin.
fn languages() -> Json {
    let python = format!("pulumi_{PACKAGE}");
    let nodejs = format!("pulumi-{PACKAGE}");
    json!({
        "python": {
            "readme": docs::readme("python", &python),
            "packageName": python,
            "pyproject": { "enabled": true },
            "inputTypes": "classes-and-dicts",
            "respectSchemaVersion": true,
        },
        "nodejs": {
            "readme": docs::readme("typescript", &nodejs),
            "packageName": nodejs,
            "packageDescription": DESCRIPTION,
            "typescriptVersion": "^5",
            "respectSchemaVersion": true,
        },
        "go": {
            "importBasePath": format!("{PACKAGE}/sdk/go/{PACKAGE}"),
            "generateResourceContainerTypes": true,
            "respectSchemaVersion": true,
        },
    })
}

/// The provider takes its configuration as inputs and gives nothing back.
fn provider(config: Object) -> Json {
    json!({
        "description": config.description,
        "inputProperties": config.properties,
        "requiredInputs": config.required,
    })
}

/// The one resource: every input is an output too, so that a program can read what it was given.
fn resource(inputs: Object, outputs: Object) -> Json {
    let mut properties: Map<String, Json> = inputs.properties.clone();
    properties.extend(outputs.properties);
    let required: Vec<String> = inputs.always_output.into_iter().chain(outputs.required).collect();
    json!({
        "description": docs::resource(),
        "properties": properties,
        "required": required,
        "inputProperties": inputs.properties,
        "requiredInputs": inputs.required,
    })
}

#[cfg(test)]
mod tests;
