//! What a stage is told besides what it serves. A change of it needs no deployment.

use s3dataproxy_schema::{Inputs, Throttle};
use serde::{Deserialize, Serialize};

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
    }

    /// What of UpdateStage's paths gets which value, to come here from `old`.
    ///
    /// API Gateway keeps the settings of methods as one, and fills in what it is not told: the first of them brings all.
    pub fn patches(&self, old: &Settings) -> Vec<Patch> {
        let mut patches = Vec::new();
        if (&self.throttle, self.metrics, &self.notes) != (&old.throttle, old.metrics, &old.notes) {
            let rate = self.throttle.as_ref().map_or(NO_LIMIT as f64, |throttle| throttle.rate_limit);
            let burst = self.throttle.as_ref().map_or(NO_LIMIT, |throttle| throttle.burst_limit);
            patches.push(Patch::set(&format!("{ALL}metrics/enabled"), &self.metrics.to_string()));
            patches.push(Patch::set(&format!("{ALL}throttling/rateLimit"), &rate.to_string()));
            patches.push(Patch::set(&format!("{ALL}throttling/burstLimit"), &burst.to_string()));
        }
        patches.extend(Notes::patches(self.notes.as_ref(), old.notes.as_ref()));
        if self.tracing != old.tracing {
            patches.push(Patch::set("/tracingEnabled", &self.tracing.to_string()));
        }
        patches.extend(AccessLog::patches(self.access_log.as_ref(), old.access_log.as_ref()));
        patches
    }
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
    }
}
