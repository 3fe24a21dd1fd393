//! The usage plan, which ties API keys to the stage, and the key of each client.
//!
//! The keys are a part of it, and not pieces: they come and go with the clients, each by itself, and their values must
//! stay while the plan around them changes.

use std::collections::{BTreeMap, BTreeSet};

use s3dataproxy_schema::{Inputs, Quota, Throttle};
use serde::{Deserialize, Serialize};

use crate::desired::Tags;
use crate::pieces::stage::settings::compare_throttle;
use crate::plan::{Action, Change, ChangeKind, Changes};

pub mod aws;
mod patches;

/// The usage plan as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name, and what the names of the keys begin with.
    pub name: String,
    /// The stage it is for.
    pub stage: String,
    /// How many requests each client may send.
    pub throttle: Option<Throttle>,
    /// How many requests each client has in a period.
    pub quota: Option<Quota>,
    /// The clients that have a key.
    pub clients: BTreeSet<String>,
    /// The tags of plan and keys, the owner tag among them.
    pub tags: Tags,
}

/// The usage plan as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The id that API Gateway gave it; nothing where only keys are there.
    pub id: String,
    /// The stage it is for, in the form of [`link`]; nothing where there is none.
    pub link: String,
    /// How many requests each client may send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// How many requests each client has in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Whether somebody has given it another name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
    /// The tags that are ours.
    pub tags: Tags,
    /// The keys, by their clients.
    pub keys: BTreeMap<String, Key>,
    /// The ids of keys that somebody else has put into it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub strangers: BTreeSet<String>,
}

/// A client's key as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Key {
    /// The id that API Gateway gave it.
    pub id: String,
    /// What the client sends. A secret.
    pub value: String,
    /// Whether the plan has it.
    pub linked: bool,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether somebody has given it another name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
    /// The tags that are ours.
    pub tags: Tags,
}

impl Desired {
    /// What the inputs ask for; none where nobody needs a key.
    pub fn of(inputs: &Inputs, name: &str, stage: &str, tags: &Tags) -> Option<Desired> {
        let clients = inputs.api_keys.as_ref()?;
        Some(Desired {
            name: name.to_owned(),
            stage: stage.to_owned(),
            throttle: inputs.throttle.clone(),
            quota: inputs
                .quota
                .as_ref()
                .map(|quota| Quota { offset: Some(quota.offset.unwrap_or(0)), ..quota.clone() }),
            clients: clients.iter().cloned().collect(),
            tags: tags.clone(),
        })
    }

    /// The name of a client's key.
    pub fn key_name(&self, client: &str) -> String {
        format!("{}{client}", key_prefix(&self.name))
    }
}

impl State {
    /// This, which was found, beside what is recorded: of that nothing is forgotten because a list does not have it.
    pub fn beside(mut self, recorded: State) -> State {
        let keys = std::mem::take(&mut self.keys);
        let mut state = if recorded.id.is_empty() { State { keys: recorded.keys, ..self } } else { recorded };
        for (client, key) in keys {
            state.keys.entry(client).or_insert(key);
        }
        state
    }

    /// The same with the keys of these clients only.
    pub fn only(&self, clients: &BTreeSet<String>) -> State {
        let mut state = self.clone();
        state.keys.retain(|client, _| clients.contains(client));
        state
    }
}

/// What the names of a plan's keys begin with.
pub fn key_prefix(plan: &str) -> String {
    format!("{plan}-")
}

/// How API Gateway names the stage that a plan is for.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateUsagePlan.html>
pub fn link(api: &str, stage: &str) -> String {
    format!("{api}:{stage}")
}

/// What has to happen to the plan and its keys. `api` is the REST API that is there.
pub fn plan(old: Option<&State>, new: Option<&Desired>, api: Option<&str>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "apiKeys"),
    };
    let mut changes = Changes::default();
    if old.id.is_empty() {
        // Only keys are there: the plan is made anew around them.
        changes.update("apiKeys");
        return (Action::Update, changes);
    }
    compare_throttle(old.throttle.as_ref(), new.throttle.as_ref(), &mut changes);
    match (&old.quota, &new.quota) {
        (Some(old), Some(new)) => {
            changes.field("quota.limit", &old.limit, &new.limit);
            changes.field("quota.period", &old.period, &new.period);
            changes.field("quota.offset", &old.offset, &new.offset);
        }
        (old, new) => changes.0.extend(Action::appear(old.is_some(), new.is_some(), "quota").1.0),
    }
    if api.is_none_or(|api| old.link != link(api, &new.stage)) {
        let renamed = old.link.rsplit_once(':').is_some_and(|(_, stage)| stage != new.stage);
        changes.update(if renamed { "stageName" } else { "apiKeys" });
    }
    changes.field("name", &old.renamed, &false);
    changes.tags(&old.tags, &new.tags);
    let works = |key: &Key| key.linked && key.enabled && !key.renamed;
    let right = old.keys.keys().eq(&new.clients) && old.keys.values().all(works) && old.strangers.is_empty();
    // A tag that differs on all of them is told as that.
    let tagged = old.tags != new.tags || old.keys.values().all(|key| key.tags == new.tags);
    let change = Change { path: "apiKeys".to_owned(), kind: ChangeKind::Update };
    if (!right || !tagged) && !changes.0.contains(&change) {
        changes.0.push(change);
    }
    (Action::unless_empty(&changes), changes)
}
