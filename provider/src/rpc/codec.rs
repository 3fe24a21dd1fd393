//! Between protocol structs and values.
//!
//! The wire form is `google.protobuf.Struct`. What it has no type for travels as an object with a signature, or, when
//! unknown, as one of seven fixed strings. A malformed value is a [`Malformed`], never a panic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as Wire};

use crate::value::{Object, Output, Unknown, Value};

/// The key that makes an object special; its value is the signature.
const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT: &str = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE: &str = "5cf8f73096256a8f31e491e813e4eb8e";
const BYTES: &str = "803fd3297a5875dc03ca845dda5d2a98";
const ASSET: &str = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";

/// The strings that stand for unknown values.
const UNKNOWNS: [(Unknown, &str); 7] = [
    (Unknown::Bool, "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"),
    (Unknown::Number, "3eeb2bf0-c639-47a8-9e75-3b44932eb421"),
    (Unknown::String, crate::value::UNKNOWN),
    (Unknown::Array, "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"),
    (Unknown::Asset, "030794c1-ac77-496b-92df-f27374a8bd58"),
    (Unknown::Archive, "e48ece36-62e2-4504-bad9-02848725956a"),
    (Unknown::Object, "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"),
];

/// Why a message is no value.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("malformed value at `{path}`: {reason}")]
pub struct Malformed {
    path: String,
    reason: &'static str,
}

/// Reads properties. A missing struct is read as no properties.
pub fn decode(wire: Option<Struct>) -> Result<Object, Malformed> {
    decode_fields(wire.unwrap_or_default(), "")
}

/// Writes properties.
pub fn encode(object: Object) -> Struct {
    Struct { fields: object.into_iter().map(|(name, value)| (name, encode_value(value))).collect() }
}

fn decode_fields(wire: Struct, path: &str) -> Result<Object, Malformed> {
    wire.fields
        .into_iter()
        .map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            Ok((name, decode_value(value, &path)?))
        })
        .collect()
}

fn decode_value(wire: Wire, path: &str) -> Result<Value, Malformed> {
    let malformed = |reason| Malformed { path: path.to_owned(), reason };
    Ok(match wire.kind.ok_or_else(|| malformed("it has no kind"))? {
        Kind::NullValue(_) => Value::Null,
        Kind::BoolValue(value) => Value::Bool(value),
        Kind::NumberValue(value) => Value::Number(value),
        Kind::StringValue(text) => match UNKNOWNS.iter().find(|(_, sentinel)| *sentinel == text) {
            Some((kind, _)) => Value::Unknown(*kind),
            None => Value::String(text),
        },
        Kind::ListValue(list) => Value::Array(
            list.values
                .into_iter()
                .enumerate()
                .map(|(index, value)| decode_value(value, &format!("{path}[{index}]")))
                .collect::<Result<_, _>>()?,
        ),
        Kind::StructValue(wire) => {
            let mut object = decode_fields(wire, path)?;
            match object.remove(SIGNATURE) {
                None => Value::Object(object),
                Some(Value::String(signature)) => special(&signature, object).map_err(malformed)?,
                Some(_) => return Err(malformed("its signature is not a string")),
            }
        }
    })
}

/// The value behind a signature.
fn special(signature: &str, mut object: Object) -> Result<Value, &'static str> {
    Ok(match signature {
        SECRET => Value::Secret(Box::new(object.remove("value").ok_or("a secret has no `value`")?)),
        OUTPUT => Value::Output(Output {
            value: object.remove("value").map(Box::new),
            secret: match object.remove("secret") {
                None => false,
                Some(Value::Bool(secret)) => secret,
                Some(_) => return Err("an output's `secret` is not a boolean"),
            },
            dependencies: match object.remove("dependencies") {
                None => Vec::new(),
                Some(Value::Array(urns)) => urns
                    .into_iter()
                    .map(|urn| match urn {
                        Value::String(urn) => Ok(urn),
                        _ => Err("an output's dependency is not a URN"),
                    })
                    .collect::<Result<_, _>>()?,
                Some(_) => return Err("an output's `dependencies` is not a list"),
            },
        }),
        RESOURCE => match object.get("urn") {
            Some(Value::String(_)) => Value::Resource(object),
            _ => return Err("a resource reference has no `urn`"),
        },
        BYTES => match object.get("value") {
            Some(Value::String(text)) => {
                Value::Bytes(BASE64.decode(text).map_err(|_| "a byte string's `value` is not base64")?)
            }
            _ => return Err("a byte string has no `value`"),
        },
        ASSET => Value::Asset(object),
        ARCHIVE => Value::Archive(object),
        _ => return Err("its signature is unknown"),
    })
}

fn encode_value(value: Value) -> Wire {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::Number(value) => Kind::NumberValue(value),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.into_iter().map(encode_value).collect() }),
        Value::Object(object) => Kind::StructValue(encode(object)),
        Value::Unknown(kind) => {
            let (_, sentinel) = UNKNOWNS.iter().find(|(known, _)| *known == kind).expect("every kind has a sentinel");
            Kind::StringValue((*sentinel).to_owned())
        }
        Value::Secret(inner) => signed(SECRET, Object::from([("value".to_owned(), *inner)])),
        Value::Output(output) => {
            let mut object = Object::from([("secret".to_owned(), Value::Bool(output.secret))]);
            object.extend(output.value.map(|value| ("value".to_owned(), *value)));
            let dependencies = output.dependencies.into_iter().map(Value::String).collect();
            object.insert("dependencies".to_owned(), Value::Array(dependencies));
            signed(OUTPUT, object)
        }
        Value::Resource(object) => signed(RESOURCE, object),
        Value::Asset(object) => signed(ASSET, object),
        Value::Archive(object) => signed(ARCHIVE, object),
        Value::Bytes(bytes) => signed(BYTES, Object::from([("value".to_owned(), Value::String(BASE64.encode(bytes)))])),
    };
    Wire { kind: Some(kind) }
}

fn signed(signature: &str, mut object: Object) -> Kind {
    object.insert(SIGNATURE.to_owned(), Value::String(signature.to_owned()));
    Kind::StructValue(encode(object))
}

#[cfg(test)]
mod tests;
