//! What `endpoint` may say.

use s3dataproxy_schema::{EndpointType, Inputs, IpAddressType, SecurityPolicy};

use crate::inputs::{Failure, Read};
use crate::value::UNKNOWN;

/// Checks what types cannot. Parts that are not known yet are skipped.
pub(super) fn check(read: &Read<Inputs>, failures: &mut Vec<Failure>) {
    let inputs = &read.typed;
    let Some(endpoint) = inputs.endpoint.as_ref().filter(|_| !read.unknown.contains("endpoint")) else { return };
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        failures.extend(wrong.then(|| Failure::new(path, reason)));
    };
    let private = endpoint.kind == Some(EndpointType::Private);
    let ids = endpoint.vpc_endpoint_ids.as_deref();
    fail(
        "endpoint.vpcEndpointIds",
        private && ids.is_none_or(<[String]>::is_empty) && inputs.policy.is_none(),
        "`endpoint.vpcEndpointIds` is missing: a `PRIVATE` endpoint lets in nobody without the VPC endpoints through which \
         callers come, or a `policy` that names who may",
    );
    fail(
        "endpoint.vpcEndpointIds",
        !private && ids.is_some(),
        "`endpoint.vpcEndpointIds` is for the `endpoint.type` `PRIVATE`: set that, or leave it out",
    );
    fail(
        "endpoint.ipAddressType",
        private && endpoint.ip_address_type == Some(IpAddressType::Ipv4),
        "`endpoint.ipAddressType` is `dualstack` for the `endpoint.type` `PRIVATE`: leave it out",
    );
    let edge = endpoint.kind == Some(EndpointType::Edge);
    let policy = endpoint.security_policy.map(SecurityPolicy::name).unwrap_or_default();
    fail(
        "endpoint.securityPolicy",
        policy.starts_with("SecurityPolicy_") && policy.ends_with("_EDGE") != edge,
        if edge {
            "`endpoint.securityPolicy` is not for the `endpoint.type` `EDGE`: those for it end in `_EDGE`"
        } else {
            "`endpoint.securityPolicy` is for the `endpoint.type` `EDGE`: choose one that does not end in `_EDGE`"
        },
    );
    fail(
        "endpoint.securityPolicy",
        private && policy == "TLS_1_0",
        "`endpoint.securityPolicy` is `TLS_1_2` or one of the newer for the `endpoint.type` `PRIVATE`",
    );
    for (index, id) in ids.into_iter().flatten().enumerate() {
        let path = format!("endpoint.vpcEndpointIds[{index}]");
        let reason = format!("`{path}` must be the id of a VPC endpoint, such as `vpce-0a1b2c3d4e5f67890`");
        fail(&path, !id.contains(UNKNOWN) && !is_vpc_endpoint(id), &reason);
    }
}

fn is_vpc_endpoint(id: &str) -> bool {
    id.strip_prefix("vpce-").is_some_and(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit()))
}
