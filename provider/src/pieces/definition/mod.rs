//! The REST API's content: one OpenAPI document that API Gateway takes whole.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::plan::{Action, Changes};
use crate::policy::canonical;

pub mod aws;
pub mod openapi;
pub mod routes;

pub use openapi::Api;

/// The definition as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The REST API's name, which an overwriting import would wipe if the document left it out.
    pub title: String,
    /// The REST API's description, for the same reason.
    pub description: Option<String>,
    /// What the API does.
    pub api: Api,
}

/// The definition as it was last seen or put.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The digest of the document that was put; see [`Desired::digest`].
    pub digest: String,
    /// The description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What a refresh found to differ from the document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
}

impl Desired {
    /// The document, as JSON text.
    pub fn document(&self, role_arn: &str) -> String {
        self.api.document(&self.title, self.description.as_deref(), role_arn).to_string()
    }

    /// What identifies the behaviour that a document describes, so that a change of words needs no deployment: the
    /// SHA-256 of the document without name and description.
    pub fn digest(&self, role_arn: &str) -> String {
        let document = self.api.document("", None, role_arn).to_string();
        Sha256::digest(canonical(&document)).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What has to happen to the definition. `digest` is that of the document that should be there; none while it cannot be
/// known because the role is still to be made.
pub fn plan(old: Option<&State>, new: Option<&Desired>, digest: Option<&str>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "openApiDocument"),
    };
    let mut changes = Changes::default();
    if digest != Some(old.digest.as_str()) || !old.drift.is_empty() {
        changes.update("openApiDocument");
    }
    changes.field("description", &old.description, &new.description);
    (Action::unless_empty(&changes), changes)
}
