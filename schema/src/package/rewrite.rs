//! From JSON Schema, as schemars derives it, to the properties and types of Pulumi's package schema.
//!
//! Generic: it knows no property by name. The types use a small part of JSON Schema; what is beyond it is a
//! programming error, met by the first test that builds the package.

use schemars::JsonSchema;
use serde_json::{Map, Value as Json, json};

use super::docs::unwrap;

/// What a field may say of itself, in a `schemars(extend(…))` attribute, in Pulumi's own words.
const MARKS: [&str; 4] = ["secret", "willReplaceOnChanges", "replaceOnChanges", "deprecationMessage"];

/// Marks an input that `Check` fills in where it is missing, so that it is in every output.
const ALWAYS_OUTPUT: &str = "alwaysOutput";

/// One rewritten object.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) description: String,
    pub(super) properties: Map<String, Json>,
    pub(super) required: Vec<String>,
    pub(super) always_output: Vec<String>,
}

/// The named types met so far, by token and in the order they were met.
pub(super) struct Types {
    package: &'static str,
    types: Map<String, Json>,
}

impl Types {
    pub(super) fn new(package: &'static str) -> Self {
        Self { package, types: Map::new() }
    }

    /// Rewrites an object whose properties are the resource's or the provider's own; the types they use are collected.
    pub(super) fn object<T: JsonSchema>(&mut self) -> Object {
        let root = schemars::schema_for!(T).to_value();
        self.fields(&root, &root["$defs"])
    }

    pub(super) fn into_json(self) -> Json {
        Json::Object(self.types)
    }

    fn fields(&mut self, node: &Json, defs: &Json) -> Object {
        let fields = node["properties"].as_object().into_iter().flatten();
        let mut properties = Map::new();
        let mut always_output = Vec::new();
        for (name, field) in fields {
            properties.insert(name.clone(), self.property(field, defs));
            if field[ALWAYS_OUTPUT] == true {
                always_output.push(name.clone());
            }
        }
        let required = node["required"].as_array().into_iter().flatten();
        Object {
            description: description(node),
            properties,
            required: required.filter_map(|name| Some(name.as_str()?.to_owned())).collect(),
            always_output,
        }
    }

    fn property(&mut self, field: &Json, defs: &Json) -> Json {
        let mut property = self.type_of(field, defs);
        property.insert("description".into(), description(field).into());
        for mark in MARKS {
            if let Some(value) = field.get(mark) {
                property.insert(mark.into(), value.clone());
            }
        }
        Json::Object(property)
    }

    fn type_of(&mut self, node: &Json, defs: &Json) -> Map<String, Json> {
        if let Some(target) = node["$ref"].as_str() {
            return self.named(target, defs);
        }
        if let Some(variants) = node["anyOf"].as_array() {
            // `Option<T>` of a named type: the type or null.
            let some = variants.iter().find(|variant| variant["type"] != "null");
            return self.type_of(some.unwrap_or(&Json::Null), defs);
        }
        let mut spec = Map::new();
        let kind = plain_type(node);
        spec.insert("type".into(), kind.into());
        match kind {
            "string" | "boolean" | "integer" | "number" => {}
            "array" => drop(spec.insert("items".into(), self.type_of(&node["items"], defs).into())),
            "object" => {
                let values = self.type_of(&node["additionalProperties"], defs);
                spec.insert("additionalProperties".into(), values.into());
            }
            other => unreachable!("the contract has no property of type {other:?}"),
        }
        spec
    }

    /// A reference to a named type, which is rewritten when it is met for the first time.
    fn named(&mut self, target: &str, defs: &Json) -> Map<String, Json> {
        let name = target.trim_start_matches("#/$defs/");
        let token = format!("{}:index:{name}", self.package);
        if !self.types.contains_key(&token) {
            // Its place comes before the types it uses, and a type that uses itself ends here.
            self.types.insert(token.clone(), Json::Null);
            let definition = &defs[name];
            let rewritten = match values(definition) {
                Some(values) => {
                    let kind = if values[0]["value"].is_number() { "number" } else { "string" };
                    json!({ "description": description(definition), "type": kind, "enum": values })
                }
                None => {
                    let Object { description, properties, required, .. } = self.fields(definition, defs);
                    json!({
                        "description": description,
                        "type": "object",
                        "properties": properties,
                        "required": required,
                    })
                }
            };
            self.types.insert(token.clone(), rewritten);
        }
        Map::from_iter([("$ref".to_owned(), format!("#/types/{token}").into())])
    }
}

/// The values of an enum, or nothing where the type is none. Every value has a doc comment: without one schemars would
/// fold it with its neighbours into a plain list, and the SDKs would show it bare. A number has a title besides, which is
/// its name in the SDKs.
fn values(definition: &Json) -> Option<Vec<Json>> {
    let variants = definition["oneOf"].as_array()?;
    let rewritten = variants.iter().map(|variant| {
        let value = &variant["const"];
        assert!(!value.is_null(), "an enum value without a doc comment in {definition}");
        let mut told = json!({ "description": description(variant), "value": value });
        if let Some(name) = variant.get("title") {
            told["name"] = name.clone();
        }
        told
    });
    Some(rewritten.collect())
}

/// The type of a node; `Option<T>` of a plain type is a list of the type and "null".
fn plain_type(node: &Json) -> &str {
    match &node["type"] {
        Json::Array(types) => types.iter().filter_map(Json::as_str).find(|name| *name != "null").unwrap_or_default(),
        other => other.as_str().unwrap_or_default(),
    }
}

fn description(node: &Json) -> String {
    unwrap(node["description"].as_str().unwrap_or_default())
}
