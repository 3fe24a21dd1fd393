//! What the stage keeps of answers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// Answers to GET that API Gateway keeps, so that it need not ask S3 again: of objects up to 1 MB, for each key with each
/// range, condition and version by itself. It is charged
/// [by the hour](https://aws.amazon.com/api-gateway/pricing/), used or not, and takes about four minutes to be made, in which
/// the URL answers as before. What is kept is served until its time is up, also where the object has changed. Callers are not
/// part of what is kept apart, so it does not go with `authorization`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cache {
    /// How much there is room for, in GB. 0.5 by default. After a change it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<CacheSize>,
    /// How long an answer is kept, in seconds: 0 to 3600, where 0 keeps none. 300 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<i64>,
    /// Whether what is kept is encrypted. `true` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
}

/// The size of a cache, in GB: one of those that API Gateway has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CacheSize(pub f64);

impl CacheSize {
    /// The sizes that there are.
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html>
    const ALL: [f64; 8] = [0.5, 1.6, 6.1, 13.5, 28.4, 58.2, 118.0, 237.0];
}

impl Default for CacheSize {
    fn default() -> Self {
        CacheSize(CacheSize::ALL[0])
    }
}

impl JsonSchema for CacheSize {
    fn schema_name() -> Cow<'static, str> {
        "CacheSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let value = |size: f64| {
            // In the SDKs a value is known by a name, which begins with a letter.
            let name = format!("Gb{size}").replace('.', "_");
            json!({ "type": "number", "const": size, "title": name, "description": format!("{size} GB") })
        };
        let values: Vec<Json> = CacheSize::ALL.map(value).into();
        let description = "How much a cache has room for, in GB.";
        Schema::from(serde_json::Map::from_iter([
            ("description".to_owned(), description.into()),
            ("oneOf".to_owned(), values.into()),
        ]))
    }
}
