//! The REST API as an object: its id, name and tags. Its content is the `definition` piece.
//!
//! It is made first and empty, so that its id is known, and can be saved, before anything is put into it.

use serde::{Deserialize, Serialize};

use crate::desired::Tags;
use crate::partition::Partition;
use crate::plan::{Action, Changes};

pub mod aws;
pub mod endpoint;

pub use endpoint::{Endpoint, ip_address_type};

/// The REST API as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name.
    pub name: String,
    /// Its own endpoint.
    pub endpoint: Endpoint,
    /// Its tags, the owner tag among them.
    pub tags: Tags,
}

/// The REST API as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The id that API Gateway gave it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its own endpoint.
    #[serde(skip_serializing_if = "Endpoint::is_default")]
    pub endpoint: Endpoint,
    /// The tags that are ours.
    pub tags: Tags,
    /// Whether it was imported without an owner tag. It gets none: only the state says whose it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unmarked: bool,
}

/// What has to happen to the REST API.
pub fn plan(old: Option<&State>, new: Option<&Desired>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "restApiId"),
    };
    let mut changes = Changes::default();
    changes.field("name", &old.name, &new.name);
    old.endpoint.compare(&new.endpoint, &mut changes);
    changes.tags(&old.tags, &new.tags);
    (Action::unless_empty(&changes), changes)
}

/// The ARN by which API Gateway's management names a REST API.
pub fn arn(region: &str, id: &str) -> String {
    format!("arn:{}:apigateway:{region}::/restapis/{id}", Partition::of(region).name)
}
