//! `Check`: inputs in order, or every reason why not. Offline.

use tonic::Status;

use super::session::urn_name;
use super::status::malformed;
use super::wire::{CheckFailure, CheckRequest, CheckResponse, check_request::autonaming_options::Mode};
use super::{Shared, codec, random};
use crate::desired::Tags;
use crate::inputs::{self, Failure};
use crate::names::{self, Autonaming};
use crate::rules;
use crate::value::{Object, Value};

/// `region` is the Region, where it can be told without reading files.
pub(super) fn check(
    default_tags: &Tags,
    region: Option<&str>,
    shared: &Shared,
    request: CheckRequest,
) -> Result<CheckResponse, Status> {
    let olds = codec::decode(request.olds).map_err(malformed)?;
    let mut news = codec::decode(request.news).map_err(malformed)?;
    let (read, mut failures) = inputs::examine(&news);
    let mut more = names::check(&read.typed, default_tags);
    more.extend(rules::check(&read));
    more.extend(rules::place::check(&read.typed, region));
    add(&mut failures, more);
    let wish = match request.autonaming {
        None => Autonaming::Default,
        Some(options) => match options.mode() {
            Mode::Propose => Autonaming::Propose(options.proposed_name),
            Mode::Enforce => Autonaming::Enforce(options.proposed_name),
            Mode::Disable => Autonaming::Disable,
        },
    };
    let missing = |news: &Object, name: &str| news.get(name).is_none_or(|value| *value.bare() == Value::Null);
    let previous = olds.get("name").and_then(Value::as_str);
    let automatic = missing(&news, "name");
    if automatic {
        // `pulumi do` sends no seed.
        let seed = if request.random_seed.is_empty() { random().to_le_bytes().to_vec() } else { request.random_seed };
        match names::autoname(urn_name(&request.urn), previous, &wish, &seed) {
            Ok(name) => {
                news.insert("name".to_owned(), Value::String(name));
            }
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(name) = news.get("name").and_then(Value::as_str).filter(|_| automatic && previous.is_none()) {
        shared.record().name(name);
    }
    let failures: Vec<CheckFailure> = failures.into_iter().map(|failure| tell(failure, &news)).collect();
    let inputs = failures.is_empty().then(|| codec::encode(news));
    Ok(CheckResponse { inputs, failures })
}

/// Adds what rules say of properties whose types are right.
pub(super) fn add(failures: &mut Vec<Failure>, more: Vec<Failure>) {
    let told: Vec<String> = failures.iter().map(|failure| failure.property().to_owned()).collect();
    failures.extend(more.into_iter().filter(|failure| !told.iter().any(|property| property == failure.property())));
}

/// A failure as the engine shows it best. It prints the value of a named property, in plain text even if it is a secret,
/// and nothing useful for a nested one; the path is in the reason anyway.
pub(super) fn tell(failure: Failure, properties: &Object) -> CheckFailure {
    let property = failure.property();
    let secret = properties.get(property).is_some_and(Value::has_secret);
    let showable = property == failure.path && !secret;
    let property = if showable { property.to_owned() } else { String::new() };
    let reason = match failure.advice {
        // Advice quotes the value.
        Some(advice) if !secret => format!("{}: {advice}", failure.reason),
        _ => failure.reason,
    };
    CheckFailure { property, reason }
}
