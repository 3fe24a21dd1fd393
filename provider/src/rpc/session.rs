//! What `Configure` sets up, and how stored resources are read.

use std::sync::Arc;

use s3dataproxy_schema::{Config, Inputs};
use tokio::sync::OnceCell;
use tonic::Status;

use super::engine::too_old;
use super::status::{failed, invalid, malformed, unusable};
use super::wire::ConfigureRequest;
use super::{codec, config, random};
use crate::apply::Stop;
use crate::aws::Clients;
use crate::desired::{Place, Tags};
use crate::error::Error;
use crate::inputs::{self, Read};
use crate::names;
use crate::owner;
use crate::state::{self, State, Unusable};
use crate::value::{Object, Value};

/// One configuration of the provider.
pub(super) struct Session {
    config: Config,
    /// Texts that must not be shown.
    pub(super) secrets: Vec<String>,
    /// Made on first use: `Configure` itself is offline. A failure is kept too, so that a hundred resources do not look
    /// for missing credentials a hundred times.
    clients: OnceCell<Result<Arc<Clients>, Error>>,
}

impl Session {
    pub(super) fn new(request: ConfigureRequest) -> Result<Session, Status> {
        let tells_old_inputs = request.sends_old_inputs && request.sends_old_inputs_to_delete;
        let properties = config::marked(codec::decode(request.args).map_err(malformed)?);
        if !tells_old_inputs {
            return Err(too_old("it does not tell a provider the inputs that a resource had"));
        }
        let read = inputs::read_config(&config::own(&properties)).map_err(invalid)?;
        let mut secrets = read.secrets;
        // Of a template, only what stands between the braces comes back.
        let templates = secrets.iter().filter(|secret| secret.contains("{restApiId}"));
        let parts = templates.flat_map(|template| template.split(['{', '}'])).map(str::to_owned);
        let parts: Vec<String> = parts.filter(|part| part.contains('/') && part.len() > "https://".len()).collect();
        secrets.extend(parts);
        Ok(Session { config: read.typed, secrets, clients: OnceCell::new() })
    }

    /// Texts of these properties and of the configuration that must not be shown.
    pub(super) fn secrets_of(&self, properties: &Object) -> Result<Vec<String>, Status> {
        let mut secrets = lenient(properties)?.secrets;
        secrets.extend(self.secrets.iter().cloned());
        Ok(secrets)
    }

    /// The tags of everything.
    pub(super) fn default_tags(&self) -> Tags {
        self.config.default_tags.clone().unwrap_or_default()
    }

    /// The Region, as far as the configuration or the environment names it; a profile may do so besides.
    pub(super) fn region(&self) -> Option<String> {
        let set = |name| std::env::var(name).ok();
        let told = [self.config.region.clone(), set("AWS_REGION"), set("AWS_DEFAULT_REGION")];
        told.into_iter().flatten().find(|region| !region.is_empty())
    }

    /// Whether pieces are shown as child rows.
    pub(super) fn views(&self) -> bool {
        self.config.views.unwrap_or(false)
    }

    /// The AWS clients, unless it is time to stop while credentials or account are still looked for.
    pub(super) async fn clients(&self, stop: &Stop) -> Result<Arc<Clients>, Status> {
        let clients = self.clients.get_or_init(async || Ok(Arc::new(crate::aws::config::connect(&self.config).await?)));
        let clients = stop.look("reach AWS", async { clients.await.clone() }).await;
        clients.map_err(|error| failed(&error, &self.secrets))
    }

    /// The AWS clients for a resource that exists: they have to be of its Region, or it would seem to be gone.
    pub(super) async fn clients_for(&self, state: &State, stop: &Stop) -> Result<Arc<Clients>, Status> {
        let clients = self.clients(stop).await?;
        if state.region == clients.region {
            return Ok(clients);
        }
        Err(Status::failed_precondition(format!(
            "the resource is in Region `{}`, and the provider is set to `{}`: set `s3dataproxy:region` back, or delete \
             the resource before the Region is changed",
            state.region, clients.region
        )))
    }

    /// Where a resource is and what it is called there. One that exists keeps the owner tag and the path that it was made
    /// with, also when it gets another URN.
    pub(super) fn place(&self, region: &str, state: Option<&State>, urn: &str) -> Place {
        Place {
            region: region.to_owned(),
            owner: state.map_or_else(|| owner::begin(urn, region, random() as u32), |state| state.owner.clone()),
            unmarked: state.and_then(|state| state.rest_api.as_ref()).is_some_and(|api| api.unmarked),
            default_tags: self.default_tags(),
            default_path: state
                .map(|state| state.default_path.clone())
                .filter(|path| !path.is_empty())
                .unwrap_or_else(|| names::default_path(urn_name(urn))),
        }
    }
}

/// The resource's name at the end of its URN.
pub(super) fn urn_name(urn: &str) -> &str {
    urn.splitn(4, "::").nth(3).unwrap_or_default()
}

/// The state inside stored outputs.
pub(super) fn stored(outputs: &Object) -> Result<State, Status> {
    let Some(value) = outputs.get(state::KEY) else {
        return Err(unusable(Unusable::Missing));
    };
    let json = value.to_json().ok_or_else(|| unusable(Unusable::Damaged("it is no plain data".to_owned())))?;
    State::from_json(json).map_err(unusable)
}

/// Inputs that were checked once, perhaps by another version of the plugin: what this one does not know is left out.
pub(super) fn lenient(properties: &Object) -> Result<Read<Inputs>, Status> {
    inputs::read(&known(properties)).map_err(invalid)
}

fn known(properties: &Object) -> Object {
    let shape = &s3dataproxy_schema::shape::INPUTS;
    let known = properties.iter().filter(|(name, _)| shape.properties.contains_key(*name));
    known.map(|(name, value)| (name.clone(), within(value, &shape.properties[name]))).collect()
}

fn within(value: &Value, shape: &s3dataproxy_schema::shape::Shape) -> Value {
    use s3dataproxy_schema::shape::Shape;
    match (value, shape) {
        (Value::Secret(inner), shape) => Value::Secret(Box::new(within(inner, shape))),
        (Value::Object(object), Shape::Object(shape)) => {
            let known = object.iter().filter(|(name, _)| shape.properties.contains_key(*name));
            Value::Object(known.map(|(name, value)| (name.clone(), within(value, &shape.properties[name]))).collect())
        }
        (value, _) => value.clone(),
    }
}
