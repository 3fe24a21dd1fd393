//! What `domain` may say.

use s3dataproxy_schema::{EndpointType, Inputs};

use super::arn::is_arn;
use crate::inputs::{Failure, Read};
use crate::value::UNKNOWN;

/// Checks what types cannot. Parts that are not known yet are skipped.
pub(super) fn check(read: &Read<Inputs>, failures: &mut Vec<Failure>) {
    let inputs = &read.typed;
    let Some(domain) = &inputs.domain else { return };
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        failures.extend(wrong.then(|| Failure::new(path, reason)));
    };
    fail(
        "domain",
        inputs.endpoint.as_ref().is_some_and(|endpoint| endpoint.kind == Some(EndpointType::Private)),
        "`domain` is for callers on the internet, and not offered with the `endpoint.type` `PRIVATE`: leave one of them out",
    );
    fail(
        "domain.name",
        !domain.name.contains(UNKNOWN) && !is_host(&domain.name),
        "`domain.name` must be the name of one host, such as `data.example.com`: two or more labels of lower-case letters, \
         digits and hyphens, without a wildcard or a dot at the end",
    );
    fail(
        "domain.certificateArn",
        !is_arn(&domain.certificate_arn, "acm", "certificate/"),
        "`domain.certificateArn` must be the ARN of a certificate in AWS Certificate Manager, such as \
         `arn:aws:acm:eu-central-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab`",
    );
    // Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    let is_health_check = |path: &Option<String>| {
        let first = path.as_deref().unwrap_or_default().trim_start_matches('/').split('/').next();
        matches!(first, Some("ping" | "sping"))
    };
    for (path, set, first) in
        [("domain.basePath", &domain.base_path, true), ("path", &inputs.path, domain.base_path.is_none())]
    {
        let reason =
            format!("`{path}` begins with `ping` or `sping`, which API Gateway keeps for itself on a domain name");
        fail(path, first && is_health_check(set), &reason);
    }
    fail(
        "domain.basePath",
        domain.base_path.as_ref().is_some_and(|path| !path.contains(UNKNOWN) && !is_base_path(path)),
        "`domain.basePath` is one segment of up to 300 letters, digits and `$-_.+!*'()`, such as `v1`, without slashes; \
         leave it out for none",
    );
}

/// Source of the lengths: <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=63).contains(&label.len()) && label.chars().all(legal) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html>
fn is_base_path(path: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "$-_.+!*'()".contains(c);
    (1..=300).contains(&path.len()) && path.chars().all(legal) && path != "(none)"
}
