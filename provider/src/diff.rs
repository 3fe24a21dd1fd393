//! What a change of inputs means, property by property, and what is left to repair.

use std::collections::BTreeMap;

use s3dataproxy_schema::{Inputs, IpAddressType};
use serde_json::{Map, Value as Json, json};

use crate::desired::{Desired, Place};
use crate::inputs::{Read, join};
use crate::names;
use crate::owner;
use crate::pieces::definition::openapi::auth;
use crate::pieces::definition::openapi::cors::MAX_AGE;
use crate::pieces::{rest_api, stage};
use crate::plan::{ChangeKind, plan};
use crate::policy::canonical;
use crate::state::State;

/// One property that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// How it changes.
    pub kind: ChangeKind,
    /// Whether the whole resource has to be replaced for it.
    pub replace: bool,
    /// Whether the user changed it; otherwise it is to be repaired.
    pub input: bool,
}

/// What changes between two sets of inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Each property that changes, by its path.
    pub details: BTreeMap<String, Detail>,
    /// Whether a replacement, also one that the user asks for with `replaceOnChanges`, has to delete first, because a name
    /// stays.
    pub delete_before_replace: bool,
}

/// The properties whose change replaces the resource: what they name cannot be renamed, and a bucket holds data.
const REPLACES: [&str; 3] = ["name", "bucket.name", "role.path"];

/// Compares what the user wants now with what was wanted before, and that with what is there.
pub fn diff(state: &State, old: &Read<Inputs>, new: &Read<Inputs>, place: &Place, ignored: &[String]) -> Diff {
    let mut details = BTreeMap::new();
    let (before, after) = (effective(&old.typed, place), effective(&new.typed, place));
    compare("", &before, &after, &mut details);
    // What is not known yet may differ; the walk saw only its default.
    for name in &new.unknown {
        if !details.keys().any(|path| top(path) == name) {
            let detail = Detail { kind: ChangeKind::Update, replace: false, input: true };
            details.insert(name.clone(), detail);
        }
    }
    // Another bucket that was made elsewhere is only another address.
    let existing = |inputs: &Inputs| inputs.bucket.as_ref().and_then(|bucket| bucket.existing).unwrap_or(false);
    let served_only = existing(&old.typed) && existing(&new.typed);
    // From or to a role made elsewhere there is another role anyway, and the rest can stay.
    let given = |inputs: &Inputs| inputs.role.as_ref().is_some_and(|role| role.arn.is_some());
    let another_role = given(&old.typed) || given(&new.typed);
    for (path, detail) in &mut details {
        let stays = (served_only && path == "bucket.name") || (another_role && path == "role.path");
        detail.replace = REPLACES.contains(&path.as_str()) && !stays;
    }
    for change in plan(Some(state), Some(&Desired::new(&old.typed, place))).changes() {
        let ignored = ignored.iter().any(|ignored| within(&change.path, ignored));
        if !ignored && !details.keys().any(|other| within(other, &change.path)) {
            let detail = Detail { kind: change.kind, replace: false, input: false };
            details.insert(change.path.clone(), detail);
        }
    }
    let delete_before_replace = name_stays(&old.typed, &new.typed, place) && !details.is_empty();
    Diff { details, delete_before_replace }
}

/// Whether a replacement would have to make something under a name that is taken.
fn name_stays(old: &Inputs, new: &Inputs, place: &Place) -> bool {
    let bucket = |inputs: &Inputs| inputs.bucket.clone().unwrap_or_default();
    let bucket_name = |inputs: &Inputs| bucket(inputs).name.or_else(|| inputs.name.clone());
    // Of a resource that is replaced, the engine asks for an automatic name anew.
    let renews = new.name.as_deref().is_some_and(|name| names::is_automatic(name, owner::name(&place.owner)));
    let name = !renews && old.name == new.name;
    let is_made = !bucket(new).existing.unwrap_or(false);
    let follows_name = renews && bucket(new).name.is_none();
    let domain = |inputs: &'_ Inputs| inputs.domain.as_ref().map(|domain| domain.name.clone());
    let domain = domain(new).is_some() && domain(old) == domain(new);
    name || domain || (is_made && !follows_name && bucket_name(old) == bucket_name(new))
}

/// Whether a path is another or below it.
fn within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The top-level property of a path.
pub fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

/// Inputs with every default filled in, so that writing a default out is no change.
fn effective(inputs: &Inputs, place: &Place) -> Json {
    let mut filled = inputs.clone();
    let name = filled.name.clone();
    filled.path.get_or_insert_with(|| place.default_path.clone());
    filled.stage_name.get_or_insert_with(|| "prod".to_owned());
    filled.wait_for_ready.get_or_insert(true);
    filled.authorization.get_or_insert_default();
    filled.policy = filled.policy.as_deref().map(canonical);
    if let Some(ranges) = &mut filled.allowed_ip_ranges {
        ranges.sort();
        ranges.dedup();
    }
    if let Some(clients) = &mut filled.api_keys {
        clients.sort();
    }
    if let Some(domain) = &mut filled.domain {
        domain.security_policy.get_or_insert_default();
    }
    if let Some(quota) = &mut filled.quota {
        quota.offset.get_or_insert(0);
    }
    if let Some(authorizer) = filled.authorizer.as_mut().filter(|authorizer| authorizer.function_arn.is_some()) {
        authorizer.kind.get_or_insert_default();
        authorizer.identity_sources.get_or_insert_with(|| vec![auth::SOURCE.to_owned()]);
        authorizer.result_ttl_in_seconds.get_or_insert(0);
    }
    let role = filled.role.get_or_insert_default();
    role.path = role.path.take().filter(|path| path != "/");
    if let Some(format) = filled.access_log.as_mut().and_then(|log| log.format.as_mut()) {
        *format = format.trim_end_matches(['\n', '\r']).to_owned();
    }
    let endpoint = filled.endpoint.get_or_insert_default();
    let own = rest_api::Endpoint::of(inputs);
    endpoint.kind = Some(own.kind);
    endpoint.ip_address_type = Some(if own.dual_stack { IpAddressType::DualStack } else { IpAddressType::Ipv4 });
    endpoint.vpc_endpoint_ids = Some(own.vpc_endpoint_ids).filter(|ids| !ids.is_empty());
    endpoint.disable_execute_api.get_or_insert(false);
    endpoint.security_policy = endpoint.security_policy.filter(|_| own.security_policy.is_some());
    if let Some(cache) = &mut filled.cache {
        cache.size_gb.get_or_insert_default();
        cache.ttl_seconds.get_or_insert(stage::cache::TTL);
        cache.encrypted.get_or_insert(true);
    }
    if let Some(log) = &mut filled.execution_log {
        log.level.get_or_insert_default();
        log.data_trace.get_or_insert(false);
    }
    filled.metrics_enabled.get_or_insert(false);
    filled.tracing_enabled.get_or_insert(false);
    filled.tags.get_or_insert_default();
    filled.description = filled.description.filter(|text| !text.is_empty());
    let desired = Desired::new(inputs, place);
    filled.operations = Some(desired.definition.api.operations);
    let bucket = filled.bucket.get_or_insert_default();
    bucket.name = bucket.name.take().filter(|own| Some(own) != name.as_ref());
    bucket.force_destroy.get_or_insert(false);
    let existing = *bucket.existing.get_or_insert(false);
    bucket.secure_transport_only.get_or_insert(!existing);
    bucket.versioning.get_or_insert(false);
    bucket.region = bucket.region.take().filter(|region| *region != place.region);
    bucket.prefix = bucket.prefix.take().map(|prefix| prefix.trim_end_matches('/').to_owned());
    if let Some(cors) = &mut filled.cors {
        cors.max_age_seconds.get_or_insert(MAX_AGE);
        cors.allow_credentials.get_or_insert(false);
    }
    let mut json = json!(filled);
    if json["bucket"]["name"].is_null()
        && let Some(bucket) = json["bucket"].as_object_mut()
    {
        bucket.remove("name");
    }
    json
}

fn compare(path: &str, old: &Json, new: &Json, details: &mut BTreeMap<String, Detail>) {
    if let (Json::Object(old), Json::Object(new)) = (old, new) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            let side = |map: &Map<String, Json>| map.get(key).cloned().unwrap_or_default();
            compare(&join(path, key), &side(old), &side(new), details);
        }
        return;
    }
    let kind = match (old, new) {
        (old, new) if old == new => return,
        (Json::Null, _) => ChangeKind::Add,
        (_, Json::Null) => ChangeKind::Delete,
        _ => ChangeKind::Update,
    };
    details.insert(path.to_owned(), Detail { kind, replace: false, input: true });
}

#[cfg(test)]
mod tests;
