//! From the properties a user wrote to typed inputs.
//!
//! Reading walks the property table of the contract and reports every problem it meets, not only the first. Values that
//! are not known yet pass through: text keeps the sentinel (see [`crate::value::UNKNOWN`]), anything else is left out
//! and its name remembered.

use std::collections::BTreeSet;

use s3dataproxy_schema::shape::{self, Shape};
use s3dataproxy_schema::{Config, Inputs};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use crate::policy;
use crate::value::{self, Object, Value};

/// One problem with one property, in words for the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The property's path, such as `bucket.name`.
    pub path: String,
    /// What is wrong, without the value itself.
    pub reason: String,
    /// What to write instead. It quotes the value, so it is not for secrets.
    pub advice: Option<String>,
}

impl Failure {
    /// A failure at a path.
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Failure {
        Failure { path: path.into(), reason: reason.into(), advice: None }
    }

    /// The top-level property the path starts with.
    pub fn property(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or_default()
    }
}

/// Typed properties and what the types cannot say.
#[derive(Clone, Debug, Default)]
pub struct Read<T> {
    /// The properties that are known.
    pub typed: T,
    /// The top-level names of properties with unknown parts.
    pub unknown: BTreeSet<String>,
    /// Every text inside a secret. Whatever contains one is a secret too.
    pub secrets: Vec<String>,
}

/// Reads a resource's inputs.
pub fn read(properties: &Object) -> Result<Read<Inputs>, Vec<Failure>> {
    whole(examine(properties))
}

/// Reads what can be read of a resource's inputs, and tells what cannot.
pub fn examine(properties: &Object) -> (Read<Inputs>, Vec<Failure>) {
    let (mut read, failures) = read_as::<Inputs>(properties, &shape::INPUTS, false);
    if properties.get("policy").is_some_and(Value::has_secret) {
        // The document has it in another form, and errors quote it in parts.
        if let Some(policy) = &read.typed.policy {
            read.secrets.extend(policy::statements(policy));
            read.secrets.extend(policy::words(policy));
        }
    }
    (read, failures)
}

/// Reads the provider's configuration. Depending on the SDK, a value that is no text comes as itself or as JSON text.
pub fn read_config(properties: &Object) -> Result<Read<Config>, Vec<Failure>> {
    whole(examine_config(properties))
}

/// Reads what can be read of the provider's configuration, and tells what cannot.
pub fn examine_config(properties: &Object) -> (Read<Config>, Vec<Failure>) {
    read_as(properties, &shape::CONFIG, true)
}

fn whole<T>((read, failures): (Read<T>, Vec<Failure>)) -> Result<Read<T>, Vec<Failure>> {
    if failures.is_empty() { Ok(read) } else { Err(failures) }
}

fn read_as<T: DeserializeOwned + Default>(
    properties: &Object,
    shape: &shape::Object,
    json_text: bool,
) -> (Read<T>, Vec<Failure>) {
    let mut walk = Walk { json_text, ..Walk::default() };
    let json = walk.object(properties, shape, "");
    let typed = serde_json::from_value(Json::Object(json)).unwrap_or_else(|error| {
        // The walk and the types come from one source: only what the walk has told already is missing here.
        if walk.failures.is_empty() {
            walk.failures.push(Failure::new("", error.to_string()));
        }
        T::default()
    });
    (Read { typed, unknown: walk.unknown, secrets: walk.secrets }, walk.failures)
}

#[derive(Default)]
struct Walk {
    json_text: bool,
    failures: Vec<Failure>,
    unknown: BTreeSet<String>,
    secrets: Vec<String>,
}

impl Walk {
    fn fail(&mut self, path: &str, reason: impl Into<String>) -> Option<Json> {
        self.failures.push(Failure::new(path, reason));
        None
    }

    fn object(&mut self, properties: &Object, shape: &shape::Object, path: &str) -> Map<String, Json> {
        let mut json = Map::new();
        for (name, value) in properties {
            let parent = path;
            let path = join(path, name);
            match shape.properties.get(name) {
                Some(shape) => json.extend(self.value(value, shape, &path).map(|value| (name.clone(), value))),
                None => {
                    let near = nearest(name, shape.properties.keys());
                    let reason = match near {
                        Some(near) => format!("there is no property `{path}`; did you mean `{}`?", join(parent, near)),
                        None => {
                            let names: Vec<_> = shape.properties.keys().map(|name| format!("`{name}`")).collect();
                            format!("there is no property `{path}`; the properties are {}", names.join(", "))
                        }
                    };
                    self.fail(&path, reason);
                }
            }
        }
        for name in &shape.required {
            match properties.get(name).map_or(&Value::Null, Value::bare) {
                Value::Null => {
                    let path = join(path, name);
                    self.fail(&path, format!("`{path}` is missing"));
                }
                Value::Unknown(_) => drop(json.entry(name).or_insert_with(some_number)),
                _ => {}
            }
        }
        json
    }

    fn value(&mut self, value: &Value, shape: &Shape, path: &str) -> Option<Json> {
        let secret = value.has_secret();
        if secret {
            texts(value, false, &mut self.secrets);
        }
        let value = value.bare();
        if self.json_text
            && !matches!(shape, Shape::String | Shape::Enum(_))
            && let Value::String(text) = value
            && let Ok(json) = serde_json::from_str::<Json>(text)
        {
            let parsed = Value::from(json);
            if secret {
                texts(&parsed, true, &mut self.secrets);
            }
            return self.plain(&parsed, shape, path);
        }
        self.plain(value, shape, path)
    }

    fn plain(&mut self, value: &Value, shape: &Shape, path: &str) -> Option<Json> {
        match (shape, value) {
            (_, Value::Null) => None,
            (shape, Value::Unknown(_)) => {
                self.unknown.insert(Failure::new(path, "").property().to_owned());
                unknown(shape)
            }
            (Shape::String, Value::String(text)) => Some(Json::String(text.clone())),
            (Shape::Enum(names), Value::String(text)) if names.contains(text) => Some(Json::String(text.clone())),
            (Shape::Enum(names), Value::String(_)) => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                self.fail(path, format!("`{path}` must be one of {}", names.join(", ")))
            }
            (Shape::Numbers(numbers), Value::Number(number)) if numbers.contains(number) => value.to_json(),
            (Shape::Numbers(numbers), Value::Number(_)) => {
                let numbers: Vec<_> = numbers.iter().map(|number| format!("`{number}`")).collect();
                self.fail(path, format!("`{path}` must be one of {}", numbers.join(", ")))
            }
            (Shape::Boolean, Value::Bool(value)) => Some(Json::Bool(*value)),
            (Shape::Integer, Value::Number(_)) => match value.to_json() {
                Some(json) if json.is_i64() => Some(json),
                _ => self.fail(path, format!("`{path}` must be a whole number")),
            },
            (Shape::Number, Value::Number(_)) => match value.to_json() {
                Some(json) if json.is_number() => Some(json),
                _ => self.fail(path, format!("`{path}` must be a finite number")),
            },
            (Shape::Array(shape), Value::Array(items)) => {
                let items = items.iter().enumerate();
                Some(items.filter_map(|(index, item)| self.value(item, shape, &format!("{path}[{index}]"))).collect())
            }
            (Shape::Map(shape), Value::Object(object)) => {
                let mut map = Map::new();
                for (name, value) in object {
                    map.extend(self.value(value, shape, &join(path, name)).map(|value| (name.clone(), value)));
                }
                Some(Json::Object(map))
            }
            (Shape::Object(shape), Value::Object(object)) => Some(Json::Object(self.object(object, shape, path))),
            (shape, value) => self.fail(path, format!("`{path}` must be {}, not {}", kind(shape), value.kind())),
        }
    }
}

/// The parts of an unknown value that may become part of a name.
fn unknown(shape: &Shape) -> Option<Json> {
    match shape {
        Shape::String => Some(Json::String(value::UNKNOWN.to_owned())),
        Shape::Array(shape) => Some(Json::Array(vec![unknown(shape)?])),
        Shape::Object(shape) => {
            let part = |(name, part): (&String, &Shape)| {
                let needed = || shape.required.contains(name).then(some_number);
                Some((name.clone(), unknown(part).or_else(needed)?))
            };
            Some(Json::Object(shape.properties.iter().filter_map(part).collect()))
        }
        _ => None,
    }
}

/// What stands for a number that has to be there and is not known yet; nothing is built from it.
fn some_number() -> Json {
    Json::from(0)
}

/// Collects the texts inside secrets.
fn texts(value: &Value, inside: bool, found: &mut Vec<String>) {
    match value {
        Value::Secret(inner) => texts(inner, true, found),
        Value::Output(output) => {
            if let Some(inner) = &output.value {
                texts(inner, inside || output.secret, found);
            }
        }
        Value::String(text) if inside && !text.is_empty() => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, inside, found)),
        Value::Object(object) => object.values().for_each(|value| texts(value, inside, found)),
        _ => {}
    }
}

/// What a user would call a property of this shape.
fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::String | Shape::Enum(_) => "a string",
        Shape::Boolean => "a boolean",
        Shape::Integer => "a whole number",
        Shape::Number | Shape::Numbers(_) => "a number",
        Shape::Array(_) => "a list",
        Shape::Map(_) | Shape::Object(_) => "an object",
    }
}

/// A property path, with names that are no identifiers in quotes, as the engine writes it.
pub fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match (path.is_empty(), plain) {
        (true, _) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (false, false) => format!("{path}[\"{}\"]", name.replace('"', "\\\"")),
    }
}

/// The known name a typo most likely meant: one that begins alike, or has at most a third of its letters wrong.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let name = plain(name);
    let rank = |known: &'a String| {
        let plain = plain(known);
        let begins = name.len() > 2 && (plain.starts_with(&name) || name.starts_with(&plain));
        let distance = if begins { 0 } else { distance(&name, &plain) };
        (distance <= known.len().div_ceil(3)).then_some((distance, known))
    };
    known.filter_map(rank).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// The edit distance of two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
