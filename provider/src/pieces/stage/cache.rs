//! What a stage keeps of answers.

use s3dataproxy_schema::{CacheSize, Inputs};
use serde::{Deserialize, Serialize};

use super::settings::{ALL, Patch};
use crate::plan::Changes;

/// How long an answer is kept where the user does not say, in seconds.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html>
pub const TTL: i64 = 300;

/// What happens to a client's `Cache-Control: max-age=0`, by which everybody could empty the cache: it counts for callers
/// with the permission to do so only, and others get what is kept, with a `Warning`.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html#override-api-gateway-stage-cache-for-method-cache>
pub const OTHERS: &str = "SUCCEED_WITH_RESPONSE_HEADER";

/// A cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cache {
    /// How much it has room for, in GB.
    pub size_gb: f64,
    /// How long an answer is kept, in seconds.
    pub ttl_seconds: i64,
    /// Whether what is kept is encrypted.
    pub encrypted: bool,
    /// Whether it is in use, and emptied only by those who may.
    pub in_order: bool,
}

impl Cache {
    /// What the inputs ask for.
    pub fn of(inputs: &Inputs) -> Option<Cache> {
        let cache = inputs.cache.as_ref()?;
        Some(Cache {
            size_gb: cache.size_gb.unwrap_or_default().0,
            ttl_seconds: cache.ttl_seconds.unwrap_or(TTL),
            encrypted: cache.encrypted.unwrap_or(true),
            in_order: true,
        })
    }

    /// The inputs that ask for it, without those that need not be said.
    pub fn inputs(&self) -> s3dataproxy_schema::Cache {
        s3dataproxy_schema::Cache {
            size_gb: Some(CacheSize(self.size_gb)).filter(|size| *size != CacheSize::default()),
            ttl_seconds: Some(self.ttl_seconds).filter(|seconds| *seconds != TTL),
            encrypted: (!self.encrypted).then_some(false),
        }
    }

    /// What of UpdateStage's paths gets which value, to come here from `old`.
    pub(super) fn patches(new: Option<&Cache>, old: Option<&Cache>) -> Vec<Patch> {
        let set = |path: &str, value: &str| Patch::set(&format!("{ALL}caching/{path}"), value);
        match (old, new) {
            (old, Some(new)) if old != Some(new) => {
                let mut patches = Vec::new();
                // A cache that is told its size anew is made anew.
                if old.is_none_or(|old| old.size_gb != new.size_gb) {
                    patches.push(Patch::set("/cacheClusterEnabled", "true"));
                    patches.push(Patch::set("/cacheClusterSize", &new.size_gb.to_string()));
                }
                patches.extend([
                    set("enabled", "true"),
                    set("ttlInSeconds", &new.ttl_seconds.to_string()),
                    set("dataEncrypted", &new.encrypted.to_string()),
                    set("requireAuthorizationForCacheControl", "true"),
                    set("unauthorizedCacheControlHeaderStrategy", OTHERS),
                ]);
                patches
            }
            (Some(_), None) => vec![set("enabled", "false"), Patch::set("/cacheClusterEnabled", "false")],
            _ => Vec::new(),
        }
    }

    /// The user's properties that differ.
    pub(super) fn compare(old: Option<&Cache>, new: Option<&Cache>, changes: &mut Changes) {
        match (old, new) {
            (Some(old), Some(new)) => {
                changes.field("cache.sizeGb", &old.size_gb, &new.size_gb);
                changes.field("cache.ttlSeconds", &old.ttl_seconds, &new.ttl_seconds);
                changes.field("cache.encrypted", &old.encrypted, &new.encrypted);
                changes.field("cache", &old.in_order, &new.in_order);
            }
            (old, new) => changes.option("cache", &old.map(|_| ()), &new.map(|_| ())),
        }
    }
}
