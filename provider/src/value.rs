//! A property value as the engine means it, free of its wire form.
//!
//! `rpc::codec` makes these from protocol messages and back; everything else in the plugin reads and writes values here.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

/// Properties by name.
pub type Object = BTreeMap<String, Value>;

/// Text that stands for a string not yet known. It is the engine's own sentinel, so a string that is built around it (a
/// URL with an id that AWS has still to invent) can be recognised as unknown by looking for it.
pub const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/// A property value.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Present and empty; not the same as a missing property.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number; the protocol has only doubles.
    Number(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Properties by name.
    Object(Object),
    /// Known only after an update; the type that was announced for it.
    Unknown(Unknown),
    /// A value that must not be shown or stored in plain text.
    Secret(Box<Value>),
    /// An output with what it depends on.
    Output(Output),
    /// Another resource.
    Resource(Object),
    /// A file; the properties as they came.
    Asset(Object),
    /// A set of files; the properties as they came.
    Archive(Object),
    /// Text that is not UTF-8.
    Bytes(Vec<u8>),
}

/// The announced type of an unknown value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the types")]
pub enum Unknown {
    Bool,
    Number,
    String,
    Array,
    Asset,
    Archive,
    Object,
}

/// An output: a value that may be unknown or secret, and the resources it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The value; none while it is unknown.
    pub value: Option<Box<Value>>,
    /// Whether the value is a secret.
    pub secret: bool,
    /// The URNs of the resources the value depends on.
    pub dependencies: Vec<String>,
}

impl Value {
    /// The unknown string, which also serves where the type does not matter.
    pub const UNKNOWN: Value = Value::Unknown(Unknown::String);

    /// This value as a secret, once.
    pub fn into_secret(self) -> Value {
        match self {
            Value::Secret(_) => self,
            value => Value::Secret(Box::new(value)),
        }
    }

    /// The value inside secrets and outputs; an unknown output is [`Value::UNKNOWN`].
    pub fn bare(&self) -> &Value {
        match self {
            Value::Secret(inner) => inner.bare(),
            Value::Output(Output { value: Some(inner), .. }) => inner.bare(),
            Value::Output(Output { value: None, .. }) => &Value::UNKNOWN,
            value => value,
        }
    }

    /// Whether this value, or one inside it, is a secret.
    pub fn has_secret(&self) -> bool {
        match self {
            Value::Secret(_) => true,
            Value::Output(output) => output.secret || output.value.as_ref().is_some_and(|value| value.has_secret()),
            Value::Array(items) => items.iter().any(Value::has_secret),
            Value::Object(object) => object.values().any(Value::has_secret),
            _ => false,
        }
    }

    /// Whether this value, or one inside it, is unknown.
    pub fn has_unknown(&self) -> bool {
        match self.bare() {
            Value::Unknown(_) => true,
            Value::Array(items) => items.iter().any(Value::has_unknown),
            Value::Object(object) => object.values().any(Value::has_unknown),
            _ => false,
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self.bare() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What a user would call this kind of value.
    pub fn kind(&self) -> &'static str {
        match self.bare() {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
            Value::Unknown(_) => "a value not known yet",
            Value::Resource(_) => "a resource",
            Value::Asset(_) => "an asset",
            Value::Archive(_) => "an archive",
            Value::Bytes(_) => "bytes that are not text",
            Value::Secret(_) | Value::Output(_) => unreachable!("bare values are neither"),
        }
    }

    /// The same value as JSON, secrets and outputs unwrapped. `None` where JSON has no way to say it.
    pub fn to_json(&self) -> Option<Json> {
        Some(match self.bare() {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(value) => number(*value)?,
            Value::String(text) => Json::String(text.clone()),
            Value::Array(items) => Json::Array(items.iter().map(Value::to_json).collect::<Option<_>>()?),
            Value::Object(object) => Json::Object(
                object.iter().map(|(name, value)| Some((name.clone(), value.to_json()?))).collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }
}

/// A whole number stays whole in JSON, as serde wants it for integer fields.
fn number(value: f64) -> Option<Json> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it a double skips whole numbers
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Some(Json::from(value as i64));
    }
    serde_json::Number::from_f64(value).map(Json::Number)
}

impl From<Json> for Value {
    fn from(json: Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(value),
            Json::Number(value) => Value::Number(value.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Value::String(text),
            Json::Array(items) => Value::Array(items.into_iter().map(Value::from).collect()),
            Json::Object(map) => Value::Object(map.into_iter().map(|(name, value)| (name, value.into())).collect()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

/// Secrets show as `[secret]`, whoever prints the value.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(value) => value.fmt(f),
            Value::String(text) => text.fmt(f),
            Value::Array(items) => items.fmt(f),
            Value::Object(object) => object.fmt(f),
            Value::Unknown(kind) => write!(f, "unknown {kind:?}"),
            Value::Secret(_) => f.write_str("[secret]"),
            Value::Output(output) if output.secret => f.write_str("[secret]"),
            Value::Output(output) => output.fmt(f),
            Value::Resource(object) => write!(f, "resource {object:?}"),
            Value::Asset(_) => f.write_str("asset"),
            Value::Archive(_) => f.write_str("archive"),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}
