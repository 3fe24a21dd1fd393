//! Stages and deployments that a lost run made, and nobody recorded.

use std::collections::BTreeMap;

use super::owner;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::error::Error;
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
