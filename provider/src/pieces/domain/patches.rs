//! What UpdateDomainName and UpdateBasePathMapping have to be told.

use s3dataproxy_schema::{DomainSecurityPolicy, EndpointType};

use super::{Desired, Mapping, State};
use crate::pieces::rest_api::ip_address_type;

/// What is done to one path: an operation, a path and a value.
pub(super) type Patch = (&'static str, &'static str, String);

const TYPES: &str = "/endpointConfiguration/types";

/// How API Gateway names a mapping without a base path.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateBasePathMapping.html>
const NO_BASE_PATH: &str = "(none)";

/// What brings a domain name to what it should be, call by call: an endpoint of another kind is there before the one that
/// was goes.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-migrate.html>
pub(super) fn domain(old: &State, new: &Desired) -> Vec<Vec<Patch>> {
    let mut first = Vec::new();
    match old.endpoint(new.kind) {
        Some(endpoint) if endpoint.certificate_arn == new.certificate_arn => {}
        Some(_) => first.push(("replace", certificate(new.kind), new.certificate_arn.clone())),
        None => {
            first.push(("add", TYPES, kind(new.kind).to_owned()));
            first.push(("add", certificate(new.kind), new.certificate_arn.clone()));
        }
    }
    if old.dual_stack != new.dual_stack {
        let path = "/endpointConfiguration/ipAddressType";
        first.push(("replace", path, ip_address_type(new.dual_stack).to_owned()));
    }
    if old.security_policy != Some(new.security_policy) {
        first.push(("replace", "/securityPolicy", policy(new.security_policy).to_owned()));
    }
    let others = old.endpoints.iter().filter(|endpoint| endpoint.kind != new.kind);
    let then = others.map(|endpoint| ("remove", TYPES, kind(endpoint.kind).to_owned())).collect();
    [first, then].into_iter().filter(|patches| !patches.is_empty()).collect()
}

/// What brings a mapping from old to new.
pub(super) fn mapping(old: &Mapping, new: &Mapping) -> Vec<Patch> {
    let mut patches = Vec::new();
    if old.base_path != new.base_path {
        patches.push(("replace", "/basePath", told(&new.base_path).to_owned()));
    }
    if old.api != new.api {
        patches.push(("replace", "/restapiId", new.api.clone()));
    }
    if old.stage != new.stage {
        patches.push(("replace", "/stage", new.stage.clone()));
    }
    patches
}

/// A base path in API Gateway's words.
pub(super) fn told(base_path: &str) -> &str {
    if base_path.is_empty() { NO_BASE_PATH } else { base_path }
}

/// A base path in ours.
pub(super) fn heard(base_path: &str) -> &str {
    if base_path == NO_BASE_PATH { "" } else { base_path }
}

/// API Gateway's word for the versions of TLS.
pub(super) fn policy(policy: DomainSecurityPolicy) -> &'static str {
    match policy {
        DomainSecurityPolicy::Tls12 => "TLS_1_2",
        DomainSecurityPolicy::Tls10 => "TLS_1_0",
    }
}

/// API Gateway's word for a kind. A private name is none of ours.
pub(super) fn kind(kind: EndpointType) -> &'static str {
    if kind == EndpointType::Edge { "EDGE" } else { "REGIONAL" }
}

fn certificate(kind: EndpointType) -> &'static str {
    if kind == EndpointType::Edge { "/certificateArn" } else { "/regionalCertificateArn" }
}

#[cfg(test)]
mod tests {
    use super::super::Endpoint;
    use super::*;

    fn endpoint(kind: EndpointType) -> Endpoint {
        Endpoint { kind, certificate_arn: "arn-1".to_owned(), ..Endpoint::default() }
    }

    #[test]
    fn a_change_is_told_as_patches() {
        let edge = Desired {
            name: "data.example.com".to_owned(),
            kind: EndpointType::Edge,
            dual_stack: false,
            certificate_arn: "arn-1".to_owned(),
            security_policy: DomainSecurityPolicy::Tls12,
            base_path: String::new(),
            stage: "prod".to_owned(),
            tags: Default::default(),
        };
        let with =
            |endpoints| State { endpoints, security_policy: Some(DomainSecurityPolicy::Tls12), ..State::default() };
        let told = |old: &State, new: &Desired| {
            let line = |patches: &Vec<Patch>| {
                let words: Vec<String> = patches.iter().map(|(op, path, to)| format!("{op} {path} {to}")).collect();
                words.join("; ")
            };
            domain(old, new).iter().map(line).collect::<Vec<_>>().join("\n")
        };
        let regional = Desired {
            kind: EndpointType::Regional,
            certificate_arn: "arn-2".to_owned(),
            security_policy: DomainSecurityPolicy::Tls10,
            ..edge.clone()
        };
        assert_eq!(told(&with(vec![endpoint(EndpointType::Edge)]), &edge), "");
        assert_eq!(
            told(&with(vec![endpoint(EndpointType::Regional)]), &regional),
            "replace /regionalCertificateArn arn-2; replace /securityPolicy TLS_1_0"
        );
        assert_eq!(
            told(&with(vec![endpoint(EndpointType::Regional)]), &edge),
            "add /endpointConfiguration/types EDGE; add /certificateArn arn-1\nremove /endpointConfiguration/types REGIONAL"
        );
        assert_eq!(
            told(&with(vec![endpoint(EndpointType::Edge)]), &Desired { dual_stack: true, ..edge.clone() }),
            "replace /endpointConfiguration/ipAddressType dualstack"
        );
        // A move that was broken off.
        let both = with(vec![endpoint(EndpointType::Edge), endpoint(EndpointType::Regional)]);
        assert_eq!(told(&both, &edge), "remove /endpointConfiguration/types REGIONAL");
    }

    #[test]
    fn no_base_path_has_a_name() {
        let old = Mapping { base_path: "v1".to_owned(), api: "a".to_owned(), stage: "prod".to_owned() };
        let new = Mapping { base_path: String::new(), api: "b".to_owned(), stage: "v2".to_owned() };
        assert_eq!(
            mapping(&old, &new),
            [
                ("replace", "/basePath", "(none)".to_owned()),
                ("replace", "/restapiId", "b".to_owned()),
                ("replace", "/stage", "v2".to_owned())
            ]
        );
        assert_eq!(mapping(&old, &old), []);
        assert_eq!((heard("(none)"), heard("v1")), ("", "v1"));
    }
}
