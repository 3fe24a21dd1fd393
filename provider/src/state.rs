//! What was applied: every piece as it was last made or seen, with the ids that AWS gave.
//!
//! It is kept in the output `__state`, which the engine stores and does not show. It has a version from the first day:
//! an older state is upgraded, a newer one refused with a clear message.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::pieces::{bucket, definition, domain, log_group, rest_api, role, role_policy, stage, usage_plan};

/// The version that this plugin writes.
pub const VERSION: u64 = 1;

/// The output that holds the state. Names that begin with two underscores are not displayed.
pub const KEY: &str = "__state";

/// Every piece as it was last made or seen; none where it is not there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The version of this form.
    pub version: u64,
    /// The Region where everything is.
    pub region: String,
    /// The owner tag's value on everything that carries tags.
    pub owner: String,
    /// The mount path where the inputs have none: the resource's name when it was made. A resource that is renamed later
    /// keeps its URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_path: String,
    /// Whether a call was given up that may have taken effect, so that there may be more than is written here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_off: bool,
    /// What was replaced and is still to be deleted.
    #[serde(skip_serializing_if = "stage::Leftovers::is_empty")]
    pub leftovers: stage::Leftovers,
    /// The names of the log groups that API Gateway may have made for its own notes. They go with the
    /// resource.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub execution_logs: BTreeSet<String>,
    /// The bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<bucket::State>,
    /// The role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<role::State>,
    /// The role's policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_policy: Option<role_policy::State>,
    /// The REST API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest_api: Option<rest_api::State>,
    /// The REST API's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<definition::State>,
    /// The log group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group: Option<log_group::State>,
    /// The stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<stage::State>,
    /// The usage plan with its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_plan: Option<usage_plan::State>,
    /// The custom domain name with its mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<domain::State>,
}

/// Why a stored state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A later plugin wrote it.
    #[error(
        "the resource's state has version {0}, and this plugin knows versions up to {VERSION}: install the newer \
         s3dataproxy plugin that wrote it"
    )]
    Newer(u64),
    /// There is none.
    #[error(
        "the resource's outputs have no `{KEY}`, where the plugin keeps what it made: `pulumi refresh` finds it again by \
         the resource's name"
    )]
    Missing,
    /// It is no state.
    #[error(
        "the resource's state is damaged ({0}): take the resource out with `pulumi state delete` and import its REST API \
         again"
    )]
    Damaged(String),
}

impl State {
    /// A state in which nothing is there yet.
    pub fn empty(region: &str, owner: &str) -> State {
        State { version: VERSION, region: region.to_owned(), owner: owner.to_owned(), ..State::default() }
    }

    /// Reads a stored state of this or an earlier version.
    pub fn from_json(json: Json) -> Result<State, Unusable> {
        match json["version"].as_u64() {
            Some(version) if version > VERSION => return Err(Unusable::Newer(version)),
            Some(_) => {}
            None => return Err(Unusable::Damaged("it has no version".to_owned())),
        }
        let mut state: State = serde_json::from_value(json).map_err(|error| Unusable::Damaged(error.to_string()))?;
        if state.region.is_empty() {
            return Err(Unusable::Damaged("it has no Region".to_owned()));
        }
        state.version = VERSION;
        Ok(state)
    }

    /// The state as it is stored.
    pub fn to_json(&self) -> Json {
        serde_json::to_value(self).expect("a state is plain data")
    }

    /// Whether nothing is there that was made.
    pub fn is_empty(&self) -> bool {
        self.bucket.as_ref().is_none_or(|bucket| bucket.existing)
            && self.role.as_ref().is_none_or(|role| role.existing)
            && self.leftovers.role.is_none()
            && self.rest_api.is_none()
            && self.log_group.is_none()
            && self.usage_plan.is_none()
            && self.domain.is_none()
    }

    /// This state without what cannot be there because its parent is not.
    pub fn rooted(&self) -> State {
        let mut state = self.clone();
        if state.role.is_none() {
            state.role_policy = None;
        }
        if state.rest_api.is_none() {
            state.definition = None;
            state.stage = None;
            state.leftovers = stage::Leftovers { role: state.leftovers.role.take(), ..stage::Leftovers::default() };
        }
        state
    }

    /// What of it nobody may see.
    pub fn secrets(&self) -> Vec<String> {
        let keys = self.usage_plan.iter().flat_map(|plan| plan.keys.values());
        keys.map(|key| key.value.clone()).filter(|value| !value.is_empty()).collect()
    }

    /// The account, as the role's ARN names it.
    pub fn account(&self) -> Option<&str> {
        self.role.as_ref().and_then(|role| role.arn.split(':').nth(4))
    }
}

#[cfg(test)]
mod tests;
