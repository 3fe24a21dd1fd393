//! What `cache` may say, and what it does not go with.

use s3dataproxy_schema::{Authorization, Inputs, Operation};

use crate::inputs::Failure;

/// Checks what types cannot.
pub(super) fn check(inputs: &Inputs, failures: &mut Vec<Failure>) {
    let Some(cache) = &inputs.cache else { return };
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        failures.extend(wrong.then(|| Failure::new(path, reason)));
    };
    fail(
        "cache.ttlSeconds",
        cache.ttl_seconds.is_some_and(|seconds| !(0..=3600).contains(&seconds)),
        "`cache.ttlSeconds` must be 0 to 3600, in seconds",
    );
    fail(
        "cache",
        inputs.authorization.unwrap_or_default() != Authorization::None,
        "`cache` does not go with `authorization`: what is kept for one caller is kept for all; leave one of them out",
    );
    let kept = |operation: &Operation| matches!(operation, Operation::Get | Operation::List);
    fail(
        "cache",
        inputs.operations.as_ref().is_some_and(|operations| !operations.iter().any(kept)),
        "`cache` keeps answers to `GET` and `LIST`, and `operations` has neither: add one, or leave `cache` out",
    );
}
