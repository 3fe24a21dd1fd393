use super::*;

/// The failures of inputs in JSON, a line each.
fn told(inputs: serde_json::Value) -> String {
    let inputs: Inputs = serde_json::from_value(inputs).expect("inputs");
    let lines: Vec<String> = check(&Read { typed: inputs, ..Read::default() })
        .into_iter()
        .map(|failure| format!("{}: {}", failure.path, failure.reason))
        .collect();
    lines.join("\n")
}

#[test]
fn what_goes_together_passes() {
    for inputs in [
        serde_json::json!({}),
        serde_json::json!({ "bucket": { "existing": true, "name": "there", "region": "eu-west-1", "prefix": "a/b/" } }),
        serde_json::json!({ "bucket": { "versioning": true, "prefix": "year=2024",
            "kmsKeyArn": "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1" } }),
        serde_json::json!({ "throttle": { "rateLimit": 0.5, "burstLimit": 0 } }),
        serde_json::json!({ "indexDocument": "docs/index.html", "operations": ["GET", "PUT"] }),
        serde_json::json!({ "cors": { "allowOrigins": ["*"], "exposeHeaders": ["*"], "maxAgeSeconds": 0 } }),
        serde_json::json!({ "cors": { "allowOrigins": ["https://a.example", "http://localhost:8080"],
            "allowCredentials": true, "allowHeaders": [] } }),
    ] {
        assert_eq!(told(inputs.clone()), "", "{inputs}");
    }
}

#[test]
fn each_contradiction_names_its_property() {
    insta::assert_snapshot!(told(serde_json::json!({
        "bucket": { "existing": true, "forceDestroy": true, "versioning": true, "secureTransportOnly": true,
                    "region": "Frankfurt", "prefix": "/a", "kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:alias/a" },
        "indexDocument": "index.html", "operations": ["HEAD"],
        "cors": { "allowOrigins": ["https://a.example", "*"], "allowCredentials": true, "maxAgeSeconds": -1 },
    })));
    insta::assert_snapshot!(told(serde_json::json!({
        "bucket": { "region": "eu-west-1", "prefix": "a/../b" },
        "indexDocument": "/", "operations": ["GET", "LIST"],
        "cors": { "allowOrigins": ["a.example", "https://a.example/", "https://*.example", "https://b", "https://b"],
                  "allowHeaders": ["a b"], "exposeHeaders": [""] },
    })));
    insta::assert_snapshot!(told(serde_json::json!({ "indexDocument": "i", "operations": ["GET", "LIST"],
        "cors": { "allowOrigins": [] } })));
}

#[test]
fn each_setting_has_its_range() {
    insta::assert_snapshot!(told(serde_json::json!({ "throttle": { "rateLimit": -1, "burstLimit": 2_147_483_648_u64 } })), @"
    throttle.rateLimit: `throttle.rateLimit` must be 0 or more, in requests a second
    throttle.burstLimit: `throttle.burstLimit` must be 0 to 2147483647, in requests
    ");
}

#[test]
fn a_cache_keeps_what_everybody_may_have() {
    assert_eq!(told(serde_json::json!({ "cache": { "ttlSeconds": 0 }, "apiKeys": ["a"] })), "");
    insta::assert_snapshot!(
        told(serde_json::json!({ "cache": { "ttlSeconds": 3601 }, "authorization": "AWS_IAM", "operations": ["HEAD"] })),
        @"
    cache.ttlSeconds: `cache.ttlSeconds` must be 0 to 3600, in seconds
    cache: `cache` does not go with `authorization`: what is kept for one caller is kept for all; leave one of them out
    cache: `cache` keeps answers to `GET` and `LIST`, and `operations` has neither: add one, or leave `cache` out
    "
    );
}

#[test]
fn a_key_that_nobody_here_would_use_is_refused() {
    let role = "arn:aws:iam::123456789012:role/a";
    let key = "arn:aws:kms:eu-central-1:123456789012:key/a";
    let with = |existing: bool, role: Option<&str>| {
        let bucket = serde_json::json!({ "name": "there", "existing": existing, "kmsKeyArn": key });
        told(serde_json::json!({ "bucket": bucket, "role": role.map(|arn| serde_json::json!({ "arn": arn })) }))
    };
    assert_eq!([with(true, None), with(false, Some(role)), with(false, None)], [""; 3]);
    insta::assert_snapshot!(with(true, Some(role)), @"bucket.kmsKeyArn: `bucket.kmsKeyArn` is for the role that is made or the bucket that is made, and both are made elsewhere: leave it out, and let the role of `role.arn` use the key");
}

#[test]
fn a_domain_name_has_no_room_for_health_checks() {
    let domain = |base: Option<&str>| {
        let arn = "arn:aws:acm:eu-central-1:123456789012:certificate/a";
        serde_json::json!({ "name": "a.example", "certificateArn": arn, "basePath": base })
    };
    let with = |path: &str, base: Option<&str>| told(serde_json::json!({ "path": path, "domain": domain(base) }));
    assert_eq!([with("pings", None), with("a/ping", None), with("ping", Some("v1"))], [""; 3]);
    assert_eq!(told(serde_json::json!({ "path": "ping" })), "");
    insta::assert_snapshot!(with("sping/a", None), @"path: `path` begins with `ping` or `sping`, which API Gateway keeps for itself on a domain name");
    insta::assert_snapshot!(with("data", Some("ping")), @"domain.basePath: `domain.basePath` begins with `ping` or `sping`, which API Gateway keeps for itself on a domain name");
}

#[test]
fn many_ranges_are_too_long_a_policy() {
    let ranges =
        |number: usize| -> Vec<String> { (0..number).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256)).collect() };
    assert_eq!(told(serde_json::json!({ "allowedIpRanges": ranges(100) })), "");
    insta::assert_snapshot!(told(serde_json::json!({ "allowedIpRanges": ranges(700) })), @"allowedIpRanges: `allowedIpRanges` is too long: the resource policy that it asks for has 11165 characters, of 8192 that may be");
}

#[test]
fn a_security_policy_is_one_of_the_endpoints_kind() {
    let told = |kind: &str, policy: &str| {
        told(serde_json::json!({ "policy": "{}", "endpoint": { "type": kind, "securityPolicy": policy } }))
    };
    for (kind, policy) in [
        ("REGIONAL", "TLS_1_0"),
        ("EDGE", "TLS_1_0"),
        ("REGIONAL", "SecurityPolicy_TLS13_1_3_2025_09"),
        ("PRIVATE", "SecurityPolicy_TLS13_1_2_PQ_2025_09"),
        ("EDGE", "SecurityPolicy_TLS13_2025_EDGE"),
    ] {
        assert!(!told(kind, policy).contains("securityPolicy"), "{kind} {policy}");
    }
    for (kind, policy) in [
        ("PRIVATE", "TLS_1_0"),
        ("EDGE", "SecurityPolicy_TLS13_1_3_2025_09"),
        ("REGIONAL", "SecurityPolicy_TLS13_2025_EDGE"),
    ] {
        assert!(told(kind, policy).contains("`endpoint.securityPolicy`"), "{kind} {policy}");
    }
}

#[test]
fn who_may_call_is_said_without_contradictions() {
    let pool = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a";
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:f";
    for inputs in [
        serde_json::json!({ "authorization": "NONE" }),
        serde_json::json!({ "authorization": "AWS_IAM" }),
        serde_json::json!({ "authorization": "COGNITO_USER_POOLS", "authorizer": { "userPoolArns": [pool], "scopes": ["a/b"] } }),
        serde_json::json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": function, "resultTtlInSeconds": 3600,
            "type": "REQUEST", "identitySources": ["context.path", "method.request.querystring.key"] } }),
        serde_json::json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": UNKNOWN, "roleArn": UNKNOWN } }),
    ] {
        assert_eq!(told(inputs.clone()), "", "{inputs}");
    }
    let wrong = [
        serde_json::json!({ "authorizer": {} }),
        serde_json::json!({ "authorization": "AWS_IAM", "authorizer": { "functionArn": function } }),
        serde_json::json!({ "authorization": "COGNITO_USER_POOLS" }),
        serde_json::json!({ "authorization": "COGNITO_USER_POOLS", "authorizer": { "userPoolArns": [function], "type": "TOKEN",
            "functionArn": function, "roleArn": "r", "identitySources": [], "resultTtlInSeconds": 1 } }),
        serde_json::json!({ "authorization": "CUSTOM", "authorizer": { "userPoolArns": [pool], "scopes": [] } }),
        serde_json::json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": "f", "roleArn": function,
            "identitySources": ["Authorization", "context."], "resultTtlInSeconds": 3601 } }),
        serde_json::json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": function, "type": "REQUEST",
            "identitySources": [], "resultTtlInSeconds": 60 } }),
    ];
    insta::assert_snapshot!("authorization", wrong.map(told).join("\n\n"));
}

#[test]
fn where_callers_come_from_is_said_in_order() {
    let policy =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}}"#;
    for inputs in [
        serde_json::json!({ "allowedIpRanges": ["203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0", "192.0.2.1/32"] }),
        serde_json::json!({ "policy": policy, "allowedIpRanges": ["203.0.113.0/24"] }),
        serde_json::json!({ "policy": UNKNOWN, "allowedIpRanges": [UNKNOWN] }),
    ] {
        assert_eq!(told(inputs.clone()), "", "{inputs}");
    }
    let long = policy.replace("execute-api:/*", &format!("execute-api:/{}*", "x".repeat(8192)));
    let wrong = [
        serde_json::json!({ "allowedIpRanges": [] }),
        serde_json::json!({ "allowedIpRanges": ["203.0.113.1", "203.0.113.0/33", "::/129", "a/8", "10.0.0.0/+8"] }),
        serde_json::json!({ "policy": "{" }),
        serde_json::json!({ "policy": "[]" }),
        serde_json::json!({ "policy": policy.replace("Allow", "Let") }),
        serde_json::json!({ "policy": policy.replace("Principal", "Who") }),
        serde_json::json!({ "policy": policy.replace("\"Resource\"", "\"Where\"") }),
        serde_json::json!({ "policy": long }),
    ];
    insta::assert_snapshot!("access", wrong.map(told).join("\n\n"));
}

#[test]
fn clients_have_names_and_a_quota_has_clients() {
    for inputs in [
        serde_json::json!({ "apiKeys": ["a", "b.c@d-e_F9"], "quota": { "limit": 1, "period": "MONTH", "offset": 27 } }),
        serde_json::json!({ "apiKeys": [UNKNOWN], "quota": { "limit": 1, "period": "DAY" } }),
    ] {
        assert_eq!(told(inputs.clone()), "", "{inputs}");
    }
    let wrong = [
        serde_json::json!({ "apiKeys": [] }),
        serde_json::json!({ "apiKeys": ["", "a b", "a", "a", "x".repeat(129)] }),
        serde_json::json!({ "quota": { "limit": 1, "period": "DAY" } }),
        serde_json::json!({ "apiKeys": ["a"], "quota": { "limit": 0, "period": "DAY", "offset": 1 } }),
        serde_json::json!({ "apiKeys": ["a"], "quota": { "limit": 2147483648_i64, "period": "WEEK", "offset": 7 } }),
        serde_json::json!({ "apiKeys": ["a"], "quota": { "limit": 1, "period": "MONTH", "offset": -1 } }),
    ];
    insta::assert_snapshot!("keys", wrong.map(told).join("\n\n"));
}

#[test]
fn the_role_has_a_path_and_a_boundary_of_their_forms() {
    for inputs in [
        serde_json::json!({ "role": {} }),
        serde_json::json!({ "role": { "path": "/", "permissionsBoundaryArn": "arn:aws:iam::aws:policy/ReadOnlyAccess" } }),
        serde_json::json!({ "role": { "path": "/a/b_c/", "permissionsBoundaryArn": "arn:aws-cn:iam::123456789012:policy/p/b" } }),
        serde_json::json!({ "role": { "path": UNKNOWN, "permissionsBoundaryArn": UNKNOWN } }),
    ] {
        assert_eq!(told(inputs.clone()), "", "{inputs}");
    }
    let long = format!("/{}/", "x".repeat(512));
    for path in ["", "//", "a/", "/a", "/a b/", "/é/", long.as_str()] {
        assert!(
            told(serde_json::json!({ "role": { "path": path } })).starts_with("role.path: `role.path` is a path"),
            "{path}"
        );
    }
    for arn in
        ["", "boundary", "arn:aws:iam::123456789012:role/r", "arn:aws:iam::12:policy/b", "arn:aws:s3::aws:policy/b"]
    {
        let told = told(serde_json::json!({ "role": { "permissionsBoundaryArn": arn } }));
        assert!(told.starts_with("role.permissionsBoundaryArn: "), "{arn}");
    }
}

#[test]
fn logs_have_one_place_and_one_line_a_request() {
    for log in [
        serde_json::json!({}),
        serde_json::json!({ "retentionInDays": 30, "format": "$context.extendedRequestId $context.status",
            "kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/a" }),
        serde_json::json!({ "destinationArn": "arn:aws:logs:eu-central-1:123456789012:log-group:/a/b" }),
        serde_json::json!({ "destinationArn": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/amazon-apigateway-a" }),
        serde_json::json!({ "format": "$context.requestId\n" }),
        serde_json::json!({ "destinationArn": UNKNOWN, "kmsKeyArn": UNKNOWN, "format": UNKNOWN }),
    ] {
        assert_eq!(told(serde_json::json!({ "accessLog": log })), "", "{log}");
    }
    insta::assert_snapshot!(told(serde_json::json!({ "accessLog": {
        "destinationArn": "arn:aws:logs:eu-central-1:123456789012:log-group:a:*", "retentionInDays": 2,
        "kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:alias/a", "format": "$context.requestId\n$context.status" } })), @"
    accessLog.retentionInDays: `accessLog.retentionInDays` must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653; for ever is to leave it out
    accessLog.retentionInDays: `accessLog.retentionInDays` is for the log group that is made, and `accessLog.destinationArn` names another place
    accessLog.kmsKeyArn: `accessLog.kmsKeyArn` is for the log group that is made, and `accessLog.destinationArn` names another place
    accessLog.kmsKeyArn: `accessLog.kmsKeyArn` must be the ARN of a KMS key, such as `arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`
    accessLog.destinationArn: `accessLog.destinationArn` is a log group's ARN without `:*` at its end
    accessLog.format: `accessLog.format` is one line of up to 3072 bytes that has `$context.requestId` or `$context.extendedRequestId`
    ");
    insta::assert_snapshot!(told(serde_json::json!({ "accessLog": {
        "destinationArn": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/requests",
        "format": "$context.status" } })), @"
    accessLog.destinationArn: `accessLog.destinationArn` must be the ARN of a log group, such as `arn:aws:logs:eu-central-1:123456789012:log-group:requests`, or of a Firehose stream whose name begins with `amazon-apigateway-`
    accessLog.format: `accessLog.format` is one line of up to 3072 bytes that has `$context.requestId` or `$context.extendedRequestId`
    ");
}

#[test]
fn an_endpoint_is_private_with_somebody_who_may_come() {
    for endpoint in [
        serde_json::json!({ "type": "REGIONAL", "ipAddressType": "dualstack", "disableExecuteApi": true }),
        serde_json::json!({ "type": "EDGE" }),
        serde_json::json!({ "type": "PRIVATE", "vpcEndpointIds": ["vpce-0a1b2c3d", UNKNOWN], "ipAddressType": "dualstack" }),
    ] {
        assert_eq!(told(serde_json::json!({ "endpoint": endpoint })), "", "{endpoint}");
    }
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}]}"#;
    assert_eq!(told(serde_json::json!({ "endpoint": { "type": "PRIVATE" }, "policy": policy })), "");
    insta::assert_snapshot!(told(serde_json::json!({ "endpoint": { "type": "PRIVATE", "ipAddressType": "ipv4" } })), @"
    endpoint.vpcEndpointIds: `endpoint.vpcEndpointIds` is missing: a `PRIVATE` endpoint lets in nobody without the VPC endpoints through which callers come, or a `policy` that names who may
    endpoint.ipAddressType: `endpoint.ipAddressType` is `dualstack` for the `endpoint.type` `PRIVATE`: leave it out
    ");
    insta::assert_snapshot!(told(serde_json::json!({ "endpoint": { "vpcEndpointIds": ["vpc-1"] } })), @"
    endpoint.vpcEndpointIds: `endpoint.vpcEndpointIds` is for the `endpoint.type` `PRIVATE`: set that, or leave it out
    endpoint.vpcEndpointIds[0]: `endpoint.vpcEndpointIds[0]` must be the id of a VPC endpoint, such as `vpce-0a1b2c3d4e5f67890`
    ");
}

#[test]
fn a_role_is_given_or_made() {
    let arn = "arn:aws:iam::123456789012:role/research/data";
    assert_eq!(told(serde_json::json!({ "role": { "arn": arn } })), "");
    assert_eq!(told(serde_json::json!({ "role": { "arn": UNKNOWN, "path": UNKNOWN } })), "");
    insta::assert_snapshot!(told(serde_json::json!({ "role": { "arn": "arn:aws:iam::123456789012:user/data" } })), @"role.arn: `role.arn` must be the ARN of an IAM role, such as `arn:aws:iam::123456789012:role/research/data`");
    insta::assert_snapshot!(told(serde_json::json!({ "role": { "arn": arn, "path": "/a/" } })), @"role.path: `role.path` is for the role that is made, and `role.arn` names another: leave one of them out");
}

#[test]
fn a_domain_name_is_one_host_with_a_certificate() {
    let arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1";
    for (name, base_path) in [("a.example", "v1"), ("xn--bcher-kva.example.com", "$-_.+!*'()")] {
        let domain = serde_json::json!({ "name": name, "certificateArn": arn, "basePath": base_path });
        assert_eq!(told(serde_json::json!({ "domain": domain })), "", "{name}");
    }
    let unknown = serde_json::json!({ "name": UNKNOWN, "certificateArn": UNKNOWN, "basePath": UNKNOWN });
    assert_eq!(told(serde_json::json!({ "domain": unknown })), "");
    insta::assert_snapshot!(told(serde_json::json!({
        "domain": { "name": "*.example.com", "certificateArn": "arn:aws:iam::123456789012:server-certificate/a",
                    "basePath": "v1/models" },
        "endpoint": { "type": "PRIVATE", "vpcEndpointIds": ["vpce-1"] },
    })), @"
    domain: `domain` is for callers on the internet, and not offered with the `endpoint.type` `PRIVATE`: leave one of them out
    domain.name: `domain.name` must be the name of one host, such as `data.example.com`: two or more labels of lower-case letters, digits and hyphens, without a wildcard or a dot at the end
    domain.certificateArn: `domain.certificateArn` must be the ARN of a certificate in AWS Certificate Manager, such as `arn:aws:acm:eu-central-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab`
    domain.basePath: `domain.basePath` is one segment of up to 300 letters, digits and `$-_.+!*'()`, such as `v1`, without slashes; leave it out for none
    ");
    for name in ["example", "A.example", "a_b.example", "-a.example", "a.example.", "a..example", "https://a.example"] {
        let domain = serde_json::json!({ "name": name, "certificateArn": arn });
        assert!(told(serde_json::json!({ "domain": domain })).starts_with("domain.name: "), "{name}");
    }
}
