//! Where the REST API can be reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecurityPolicy;

/// The REST API's own endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoint {
    /// Which kind it is. `REGIONAL` by default. A change keeps the REST API and its URL; between `REGIONAL` and `PRIVATE` who
    /// can reach it changes with it.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub kind: Option<EndpointType>,
    /// For `PRIVATE`: the ids of the VPC endpoints (of the service `execute-api`) through which callers come, such as
    /// `vpce-0a1b2c3d4e5f67890`. All others are refused, whatever `policy` and `authorization` say; the endpoints' own
    /// policies hold besides. `invokeUrl` has the name of the first by the alphabet, which works with and without private DNS names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_ids: Option<Vec<String>>,
    /// By which protocols it can be reached. `ipv4` by default, and `dualstack` for `PRIVATE`, which knows no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address_type: Option<IpAddressType>,
    /// Whether the URL that API Gateway gives is switched off, so that the API can be reached by a
    /// [custom domain name](https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html)
    /// only: one of `domain`, or one made elsewhere. `false` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_execute_api: Option<bool>,
    /// Which versions and ciphers of TLS clients may use. By default `TLS_1_0`, and `TLS_1_2` for `PRIVATE`. A change takes
    /// API Gateway about
    /// [15 minutes](https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-update.html), in
    /// which the URL answers as before, and the update waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<SecurityPolicy>,
}

/// Kinds of endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EndpointType {
    /// In its Region.
    #[default]
    #[serde(rename = "REGIONAL")]
    Regional,
    /// By CloudFront's locations all over the world, which is for clients far away. It caches nothing, and API Gateway makes
    /// one in 30 seconds at most.
    #[serde(rename = "EDGE")]
    Edge,
    /// From VPCs only.
    #[serde(rename = "PRIVATE")]
    Private,
}

/// Protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IpAddressType {
    /// IPv4 only.
    #[default]
    #[serde(rename = "ipv4")]
    Ipv4,
    /// IPv4 and IPv6.
    #[serde(rename = "dualstack")]
    DualStack,
}
