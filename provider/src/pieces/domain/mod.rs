//! The custom domain name, and its base path mapping to the stage.
//!
//! The mapping is a part of it, and no piece: it is of no use without the name, and has to leave a stage before that goes.

use s3dataproxy_schema::{DomainSecurityPolicy, DomainTarget, EndpointType, Inputs, IpAddressType};
use serde::{Deserialize, Serialize};

use crate::desired::Tags;
use crate::partition::Partition;
use crate::plan::{Action, Changes};

pub mod aws;
mod patches;

/// The domain name as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The name.
    pub name: String,
    /// The kind of its endpoint, which is the REST API's.
    pub kind: EndpointType,
    /// Whether it can be reached by IPv6 too, as the REST API.
    pub dual_stack: bool,
    /// The ARN of its certificate.
    pub certificate_arn: String,
    /// Which versions of TLS clients may use.
    pub security_policy: DomainSecurityPolicy,
    /// The base path; empty for none.
    pub base_path: String,
    /// The stage that the base path leads to.
    pub stage: String,
    /// Its tags, the owner tag among them.
    pub tags: Tags,
}

/// The domain name as it was last seen or made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The name.
    pub name: String,
    /// Its endpoints: one, or two while it moves from one kind to the other.
    pub endpoints: Vec<Endpoint>,
    /// Whether it can be reached by IPv6 too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dual_stack: bool,
    /// Which versions of TLS clients may use; none for one that the plugin does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<DomainSecurityPolicy>,
    /// Where it leads; none where it leads nowhere yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// The tags that are ours.
    pub tags: Tags,
    /// Domain names that this one has replaced, and that are still to be deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
}

/// An endpoint of a domain name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: EndpointType,
    /// The ARN of its certificate.
    pub certificate_arn: String,
    /// What the DNS record leads to.
    pub target: DomainTarget,
}

/// A base path mapping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mapping {
    /// The base path; empty for none.
    pub base_path: String,
    /// The REST API that it leads to.
    pub api: String,
    /// The stage that it leads to.
    pub stage: String,
}

/// A domain name that goes when the one that has replaced it answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Replaced {
    /// The name.
    pub name: String,
    /// The base path of its mapping; none where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
}

impl Desired {
    /// What the inputs ask for; none where the URL has API Gateway's own name.
    pub fn of(inputs: &Inputs, stage: &str, tags: &Tags) -> Option<Desired> {
        let domain = inputs.domain.clone()?;
        Some(Desired {
            name: domain.name,
            kind: inputs.endpoint.as_ref().and_then(|endpoint| endpoint.kind).unwrap_or_default(),
            dual_stack: inputs.endpoint.as_ref().and_then(|endpoint| endpoint.ip_address_type)
                == Some(IpAddressType::DualStack),
            certificate_arn: domain.certificate_arn,
            security_policy: domain.security_policy.unwrap_or_default(),
            base_path: domain.base_path.unwrap_or_default(),
            stage: stage.to_owned(),
            tags: tags.clone(),
        })
    }

    /// The URL of the stage.
    pub fn url(&self) -> String {
        let base = if self.base_path.is_empty() { String::new() } else { format!("/{}", self.base_path) };
        format!("https://{}{base}", self.name)
    }
}

impl State {
    /// The endpoint of a kind.
    pub fn endpoint(&self, kind: EndpointType) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.kind == kind)
    }

    /// This in place of what was there before, which is to be deleted where it has another name.
    pub fn in_place_of(self, old: Option<State>) -> State {
        match old {
            Some(old) => self.replacing(old),
            None => self,
        }
    }

    /// This with another one, and what that has replaced, still to be deleted.
    pub fn replacing(mut self, other: State) -> State {
        let mut others = std::mem::take(&mut self.replaced);
        let base_path = other.mapping.map(|mapping| mapping.base_path);
        others.extend(other.replaced);
        others.push(Replaced { name: other.name, base_path });
        others.retain(|other| other.name != self.name);
        State { replaced: others, ..self }
    }

    /// What is still to be deleted where the name itself is not there any more.
    pub fn left_over(mut self) -> Option<State> {
        let Replaced { name, base_path } = self.replaced.pop()?;
        let mapping = base_path.map(|base_path| Mapping { base_path, ..Mapping::default() });
        Some(State { name, mapping, replaced: self.replaced, ..State::default() })
    }
}

/// The ARN by which API Gateway's management names a domain name.
pub fn arn(region: &str, name: &str) -> String {
    format!("arn:{}:apigateway:{region}::/domainnames/{name}", Partition::of(region).name)
}

/// What has to happen to the domain name. `api` is the REST API that is there.
pub fn plan(old: Option<&State>, new: Option<&Desired>, api: Option<&str>) -> (Action, Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return Action::appear(old.is_some(), new.is_some(), "domain"),
    };
    let mut changes = Changes::default();
    if old.name != new.name {
        // Everything else of it is made anew.
        changes.update("domain.name");
        return (Action::Update, changes);
    }
    match old.endpoint(new.kind) {
        Some(endpoint) => {
            changes.field("domain.certificateArn", &endpoint.certificate_arn, &new.certificate_arn);
            changes.field("endpoint.type", &old.endpoints.len(), &1);
        }
        None => changes.update("endpoint.type"),
    }
    changes.field("endpoint.ipAddressType", &old.dual_stack, &new.dual_stack);
    changes.field("domain.securityPolicy", &old.security_policy, &Some(new.security_policy));
    match &old.mapping {
        Some(mapping) => {
            changes.field("domain.basePath", &mapping.base_path, &new.base_path);
            changes.field("stageName", &mapping.stage, &new.stage);
        }
        None => changes.update("domain.basePath"),
    }
    let elsewhere = old.mapping.as_ref().is_some_and(|mapping| api != Some(mapping.api.as_str()));
    if elsewhere || !old.replaced.is_empty() {
        changes.update("domain");
    }
    changes.tags(&old.tags, &new.tags);
    (Action::unless_empty(&changes), changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_to_be_deleted_is_forgotten() {
        let replaced = |name: &str| Replaced { name: name.to_owned(), base_path: Some(String::new()) };
        let named = |name: &str, others: &[&str]| State {
            name: name.to_owned(),
            mapping: Some(Mapping::default()),
            replaced: others.iter().map(|other| replaced(other)).collect(),
            ..State::default()
        };
        let now = named("b", &["a"]).replacing(named("c", &["d", "b"])).replacing(named("e", &[]));
        assert_eq!(now.name, "b");
        assert_eq!(now.replaced, ["a", "d", "c", "e"].map(replaced));
        assert_eq!(named("b", &[]).in_place_of(None), named("b", &[]));
        assert_eq!(named("b", &[]).in_place_of(Some(named("a", &["b"]))).replaced, [replaced("a")]);
    }
}
