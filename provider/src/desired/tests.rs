use super::*;

/// A place for tests.
pub(crate) fn place() -> Place {
    Place {
        region: "eu-central-1".to_owned(),
        owner: "dev::shop::s3dataproxy:index:S3DataProxy::data@eu-central-1@00000001".to_owned(),
        unmarked: false,
        default_tags: Tags::new(),
        default_path: "data".to_owned(),
    }
}

#[test]
fn a_users_tag_wins_over_the_default_and_all_but_the_stage_have_an_owner() {
    let tag = |value: &str| [("env".to_owned(), value.to_owned())].into();
    let place = Place { default_tags: tag("default"), ..place() };
    let inputs = Inputs { name: Some("data-1".to_owned()), tags: Some(tag("prod")), ..Inputs::default() };
    let desired = Desired::new(&inputs, &place);
    assert_eq!(desired.bucket.tags["env"], "prod");
    assert_eq!(desired.bucket.tags[owner::TAG], place.owner);
    assert_eq!(desired.role.tags, desired.bucket.tags);
    assert_eq!(desired.rest_api.tags, desired.bucket.tags);
    assert_eq!(desired.stage.tags, tag("prod"));
}

#[test]
fn the_policies_are_least_privilege() {
    let inputs = Inputs { name: Some("data-1".to_owned()), ..Inputs::default() };
    let desired = Desired::new(&inputs, &Place { region: "cn-north-1".to_owned(), ..place() });
    insta::assert_snapshot!(desired.role_policy.expect("one").policy, @r#"{"Statement":[{"Action":["s3:GetObject","s3:GetObjectVersion"],"Effect":"Allow","Resource":"arn:aws-cn:s3:::data-1/*","Sid":"Objects"},{"Action":"s3:ListBucket","Effect":"Allow","Resource":"arn:aws-cn:s3:::data-1","Sid":"MissingKeysAre404"}],"Version":"2012-10-17"}"#);
    insta::assert_snapshot!(desired.bucket.policy.expect("the default"), @r#"{"Statement":{"Action":"s3:*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*","Resource":["arn:aws-cn:s3:::data-1","arn:aws-cn:s3:::data-1/*"],"Sid":"SecureTransportOnly"},"Version":"2012-10-17"}"#);
    insta::assert_snapshot!(crate::pieces::role::trust_policy(), @r#"{"Statement":{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"}},"Version":"2012-10-17"}"#);
}
