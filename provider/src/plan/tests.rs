use s3dataproxy_schema::{Bucket, DomainTarget, EndpointType, Inputs, Operation, Quota, QuotaPeriod, Throttle};

use serde_json::json;

use super::*;
use crate::desired::tests::place;
use crate::pieces::{bucket, definition, domain, log_group, rest_api, role, role_policy, stage, usage_plan};

fn inputs() -> Inputs {
    Inputs {
        name: Some("data-1".to_owned()),
        tags: Some([("env".to_owned(), "prod".to_owned())].into()),
        ..Inputs::default()
    }
}

/// The state that an undisturbed apply leads to.
pub(crate) fn applied(desired: &Desired) -> State {
    let arn = format!("arn:aws:iam::123456789012:role/{}", desired.role.name);
    let digest = desired.definition.digest(&arn);
    State {
        bucket: Some(bucket::State {
            name: desired.bucket.name.clone(),
            existing: desired.bucket.existing,
            policy: desired.bucket.policy.clone(),
            versioning: desired.bucket.versioning,
            kms_key_arn: desired.bucket.kms_key_arn.clone(),
            cors: desired.bucket.cors.clone(),
            tags: desired.bucket.tags.clone(),
            ..bucket::State::default()
        }),
        role: Some(role::State {
            name: desired.role.name.clone(),
            arn,
            existing: false,
            trust: role::trust_policy(),
            boundary: desired.role.boundary.clone(),
            tags: desired.role.tags.clone(),
        }),
        role_policy: Some(role_policy::State {
            policy: desired.role_policy.clone().unwrap().policy,
            ..role_policy::State::default()
        }),
        rest_api: Some(rest_api::State {
            endpoint: desired.rest_api.endpoint.clone(),
            id: "a1b2c3".to_owned(),
            name: desired.rest_api.name.clone(),
            tags: desired.rest_api.tags.clone(),
            unmarked: false,
        }),
        definition: Some(definition::State {
            digest: digest.clone(),
            description: desired.definition.description.clone(),
            drift: Vec::new(),
        }),
        stage: Some(stage::State {
            name: desired.stage.name.clone(),
            deployment_id: "d1".to_owned(),
            digest,
            settings: desired.stage.settings.in_account(Some("123456789012")),
            tags: desired.stage.tags.clone(),
        }),
        log_group: desired.log_group.clone().map(|group| log_group::State {
            name: group.name,
            retention: group.retention,
            kms_key_arn: group.kms_key_arn,
            tags: group.tags,
        }),
        usage_plan: desired.usage_plan.as_ref().map(|plan| usage_plan::State {
            id: "p1".to_owned(),
            link: usage_plan::link("a1b2c3", &plan.stage),
            throttle: plan.throttle.clone(),
            quota: plan.quota.clone(),
            tags: plan.tags.clone(),
            keys: plan.clients.iter().map(|client| (client.clone(), key(client, &plan.tags))).collect(),
            ..usage_plan::State::default()
        }),
        domain: desired.domain.clone().map(|wanted| domain::State {
            name: wanted.name,
            endpoints: vec![domain::Endpoint {
                kind: wanted.kind,
                certificate_arn: wanted.certificate_arn,
                target: DomainTarget { name: "d-1.example".to_owned(), hosted_zone_id: "Z1".to_owned() },
            }],
            dual_stack: wanted.dual_stack,
            security_policy: Some(wanted.security_policy),
            mapping: Some(domain::Mapping {
                base_path: wanted.base_path,
                api: "a1b2c3".to_owned(),
                stage: wanted.stage,
            }),
            tags: wanted.tags,
            replaced: Vec::new(),
        }),
        ..State::empty(&desired.region, &desired.owner)
    }
}

fn key(client: &str, tags: &Tags) -> usage_plan::Key {
    let (id, value) = (format!("id of {client}"), format!("key of {client}"));
    usage_plan::Key { id, value, linked: true, enabled: true, tags: tags.clone(), ..usage_plan::Key::default() }
}

#[test]
fn clients_come_and_go() {
    let with = |clients: &[&str], more: fn(&mut Inputs)| {
        let mut inputs = Inputs { api_keys: Some(clients.iter().map(|&name| name.to_owned()).collect()), ..inputs() };
        more(&mut inputs);
        Desired::new(&inputs, &place())
    };
    let limit = |inputs: &mut Inputs| {
        inputs.throttle = Some(Throttle { rate_limit: 1.0, burst_limit: 2 });
        inputs.quota = Some(Quota { limit: 9, period: QuotaPeriod::Week, offset: None });
    };
    let (none, two) = (Desired::new(&inputs(), &place()), with(&["a", "b"], |_| {}));
    let told = |from: &Desired, to: &Desired| plan(Some(&applied(from)), Some(to)).to_string();
    insta::assert_snapshot!(told(&none, &two), @"
    update definition: openApiDocument
    update stage: deploymentId
    create usage plan: apiKeys
    ");
    insta::assert_snapshot!(told(&two, &with(&["b", "c"], |_| {})), @"
    update usage plan: apiKeys
    ");
    insta::assert_snapshot!(told(&two, &with(&["a", "b"], limit)), @"
    update stage: throttle
    update usage plan: throttle, quota
    ");
    insta::assert_snapshot!(told(&two, &with(&["a", "b"], |inputs| inputs.stage_name = Some("v2".to_owned()))), @"
    update stage: stageName
    update usage plan: stageName
    ");
    insta::assert_snapshot!(told(&two, &with(&["a", "b"], |inputs| inputs.tags = None)), @"
    update bucket: tags.env
    update role: tags.env
    update REST API: tags.env
    update stage: tags.env
    update usage plan: tags.env
    ");
    insta::assert_snapshot!(told(&two, &none), @"
    update definition: openApiDocument
    update stage: deploymentId
    delete usage plan: apiKeys
    ");
    assert_eq!(told(&two, &two), "");
    let mut without = applied(&two);
    without.usage_plan.as_mut().unwrap().keys.get_mut("a").unwrap().enabled = false;
    insta::assert_snapshot!(plan(Some(&without), Some(&two)), @"
    update usage plan: apiKeys
    ");
    without.usage_plan.as_mut().unwrap().id.clear();
    insta::assert_snapshot!(plan(Some(&without), Some(&two)), @"
    update usage plan: apiKeys
    ");
}

#[test]
fn logs_come_and_go() {
    let with = |json| {
        let logs: Inputs = serde_json::from_value(json).expect("inputs");
        Desired::new(&Inputs { access_log: logs.access_log, execution_log: logs.execution_log, ..inputs() }, &place())
    };
    let stream = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/amazon-apigateway-a";
    let (none, kept) = (with(json!({})), with(json!({ "accessLog": { "retentionInDays": 7 } })));
    let told = |from: &Desired, to: &Desired| plan(Some(&applied(from)), Some(to)).to_string();
    insta::assert_snapshot!(told(&none, &kept), @"
    create log group: logGroupArn
    update stage: accessLog
    ");
    insta::assert_snapshot!(told(&kept, &with(json!({ "accessLog": {} }))), @"
    update log group: accessLog.retentionInDays
    ");
    insta::assert_snapshot!(told(&kept, &with(json!({ "accessLog": { "retentionInDays": 7, "format": "$context.requestId" } }))), @"
    update stage: accessLog.format
    ");
    insta::assert_snapshot!(told(&kept, &with(json!({ "accessLog": { "destinationArn": stream } }))), @"
    delete log group: logGroupArn
    update stage: accessLog.destinationArn
    ");
    insta::assert_snapshot!(told(&kept, &none), @"
    delete log group: logGroupArn
    update stage: accessLog
    ");
    insta::assert_snapshot!(told(&none, &with(json!({ "executionLog": {} }))), @"
    update stage: executionLog
    ");
    insta::assert_snapshot!(told(&with(json!({ "executionLog": {} })), &with(json!({ "executionLog": { "level": "INFO" } }))), @"
    update stage: executionLog.level
    ");
    assert_eq!(told(&kept, &kept), "");
}

#[test]
fn a_domain_name_comes_and_goes() {
    let with = |part: serde_json::Value, more: fn(&mut Inputs)| {
        let mut domain = json!({ "name": "data.example.com", "certificateArn": "arn-1" });
        domain.as_object_mut().expect("an object").extend(part.as_object().expect("an object").clone());
        let mut inputs = Inputs { domain: Some(serde_json::from_value(domain).expect("one")), ..inputs() };
        more(&mut inputs);
        Desired::new(&inputs, &place())
    };
    let (none, own) = (Desired::new(&inputs(), &place()), with(json!({}), |_| {}));
    let told = |from: &Desired, to: &Desired| plan(Some(&applied(from)), Some(to)).to_string();
    insta::assert_snapshot!(told(&none, &own), @"create domain name: domain");
    insta::assert_snapshot!(told(&own, &none), @"delete domain name: domain");
    assert_eq!(told(&own, &with(json!({ "securityPolicy": "TLS_1_2" }), |_| {})), "");
    let all = json!({ "certificateArn": "arn-2", "securityPolicy": "TLS_1_0", "basePath": "v1" });
    insta::assert_snapshot!(told(&own, &with(all, |_| {})), @"update domain name: domain.certificateArn, domain.securityPolicy, domain.basePath");
    insta::assert_snapshot!(told(&own, &with(json!({ "name": "b.example.com", "basePath": "v1" }), |_| {})), @"update domain name: domain.name");
    insta::assert_snapshot!(told(&own, &with(json!({}), |inputs| inputs.stage_name = Some("v2".to_owned()))), @"
    update stage: stageName
    update domain name: stageName
    ");
    insta::assert_snapshot!(told(&own, &with(json!({}), |inputs| {
        inputs.endpoint = Some(serde_json::from_value(json!({ "type": "EDGE" })).expect("one"));
    })), @"
    update REST API: endpoint.type
    update domain name: endpoint.type
    ");
    let seen = |change: fn(&mut domain::State)| {
        let mut state = applied(&own);
        change(state.domain.as_mut().expect("one"));
        plan(Some(&state), Some(&own)).to_string()
    };
    insta::assert_snapshot!(seen(|domain| domain.mapping = None), @"update domain name: domain.basePath");
    insta::assert_snapshot!(seen(|domain| domain.mapping.as_mut().expect("one").api = "x".to_owned()), @"update domain name: domain");
    insta::assert_snapshot!(seen(|domain| domain.replaced.push(domain::Replaced::default())), @"update domain name: domain");
    // A move to another kind that was broken off.
    insta::assert_snapshot!(seen(|domain| {
        let other = domain::Endpoint { kind: EndpointType::Edge, ..domain.endpoints[0].clone() };
        domain.endpoints.push(other);
    }), @"update domain name: endpoint.type");
}

#[test]
fn an_endpoint_changes_in_place() {
    let with = |json| {
        Desired::new(&Inputs { endpoint: Some(serde_json::from_value(json).expect("one")), ..inputs() }, &place())
    };
    let private = with(json!({ "type": "PRIVATE", "vpcEndpointIds": ["vpce-1"] }));
    let told = |from: &Desired, to: &Desired| plan(Some(&applied(from)), Some(to)).to_string();
    let plain = Desired::new(&inputs(), &place());
    assert_eq!(
        told(&plain, &with(json!({ "type": "REGIONAL", "ipAddressType": "ipv4", "disableExecuteApi": false }))),
        ""
    );
    insta::assert_snapshot!(told(&plain, &with(json!({ "type": "EDGE" }))), @"update REST API: endpoint.type");
    insta::assert_snapshot!(told(&plain, &private), @"
    update REST API: endpoint.type, endpoint.vpcEndpointIds
    update definition: openApiDocument
    update stage: deploymentId
    ");
    insta::assert_snapshot!(told(&plain, &with(json!({ "disableExecuteApi": true }))), @"
    update definition: openApiDocument
    update stage: deploymentId
    ");
    // One state of before this property.
    let mut older = applied(&plain).to_json();
    older["restApi"].as_object_mut().expect("an object").remove("endpoint");
    assert_eq!(plan(Some(&State::from_json(older).expect("a state")), Some(&plain)).to_string(), "");
}

#[test]
fn nothing_to_something_and_back() {
    let desired = Desired::new(&inputs(), &place());
    insta::assert_snapshot!(plan(None, Some(&desired)), @"
    create bucket: bucketName
    create role: roleArn
    create role policy: operations
    create REST API: restApiId
    create definition: openApiDocument
    create stage: stageArn
    ");
    insta::assert_snapshot!(plan(Some(&applied(&desired)), None), @"
    delete bucket: bucketName
    delete role: roleArn
    delete role policy: operations
    delete REST API: restApiId
    delete definition: openApiDocument
    delete stage: stageArn
    ");
    assert!(plan(None, None).is_empty());
}

#[test]
fn what_was_applied_needs_nothing() {
    let desired = Desired::new(&inputs(), &place());
    assert_eq!(plan(Some(&applied(&desired)), Some(&desired)).to_string(), "");
}

#[test]
fn each_input_alone_touches_only_its_pieces() {
    let state = applied(&Desired::new(&inputs(), &place()));
    let after = |change: fn(&mut Inputs)| {
        let mut inputs = inputs();
        change(&mut inputs);
        plan(Some(&state), Some(&Desired::new(&inputs, &place()))).to_string()
    };
    insta::assert_snapshot!(after(|i| i.description = Some("new".to_owned())), @"update definition: description");
    insta::assert_snapshot!(after(|i| i.path = Some("v2".to_owned())), @"
    update definition: openApiDocument
    update stage: deploymentId
    ");
    insta::assert_snapshot!(after(|i| i.stage_name = Some("beta".to_owned())), @"update stage: stageName");
    insta::assert_snapshot!(after(|i| i.operations = Some(vec![Operation::Get])), @"
    update definition: openApiDocument
    update stage: deploymentId
    ");
    insta::assert_snapshot!(after(|i| i.operations = Some(vec![Operation::Head, Operation::Get])), @"");
    insta::assert_snapshot!(
        after(|i| i.bucket = Some(Bucket { secure_transport_only: Some(false), ..Bucket::default() })),
        @"update bucket: bucket.secureTransportOnly"
    );
    insta::assert_snapshot!(
        after(|i| i.bucket = Some(Bucket { force_destroy: Some(true), ..Bucket::default() })),
        @""
    );
    insta::assert_snapshot!(after(|i| i.wait_for_ready = Some(false)), @"");
    insta::assert_snapshot!(after(|i| i.tags = None), @"
    update bucket: tags.env
    update role: tags.env
    update REST API: tags.env
    update stage: tags.env
    ");
}

#[test]
fn what_is_missing_is_made_again_with_what_hangs_on_it() {
    let desired = Desired::new(&inputs(), &place());
    let without = |take: fn(&mut State)| {
        let mut state = applied(&desired);
        take(&mut state);
        plan(Some(&state), Some(&desired)).to_string()
    };
    insta::assert_snapshot!(without(|s| s.stage = None), @"create stage: stageArn");
    insta::assert_snapshot!(without(|s| s.role_policy = None), @"create role policy: operations");
    insta::assert_snapshot!(without(|s| s.rest_api = None), @"
    create REST API: restApiId
    create definition: openApiDocument
    create stage: stageArn
    ");
    insta::assert_snapshot!(without(|s| s.bucket = None), @"create bucket: bucketName");
    insta::assert_snapshot!(without(|s| s.definition.get_or_insert_default().drift.push("GET".to_owned())), @"update definition: openApiDocument");
    insta::assert_snapshot!(
        without(|s| s.leftovers.deployments.push("d0".to_owned())),
        @"update stage: deploymentId"
    );
}

#[test]
fn a_role_made_elsewhere_is_only_used() {
    let with = |arn: &str| {
        let role = serde_json::from_value(json!({ "arn": arn })).expect("one");
        Desired::new(&Inputs { role: Some(role), ..inputs() }, &place())
    };
    let used = |desired: &Desired| {
        let arn = desired.role.given.clone().expect("one");
        let name = desired.role.name.clone();
        let digest = desired.definition.digest(&arn);
        let own = applied(&Desired::new(&inputs(), &place()));
        State {
            role: Some(role::State { name, arn, existing: true, ..role::State::default() }),
            role_policy: None,
            definition: own.definition.map(|definition| definition::State { digest: digest.clone(), ..definition }),
            stage: own.stage.map(|stage| stage::State { digest, ..stage }),
            ..own
        }
    };
    let (own, a, b) = (
        Desired::new(&inputs(), &place()),
        with("arn:aws:iam::123456789012:role/a"),
        with("arn:aws:iam::123456789012:role/p/b"),
    );
    assert_eq!(b.role.name, "b");
    assert_eq!(plan(Some(&used(&a)), Some(&a)).to_string(), "");
    insta::assert_snapshot!(plan(Some(&applied(&own)), Some(&a)), @"
    update role: role.arn
    delete role policy: operations
    update definition: openApiDocument
    update stage: deploymentId
    ");
    insta::assert_snapshot!(plan(Some(&used(&a)), Some(&b)), @"
    update role: role.arn
    update definition: openApiDocument
    update stage: deploymentId
    ");
    insta::assert_snapshot!(plan(Some(&used(&b)), Some(&own)), @"
    update role: role.arn
    create role policy: operations
    update definition: openApiDocument
    update stage: deploymentId
    ");
    // It is not deleted; what is left of ours is.
    let mut left = State { region: "r".to_owned(), role: used(&a).role, ..State::default() };
    assert!(left.is_empty());
    left.leftovers.role = Some("old".to_owned());
    assert!(!left.rooted().is_empty());
}
