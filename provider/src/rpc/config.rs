//! `CheckConfig` and `DiffConfig`: the provider's own configuration. Pure and offline.

use s3dataproxy_schema::Config;
use s3dataproxy_schema::shape::Shape;
use tonic::Status;

use super::check::{add, tell};
use super::codec;
use super::status::malformed;
use super::wire::{
    self, CheckRequest, CheckResponse, DiffRequest, DiffResponse, diff_response::DiffChanges, property_diff::Kind,
};
use crate::inputs::{self, Failure, Read};
use crate::names;
use crate::value::{Object, UNKNOWN, Value};

/// What the engine puts among a provider's properties for itself.
const ENGINE_KEYS: [&str; 4] = ["version", "pluginDownloadURL", "pluginChecksums", "__internal"];

/// The properties that the schema calls secret.
const SECRET_KEYS: [&str; 2] = ["secretKey", "token"];

/// The properties that are ours.
pub(super) fn own(properties: &Object) -> Object {
    let ours = properties.iter().filter(|(name, _)| !ENGINE_KEYS.contains(&name.as_str()));
    ours.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Properties in which what the schema calls secret is one: the engine takes the marks off before it calls.
pub(super) fn marked(mut properties: Object) -> Object {
    for name in SECRET_KEYS {
        properties.entry(name.to_owned()).and_modify(|value| *value = value.clone().into_secret());
    }
    properties
}

pub(super) fn check(request: CheckRequest) -> Result<CheckResponse, Status> {
    let mut news = codec::decode(request.news).map_err(malformed)?;
    news.remove("__internal");
    let (read, mut failures) = inputs::examine_config(&own(&news));
    add(&mut failures, problems(&read));
    let marked = marked(news.clone());
    let failures: Vec<_> = failures.into_iter().map(|failure| tell(failure, &marked)).collect();
    let inputs = failures.is_empty().then(|| codec::encode(news));
    Ok(CheckResponse { inputs, failures })
}

/// What types cannot say.
fn problems(read: &Read<Config>) -> Vec<Failure> {
    let config = &read.typed;
    let mut failures = Vec::new();
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        if wrong {
            failures.push(Failure::new(path, reason));
        }
    };
    let known = |value: &Option<String>| value.clone().filter(|text| !text.contains(UNKNOWN));

    let plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let region = known(&config.region);
    fail(
        "region",
        region.is_some_and(|region| region.is_empty() || !plain(&region)),
        "`region` must be the code of an AWS Region, such as `eu-central-1`",
    );
    fail(
        "secretKey",
        config.access_key.is_some() && config.secret_key.is_none() && !read.unknown.contains("secretKey"),
        "`accessKey` is set and `secretKey` is not: set both, or neither",
    );
    fail(
        "accessKey",
        config.secret_key.is_some() && config.access_key.is_none() && !read.unknown.contains("accessKey"),
        "`secretKey` is set and `accessKey` is not: set both, or neither",
    );
    fail(
        "token",
        config.token.is_some() && config.access_key.is_none() && !read.unknown.contains("accessKey"),
        "`token` belongs to temporary keys: set `accessKey` and `secretKey` too",
    );
    fail(
        "maxAttempts",
        config.max_attempts.is_some_and(|attempts| !(1..=50).contains(&attempts)),
        "`maxAttempts` must be a whole number from 1 to 50",
    );
    let role = config.assume_role.as_ref().map(|role| role.role_arn.clone());
    fail(
        "assumeRole.roleArn",
        known(&role).is_some_and(|arn| !(arn.starts_with("arn:") && arn.contains(":role/"))),
        "`assumeRole.roleArn` must be the ARN of a role, such as `arn:aws:iam::123456789012:role/deployer`",
    );
    let is_url = |url: String| url.starts_with("http://") || url.starts_with("https://");
    let own = config.endpoints.clone().unwrap_or_default();
    for (path, url) in [
        ("endpointUrl", &config.endpoint_url),
        ("endpoints.s3", &own.s3),
        ("endpoints.iam", &own.iam),
        ("endpoints.apigateway", &own.apigateway),
        ("endpoints.logs", &own.logs),
        ("endpoints.sts", &own.sts),
        ("endpoints.wafv2", &own.wafv2),
        ("executeApiUrl", &config.execute_api_url),
    ] {
        let reason = format!("`{path}` must be a URL that begins with `http://` or `https://`");
        fail(path, known(url).is_some_and(|url| !is_url(url)), &reason);
    }
    fail(
        "executeApiUrl",
        known(&config.execute_api_url).is_some_and(|url| !url.contains("{restApiId}")),
        "`executeApiUrl` must contain `{restApiId}`, or every API would get the same URL",
    );
    for (index, id) in config.allowed_account_ids.iter().flatten().enumerate() {
        let digits = id.len() == 12 && id.chars().all(|c| c.is_ascii_digit());
        let path = format!("allowedAccountIds[{index}]");
        fail(&path, !digits && !id.contains(UNKNOWN), "`allowedAccountIds` holds account ids of 12 digits, as strings");
    }
    for (key, value) in config.default_tags.iter().flatten() {
        let path = inputs::join("defaultTags", key);
        let problem = names::tag_problem(key, value);
        failures.extend(problem.map(|problem| problem.after(&format!("`{path}` cannot be used: ")).at(&path)));
    }
    let tags = config.default_tags.clone().unwrap_or_default();
    let problem = names::tags_problem(&tags, "`defaultTags`");
    failures.extend(problem.map(|problem| problem.at("defaultTags")));
    failures
}

/// The properties that are ours, with values that came as JSON text as what they are.
fn uniform(properties: &Object) -> Object {
    let uniform = |(name, value): (String, Value)| {
        let parsed = match (s3dataproxy_schema::shape::CONFIG.properties.get(&name), value.bare()) {
            (Some(Shape::String), _) | (None, _) => None,
            (Some(_), Value::String(text)) => serde_json::from_str::<serde_json::Value>(text).ok(),
            _ => None,
        };
        (name, parsed.map_or(value, Value::from))
    };
    own(properties).into_iter().map(uniform).collect()
}

/// Only another Region, account or endpoint means that resources are elsewhere. The engine replaces every resource of
/// the provider then, so both sides have to be known and set.
pub(super) fn diff(request: DiffRequest) -> Result<DiffResponse, Status> {
    let old = match request.old_inputs {
        Some(inputs) => codec::decode(Some(inputs)),
        None => codec::decode(request.olds),
    };
    let (old, new) = (uniform(&old.map_err(malformed)?), uniform(&codec::decode(request.news).map_err(malformed)?));
    let account = |properties: &Object| {
        let Some(Value::Object(role)) = properties.get("assumeRole").map(Value::bare) else { return None };
        let arn = role.get("roleArn")?.as_str().filter(|arn| !arn.contains(UNKNOWN))?;
        arn.split(':').nth(4).map(str::to_owned)
    };
    let text = |properties: &Object, name: &str| properties.get(name)?.as_str().map(str::to_owned);
    let moved = |old: Option<String>, new: Option<String>| matches!((old, new), (Some(old), Some(new)) if !old.is_empty() && !new.is_empty() && old != new);
    let mut response = DiffResponse { has_detailed_diff: true, ..DiffResponse::default() };
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    for name in names.filter(|name| old.get(*name).map(Value::bare) != new.get(*name).map(Value::bare)) {
        let replace = match name.as_str() {
            "region" | "endpointUrl" => moved(text(&old, name), text(&new, name)),
            "assumeRole" => moved(account(&old), account(&new)),
            _ => false,
        };
        let kind = match (old.contains_key(name), new.contains_key(name), replace) {
            (false, _, _) => Kind::Add,
            (_, false, _) => Kind::Delete,
            (_, _, true) => Kind::UpdateReplace,
            (_, _, false) => Kind::Update,
        };
        response.diffs.push(name.clone());
        response.replaces.extend(replace.then(|| name.clone()));
        response.detailed_diff.insert(name.clone(), wire::PropertyDiff { kind: kind as i32, input_diff: true });
    }
    let changes = if response.diffs.is_empty() { DiffChanges::DiffNone } else { DiffChanges::DiffSome };
    response.changes = changes as i32;
    Ok(response)
}
