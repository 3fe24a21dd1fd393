//! The shapes of properties, as data: what `Check` walks to name a wrong type or an unknown property.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde_json::Value as Json;

use crate::{Config, Inputs};

/// What a property may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// One of these texts.
    Enum(Vec<String>),
    /// One of these numbers.
    Numbers(Vec<f64>),
    /// A list.
    Array(Box<Shape>),
    /// Names chosen by the user, each with a value of one shape.
    Map(Box<Shape>),
    /// Exactly these properties.
    Object(Object),
}

/// The properties of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// Each property's shape, by name.
    pub properties: BTreeMap<String, Shape>,
    /// The names that must be there.
    pub required: Vec<String>,
}

/// The resource's inputs.
pub static INPUTS: LazyLock<Object> = LazyLock::new(object_of::<Inputs>);

/// The provider's configuration.
pub static CONFIG: LazyLock<Object> = LazyLock::new(object_of::<Config>);

fn object_of<T: JsonSchema>() -> Object {
    let root = schemars::schema_for!(T).to_value();
    match shape(&root, &root) {
        Shape::Object(object) => object,
        other => unreachable!("the root of a contract is an object, not {other:?}"),
    }
}

/// The shape a JSON Schema node describes. The contract's types use a small part of JSON Schema; what is beyond it is a
/// programming error, met by the first test that touches the table.
fn shape(node: &Json, root: &Json) -> Shape {
    if let Some(target) = node["$ref"].as_str() {
        return shape(root.pointer(target.trim_start_matches('#')).unwrap_or(&Json::Null), root);
    }
    if let Some(variants) = node["anyOf"].as_array() {
        // `Option<T>` of a named type: the type or null.
        let named = variants.iter().find(|variant| variant["type"] != "null").unwrap_or(&Json::Null);
        return shape(named, root);
    }
    if let Some(variants) = node["oneOf"].as_array() {
        let numbers: Vec<f64> = variants.iter().filter_map(|v| v["const"].as_f64()).collect();
        if !numbers.is_empty() {
            return Shape::Numbers(numbers);
        }
        return Shape::Enum(variants.iter().filter_map(|v| Some(v["const"].as_str()?.to_owned())).collect());
    }
    if let Some(values) = node["enum"].as_array() {
        return Shape::Enum(values.iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect());
    }
    match type_of(node) {
        "string" => Shape::String,
        "boolean" => Shape::Boolean,
        "integer" => Shape::Integer,
        "number" => Shape::Number,
        "array" => Shape::Array(Box::new(shape(&node["items"], root))),
        "object" => match node["properties"].as_object() {
            Some(properties) => Shape::Object(Object {
                properties: properties.iter().map(|(name, node)| (name.clone(), shape(node, root))).collect(),
                required: node["required"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|name| Some(name.as_str()?.to_owned()))
                    .collect(),
            }),
            None => Shape::Map(Box::new(shape(&node["additionalProperties"], root))),
        },
        other => unreachable!("the contract has no property of type {other:?}"),
    }
}

/// The type of a node; `Option<T>` of a plain type is a list of the type and "null".
fn type_of(node: &Json) -> &str {
    match &node["type"] {
        Json::Array(types) => types.iter().filter_map(Json::as_str).find(|name| *name != "null").unwrap_or_default(),
        other => other.as_str().unwrap_or_default(),
    }
}
