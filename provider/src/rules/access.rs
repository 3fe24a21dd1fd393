//! What `allowedIpRanges` and `policy` may say.

use core::net::IpAddr;

use s3dataproxy_schema::Inputs;
use serde_json::Value as Json;

use crate::inputs::Failure;
use crate::pieces::definition::openapi::{Access, Auth};
use crate::pieces::stage;
use crate::value::UNKNOWN;

/// The most characters of a resource policy.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const LONGEST: usize = 8192;

/// Checks what types cannot. Parts that are not known yet are skipped.
pub(super) fn check(inputs: &Inputs, failures: &mut Vec<Failure>) {
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        failures.extend(wrong.then(|| Failure::new(path, reason)));
    };
    let ranges = inputs.allowed_ip_ranges.as_deref();
    fail(
        "allowedIpRanges",
        ranges.is_some_and(<[String]>::is_empty),
        "`allowedIpRanges` is empty, and would let in nobody: name a range, or leave it out",
    );
    for (index, range) in ranges.into_iter().flatten().enumerate() {
        let path = format!("allowedIpRanges[{index}]");
        let reason = format!("`{path}` must be a range of IP addresses, such as `203.0.113.0/24` or `2001:db8::/32`");
        fail(&path, !range.contains(UNKNOWN) && !is_range(range), &reason);
    }
    let policy = inputs.policy.as_deref();
    if policy.is_some_and(|policy| policy.contains(UNKNOWN)) {
        return;
    }
    if let Some(problem) = policy.and_then(policy_problem) {
        return fail("policy", true, &problem);
    }
    let preflights = inputs.cors.as_ref().map(|_| inputs.stage_name.as_deref().unwrap_or(stage::NAME));
    let whole = Access::of(inputs).document(&Auth::of(inputs), preflights);
    let length = whole.map_or(0, |policy| policy.to_string().chars().count());
    let (path, other) = match policy {
        Some(_) => ("policy", "with `allowedIpRanges` it"),
        None => ("allowedIpRanges", "the resource policy that it asks for"),
    };
    let reason = format!("`{path}` is too long: {other} has {length} characters, of {LONGEST} that may be");
    fail(path, length > LONGEST, &reason);
}

fn is_range(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.chars().all(|c| c.is_ascii_digit()) && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

/// What is wrong with a policy, without quoting it.
fn policy_problem(text: &str) -> Option<String> {
    let policy: Json = match serde_json::from_str(text) {
        Ok(policy) => policy,
        Err(error) => {
            return Some(format!("`policy` is no JSON: see its line {}, column {}", error.line(), error.column()));
        }
    };
    let statements = match &policy["Statement"] {
        Json::Array(all) if !all.is_empty() => all.iter().collect(),
        one @ Json::Object(_) => vec![one],
        _ => return Some("`policy` has no `Statement`, which is what it would allow or deny".to_owned()),
    };
    for (index, statement) in statements.into_iter().enumerate() {
        let has = |names: [&str; 2]| names.iter().any(|name| !statement[*name].is_null());
        let effect = statement["Effect"].as_str();
        let missing = match () {
            () if !matches!(effect, Some("Allow" | "Deny")) => "`Effect`, which is `Allow` or `Deny`",
            () if !has(["Principal", "NotPrincipal"]) => "`Principal`, such as `\"*\"`",
            () if !has(["Action", "NotAction"]) => "`Action`, such as `execute-api:Invoke`",
            () if !has(["Resource", "NotResource"]) => "`Resource`, such as `execute-api:/*`",
            () => continue,
        };
        return Some(format!("`policy` has a statement, number {}, without {missing}", index + 1));
    }
    None
}
