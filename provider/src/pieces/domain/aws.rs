//! The custom domain name at Amazon API Gateway.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_apigateway::config;
use aws_sdk_apigateway::error::ProvideErrorMetadata;
use aws_sdk_apigateway::types::{
    BasePathMapping, DomainName, DomainNameStatus, EndpointConfiguration, EndpointType as Types, IpAddressType, Op,
    PatchOperation, SecurityPolicy as Policy,
};
use s3dataproxy_schema::{DomainSecurityPolicy, DomainTarget, EndpointType};

use super::patches::{self, Patch};
use super::{Desired, Endpoint, Mapping, Replaced, State, arn};
use crate::apply::Run;
use crate::aws::error::{Call, Service::ApiGateway};
use crate::aws::{Clients, OnlyRefusals};
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::pieces::Piece;
use crate::pieces::rest_api::{aws::retag, ip_address_type};
use crate::pieces::stage::aws::tidy;
use crate::plan::Action;

/// The code for what is not there.
const GONE: &str = "NotFoundException";

/// How long to wait between looks at a change that API Gateway has under way.
const PAUSE: Duration = Duration::from_secs(2);

/// How often to look: for an hour and a half. AWS says that an edge-optimized name takes up to 40 minutes.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-edge-optimized-custom-domain-name.html>
const LOOKS: usize = 2700;

/// How often UpdateDomainName is tried when no answer came and nothing was changed.
const ATTEMPTS: usize = 3;

/// Makes, changes or deletes the domain name with its mapping.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => return Ok(()),
        Action::Create | Action::Update => bring(run).await?,
        Action::Delete => delete(run).await?,
    }
    // A stage that was replaced goes only now, when no name leads to it any more.
    let api = run.state().rest_api.as_ref().map(|api| api.id.clone());
    match api {
        Some(api) if run.desired.is_some() => tidy(run, &api).await,
        _ => Ok(()),
    }
}

/// The domain name as it is; none if it is not there. Of its tags, those in `ours`; of its mappings, the one to `api`, or
/// what else is at `base_path`.
pub async fn observe(
    aws: &Clients,
    name: &str,
    ours: &Tags,
    base_path: &str,
    api: &str,
) -> Result<Option<State>, Error> {
    let (domain, mappings) = tokio::try_join!(get(aws, name), mappings(aws, name))?;
    let Some(domain) = domain else { return Ok(None) };
    let mut state = state(&domain, ours);
    let is_ours = |mapping: &&Mapping| mapping.api == api;
    let is_there = |mapping: &&Mapping| mapping.base_path == base_path;
    let found = mappings.iter().find(|mapping| is_ours(mapping) && is_there(mapping));
    state.mapping = found.or(mappings.iter().find(is_ours)).or(mappings.iter().find(is_there)).cloned();
    Ok(Some(state))
}

/// All tags of a domain name; none if it is not there.
pub async fn tags_of(aws: &Clients, name: &str) -> Result<Option<Tags>, Error> {
    Ok(get(aws, name).await?.map(|domain| all_tags(&domain)))
}

/// The name, with all of its tags, of each custom domain name.
pub async fn all(aws: &Clients, doing: &str) -> Result<Vec<(String, Tags)>, Error> {
    let mut found = Vec::new();
    let mut pages = aws.apigateway.get_domain_names().limit(500).into_paginator().items().send();
    while let Some(domain) = pages.next().await {
        let domain = domain.map_err(|error| aws.explain(Call(ApiGateway, "GetDomainNames", doing), error))?;
        let tags = all_tags(&domain);
        found.push((domain.domain_name.unwrap_or_default(), tags));
    }
    Ok(found)
}

fn all_tags(domain: &DomainName) -> Tags {
    domain.tags.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The state behind an answer, without the mapping.
fn state(domain: &DomainName, ours: &Tags) -> State {
    let mut tags = all_tags(domain);
    tags.retain(|key, _| ours.contains_key(key));
    let endpoint = |kind: &Types| {
        let edge = *kind == Types::Edge;
        let pick = |of_edge: &Option<String>, regional: &Option<String>| {
            (if edge { of_edge } else { regional }).clone().unwrap_or_default()
        };
        Endpoint {
            kind: if edge { EndpointType::Edge } else { EndpointType::Regional },
            certificate_arn: pick(&domain.certificate_arn, &domain.regional_certificate_arn),
            target: DomainTarget {
                name: pick(&domain.distribution_domain_name, &domain.regional_domain_name),
                hosted_zone_id: pick(&domain.distribution_hosted_zone_id, &domain.regional_hosted_zone_id),
            },
        }
    };
    State {
        name: domain.domain_name.clone().unwrap_or_default(),
        endpoints: domain
            .endpoint_configuration()
            .map(|told| told.types())
            .unwrap_or_default()
            .iter()
            .map(endpoint)
            .collect(),
        dual_stack: domain.endpoint_configuration().and_then(EndpointConfiguration::ip_address_type)
            == Some(&IpAddressType::Dualstack),
        security_policy: match domain.security_policy() {
            Some(Policy::Tls12) => Some(DomainSecurityPolicy::Tls12),
            Some(Policy::Tls10) => Some(DomainSecurityPolicy::Tls10),
            _ => None,
        },
        mapping: None,
        tags,
        replaced: Vec::new(),
    }
}

/// The same fields of the answers that have them.
macro_rules! domain {
    ($answer:expr) => {{
        let answer = $answer;
        DomainName::builder()
            .set_domain_name(answer.domain_name)
            .set_certificate_arn(answer.certificate_arn)
            .set_regional_certificate_arn(answer.regional_certificate_arn)
            .set_regional_domain_name(answer.regional_domain_name)
            .set_regional_hosted_zone_id(answer.regional_hosted_zone_id)
            .set_distribution_domain_name(answer.distribution_domain_name)
            .set_distribution_hosted_zone_id(answer.distribution_hosted_zone_id)
            .set_endpoint_configuration(answer.endpoint_configuration)
            .set_domain_name_status(answer.domain_name_status)
            .set_domain_name_status_message(answer.domain_name_status_message)
            .set_security_policy(answer.security_policy)
            .set_tags(answer.tags)
            .build()
    }};
}

async fn get(aws: &Clients, name: &str) -> Result<Option<DomainName>, Error> {
    let doing = format!("read the domain name `{name}`");
    match aws.apigateway.get_domain_name().domain_name(name).send().await {
        Ok(answer) => Ok(Some(domain!(answer))),
        Err(error) if error.code() == Some(GONE) => Ok(None),
        Err(error) => Err(aws.explain(Call(ApiGateway, "GetDomainName", &doing), error)),
    }
}

/// Where a domain name leads; nowhere if it is not there.
async fn mappings(aws: &Clients, name: &str) -> Result<Vec<Mapping>, Error> {
    let doing = format!("read the base path mappings of the domain name `{name}`");
    let mut found = Vec::new();
    let mut pages =
        aws.apigateway.get_base_path_mappings().domain_name(name).limit(500).into_paginator().items().send();
    while let Some(mapping) = pages.next().await {
        match mapping {
            Ok(BasePathMapping { base_path, rest_api_id, stage, .. }) => found.push(Mapping {
                base_path: patches::heard(&base_path.unwrap_or_default()).to_owned(),
                api: rest_api_id.unwrap_or_default(),
                stage: stage.unwrap_or_default(),
            }),
            Err(error) if error.code() == Some(GONE) => return Ok(Vec::new()),
            Err(error) => return Err(aws.explain(Call(ApiGateway, "GetBasePathMappings", &doing), error)),
        }
    }
    Ok(found)
}

fn desired(run: &Run) -> &Desired {
    run.desired().domain.as_ref().expect("a domain name is made or changed only where one is wanted")
}

/// Brings the name to what it should be, and lets what it has replaced go last.
async fn bring(run: &Run) -> Result<(), Error> {
    let desired = desired(run);
    let doing = format!("set up the domain name `{}`", desired.name);
    let known = run.state().domain.as_ref().is_some_and(|domain| domain.name == desired.name);
    let made = if known { None } else { create(run, desired).await? };
    // A run that was lost may have added or removed an endpoint already, or API Gateway still be at it.
    let moves = |old: &State| patches::domain(old, desired).iter().flatten().any(|(op, ..)| *op != "replace");
    if known && moves(&run.state().domain.clone().unwrap_or_default()) {
        let seen = run.stop.look(&doing, get(&run.aws, &desired.name)).await?;
        if let Some(seen) = seen {
            note(run, &seen);
            // What failed is tried again.
            if under_way(&seen) {
                settle(run, seen, &doing).await?;
            }
        }
    }
    let old = run.state().domain.clone().unwrap_or_default();
    for patches in patches::domain(&old, desired) {
        update(run, desired, patches, &doing).await?;
    }
    retag(run, &arn(&run.aws.region, &desired.name), &old.tags, &desired.tags, &doing).await?;
    run.state().domain.get_or_insert_default().tags = desired.tags.clone();
    lead(run, desired).await?;
    // A new one can be told where it leads while it spreads.
    if let Some(made) = made {
        settle(run, made, &doing).await?;
    }
    let replaced = run.state().domain.clone().unwrap_or_default().replaced;
    for Replaced { name, base_path } in replaced {
        drop_mapping(run, &name, base_path).await?;
        drop_name(run, &name).await?;
        run.state().domain.get_or_insert_default().replaced.retain(|other| other.name != name);
    }
    Ok(())
}

/// Makes the domain name and tells API Gateway's answer, or takes over what an earlier run of this resource made. There is
/// one of a name in a Region, so a try that is repeated makes no second one.
async fn create(run: &Run, desired: &Desired) -> Result<Option<DomainName>, Error> {
    let doing = format!("create the domain name `{}`", desired.name);
    run.check(&doing)?;
    (run.progress)(&format!("creating domain name {}", desired.name));
    let edge = desired.kind == EndpointType::Edge;
    let certificate = Some(desired.certificate_arn.clone());
    let kind = EndpointConfiguration::builder().types(patches::kind(desired.kind).into());
    let kind = kind.ip_address_type(ip_address_type(desired.dual_stack).into()).build();
    let request = run.aws.apigateway.create_domain_name().domain_name(&desired.name).endpoint_configuration(kind);
    let request = request.set_certificate_arn(certificate.clone().filter(|_| edge));
    let request = request.set_regional_certificate_arn(certificate.filter(|_| !edge));
    let request = request.security_policy(patches::policy(desired.security_policy).into());
    let request = request.set_tags(Some(desired.tags.clone().into_iter().collect()));
    let (found, made) = match request.send().await {
        Ok(answer) => {
            let made = domain!(answer);
            (State { tags: desired.tags.clone(), ..state(&made, &desired.tags) }, Some(made))
        }
        Err(error) => {
            let error = run.aws.explain(Call(ApiGateway, "CreateDomainName", &doing), error);
            if !matches!(error.kind, Kind::Invalid) {
                return Err(error);
            }
            // One that is there may be a first try's whose answer was lost, until a look has told.
            let api = run.state().rest_api.as_ref().map(|api| api.id.clone()).unwrap_or_default();
            let look = observe(&run.aws, &desired.name, &desired.tags, &desired.base_path, &api);
            let found = run.stop.look(&doing, look).await;
            let found = found.inspect_err(|_| run.lost.store(true, Ordering::Relaxed))?;
            let Some(found) = found else { return Err(error) };
            run.claim(Piece::Domain, &found.tags, &doing).await?;
            (found, None)
        }
    };
    let mut state = run.state();
    state.domain = Some(found.in_place_of(state.domain.take()));
    Ok(made)
}

/// Changes the name, and waits until API Gateway has done it: the next change would be refused.
///
/// Nothing is on record about an endpoint that is added or removed twice, so a call without an answer is not repeated
/// before looking at what it has done.
async fn update(run: &Run, desired: &Desired, patches: Vec<Patch>, doing: &str) -> Result<(), Error> {
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        if let Some(lost) = &lost {
            let seen = run.stop.look(doing, get(&run.aws, &desired.name)).await.map_err(|_| Error::clone(lost))?;
            let seen = seen.ok_or_else(|| Error::clone(lost))?;
            if patches::domain(&state(&seen, &Tags::new()), desired).first() != Some(&patches) {
                note(run, &seen);
                return settle(run, seen, doing).await;
            }
        }
        run.check(doing)?;
        (run.progress)(&format!("changing domain name {}", desired.name));
        let request = run.aws.apigateway.update_domain_name().domain_name(&desired.name);
        let request = request.set_patch_operations(Some(operations(patches.clone())));
        let only_refusals = config::Builder::new().retry_classifier(OnlyRefusals);
        let error = match request.customize().config_override(only_refusals).send().await {
            Ok(answer) => {
                let seen = domain!(answer);
                note(run, &seen);
                return settle(run, seen, doing).await;
            }
            Err(error) => run.aws.explain(Call(ApiGateway, "UpdateDomainName", doing), error),
        };
        match error.kind {
            Kind::Unreachable | Kind::Unanswered | Kind::Faulty => lost = Some(error),
            _ => return Err(error),
        }
    }
    Err(lost.unwrap_or_else(|| Error::new(Kind::Other, doing, "it was not tried")))
}

/// Records what a name has become.
fn note(run: &Run, seen: &DomainName) {
    let seen = state(seen, &Tags::new());
    let mut state = run.state();
    let domain = state.domain.get_or_insert_default();
    domain.endpoints = seen.endpoints;
    (domain.dual_stack, domain.security_policy) = (seen.dual_stack, seen.security_policy);
}

fn operations(patches: Vec<Patch>) -> Vec<PatchOperation> {
    let operation =
        |(op, path, value): Patch| PatchOperation::builder().op(Op::from(op)).path(path).value(value).build();
    patches.into_iter().map(operation).collect()
}

fn under_way(seen: &DomainName) -> bool {
    matches!(seen.domain_name_status(), Some(DomainNameStatus::Updating | DomainNameStatus::Pending))
}

/// Waits until API Gateway has done what it was told.
async fn settle(run: &Run, mut seen: DomainName, doing: &str) -> Result<(), Error> {
    let name = seen.domain_name.clone().unwrap_or_default();
    for _ in 0..LOOKS {
        match seen.domain_name_status() {
            _ if under_way(&seen) => {}
            None | Some(DomainNameStatus::Available) => return Ok(()),
            Some(other) => {
                let words = seen.domain_name_status_message().unwrap_or("API Gateway does not say why");
                return Err(Error::new(Kind::Invalid, doing, format!("its status is {}: {words}", other.as_str()))
                    .hint("check the certificate of `domain.certificateArn`"));
            }
        }
        run.check(doing)?;
        tokio::time::sleep(PAUSE).await;
        let Some(now) = get(&run.aws, &name).await? else { return Ok(()) };
        seen = now;
    }
    Err(Error::new(Kind::Other, doing, "API Gateway has still not finished after an hour and a half")
        .hint("run `pulumi up` again when its status in the AWS console is `Available`"))
}

/// Lets the name lead to the stage.
async fn lead(run: &Run, desired: &Desired) -> Result<(), Error> {
    let (name, doing) = (&desired.name, format!("map the domain name `{}` to the stage", desired.name));
    let api = run.state().rest_api.as_ref().map(|api| api.id.clone()).unwrap_or_default();
    let wanted = Mapping { base_path: desired.base_path.clone(), api, stage: desired.stage.clone() };
    let old = run.state().domain.clone().and_then(|domain| domain.mapping);
    let done = match &old {
        Some(old) if *old == wanted => return Ok(()),
        Some(old) => {
            run.check(&doing)?;
            let request = run.aws.apigateway.update_base_path_mapping().domain_name(name);
            let request = request.base_path(patches::told(&old.base_path));
            let request = request.set_patch_operations(Some(operations(patches::mapping(old, &wanted))));
            let answer = request.send().await.map(drop);
            answer.map_err(|error| run.aws.explain(Call(ApiGateway, "UpdateBasePathMapping", &doing), error))
        }
        None => {
            run.check(&doing)?;
            let request = run.aws.apigateway.create_base_path_mapping().domain_name(name);
            let request = request.rest_api_id(&wanted.api).stage(&wanted.stage);
            let request = request.set_base_path(Some(wanted.base_path.clone()).filter(|path| !path.is_empty()));
            let answer = request.send().await.map(drop);
            answer.map_err(|error| run.aws.explain(Call(ApiGateway, "CreateBasePathMapping", &doing), error))
        }
    };
    if let Err(error) = done {
        // A first try may have taken effect and its answer been lost.
        let there = match error.kind {
            Kind::NotFound | Kind::Invalid => mappings(&run.aws, name).await?.contains(&wanted),
            _ => false,
        };
        if !there {
            return Err(error);
        }
    }
    run.state().domain.get_or_insert_default().mapping = Some(wanted);
    Ok(())
}

/// Deletes the mapping, without which a REST API cannot go, then the name.
async fn delete(run: &Run) -> Result<(), Error> {
    let Some(domain) = run.state().domain.clone() else { return Ok(()) };
    drop_mapping(run, &domain.name, domain.mapping.map(|mapping| mapping.base_path)).await?;
    run.state().domain.get_or_insert_default().mapping = None;
    drop_name(run, &domain.name).await?;
    for Replaced { name, base_path } in domain.replaced {
        drop_mapping(run, &name, base_path).await?;
        drop_name(run, &name).await?;
    }
    run.state().domain = None;
    Ok(())
}

async fn drop_mapping(run: &Run, name: &str, base_path: Option<String>) -> Result<(), Error> {
    let Some(base_path) = base_path else { return Ok(()) };
    let doing = format!("delete the base path mapping of the domain name `{name}`");
    run.check(&doing)?;
    let request = run.aws.apigateway.delete_base_path_mapping().domain_name(name);
    match request.base_path(patches::told(&base_path)).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(GONE) => Ok(()),
        Err(error) => Err(run.aws.explain(Call(ApiGateway, "DeleteBasePathMapping", &doing), error)),
    }
}

async fn drop_name(run: &Run, name: &str) -> Result<(), Error> {
    let doing = format!("delete the domain name `{name}`");
    run.check(&doing)?;
    match run.aws.apigateway.delete_domain_name().domain_name(name).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(GONE) => Ok(()),
        Err(error) => Err(run.aws.explain(Call(ApiGateway, "DeleteDomainName", &doing), error)),
    }
}
