use s3dataproxy_schema::{Bucket, Inputs, Operation};

use super::*;
use crate::desired::tests::place;
use crate::pieces::{bucket, definition, rest_api, role, role_policy, stage};

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
        }),
        role: Some(role::State {
            name: desired.role.name.clone(),
            arn,
            trust: role::trust_policy(),
            tags: desired.role.tags.clone(),
        }),
        role_policy: Some(role_policy::State { policy: desired.role_policy.policy.clone() }),
        rest_api: Some(rest_api::State {
            id: "a1b2c3".to_owned(),
            name: desired.rest_api.name.clone(),
            tags: desired.rest_api.tags.clone(),
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
            settings: desired.stage.settings.clone(),
            tags: desired.stage.tags.clone(),
        }),
        ..State::empty(&desired.region, &desired.owner)
    }
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
