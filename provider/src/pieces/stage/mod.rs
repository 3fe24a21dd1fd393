//! The stage, and the deployment of the definition that it serves.
//!
//! A changed definition is live only after a deployment. The stage moves to the new deployment first, and the old one
//! goes afterwards, so there is no moment without an answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::desired::Tags;
use crate::plan::{Action, Changes};

pub mod aws;
pub mod cache;
pub mod logs;
pub mod settings;

pub use settings::Settings;

/// The name of a stage that is given none.
pub const NAME: &str = "prod";

/// In place of a digest: what a lost run deployed is ours to delete, and of no document that is known.
pub const UNHEARD: &str = "unheard";

/// The stage as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name, the first segment of the URL's path.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
    /// Its tags.
    pub tags: Tags,
}

impl Desired {
    /// The same with the account where it belongs.
    pub fn in_account(&self, account: Option<&str>) -> Desired {
        Desired { settings: self.settings.in_account(account), ..self.clone() }
    }
}

/// The stage as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Its name.
    pub name: String,
    /// The deployment it serves.
    pub deployment_id: String,
    /// The digest of the document that was deployed; see [`crate::pieces::definition`].
    pub digest: String,
    /// Its settings.
    #[serde(skip_serializing_if = "Settings::is_default")]
    pub settings: Settings,
    /// The tags that are ours.
    pub tags: Tags,
}

/// What was replaced and is not yet deleted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Leftovers {
    /// Names of stages.
    pub stages: Vec<String>,
    /// Ids of deployments.
    pub deployments: Vec<String>,
    /// The name of a role of ours that one made elsewhere has replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The stages among them that still have the web ACL that we gave them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub web_acls: BTreeSet<String>,
}

impl Leftovers {
    /// Takes out what is in use again.
    pub fn forget(&mut self, stage: &str, deployment: &str) {
        self.stages.retain(|other| other != stage);
        self.web_acls.remove(stage);
        self.deployments.retain(|other| other != deployment);
    }

    /// Takes in a stage that another one has replaced.
    pub fn replaced(&mut self, stage: &State) {
        self.stages.push(stage.name.clone());
        if stage.settings.web_acl.is_some() {
            self.web_acls.insert(stage.name.clone());
        }
    }

    /// Whether nothing is left over.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty() && self.deployments.is_empty() && self.role.is_none()
    }
}

/// What has to happen to the stage. `digest` is that of the document that should be deployed; none while it cannot be
/// known because the role is still to be made, and then everything is made anew.
pub fn plan(
    old: Option<&State>,
    new: Option<&Desired>,
    digest: Option<&str>,
    leftovers: Option<&Leftovers>,
) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "stageArn"),
    };
    let mut changes = Changes::default();
    changes.field("stageName", &old.name, &new.name);
    old.settings.compare(&new.settings, &mut changes);
    changes.tags(&old.tags, &new.tags);
    if digest != Some(old.digest.as_str()) || leftovers.is_some_and(|leftovers| !leftovers.is_empty()) {
        changes.update("deploymentId");
    }
    (Action::unless_empty(&changes), changes)
}
