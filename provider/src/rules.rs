//! What inputs may say about data and browsers, and what does not go together.

mod access;
mod arn;
mod authorization;
mod cache;
mod domain;
mod endpoint;
mod keys;
mod logs;
pub mod place;
pub mod risks;
mod role;

use s3dataproxy_schema::{Bucket, Cors, Inputs, Operation, Throttle};

use arn::is_arn;

use crate::inputs::{Failure, Read};
use crate::value::UNKNOWN;

/// Checks what types cannot. Parts that are not known yet are skipped.
pub fn check(read: &Read<Inputs>) -> Vec<Failure> {
    let inputs = &read.typed;
    let mut failures = Vec::new();
    if let Some(bucket) = &inputs.bucket {
        check_bucket(bucket, read.unknown.contains("bucket"), &mut failures);
    }
    if let Some(index) = &inputs.index_document {
        let offers = |operation| inputs.operations.as_ref().map(|all| all.contains(&operation));
        let reason = match () {
            () if !index.contains(UNKNOWN) && !is_key(index) => Some(
                "`indexDocument` is an object's key such as `index.html`: segments of letters, digits and `_ - . =`, \
                 without a slash at the ends",
            ),
            () if offers(Operation::Get) == Some(false) => {
                Some("`indexDocument` is read with GET, and `operations` has no `GET`: add it")
            }
            () if offers(Operation::List) == Some(true) => {
                Some("`indexDocument` and the operation `LIST` both answer the mount path: leave one of them out")
            }
            () => None,
        };
        failures.extend(reason.map(|reason| Failure::new("indexDocument", reason)));
    }
    if let Some(Throttle { rate_limit, burst_limit }) = inputs.throttle {
        let mut fail = |path: &str, right: bool, reason: &str| {
            failures.extend((!right).then(|| Failure::new(path, reason)));
        };
        let reason = "`throttle.rateLimit` must be 0 or more, in requests a second";
        fail("throttle.rateLimit", rate_limit >= 0.0, reason);
        let reason = "`throttle.burstLimit` must be 0 to 2147483647, in requests";
        fail("throttle.burstLimit", (0..=i64::from(i32::MAX)).contains(&burst_limit), reason);
    }
    let existing = inputs.bucket.as_ref().filter(|bucket| bucket.existing == Some(true));
    if existing.is_some_and(|bucket| bucket.kms_key_arn.is_some())
        && inputs.role.as_ref().is_some_and(|role| role.arn.is_some())
    {
        let reason = "`bucket.kmsKeyArn` is for the role that is made or the bucket that is made, and both are made elsewhere: \
                      leave it out, and let the role of `role.arn` use the key";
        failures.push(Failure::new("bucket.kmsKeyArn", reason));
    }
    if let Some(role) = &inputs.role {
        role::check(role, &mut failures);
    }
    authorization::check(read, &mut failures);
    cache::check(inputs, &mut failures);
    endpoint::check(read, &mut failures);
    domain::check(read, &mut failures);
    keys::check(read, &mut failures);
    access::check(inputs, &mut failures);
    logs::check(inputs, &mut failures);
    if inputs.web_acl_arn.as_ref().is_some_and(|text| !arn::is_arn(text, "wafv2", "regional/webacl/")) {
        let reason = "`webAclArn` must be the ARN of an AWS WAF web ACL for regional resources, such as \
                      `arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/data/a1b2c3d4-5678-90ab-cdef-example11111`";
        failures.push(Failure::new("webAclArn", reason));
    }
    if let Some(cors) = &inputs.cors {
        check_cors(cors, &mut failures);
        let several = cors.allow_origins.len() > 1;
        if several && inputs.bucket.as_ref().and_then(|bucket| bucket.existing) == Some(true) {
            let reason = "`cors.allowOrigins` has several origins, which S3 tells apart by rules of the bucket, and an \
                          existing bucket is not changed: name one origin, or `*`";
            failures.push(Failure::new("cors.allowOrigins", reason));
        }
    }
    failures
}

fn check_bucket(bucket: &Bucket, partly_known: bool, failures: &mut Vec<Failure>) {
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        if wrong {
            failures.push(Failure::new(path, reason));
        }
    };
    let known = |value: &Option<String>| value.clone().filter(|text| !text.contains(UNKNOWN));
    let existing = bucket.existing.unwrap_or(false);
    fail(
        "bucket.name",
        existing && bucket.name.is_none() && !partly_known,
        "`bucket.existing` is set and `bucket.name` is missing: name the bucket that is to be served",
    );
    for (path, set) in [
        ("bucket.forceDestroy", bucket.force_destroy),
        ("bucket.secureTransportOnly", bucket.secure_transport_only),
        ("bucket.versioning", bucket.versioning),
    ] {
        let reason = format!("`{path}` is about a bucket that is made here; one that is `existing` is never changed");
        fail(path, existing && set == Some(true), &reason);
    }
    fail(
        "bucket.region",
        bucket.region.is_some() && !existing && !partly_known,
        "`bucket.region` is about an existing bucket; one that is made is in the provider's Region",
    );
    let code = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    fail(
        "bucket.region",
        known(&bucket.region).is_some_and(|region| region.is_empty() || !code(&region)),
        "`bucket.region` must be the code of an AWS Region, such as `eu-central-1`",
    );
    fail(
        "bucket.prefix",
        known(&bucket.prefix).is_some_and(|prefix| !is_key(prefix.strip_suffix('/').unwrap_or(&prefix))),
        "`bucket.prefix` has segments of letters, digits and `_ - . =` such as `models/v1`, without a slash at the start",
    );
    fail(
        "bucket.kmsKeyArn",
        known(&bucket.kms_key_arn).is_some_and(|arn| !is_arn(&arn, "kms", "key/")),
        "`bucket.kmsKeyArn` must be the ARN of a KMS key, such as \
         `arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`; an alias does not do, as \
         policies know keys only",
    );
}

/// Whether a text is segments of characters that mean the same in keys, URLs and policies.
fn is_key(text: &str) -> bool {
    text.len() <= 512
        && text.split('/').all(|segment| {
            let legal = |c: char| c.is_ascii_alphanumeric() || "_-.=".contains(c);
            !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(legal)
        })
}

fn check_cors(cors: &Cors, failures: &mut Vec<Failure>) {
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        if wrong {
            failures.push(Failure::new(path, reason));
        }
    };
    let known: Vec<&String> = cors.allow_origins.iter().filter(|origin| !origin.contains(UNKNOWN)).collect();
    fail("cors.allowOrigins", cors.allow_origins.is_empty(), "`cors.allowOrigins` is empty: name an origin, or `*`");
    let all = known.iter().any(|origin| *origin == "*");
    fail(
        "cors.allowOrigins",
        all && cors.allow_origins.len() > 1,
        "`cors.allowOrigins` has `*` and others: `*` is all of them",
    );
    for (index, origin) in cors.allow_origins.iter().enumerate() {
        let path = format!("cors.allowOrigins[{index}]");
        let reason = format!(
            "`{path}` must be an origin: `https://` or `http://`, a host in lower case, and a port where there is one, \
             without a path"
        );
        fail(&path, !origin.contains(UNKNOWN) && origin != "*" && !is_origin(origin), &reason);
        let twice = cors.allow_origins[..index].contains(origin);
        fail(&path, twice, &format!("`{path}` is named twice"));
    }
    fail(
        "cors.allowCredentials",
        all && cors.allow_credentials == Some(true),
        "`cors.allowCredentials` does not go with the origin `*`: browsers refuse it; name the origins",
    );
    fail(
        "cors.maxAgeSeconds",
        cors.max_age_seconds.is_some_and(|seconds| !(0..=86_400).contains(&seconds)),
        "`cors.maxAgeSeconds` must be 0 to 86400",
    );
    for (name, headers) in [("allowHeaders", &cors.allow_headers), ("exposeHeaders", &cors.expose_headers)] {
        for (index, header) in headers.iter().flatten().enumerate() {
            let path = format!("cors.{name}[{index}]");
            let legal = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            let header_name = !header.is_empty() && (header == "*" || header.chars().all(legal));
            let reason = format!("`{path}` must be the name of a header: letters, digits and hyphens");
            fail(&path, !header.contains(UNKNOWN) && !header_name, &reason);
        }
    }
}

fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.chars().all(legal)
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests;
