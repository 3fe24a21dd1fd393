//! The REST API's own endpoint: its kind, and what UpdateRestApi has to be told to change it.

use s3dataproxy_schema::{EndpointType, Inputs, IpAddressType, SecurityPolicy};
use serde::{Deserialize, Serialize};

use crate::plan::Changes;

/// An endpoint. The default is what every state without one has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: EndpointType,
    /// Whether it can be reached by IPv6 too, which a private one always can.
    pub dual_stack: bool,
    /// The VPC endpoints that it is for, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vpc_endpoint_ids: Vec<String>,
    /// Its security policy, where it is not the one that its kind has by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<String>,
}

/// What UpdateRestApi is told: an operation, a path and a value.
pub type Patch = (&'static str, String, String);

impl Endpoint {
    /// What the inputs ask for.
    pub fn of(inputs: &Inputs) -> Endpoint {
        let endpoint = inputs.endpoint.clone().unwrap_or_default();
        let kind = endpoint.kind.unwrap_or_default();
        let mut vpc_endpoint_ids = endpoint.vpc_endpoint_ids.unwrap_or_default();
        vpc_endpoint_ids.sort();
        vpc_endpoint_ids.dedup();
        let dual_stack = kind == EndpointType::Private || endpoint.ip_address_type == Some(IpAddressType::DualStack);
        let policy = endpoint.security_policy.map(SecurityPolicy::name);
        Endpoint { kind, dual_stack, vpc_endpoint_ids, security_policy: None }.with_policy(policy)
    }

    /// The same with a security policy.
    pub fn with_policy(self, policy: Option<String>) -> Endpoint {
        let is_default = |name: &String| match self.kind {
            // One that became private may still be told by its old one.
            EndpointType::Private => name.starts_with("TLS_"),
            kind => *name == default_policy(kind),
        };
        let security_policy = policy.filter(|name| !is_default(name));
        Endpoint { security_policy, ..self }
    }

    /// How requests are looked at besides, which a security policy of the newer ones has to be told with: `STRICT` would
    /// refuse those that come by a name of another kind of endpoint.
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html>
    pub fn access_mode(&self) -> Option<&'static str> {
        self.security_policy.as_ref().filter(|name| name.starts_with("SecurityPolicy_")).map(|_| "BASIC")
    }

    /// Whether nothing differs from what a REST API has without being told.
    pub fn is_default(&self) -> bool {
        *self == Endpoint::default()
    }

    /// API Gateway's name of the kind.
    pub fn kind_name(&self) -> &'static str {
        name(self.kind)
    }

    /// API Gateway's name of the protocols.
    pub fn ip_address_type(&self) -> &'static str {
        ip_address_type(self.dual_stack)
    }

    /// The user's properties that differ.
    pub fn compare(&self, new: &Endpoint, changes: &mut Changes) {
        changes.field("endpoint.type", &self.kind, &new.kind);
        if self.kind == new.kind {
            changes.field("endpoint.ipAddressType", &self.dual_stack, &new.dual_stack);
        }
        changes.field("endpoint.vpcEndpointIds", &self.vpc_endpoint_ids, &new.vpc_endpoint_ids);
        changes.option("endpoint.securityPolicy", &self.security_policy, &new.security_policy);
    }

    /// What UpdateRestApi has to be told to come here from `old`, call by call: a private endpoint becomes a regional one
    /// with both protocols, and only that an edge-optimized one or one of a single protocol.
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-api-migration.html>
    pub fn patches(&self, old: &Endpoint) -> Vec<Vec<Patch>> {
        let regional = Endpoint { dual_stack: true, ..Endpoint::default() };
        if old.kind == EndpointType::Private && self.kind != EndpointType::Private && *self != regional {
            return [regional.patches(old), self.patches(&regional)].concat();
        }
        let ids = "/endpointConfiguration/vpcEndpointIds";
        let given = |ids: &[String], others: &[String]| -> Vec<String> {
            ids.iter().filter(|id| !others.contains(id)).cloned().collect()
        };
        let mut patches = Vec::new();
        for id in given(&old.vpc_endpoint_ids, &self.vpc_endpoint_ids) {
            patches.push(("remove", ids.to_owned(), id));
        }
        if self.kind != old.kind {
            let path = "/endpointConfiguration/types/0".to_owned();
            patches.push(("replace", path, self.kind_name().to_owned()));
        }
        // One that becomes private gets both protocols with it.
        if self.dual_stack != old.dual_stack && self.kind != EndpointType::Private {
            let path = "/endpointConfiguration/ipAddressType".to_owned();
            patches.push(("replace", path, self.ip_address_type().to_owned()));
        }
        for id in given(&self.vpc_endpoint_ids, &old.vpc_endpoint_ids) {
            patches.push(("add", ids.to_owned(), id));
        }
        if self.security_policy != old.security_policy {
            let policy = self.security_policy.as_deref().unwrap_or(default_policy(self.kind));
            patches.push(("replace", "/securityPolicy".to_owned(), policy.to_owned()));
            if let Some(mode) = self.access_mode().filter(|mode| old.access_mode() != Some(mode)) {
                patches.push(("replace", "/endpointAccessMode".to_owned(), mode.to_owned()));
            }
        }
        if patches.is_empty() { Vec::new() } else { vec![patches] }
    }
}

/// API Gateway's name of the protocols by which something can be reached.
pub fn ip_address_type(dual_stack: bool) -> &'static str {
    if dual_stack { "dualstack" } else { "ipv4" }
}

/// The security policy of an endpoint that was not told one.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html>
fn default_policy(kind: EndpointType) -> &'static str {
    match kind {
        EndpointType::Regional | EndpointType::Edge => "TLS_1_0",
        EndpointType::Private => "TLS_1_2",
    }
}

fn name(kind: EndpointType) -> &'static str {
    match kind {
        EndpointType::Regional => "REGIONAL",
        EndpointType::Edge => "EDGE",
        EndpointType::Private => "PRIVATE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(json: serde_json::Value) -> Endpoint {
        Endpoint::of(&serde_json::from_value(serde_json::json!({ "endpoint": json })).expect("inputs"))
    }

    fn told(old: serde_json::Value, new: serde_json::Value) -> String {
        let calls = endpoint(new).patches(&endpoint(old));
        let lines = calls.iter().map(|call| {
            let patches: Vec<String> = call.iter().map(|(op, path, value)| format!("{op} {path} {value}")).collect();
            patches.join("; ")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_change_is_told_as_patches() {
        let private = serde_json::json!({ "type": "PRIVATE", "vpcEndpointIds": ["vpce-2", "vpce-1"] });
        let (regional, edge) = (serde_json::json!({}), serde_json::json!({ "type": "EDGE" }));
        assert_eq!(told(regional.clone(), serde_json::json!({ "type": "REGIONAL", "ipAddressType": "ipv4" })), "");
        assert_eq!(
            told(regional.clone(), serde_json::json!({ "ipAddressType": "dualstack" })),
            "replace /endpointConfiguration/ipAddressType dualstack"
        );
        assert_eq!(told(regional.clone(), edge.clone()), "replace /endpointConfiguration/types/0 EDGE");
        assert_eq!(
            told(regional, private.clone()),
            "replace /endpointConfiguration/types/0 PRIVATE; add /endpointConfiguration/vpcEndpointIds vpce-1; \
             add /endpointConfiguration/vpcEndpointIds vpce-2"
        );
        assert_eq!(
            told(private.clone(), serde_json::json!({ "type": "PRIVATE", "vpcEndpointIds": ["vpce-1"] })),
            "remove /endpointConfiguration/vpcEndpointIds vpce-2"
        );
        assert_eq!(
            told(private.clone(), edge.clone()),
            "remove /endpointConfiguration/vpcEndpointIds vpce-1; remove /endpointConfiguration/vpcEndpointIds vpce-2; \
             replace /endpointConfiguration/types/0 REGIONAL\n\
             replace /endpointConfiguration/types/0 EDGE; replace /endpointConfiguration/ipAddressType ipv4"
        );
        let tls13 = serde_json::json!({ "securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09" });
        assert_eq!(
            told(serde_json::json!({ "securityPolicy": "TLS_1_0" }), tls13.clone()),
            "replace /securityPolicy SecurityPolicy_TLS13_1_3_2025_09; replace /endpointAccessMode BASIC"
        );
        assert_eq!(told(tls13, serde_json::json!({})), "replace /securityPolicy TLS_1_0");
        let plain = serde_json::json!({ "type": "PRIVATE", "securityPolicy": "TLS_1_2", "vpcEndpointIds": ["vpce-2", "vpce-1"] });
        assert_eq!(told(private, plain), "");
    }
}
