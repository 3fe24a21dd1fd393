//! What a stage is told besides what it serves. A change of it needs no deployment.

use s3dataproxy_schema::{Inputs, Throttle};
use serde::{Deserialize, Serialize};

use crate::plan::{Action, Changes};

/// The path of the settings of all methods.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateStage.html>
const ALL: &str = "/*/*/";

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
}

impl Settings {
    /// What the inputs ask for.
    pub fn of(inputs: &Inputs) -> Settings {
        Settings {
            throttle: inputs.throttle.clone(),
            metrics: inputs.metrics_enabled.unwrap_or(false),
            tracing: inputs.tracing_enabled.unwrap_or(false),
        }
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
    }

    /// What of UpdateStage's paths gets which value, to come here from `old`.
    ///
    /// API Gateway keeps the settings of methods as one, and fills in what it is not told: the first of them brings all.
    pub fn patches(&self, old: &Settings) -> Vec<(String, String)> {
        let mut patches = Vec::new();
        if (&self.throttle, self.metrics) != (&old.throttle, old.metrics) {
            let rate = self.throttle.as_ref().map_or(NO_LIMIT as f64, |throttle| throttle.rate_limit);
            let burst = self.throttle.as_ref().map_or(NO_LIMIT, |throttle| throttle.burst_limit);
            patches.push((format!("{ALL}metrics/enabled"), self.metrics.to_string()));
            patches.push((format!("{ALL}throttling/rateLimit"), rate.to_string()));
            patches.push((format!("{ALL}throttling/burstLimit"), burst.to_string()));
        }
        if self.tracing != old.tracing {
            patches.push(("/tracingEnabled".to_owned(), self.tracing.to_string()));
        }
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
        patches.map(|(path, value)| format!("{path} {value}")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_change_is_told_as_patches() {
        let none = Settings::default();
        let limit = Settings { throttle: Settings::throttle(0.5, 20), ..Settings::default() };
        let traced = Settings { tracing: true, ..limit.clone() };
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
