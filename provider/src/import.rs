//! From a REST API's id to inputs and state, for `pulumi import` and `.get()`.
//!
//! The API tells everything: its integration names the bucket and the role. The inputs are minimal (what equals a
//! default is left out), and planning with them finds nothing to do. In an API with our owner tag, what was changed by
//! hand is drift, for the next update to repair. One without it was made elsewhere: it has to be what we would make, as
//! nobody asked for changes, and its bucket, role and logs are only used.

use s3dataproxy_schema::{
    AccessLog, Authorization, Domain, DomainSecurityPolicy, Endpoint, EndpointType, ExecutionLog, Inputs,
    IpAddressType, LogLevel, Quota,
};
use serde_json::{Map, Value as Json, json};

use crate::aws::Clients;
use crate::desired::{Desired, Place, Tags};
use crate::error::{Error, Kind};
use crate::inputs;
use crate::names;
use crate::owner;
use crate::pieces::definition::openapi::{Auth, access, auth, cors};
use crate::pieces::definition::routes::Routes;
use crate::pieces::usage_plan::aws::Known;
use crate::pieces::{Piece, bucket, definition, domain, log_group, rest_api, role, role_policy, stage, usage_plan};
use crate::plan::{Action, plan};
use crate::rules;
use crate::state::{State, VERSION};
use crate::value::{Object, Value};

/// What an import found.
pub struct Import {
    /// The inputs that lead to it.
    pub inputs: Object,
    /// The pieces.
    pub state: State,
}

/// Finds a REST API by `ID`, `ID/STAGE`, or the name that a resource of ours has. `None` if there is none.
pub async fn import(aws: &Clients, id: &str, place: &Place) -> Result<Option<Import>, Error> {
    let (api_id, stage_name) = match id.split_once('/') {
        Some((api, stage)) => (api, Some(stage)),
        None => (id, None),
    };
    let api = match rest_api::aws::get(aws, api_id).await? {
        Some(api) => api,
        None => match rest_api::aws::find_by_name(aws, api_id).await? {
            Some(api) => api,
            None => return Ok(None),
        },
    };
    let api_id = api.id.clone().unwrap_or_default();
    let (content, stages) = tokio::try_join!(definition::aws::content(aws, &api_id), stage::aws::names(aws, &api_id))?;
    let name = api.name.clone().unwrap_or_default();
    let mut misfits = Vec::new();
    if let Some(problem) = names::bucket_problem(&name) {
        misfits.push(format!("its name `{name}` cannot be the base of the other names: {problem}"));
    }
    let stage_name = pick_stage(&api_id, stage_name, &stages).map_err(|reason| misfits.push(reason)).ok();
    let Some(shape) = Shape::of(&content.routes, &mut misfits) else { return Err(refused(&api_id, &misfits)) };
    let role_name = shape.role_arn.rsplit('/').next().unwrap_or_default().to_owned();

    // Which tags are ours is not on record: all that the API has, which every other piece then has to have too.
    let tags: Tags = api.tags.clone().unwrap_or_default().into_iter().collect();
    let unmarked = !tags.contains_key(owner::TAG);
    let mut users = tags.clone();
    users.retain(|key, value| key != owner::TAG && place.default_tags.get(key) != Some(value));

    let (bucket, role, role_policy, stage) = tokio::try_join!(
        look_at_bucket(aws, &shape, &tags),
        look_at_role(aws, &shape.role_arn, &name, &tags),
        async {
            // In a role made elsewhere there is none of ours.
            if role_name == name { role_policy::aws::observe(aws, &role_name).await } else { Ok(None) }
        },
        async {
            match &stage_name {
                Some(stage) => stage::aws::get(aws, &api_id, stage).await,
                None => Ok(None),
            }
        },
    )?;
    if unmarked && bucket.is_none() {
        misfits.push(format!("its bucket `{}` is not there", shape.bucket));
    }
    if unmarked && role.is_none() {
        misfits.push(format!("its role `{role_name}` is not there"));
    }
    let stage = stage.map(|seen| {
        let deployment_id = stage::aws::deployment(&seen);
        // AWS WAF Classic is none of ours.
        let web_acl = stage::aws::web_acl(&seen).filter(|arn| arn.contains(":wafv2:"));
        let settings = stage::Settings { web_acl, ..stage::Settings::default() };
        stage::aws::state(
            &seen,
            &stage::State { deployment_id, tags: tags.clone(), settings, ..stage::State::default() },
        )
    });

    let log_group = match stage.as_ref().and_then(|stage| stage.settings.access_log.as_ref()) {
        Some(log) => look_at_log_group(aws, &name, &log.destination, &tags).await?,
        None => None,
    };
    let usage_plan = match &stage_name {
        Some(stage) if shape.keys => {
            let link = usage_plan::link(&api_id, stage);
            look_at_usage_plan(aws, &api_id, &link, &name, &tags, &mut misfits).await?
        }
        _ => None,
    };

    let domain = look_at_domain(aws, &api_id, &tags).await?;

    let existing = bucket.as_ref().is_some_and(|bucket| bucket.existing);
    let mut json = Map::new();
    json.insert("name".to_owned(), name.clone().into());
    if shape.mount != place.default_path {
        json.insert("path".to_owned(), shape.mount.clone().into());
    }
    let named = stage_name.clone().unwrap_or_else(|| stage::NAME.to_owned());
    json.extend(stage_name.filter(|stage| stage != stage::NAME).map(|stage| ("stageName".to_owned(), stage.into())));
    json.extend(shape.auth.clone());
    let auth = serde_json::from_value(shape.auth.clone().into()).map(|inputs| Auth::of(&inputs)).unwrap_or_default();
    let cors = cors::of_routes(&content.routes, &auth, bucket.as_ref().and_then(|bucket| bucket.cors.as_ref()));
    let endpoint = rest_api::aws::state(&api, &tags).endpoint;
    let private = endpoint.kind == EndpointType::Private;
    let security_policy = endpoint.security_policy.as_ref().and_then(|name| {
        let known = serde_json::from_value(name.as_str().into()).ok();
        if known.is_none() {
            misfits.push(format!("its security policy `{name}` is none that this version of the plugin knows"));
        }
        known
    });
    let told = Endpoint {
        kind: Some(endpoint.kind).filter(|kind| *kind != EndpointType::default()),
        vpc_endpoint_ids: Some(endpoint.vpc_endpoint_ids.clone()).filter(|ids| !ids.is_empty()),
        ip_address_type: (endpoint.dual_stack && !private).then_some(IpAddressType::DualStack),
        disable_execute_api: api.disable_execute_api_endpoint.then_some(true),
        security_policy,
    };
    if told != Endpoint::default() {
        json.insert("endpoint".to_owned(), json!(told));
    }
    let led =
        domain.as_ref().and_then(|domain| Some((domain, domain.endpoint(endpoint.kind)?, domain.mapping.as_ref()?)));
    if let Some((domain, own, mapping)) = led {
        let told = Domain {
            name: domain.name.clone(),
            certificate_arn: own.certificate_arn.clone(),
            base_path: Some(mapping.base_path.clone()).filter(|path| !path.is_empty()),
            security_policy: domain.security_policy.filter(|policy| *policy != DomainSecurityPolicy::default()),
        };
        json.insert("domain".to_owned(), json!(told));
    }
    if let Some(policy) = definition::aws::resource_policy(&api) {
        let who: Inputs = serde_json::from_value(shape.auth.clone().into()).unwrap_or_default();
        let preflights = cors.as_ref().map(|_| named.as_str());
        let access = access::inputs_of(&policy, &Auth::of(&who), preflights, private);
        json.extend(access.policy.map(|policy| ("policy".to_owned(), policy.into())));
        let ranges = Some(access.ip_ranges).filter(|ranges| !ranges.is_empty());
        json.extend(ranges.map(|ranges| ("allowedIpRanges".to_owned(), ranges.into())));
    }
    if let Some(stage) = &stage {
        json.extend(stage.settings.throttle.as_ref().map(|throttle| ("throttle".to_owned(), json!(throttle))));
        json.extend(stage.settings.metrics.then(|| ("metricsEnabled".to_owned(), true.into())));
        json.extend(stage.settings.tracing.then(|| ("tracingEnabled".to_owned(), true.into())));
        json.extend(stage.settings.web_acl.clone().map(|arn| ("webAclArn".to_owned(), arn.into())));
        json.extend(stage.settings.cache.as_ref().map(|cache| ("cache".to_owned(), json!(cache.inputs()))));
        let notes = stage.settings.notes.as_ref().map(|notes| ExecutionLog {
            level: Some(notes.level).filter(|level| *level != LogLevel::default()),
            data_trace: notes.data_trace.then_some(true),
        });
        json.extend(notes.map(|log| ("executionLog".to_owned(), json!(log))));
        json.extend(stage.settings.access_log.as_ref().map(|log| {
            let format = Some(log.format.clone()).filter(|format| format != stage::logs::FORMAT);
            let log = match &log_group {
                Some(group) => AccessLog {
                    retention_in_days: group.retention,
                    kms_key_arn: group.kms_key_arn.clone(),
                    format,
                    ..AccessLog::default()
                },
                None => AccessLog { destination_arn: Some(log.destination.clone()), format, ..AccessLog::default() },
            };
            ("accessLog".to_owned(), json!(log))
        }));
    }
    let given = role.as_ref().and_then(role::State::given).map(str::to_owned);
    let role_policy = role_policy.filter(|_| given.is_none());
    let mut role_json = Map::new();
    role_json.extend(given.clone().map(|arn| ("arn".to_owned(), arn.into())));
    let path = shape.role_arn.split_once(":role").and_then(|(_, path)| path.strip_suffix(&role_name));
    role_json.extend(path.filter(|path| given.is_none() && *path != "/").map(|path| ("path".to_owned(), path.into())));
    let boundary = role.as_ref().and_then(|role| role.boundary.clone());
    role_json.extend(boundary.map(|arn| ("permissionsBoundaryArn".to_owned(), arn.into())));
    if !role_json.is_empty() {
        json.insert("role".to_owned(), role_json.into());
    }
    if let Some(plan) = usage_plan.as_ref().filter(|plan| !plan.keys.is_empty()) {
        json.insert("apiKeys".to_owned(), plan.keys.keys().cloned().collect());
        if let Some(throttle) = plan.throttle.as_ref().filter(|_| !json.contains_key("throttle")) {
            json.insert("throttle".to_owned(), json!(throttle));
        }
        if let Some(quota) = &plan.quota {
            let quota = Quota { offset: quota.offset.filter(|day| *day != 0), ..quota.clone() };
            json.insert("quota".to_owned(), json!(quota));
        }
    }
    if let Some(description) = api.description.clone().filter(|text| !text.is_empty()) {
        json.insert("description".to_owned(), description.into());
    }
    if shape.operations != ["GET", "HEAD"] {
        json.insert("operations".to_owned(), shape.operations.clone().into());
    }
    json.extend(shape.index.clone().map(|index| ("indexDocument".to_owned(), index.into())));
    let mut bucket_json = Map::new();
    if shape.bucket != name || existing {
        bucket_json.insert("name".to_owned(), shape.bucket.clone().into());
    }
    if !shape.prefix.is_empty() {
        bucket_json.insert("prefix".to_owned(), shape.prefix.clone().into());
    }
    let kms_key_arn = if existing {
        bucket_json.insert("existing".to_owned(), true.into());
        if shape.region != aws.region {
            bucket_json.insert("region".to_owned(), shape.region.clone().into());
        }
        role_policy.as_ref().and_then(role_policy::State::kms_key_arn)
    } else {
        bucket.as_ref().and_then(|bucket| bucket.kms_key_arn.clone())
    };
    bucket_json.extend(kms_key_arn.map(|arn| ("kmsKeyArn".to_owned(), arn.into())));
    if let Some(bucket) = bucket.as_ref().filter(|bucket| !bucket.existing) {
        if bucket.policy.is_none() {
            bucket_json.insert("secureTransportOnly".to_owned(), false.into());
        }
        if bucket.versioning {
            bucket_json.insert("versioning".to_owned(), true.into());
        }
    }
    if !bucket_json.is_empty() {
        json.insert("bucket".to_owned(), bucket_json.into());
    }
    json.extend(cors.map(|cors| ("cors".to_owned(), cors)));
    if !users.is_empty() {
        json.insert("tags".to_owned(), users.into_iter().map(|(key, value)| (key, Json::from(value))).collect());
    }
    let Value::Object(inputs) = Value::from(Json::Object(json)) else { unreachable!("an object stays one") };

    let (read, mut failures) = inputs::examine(&inputs);
    failures.extend(rules::check(&read));
    misfits.extend(failures.into_iter().map(|failure| failure.reason));
    let owner = tags.get(owner::TAG).cloned().unwrap_or_else(|| place.owner.clone());
    let desired = Desired::new(&read.typed, &Place { owner: owner.clone(), unmarked, ..place.clone() });
    if let Some(bucket) = bucket.as_ref().filter(|bucket| !bucket.existing) {
        // The next update would replace what somebody else has put there.
        if bucket.policy.is_some() && bucket.policy != desired.bucket.policy {
            misfits.push("its bucket has a policy that S3DataProxy did not make".to_owned());
        }
        if bucket.cors.is_some() && bucket.cors != desired.bucket.cors {
            misfits.push("its bucket has CORS rules that S3DataProxy did not make".to_owned());
        }
    }
    let notes = stage.as_ref().is_some_and(|stage| stage.settings.notes.is_some());
    let noted = notes.then(|| log_group::of_execution(&api_id, &desired.stage.name));
    let digest = desired.definition.digest(&shape.role_arn);
    let drift = definition::aws::drift(&api, &content, &desired.definition, &shape.role_arn);
    let state = State {
        version: VERSION,
        region: aws.region.clone(),
        owner,
        default_path: place.default_path.clone(),
        cut_off: false,
        execution_logs: noted.into_iter().collect(),
        leftovers: stage::Leftovers::default(),
        bucket,
        role,
        role_policy: role_policy.filter(|policy| *policy != role_policy::State::default()),
        rest_api: Some(rest_api::State { unmarked, ..rest_api::aws::state(&api, &tags) }),
        definition: Some(definition::aws::state(&api, digest.clone(), drift)),
        // What is deployed cannot be read back; it counts as what is defined.
        stage: stage.map(|stage| stage::State { digest, ..stage }),
        log_group,
        usage_plan,
        domain,
    };
    if unmarked {
        misfits.extend(differences(&state, &desired));
    }
    if !misfits.is_empty() {
        return Err(refused(&api_id, &misfits));
    }
    Ok(Some(Import { inputs, state: state.rooted() }))
}

/// What an update would change in what was made elsewhere. A missing bucket or role has a misfit of its own.
fn differences(state: &State, desired: &Desired) -> Vec<String> {
    let mut found = Vec::new();
    for step in plan(Some(state), Some(desired)).steps {
        match step.piece {
            Piece::Definition => {
                let drift = state.definition.iter().flat_map(|definition| &definition.drift);
                found.extend(drift.map(|what| format!("its content is not what S3DataProxy makes: {what}")));
            }
            Piece::Bucket | Piece::Role | Piece::RolePolicy => {}
            piece if step.action == Action::Update => found.extend(
                step.changes
                    .0
                    .iter()
                    .map(|change| format!("its {piece} is not what S3DataProxy makes: {}", change.path)),
            ),
            _ => {}
        }
    }
    found
}

/// Whether something carries the owner tag of the API. Without one, nothing does.
fn is_of_api(found: &Tags, api: &Tags) -> bool {
    api.get(owner::TAG).is_some_and(|owner| found.get(owner::TAG) == Some(owner))
}

/// The bucket; one that has not the API's owner was made elsewhere. None if it is not there.
async fn look_at_bucket(aws: &Clients, shape: &Shape, tags: &Tags) -> Result<Option<bucket::State>, Error> {
    let name = &shape.bucket;
    let elsewhere = || Some(bucket::State { name: name.clone(), existing: true, ..bucket::State::default() });
    // Ours are in the provider's Region, and S3 tells only there of its own.
    if shape.region != aws.region {
        return Ok(elsewhere());
    }
    match bucket::aws::tags_of(aws, name).await {
        Ok(Some(found)) if is_of_api(&found, tags) => bucket::aws::observe(aws, name, tags).await,
        Ok(Some(_)) => Ok(elsewhere()),
        Ok(None) => Ok(None),
        Err(error) if error.kind == Kind::Denied => Ok(elsewhere()),
        Err(error) => Err(error),
    }
}

/// The role; one of another name, or that has not the API's owner, was made elsewhere. None if it is not there.
async fn look_at_role(aws: &Clients, arn: &str, name: &str, tags: &Tags) -> Result<Option<role::State>, Error> {
    let role_name = arn.rsplit('/').next().unwrap_or_default();
    let elsewhere = || {
        let (name, arn) = (role_name.to_owned(), arn.to_owned());
        Some(role::State { name, arn, existing: true, ..role::State::default() })
    };
    let marked = tags.contains_key(owner::TAG);
    if marked && role_name != name {
        return Ok(elsewhere());
    }
    match role::aws::observe(aws, role_name, tags).await {
        Ok(Some(found)) if is_of_api(&found.tags, tags) => Ok(Some(found)),
        Ok(Some(_)) => Ok(elsewhere()),
        Ok(None) => Ok(None),
        // It is there for others to look after.
        Err(error) if !marked && error.kind == Kind::Denied => Ok(elsewhere()),
        Err(error) => Err(error),
    }
}

/// The log group, where it is the one that the resource would make.
async fn look_at_log_group(
    aws: &Clients,
    name: &str,
    destination: &str,
    tags: &Tags,
) -> Result<Option<log_group::State>, Error> {
    let group = log_group::group_name(name);
    if !destination.ends_with(&format!(":log-group:{group}")) {
        return Ok(None);
    }
    let found = log_group::aws::observe(aws, &group, tags).await?;
    Ok(found.filter(|group| is_of_api(&group.tags, tags)))
}

/// The domain name that leads to the API, where this life of the resource made it.
async fn look_at_domain(aws: &Clients, api: &str, tags: &Tags) -> Result<Option<domain::State>, Error> {
    let Some(owner) = tags.get(owner::TAG) else { return Ok(None) };
    let doing = format!("look for the domain name of the REST API `{api}`");
    let names = domain::aws::all(aws, &doing).await?;
    for (name, _) in names.iter().filter(|(_, found)| found.get(owner::TAG) == Some(owner)) {
        let found = domain::aws::observe(aws, name, tags, "", api).await?;
        let leads = |found: &domain::State| found.mapping.as_ref().is_some_and(|mapping| mapping.api == api);
        if let Some(found) = found.filter(leads) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The usage plan of a stage, with its keys. Where a run of ours was lost, some of it may be missing.
async fn look_at_usage_plan(
    aws: &Clients,
    api: &str,
    link: &str,
    name: &str,
    tags: &Tags,
    misfits: &mut Vec<String>,
) -> Result<Option<usage_plan::State>, Error> {
    let doing = format!("look for the usage plan of the REST API `{api}`");
    let plans = usage_plan::aws::all(aws, &doing).await?;
    let mut plans: Vec<_> =
        plans.iter().map(|plan| usage_plan::aws::state(plan, tags, link)).filter(|plan| plan.link == link).collect();
    let plan = match plans.len() {
        0 if tags.contains_key(owner::TAG) => usage_plan::State::default(),
        1 => plans.remove(0),
        number => {
            let how_many = if number == 0 { "no usage plan" } else { "more than one usage plan" };
            misfits.push(format!("it asks for API keys, and there is {how_many} for its stage"));
            return Ok(None);
        }
    };
    let linked = if plan.id.is_empty() { Vec::new() } else { usage_plan::aws::keys::of_plan(aws, &plan.id).await? };
    if let Some(owner) = tags.get(owner::TAG).filter(|_| linked.is_empty()) {
        let state = Some(&plan).filter(|plan| !plan.id.is_empty());
        return usage_plan::aws::observe(aws, &Known { name, owner, tags, link, state }).await;
    }
    let prefix = usage_plan::key_prefix(name);
    if linked.is_empty() || linked.iter().any(|(_, key)| !key.starts_with(&prefix)) {
        misfits.push(format!("the keys of its usage plan are not clients of it: their names begin with `{prefix}`"));
        return Ok(None);
    }
    let keys = usage_plan::aws::keys::named(aws, &prefix, &doing).await?.into_iter();
    let keys = keys.map(|(client, key)| (client, usage_plan::aws::keys::state(&key, tags)));
    let keys = keys.filter(|(_, key)| linked.iter().any(|(id, _)| *id == key.id));
    Ok(Some(usage_plan::State {
        keys: keys.map(|(client, key)| (client, usage_plan::Key { linked: true, ..key })).collect(),
        ..plan
    }))
}

/// What the routes of an API of our shape say.
struct Shape {
    mount: String,
    operations: Vec<String>,
    index: Option<String>,
    bucket: String,
    prefix: String,
    region: String,
    role_arn: String,
    /// The inputs that say who may call.
    auth: Map<String, Json>,
    /// Whether clients have to send an API key.
    keys: bool,
}

impl Shape {
    /// None where it is not even known what is served.
    fn of(routes: &Routes, misfits: &mut Vec<String>) -> Option<Shape> {
        // Preflights and refusals are answered without S3.
        let asks = |does: &Json| does["type"] == "AWS";
        let served: Vec<(&str, &str, &Json)> = routes
            .iter()
            .filter(|(_, does)| asks(does))
            .filter_map(|(route, does)| {
                let (verb, path) = route.split_once(' ')?;
                Some((verb, path.strip_suffix("/{key+}")?, does))
            })
            .collect();
        // With nothing but LIST, there is only the mount path.
        let lists =
            routes.iter().find(|(route, does)| asks(does) && route.starts_with("GET ") && !route.ends_with("/{key+}"));
        let (mount, does) = match (served.first(), lists) {
            (Some((_, mount, does)), _) => (*mount, *does),
            (None, Some((route, does))) => (route["GET ".len()..].trim_end_matches('/'), does),
            (None, None) => {
                let reason = if routes.keys().any(|route| route.ends_with("/{key+}")) {
                    "what answers its path `/{key+}` is not one bucket's objects by key"
                } else {
                    "it has no method on a path that ends with `/{key+}`"
                };
                misfits.push(reason.to_owned());
                return None;
            }
        };
        if let Some((_, other, _)) = served.iter().find(|(_, other, _)| *other != mount) {
            misfits.push(format!("it serves objects at `{mount}` and at `{other}`"));
        }
        let auth = auth_of(does);
        if auth.is_none() {
            misfits.push("its authorization is not one that S3DataProxy makes".to_owned());
        }
        let role_arn = does["credentials"].as_str().unwrap_or_default();
        if !role_arn.contains(":role/") {
            misfits.push("its integration has no role".to_owned());
        }
        let mut operations: Vec<String> = served.iter().map(|(verb, _, _)| (*verb).to_owned()).collect();
        let uri = does["uri"].as_str().unwrap_or_default();
        let parts = uri.split_once(":s3:path/").and_then(|(before, path)| {
            let (bucket, below) = path.split_once('/').unwrap_or((path, "{key}"));
            Some((before.rsplit(':').next()?, bucket, below.strip_suffix("{key}")?))
        });
        if parts.is_none() {
            // What follows are the parameters of a call, which may be anything.
            let what = uri.split(['?', '&']).next().unwrap_or_default();
            misfits.push(format!("its integration `{what}` is not one bucket's objects by key"));
        }
        let ((region, bucket, prefix), auth) = (parts?, auth?);
        if !role_arn.contains(":role/") {
            return None;
        }
        let mut prefix = prefix.trim_end_matches('/').to_owned();
        let mut index = None;
        let mount_path = if mount.is_empty() { "/" } else { mount };
        if let Some(does) = routes.get(&format!("GET {mount_path}")).filter(|does| asks(does)) {
            let target = does["uri"].as_str().unwrap_or_default().split_once(":s3:path/");
            match target.and_then(|(_, path)| path.split_once('/')) {
                Some((_, object)) => {
                    index = Some(object.trim_start_matches(&prefix).trim_start_matches('/').to_owned())
                }
                None => {
                    operations.push("LIST".to_owned());
                    let fixed = does["parameters"]["integration.request.querystring.prefix"].as_str();
                    if let Some(fixed) = fixed.and_then(|text| text.strip_prefix('\'')) {
                        prefix = fixed.trim_end_matches(['\'', '/']).to_owned();
                    }
                }
            }
        }
        let order = ["GET", "HEAD", "LIST", "PUT", "DELETE"];
        operations.sort_by_key(|verb| order.iter().position(|other| other == verb));
        Some(Shape {
            mount: if mount.is_empty() { "/".to_owned() } else { mount.trim_start_matches('/').to_owned() },
            operations,
            index,
            bucket: bucket.to_owned(),
            prefix,
            region: region.to_owned(),
            role_arn: role_arn.to_owned(),
            keys: does["apiKey"] == true,
            auth,
        })
    }
}

/// The inputs that say who may call. What equals the default is left out.
fn auth_of(does: &Json) -> Option<Map<String, Json>> {
    let (kind, authorizer) = auth::inputs_of(&does["authorization"])?;
    let mut found = Map::new();
    if kind != Authorization::None {
        found.insert("authorization".to_owned(), json!(kind));
    }
    found.extend(authorizer.map(|authorizer| ("authorizer".to_owned(), json!(authorizer))));
    Some(found)
}

/// The stage to import, or why there is none.
fn pick_stage(id: &str, wanted: Option<&str>, stages: &[String]) -> Result<String, String> {
    match (wanted, stages) {
        (Some(wanted), _) if stages.iter().any(|stage| stage == wanted) => Ok(wanted.to_owned()),
        (Some(wanted), []) => Err(format!("it has no stage `{wanted}`, nor any other")),
        (Some(wanted), _) => Err(format!("it has no stage `{wanted}`; it has {}", stages.join(", "))),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err("it has no stage".to_owned()),
        (None, several) => {
            Err(format!("it has several stages: import `{id}/STAGE` with one of {}", several.join(", ")))
        }
    }
}

/// The one error with all that does not fit.
fn refused(id: &str, misfits: &[String]) -> Error {
    Error::new(Kind::Invalid, format!("import the REST API `{id}`"), misfits.join("; "))
        .hint("only an API in the shape that S3DataProxy makes can be imported")
}
