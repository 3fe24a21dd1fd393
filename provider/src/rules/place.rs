//! Whether what inputs name is where the resource is: in the same partition, and in the same Region where AWS asks for that.

use s3dataproxy_schema::{EndpointType, Inputs};

use crate::inputs::Failure;
use crate::partition::Partition;
use crate::value::UNKNOWN;

/// Checks every ARN, as far as the Region is known, and what not every partition has. Parts that are not known yet are
/// skipped.
pub fn check(inputs: &Inputs, region: Option<&str>) -> Vec<Failure> {
    let bucket = inputs.bucket.clone().unwrap_or_default();
    let bucket_region = bucket.region.as_deref().or(region);
    let log = inputs.access_log.clone().unwrap_or_default();
    let authorizer = inputs.authorizer.clone().unwrap_or_default();
    let role = inputs.role.clone().unwrap_or_default();
    let edge = inputs.endpoint.as_ref().is_some_and(|endpoint| endpoint.kind == Some(EndpointType::Edge));
    let partition = region.map(|region| Partition::of(region).name);
    // Sources: https://docs.amazonaws.cn/en_us/aws/latest/userguide/api-gateway.html and
    // https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-abp.html
    let without_edge = match partition {
        Some("aws-cn") => Some("China"),
        Some("aws-us-gov") => Some("AWS GovCloud (US)"),
        _ => None,
    };
    let mut failures = Vec::new();
    if let Some(there) = without_edge.filter(|_| edge) {
        let reason = format!("`endpoint.type` is `EDGE`, which AWS does not offer in {there}: choose `REGIONAL`");
        failures.push(Failure::new("endpoint.type", reason));
    }
    let security_policy = inputs.endpoint.as_ref().and_then(|endpoint| endpoint.security_policy);
    let newer = security_policy.is_some_and(|policy| policy.name().starts_with("SecurityPolicy_"));
    if newer && partition == Some("aws-us-gov") {
        let reason =
            "`endpoint.securityPolicy` is `TLS_1_0` or `TLS_1_2` in AWS GovCloud (US), which has none of the newer";
        failures.push(Failure::new("endpoint.securityPolicy", reason));
    }
    let certificate = inputs.domain.as_ref().map(|domain| domain.certificate_arn.as_str());
    // CloudFront takes certificates of one Region.
    // Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-edge-optimized-custom-domain-name.html
    let certificates = match (edge, without_edge) {
        (false, _) => region,
        (true, None) => Some("us-east-1"),
        (true, Some(_)) => None,
    };
    let mut named = vec![
        ("bucket.kmsKeyArn".to_owned(), bucket.kms_key_arn.as_deref(), bucket_region),
        ("accessLog.destinationArn".to_owned(), log.destination_arn.as_deref(), region),
        ("accessLog.kmsKeyArn".to_owned(), log.kms_key_arn.as_deref(), region),
        ("domain.certificateArn".to_owned(), certificate, certificates),
        ("authorizer.functionArn".to_owned(), authorizer.function_arn.as_deref(), None),
        ("authorizer.roleArn".to_owned(), authorizer.role_arn.as_deref(), None),
        ("role.arn".to_owned(), role.arn.as_deref(), None),
        ("role.permissionsBoundaryArn".to_owned(), role.permissions_boundary_arn.as_deref(), None),
        ("webAclArn".to_owned(), inputs.web_acl_arn.as_deref(), region),
    ];
    for (index, arn) in authorizer.user_pool_arns.iter().flatten().enumerate() {
        named.push((format!("authorizer.userPoolArns[{index}]"), Some(arn), None));
    }
    let wrong = |(path, arn, wanted): (String, Option<&str>, Option<&str>)| {
        let parts: Vec<&str> = arn.filter(|arn| !arn.contains(UNKNOWN))?.splitn(5, ':').collect();
        let ["arn", of, _, there, _] = parts.as_slice() else { return None };
        let reason = match (region, partition) {
            (Some(region), Some(partition)) if *of != partition => format!(
                "`{path}` is in the partition `{of}`, and the Region `{region}` in `{partition}`: name one of there"
            ),
            _ => {
                let wanted = wanted.filter(|wanted| !wanted.contains(UNKNOWN) && wanted != there)?;
                format!("`{path}` is in the Region `{there}` and has to be in `{wanted}`: name one of there")
            }
        };
        Some(Failure::new(path, reason))
    };
    failures.extend(named.into_iter().filter_map(wrong));
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(inputs: serde_json::Value, region: impl Into<Option<&'static str>>) -> String {
        let failures = check(&serde_json::from_value(inputs).expect("inputs"), region.into());
        failures.into_iter().map(|failure| failure.reason).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_arn_of_elsewhere_is_told() {
        let inputs = serde_json::json!({
            "bucket": { "region": "eu-west-1", "kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/a" },
            "accessLog": { "destinationArn": "arn:aws:logs:eu-central-1:123456789012:log-group:a" },
            "authorizer": { "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:a", "userPoolArns": [UNKNOWN] },
            "role": { "arn": "arn:aws:iam::123456789012:role/a" },
        });
        assert_eq!(told(inputs.clone(), "eu-central-1"), "");
        assert_eq!(
            told(inputs.clone(), "eu-north-1"),
            "`accessLog.destinationArn` is in the Region `eu-central-1` and has to be in `eu-north-1`: name one of there"
        );
        insta::assert_snapshot!(told(inputs, "cn-north-1"), @"
        `bucket.kmsKeyArn` is in the partition `aws`, and the Region `cn-north-1` in `aws-cn`: name one of there
        `accessLog.destinationArn` is in the partition `aws`, and the Region `cn-north-1` in `aws-cn`: name one of there
        `authorizer.functionArn` is in the partition `aws`, and the Region `cn-north-1` in `aws-cn`: name one of there
        `role.arn` is in the partition `aws`, and the Region `cn-north-1` in `aws-cn`: name one of there
        ");
        let domain = |kind: &str| {
            let certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/a";
            serde_json::json!({ "endpoint": { "type": kind }, "domain": { "name": "a.example", "certificateArn": certificate } })
        };
        assert_eq!(told(domain("REGIONAL"), "eu-central-1"), "");
        assert_eq!(
            told(domain("EDGE"), "eu-central-1"),
            "`domain.certificateArn` is in the Region `eu-central-1` and has to be in `us-east-1`: name one of there"
        );
        assert_eq!(told(domain("REGIONAL"), None), "");
        assert_eq!(told(domain("EDGE"), None), told(domain("EDGE"), "eu-central-1"));
        assert_eq!(
            told(domain("EDGE"), "cn-north-1"),
            "`endpoint.type` is `EDGE`, which AWS does not offer in China: choose `REGIONAL`\n\
             `domain.certificateArn` is in the partition `aws`, and the Region `cn-north-1` in `aws-cn`: name one of there"
        );
        let newer =
            serde_json::json!({ "endpoint": { "type": "EDGE", "securityPolicy": "SecurityPolicy_TLS13_2025_EDGE" } });
        assert_eq!(told(newer.clone(), "eu-central-1"), "");
        insta::assert_snapshot!(told(newer, "us-gov-west-1"), @"
        `endpoint.type` is `EDGE`, which AWS does not offer in AWS GovCloud (US): choose `REGIONAL`
        `endpoint.securityPolicy` is `TLS_1_0` or `TLS_1_2` in AWS GovCloud (US), which has none of the newer
        ");
        let key = serde_json::json!({ "bucket": { "kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/a" } });
        assert_eq!(
            told(key, "eu-north-1"),
            "`bucket.kmsKeyArn` is in the Region `eu-west-1` and has to be in `eu-north-1`: name one of there"
        );
    }
}
