//! Stages and deployments that a lost run made, and nobody recorded.

use std::collections::BTreeMap;

use aws_sdk_apigateway::error::ProvideErrorMetadata;

use super::owner;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::error::Error;
use crate::pieces::log_group;
use crate::pieces::stage::UNHEARD;
use crate::state::State;

/// What a life of the resource has in its REST API, as the descriptions tell.
#[derive(Default)]
pub struct Found {
    /// Its stages by their names, with the deployments that they serve.
    stages: BTreeMap<String, String>,
    /// The ids of its deployments.
    deployments: Vec<String>,
    /// The ids of deployments that stages of others serve.
    lent: Vec<String>,
}

/// Looks for stages and deployments of this owner.
pub async fn look(aws: &Clients, api: &str, owner: &str) -> Result<Found, Error> {
    let doing = format!("read the stages and deployments of the REST API `{api}`");
    let note = owner::note(owner);
    let (stages, deployments) = tokio::try_join!(
        async {
            let answer = aws.apigateway.get_stages().rest_api_id(api).send().await;
            let answer = answer.map_err(|error| aws.explain(Call(ApiGateway, "GetStages", &doing), error))?;
            Ok(answer.item.unwrap_or_default())
        },
        super::noted(aws, api, &note, &doing),
    )?;
    let (ours, others): (Vec<_>, Vec<_>) = stages.into_iter().partition(|stage| stage.description() == Some(&note));
    Ok(Found {
        stages: ours.into_iter().filter_map(|stage| Some((stage.stage_name?, stage.deployment_id?))).collect(),
        deployments,
        lent: others.into_iter().filter_map(|stage| stage.deployment_id).collect(),
    })
}

/// The logs that API Gateway may have begun for the stage that is recorded, and for those that a lost run made.
pub async fn logs(aws: &Clients, api: &str, recorded: Option<&str>, owner: &str) -> Result<Vec<String>, Error> {
    let doing = format!("read the stages of the REST API `{api}`");
    let answer = aws.apigateway.get_stages().rest_api_id(api).send().await;
    let stages = match answer {
        Ok(answer) => answer.item.unwrap_or_default(),
        Err(error) if error.code() == Some("NotFoundException") => Vec::new(),
        Err(error) => return Err(aws.explain(Call(ApiGateway, "GetStages", &doing), error)),
    };
    let note = owner::note(owner);
    let ours = stages.iter().filter(|stage| stage.stage_name() == recorded || stage.description() == Some(&note));
    let noting = ours.filter(|stage| {
        let methods = stage.method_settings().and_then(|settings| settings.get("*/*"));
        methods.and_then(|methods| methods.logging_level()).is_some_and(|level| level != "OFF")
    });
    Ok(noting.filter_map(|stage| Some(log_group::of_execution(api, stage.stage_name()?))).collect())
}

impl Found {
    /// Writes down what the state does not know, as left over. A stage of the name that is `wanted` is not: where none is
    /// on record, the next update takes that over.
    pub fn add_to(&self, state: &mut State, wanted: &str) {
        if let Some(stage) = &mut state.stage
            && stage.digest.is_empty()
            && self.deployments.contains(&stage.deployment_id)
        {
            stage.digest = UNHEARD.to_owned();
        }
        let (name, deployment) = match &state.stage {
            Some(stage) => (stage.name.as_str(), Some(&stage.deployment_id)),
            None => (wanted, self.stages.get(wanted)),
        };
        let left = &mut state.leftovers;
        let stages: Vec<&String> =
            self.stages.keys().filter(|other| *other != name && !left.stages.contains(other)).collect();
        left.stages.extend(stages.into_iter().cloned());
        let in_use = |id: &String| Some(id) == deployment || self.lent.contains(id);
        let deployments: Vec<&String> =
            self.deployments.iter().filter(|id| !in_use(id) && !left.deployments.contains(id)).collect();
        left.deployments.extend(deployments.into_iter().cloned());
    }
}
