//! What the user gets to see: outputs from inputs and state, in a preview as far as they can be known.

use s3dataproxy_schema::{DomainTarget, Inputs};

use crate::desired::Desired;
use crate::inputs::Read;
use crate::pieces::Piece;
use crate::pieces::{bucket, domain, log_group, rest_api, usage_plan};
use crate::plan::{Action, Plan};
use crate::state::{self, State};
use crate::value::{Object, UNKNOWN, Value};

/// The output that says where a domain name's DNS record leads.
const DOMAIN_TARGET: &str = "domainTarget";

/// What outputs are made of.
pub struct Source<'a> {
    /// The inputs as the user wrote them; all inputs are outputs too.
    pub inputs: &'a Object,
    /// The same, typed.
    pub read: &'a Read<Inputs>,
    /// What should be there.
    pub desired: &'a Desired,
    /// What is there.
    pub state: &'a State,
    /// The base URL of a stage, see [`crate::aws::Clients::execute_api_url`].
    pub execute_api_url: &'a str,
}

impl Source<'_> {
    /// The outputs of a preview: what the plan will change in a way that AWS decides is unknown.
    pub fn planned(&self, plan: &Plan, account: Option<&str>) -> Object {
        let mut state = self.state.rooted();
        let redeployed = plan.steps.iter().any(|step| {
            step.piece == Piece::Stage
                && (step.action == Action::Create || step.changes.0.iter().any(|change| change.path == "deploymentId"))
        });
        if redeployed {
            state.stage.get_or_insert_default().deployment_id = UNKNOWN.to_owned();
        }
        let made = state.role.as_ref().filter(|role| !role.existing);
        let role_arn = match (made, state.account().or(account)) {
            _ if let Some(arn) = &self.desired.role.given => arn.clone(),
            (Some(role), _) => role.arn.clone(),
            (None, Some(account)) => {
                let role = &self.desired.role;
                let path = role.path.as_deref().unwrap_or("/");
                format!("arn:{}:iam::{account}:role{path}{}", self.desired.partition.name, role.name)
            }
            (None, None) => UNKNOWN.to_owned(),
        };
        let api = state.rest_api.as_ref().map_or(UNKNOWN, |api| &api.id);
        let deployment = state.stage.as_ref().map_or(UNKNOWN, |stage| &stage.deployment_id);
        let mut outputs = self.inputs();
        let texts = self.texts(&role_arn, api, deployment);
        outputs.extend(texts.into_iter().map(|(name, text)| {
            let vague = name == "openApiDocument" && !self.read.unknown.is_empty();
            let unknown = vague || text.contains(UNKNOWN);
            (name.to_owned(), if unknown { Value::UNKNOWN } else { self.guard(Value::String(text)) })
        }));
        if let Some(wanted) = &self.desired.usage_plan {
            let known =
                state.usage_plan.as_ref().filter(|plan| wanted.clients.iter().all(|name| plan.keys.contains_key(name)));
            outputs.extend(keys(known.map(|plan| plan.only(&wanted.clients)).as_ref()));
        }
        if let Some(wanted) = &self.desired.domain {
            let target = self.domain_target(state.domain.as_ref().filter(|domain| domain.name == wanted.name));
            outputs.insert(DOMAIN_TARGET.to_owned(), target.unwrap_or(Value::UNKNOWN));
        }
        outputs
    }

    /// The outputs of what is there. What is missing after a failure is left out.
    pub fn actual(&self) -> Object {
        let state = self.state.rooted();
        let role_arn = state.role.as_ref().map_or(UNKNOWN, |role| &role.arn);
        let api = state.rest_api.as_ref().map_or(UNKNOWN, |api| &api.id);
        let deployment = state.stage.as_ref().map_or(UNKNOWN, |stage| &stage.deployment_id);
        let mut texts = self.texts(role_arn, api, deployment);
        texts.retain(|(name, text)| {
            let there = match *name {
                "bucketName" | "bucketArn" => state.bucket.is_some(),
                "roleName" => state.role.is_some(),
                "logGroupArn" => state.log_group.is_some(),
                "stageArn" => state.stage.is_some(),
                "invokeUrl" => state.stage.is_some() && (self.desired.domain.is_none() || state.domain.is_some()),
                "openApiDocument" => state.definition.is_some(),
                _ => true,
            };
            there && !text.contains(UNKNOWN)
        });
        let mut outputs = self.inputs();
        outputs.extend(texts.into_iter().map(|(name, text)| (name.to_owned(), self.guard(Value::String(text)))));
        if let Some(plan) = &state.usage_plan {
            outputs.extend(keys(Some(plan)));
        }
        outputs.extend(self.domain_target(state.domain.as_ref()).map(|target| (DOMAIN_TARGET.to_owned(), target)));
        outputs.insert(state::KEY.to_owned(), self.guard(Value::from(self.state.to_json())));
        outputs
    }

    /// The inputs, with the mount path also where they leave it to the resource's name.
    fn inputs(&self) -> Object {
        let mut inputs = self.inputs.clone();
        if inputs.get("path").is_none_or(|path| *path.bare() == Value::Null) {
            inputs.insert("path".to_owned(), Value::String(self.desired.definition.api.mount.clone()));
        }
        inputs
    }

    fn texts(&self, role_arn: &str, api: &str, deployment: &str) -> Vec<(&'static str, String)> {
        let desired = self.desired;
        let partition = desired.partition;
        let account = role_arn.split(':').nth(4).unwrap_or(UNKNOWN);
        let stage = &desired.stage.name;
        let invoke_url = match &desired.domain {
            Some(domain) => self.mounted(domain.url()),
            None => self.own_url(api),
        };
        let management_arn = rest_api::arn(&desired.region, api);
        let mut texts = vec![
            ("invokeUrl", invoke_url),
            ("bucketName", desired.bucket.name.clone()),
            ("bucketArn", bucket::arn(partition, &desired.bucket.name)),
            ("roleName", desired.role.name.clone()),
            ("roleArn", role_arn.to_owned()),
            ("restApiId", api.to_owned()),
            ("executionArn", format!("arn:{}:execute-api:{}:{account}:{api}", partition.name, desired.region)),
            ("stageArn", format!("{management_arn}/stages/{stage}")),
            ("deploymentId", deployment.to_owned()),
            ("openApiDocument", desired.definition.document(role_arn)),
        ];
        texts.extend(
            desired
                .log_group
                .as_ref()
                .map(|group| ("logGroupArn", log_group::arn(partition, &desired.region, account, &group.name))),
        );
        texts
    }

    /// The URL that API Gateway gives, with the mount path: the invoke URL where there is no domain name.
    fn own_url(&self, api: &str) -> String {
        // The name of a VPC endpoint leads to it from every network that reaches the endpoint, also without private DNS names.
        // Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-api-test-invoke-url.html
        let base = match self.desired.rest_api.endpoint.vpc_endpoint_ids.first() {
            Some(id) => {
                self.execute_api_url.replace("{restApiId}.execute-api.", &format!("{{restApiId}}-{id}.execute-api."))
            }
            None => self.execute_api_url.to_owned(),
        };
        self.mounted(base.replace("{restApiId}", api).replace("{stage}", &self.desired.stage.name))
    }

    /// A stage's URL with the mount path.
    fn mounted(&self, stage_url: String) -> String {
        match self.desired.definition.api.mount.as_str() {
            "/" => stage_url,
            mount => format!("{stage_url}/{mount}"),
        }
    }

    /// The URL to probe. The DNS record of a domain name is yet to be made.
    pub fn probe_url(&self) -> Option<String> {
        self.state.stage.as_ref()?;
        Some(self.own_url(&self.state.rest_api.as_ref()?.id))
    }

    /// What the DNS record of a domain name leads to, where it has the endpoint that is wanted.
    fn domain_target(&self, domain: Option<&domain::State>) -> Option<Value> {
        let DomainTarget { name, hosted_zone_id } = &domain?.endpoint(self.desired.domain.as_ref()?.kind)?.target;
        let parts = [("name", name), ("hostedZoneId", hosted_zone_id)];
        let target = parts.map(|(part, text)| (part.to_owned(), Value::String(text.clone())));
        Some(self.guard(Value::Object(target.into_iter().collect())))
    }

    /// A value made from a secret is a secret.
    fn guard(&self, value: Value) -> Value {
        guarded(value, &[self.read.secrets.as_slice(), &self.state.secrets()].concat())
    }
}

/// The outputs about API keys; unknown where the plan is still to come.
fn keys(plan: Option<&usage_plan::State>) -> [(String, Value); 2] {
    let by_client = |part: fn(&usage_plan::Key) -> &String| {
        let told = |plan: &usage_plan::State| {
            let keys = plan.keys.iter().map(|(client, key)| (client.clone(), Value::String(part(key).clone())));
            Value::Object(keys.collect())
        };
        plan.map_or(Value::UNKNOWN, told)
    };
    [
        ("apiKeyIds".to_owned(), by_client(|key| &key.id)),
        ("apiKeyValues".to_owned(), by_client(|key| &key.value).into_secret()),
    ]
}

/// A value, as a secret if it holds one of these texts.
pub fn guarded(value: Value, secrets: &[String]) -> Value {
    let tainted = secrets.iter().any(|secret| holds(&value, secret));
    if tainted { value.into_secret() } else { value }
}

fn holds(value: &Value, secret: &str) -> bool {
    match value.bare() {
        // In JSON text, quotes and line breaks of the secret look different.
        Value::String(text) => {
            let escaped = serde_json::Value::from(secret).to_string();
            text.contains(secret) || text.contains(escaped.trim_matches('"'))
        }
        Value::Array(items) => items.iter().any(|item| holds(item, secret)),
        Value::Object(object) => object.iter().any(|(key, value)| key.contains(secret) || holds(value, secret)),
        _ => false,
    }
}

/// Inputs with what a refresh found to differ: description and tags as they are, so that the difference shows as one of
/// the user's properties and `ignoreChanges` can keep it.
pub fn drifted(inputs: &Object, read: &Read<Inputs>, state: &State) -> Object {
    let mut inputs = inputs.clone();
    let secret_like = |old: Option<&Value>, new: Value| match old {
        Some(old) if old.has_secret() => new.into_secret(),
        _ => new,
    };
    if let Some(definition) = &state.definition
        && definition.description != read.typed.description.clone().filter(|text| !text.is_empty())
    {
        let old = inputs.remove("description");
        if let Some(text) = &definition.description {
            inputs.insert("description".to_owned(), secret_like(old.as_ref(), Value::String(text.clone())));
        }
    }
    let tagged = [
        state.bucket.as_ref().filter(|piece| !piece.existing).map(|piece| &piece.tags),
        state.role.as_ref().filter(|piece| !piece.existing).map(|piece| &piece.tags),
        state.rest_api.as_ref().map(|piece| &piece.tags),
        state.log_group.as_ref().map(|piece| &piece.tags),
        state.stage.as_ref().map(|piece| &piece.tags),
        state.usage_plan.as_ref().map(|piece| &piece.tags),
        state.domain.as_ref().map(|piece| &piece.tags),
    ];
    for (key, value) in read.typed.tags.iter().flatten() {
        let odd = tagged.iter().flatten().find(|tags| tags.get(key) != Some(value));
        let (Some(odd), Some(tags)) = (odd, inputs.get_mut("tags")) else { continue };
        let Some(tags) = object_mut(tags) else { continue };
        let old = tags.remove(key);
        if let Some(now) = odd.get(key) {
            tags.insert(key.clone(), secret_like(old.as_ref(), Value::String(now.clone())));
        }
    }
    inputs
}

fn object_mut(value: &mut Value) -> Option<&mut Object> {
    match value {
        Value::Secret(inner) => object_mut(inner),
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Whether anything happens to any piece that is on the way from the URL to the bucket.
pub fn touches_the_way(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.piece != Piece::Bucket && step.action != Action::Same)
        || plan.action(Piece::Bucket) == Action::Create
}

#[cfg(test)]
mod tests;
