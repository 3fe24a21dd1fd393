//! The REST API's own endpoint: its kind, and what UpdateRestApi has to be told to change it.

use s3dataproxy_schema::{EndpointType, Inputs, IpAddressType};
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
        Endpoint { kind, dual_stack, vpc_endpoint_ids }
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
        if self.dual_stack { "dualstack" } else { "ipv4" }
    }

    /// The user's properties that differ.
    pub fn compare(&self, new: &Endpoint, changes: &mut Changes) {
        changes.field("endpoint.type", &self.kind, &new.kind);
        if self.kind == new.kind {
            changes.field("endpoint.ipAddressType", &self.dual_stack, &new.dual_stack);
        }
        changes.field("endpoint.vpcEndpointIds", &self.vpc_endpoint_ids, &new.vpc_endpoint_ids);
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
        if patches.is_empty() { Vec::new() } else { vec![patches] }
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
            told(private, edge),
            "remove /endpointConfiguration/vpcEndpointIds vpce-1; remove /endpointConfiguration/vpcEndpointIds vpce-2; \
             replace /endpointConfiguration/types/0 REGIONAL\n\
             replace /endpointConfiguration/types/0 EDGE; replace /endpointConfiguration/ipAddressType ipv4"
        );
    }
}
