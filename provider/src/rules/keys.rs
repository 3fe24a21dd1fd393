//! What inputs may say about API keys.

use std::collections::BTreeSet;

use s3dataproxy_schema::{Inputs, QuotaPeriod};

use crate::inputs::{Failure, Read};

/// A client's name has at most this many characters.
const LONGEST: usize = 128;

/// Checks `apiKeys` and `quota`.
pub(super) fn check(read: &Read<Inputs>, failures: &mut Vec<Failure>) {
    let inputs = &read.typed;
    let mut fail = |path: &str, reason: String| failures.push(Failure::new(path, reason));
    let known = !read.unknown.contains("apiKeys");
    if let Some(clients) = inputs.api_keys.as_deref().filter(|_| known) {
        if clients.is_empty() {
            let reason =
                "`apiKeys` names no client, so nobody could call: name one, or leave it out for an API without keys";
            fail("apiKeys", reason.to_owned());
        }
        let mut seen = BTreeSet::new();
        for (index, client) in clients.iter().enumerate() {
            let path = format!("apiKeys[{index}]");
            let legal = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
            if client.is_empty() || client.len() > LONGEST || !client.chars().all(legal) {
                fail(&path, format!("`{path}` must be 1 to {LONGEST} letters, digits, `.`, `_`, `@` and `-`"));
            } else if !seen.insert(client) {
                fail(&path, format!("`{path}` is in the list already: each client has one key"));
            }
        }
    }
    let Some(quota) = inputs.quota.as_ref().filter(|_| !read.unknown.contains("quota")) else { return };
    if inputs.api_keys.is_none() && known {
        let reason = "`quota` counts the requests of each API key, and there is no `apiKeys`: name the clients there, or \
                      leave `quota` out";
        fail("quota", reason.to_owned());
    }
    if !(1..=i64::from(i32::MAX)).contains(&quota.limit) {
        fail("quota.limit", "`quota.limit` must be 1 to 2147483647, in requests".to_owned());
    }
    let last = match quota.period {
        QuotaPeriod::Day => 0,
        QuotaPeriod::Week => 6,
        QuotaPeriod::Month => 27,
    };
    if !(0..=last).contains(&quota.offset.unwrap_or(0)) {
        let reason =
            "`quota.offset` is the day on which a period begins: 0 for `DAY`, 0 to 6 for `WEEK`, 0 to 27 for `MONTH`";
        fail("quota.offset", reason.to_owned());
    }
}
