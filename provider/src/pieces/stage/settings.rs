//! What a stage is told besides what it serves. A change of it needs no deployment.

use std::collections::BTreeSet;

use s3dataproxy_schema::{Inputs, Throttle};
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::logs::{AccessLog, Notes};
use crate::partition::Partition;
use crate::plan::{Action, Changes};

/// The path of the settings of all methods.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateStage.html>
pub(super) const ALL: &str = "/*/*/";

/// The number that stands for no limit.
const NO_LIMIT: i64 = -1;

/// A stage's settings. The default is what a new stage has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// How many requests it takes; none for the account's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// Whether CloudWatch gets metrics of each method.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub metrics: bool,
    /// Whether requests are traced.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tracing: bool,
    /// The line for each request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_log: Option<AccessLog>,
    /// API Gateway's own notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Notes>,
    /// The answers that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// The methods that somebody has given settings of their own, which win over these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub exceptions: BTreeSet<String>,
    /// Whether somebody lets a part of the requests go to another deployment.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
    /// The ARN of the web ACL before it, which AWS WAF is told: none where that is no concern of ours, and empty where one may
    /// or may not be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_acl: Option<String>,
}

/// What UpdateStage has to do with one of its paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// The path.
    pub path: String,
    /// What is put there; none to take away what is.
    pub value: Option<String>,
}

impl Patch {
    pub(super) fn set(path: &str, value: &str) -> Patch {
        Patch { path: path.to_owned(), value: Some(value.to_owned()) }
    }

    pub(super) fn remove(path: &str) -> Patch {
        Patch { path: path.to_owned(), value: None }
    }
}

impl Settings {
    /// What the inputs ask for, see also [`AccessLog::of`].
    pub fn of(inputs: &Inputs, name: &str, partition: Partition, region: &str) -> Settings {
        Settings {
            throttle: inputs.throttle.clone(),
            metrics: inputs.metrics_enabled.unwrap_or(false),
            tracing: inputs.tracing_enabled.unwrap_or(false),
            access_log: AccessLog::of(inputs, name, partition, region),
            notes: Notes::of(inputs),
            cache: Cache::of(inputs),
            web_acl: inputs.web_acl_arn.clone(),
            ..Settings::default()
        }
    }

    /// The same with the account where it belongs.
    pub fn in_account(&self, account: Option<&str>) -> Settings {
        Settings { access_log: self.access_log.as_ref().map(|log| log.in_account(account)), ..self.clone() }
    }

    /// Whether anything is written to CloudWatch Logs.
    pub fn logs_to_cloud_watch(&self) -> bool {
        self.notes.is_some() || self.access_log.as_ref().is_some_and(AccessLog::is_group)
    }

    /// The limits behind API Gateway's two numbers.
    pub fn throttle(rate_limit: f64, burst_limit: i64) -> Option<Throttle> {
        (rate_limit >= 0.0 || burst_limit >= 0).then_some(Throttle { rate_limit, burst_limit })
    }

    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Settings::default()
    }

    /// The user's properties that differ.
    pub fn compare(&self, new: &Settings, changes: &mut Changes) {
        compare_throttle(self.throttle.as_ref(), new.throttle.as_ref(), changes);
        changes.field("metricsEnabled", &self.metrics, &new.metrics);
        changes.field("tracingEnabled", &self.tracing, &new.tracing);
        AccessLog::compare(self.access_log.as_ref(), new.access_log.as_ref(), changes);
        Notes::compare(self.notes.as_ref(), new.notes.as_ref(), changes);
        Cache::compare(self.cache.as_ref(), new.cache.as_ref(), changes);
        changes.field("webAclArn", &self.web_acl, &new.web_acl);
        // What no property asks for.
        changes.field("stageArn", &(&self.exceptions, self.canary), &(&new.exceptions, new.canary));
    }

    /// What of UpdateStage's paths gets which value, to come here from `old`.
    ///
    /// API Gateway keeps the settings of methods as one, and fills in what it is not told: the first of them brings all.
    pub fn patches(&self, old: &Settings) -> Vec<Patch> {
        let exceptions = old.exceptions.difference(&self.exceptions);
        let mut patches: Vec<Patch> = exceptions.map(|method| Patch::remove(&exception(method))).collect();
        if (&self.throttle, self.metrics, &self.notes, &self.cache)
            != (&old.throttle, old.metrics, &old.notes, &old.cache)
        {
            let rate = self.throttle.as_ref().map_or(NO_LIMIT as f64, |throttle| throttle.rate_limit);
            let burst = self.throttle.as_ref().map_or(NO_LIMIT, |throttle| throttle.burst_limit);
            patches.push(Patch::set(&format!("{ALL}metrics/enabled"), &self.metrics.to_string()));
            patches.push(Patch::set(&format!("{ALL}throttling/rateLimit"), &rate.to_string()));
            patches.push(Patch::set(&format!("{ALL}throttling/burstLimit"), &burst.to_string()));
        }
        patches.extend(Notes::patches(self.notes.as_ref(), old.notes.as_ref()));
        patches.extend(Cache::patches(self.cache.as_ref(), old.cache.as_ref()));
        if self.tracing != old.tracing {
            patches.push(Patch::set("/tracingEnabled", &self.tracing.to_string()));
        }
        patches.extend(AccessLog::patches(self.access_log.as_ref(), old.access_log.as_ref()));
        patches.extend((old.canary && !self.canary).then(|| Patch::remove("/canarySettings")));
        patches
    }
}

/// The path of one method's settings, from how GetStage names it: `RESOURCE/VERB`, where slashes inside may be written out.
fn exception(method: &str) -> String {
    let (resource, verb) = method.rsplit_once('/').unwrap_or_default();
    format!("/{}/{verb}", resource.replace('/', "~1"))
}

/// The parts of `throttle` that differ.
pub fn compare_throttle(old: Option<&Throttle>, new: Option<&Throttle>, changes: &mut Changes) {
    match (old, new) {
        (Some(old), Some(new)) => {
            changes.field("throttle.rateLimit", &old.rate_limit, &new.rate_limit);
            changes.field("throttle.burstLimit", &old.burst_limit, &new.burst_limit);
        }
        (old, new) => changes.0.extend(Action::appear(old.is_some(), new.is_some(), "throttle").1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(new: &Settings, old: &Settings) -> String {
        let patches = new.patches(old).into_iter();
        patches
            .map(|Patch { path, value }| format!("{path} {}", value.as_deref().unwrap_or("away")))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn a_change_is_told_as_patches() {
        let none = Settings::default();
        let limit = Settings { throttle: Settings::throttle(0.5, 20), ..Settings::default() };
        let traced = Settings { tracing: true, ..limit.clone() };
        let logged = Settings {
            access_log: Some(AccessLog { destination: "arn".to_owned(), format: "$context.requestId".to_owned() }),
            notes: Some(Notes { data_trace: true, ..Notes::default() }),
            ..Settings::default()
        };
        assert_eq!(
            told(&logged, &none),
            "/*/*/metrics/enabled false; /*/*/throttling/rateLimit -1; /*/*/throttling/burstLimit -1; \
             /*/*/logging/loglevel ERROR; /*/*/logging/dataTrace true; /accessLogSettings/destinationArn arn; \
             /accessLogSettings/format $context.requestId"
        );
        assert_eq!(
            told(&none, &logged),
            "/*/*/metrics/enabled false; /*/*/throttling/rateLimit -1; /*/*/throttling/burstLimit -1; \
             /*/*/logging/loglevel OFF; /*/*/logging/dataTrace false; /accessLogSettings away"
        );
        assert_eq!(told(&none, &none), "");
        let by_hand = Settings { canary: true, ..Settings::default() };
        assert_eq!(told(&none, &by_hand), "/canarySettings away");
        assert_eq!(
            told(&limit, &none),
            "/*/*/metrics/enabled false; /*/*/throttling/rateLimit 0.5; /*/*/throttling/burstLimit 20"
        );
        assert_eq!(told(&traced, &limit), "/tracingEnabled true");
        assert_eq!(
            told(&none, &traced),
            "/*/*/metrics/enabled false; /*/*/throttling/rateLimit -1; /*/*/throttling/burstLimit -1; /tracingEnabled false"
        );
        assert_eq!(Settings::throttle(-1.0, -1), None);
        let kept = |json| Settings {
            cache: Cache::of(&serde_json::from_value(serde_json::json!({ "cache": json })).expect("inputs")),
            ..Settings::default()
        };
        let of_methods = "/*/*/metrics/enabled false; /*/*/throttling/rateLimit -1; /*/*/throttling/burstLimit -1; ";
        let caching = |seconds: u32, encrypted: bool| {
            format!(
                "/*/*/caching/enabled true; /*/*/caching/ttlInSeconds {seconds}; /*/*/caching/dataEncrypted {encrypted}; \
                 /*/*/caching/requireAuthorizationForCacheControl true; \
                 /*/*/caching/unauthorizedCacheControlHeaderStrategy SUCCEED_WITH_RESPONSE_HEADER"
            )
        };
        let usual = kept(serde_json::json!({}));
        let big = kept(serde_json::json!({ "sizeGb": 118.0, "ttlSeconds": 0, "encrypted": false }));
        let short = kept(serde_json::json!({ "ttlSeconds": 5 }));
        assert_eq!(
            told(&usual, &none),
            format!("{of_methods}/cacheClusterEnabled true; /cacheClusterSize 0.5; {}", caching(300, true))
        );
        assert_eq!(
            told(&big, &usual),
            format!("{of_methods}/cacheClusterEnabled true; /cacheClusterSize 118; {}", caching(0, false))
        );
        assert_eq!(told(&short, &usual), format!("{of_methods}{}", caching(5, true)));
        assert_eq!(told(&none, &usual), format!("{of_methods}/*/*/caching/enabled false; /cacheClusterEnabled false"));
        let method = |name: &str| Settings { exceptions: [name.to_owned()].into(), ..Settings::default() };
        assert_eq!(told(&none, &method("~1data~1{key+}/GET")), "/~1data~1{key+}/GET away");
        assert_eq!(told(&none, &method("data/{key+}/GET")), "/data~1{key+}/GET away");
    }
}
