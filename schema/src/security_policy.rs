//! Which versions and ciphers of TLS clients may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which versions and ciphers of TLS clients may use.
/// [AWS's table](https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html) has the
/// ciphers of each. `PQ` is key exchange that quantum computers do not break, `FIPS` are ciphers of FIPS 140-3, `PFS` is
/// forward secrecy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecurityPolicy {
    /// TLS 1.0 and newer.
    #[serde(rename = "TLS_1_0")]
    Tls10,
    /// TLS 1.2 and newer.
    #[serde(rename = "TLS_1_2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "SecurityPolicy_TLS13_1_3_2025_09")]
    Tls13,
    /// TLS 1.3 with FIPS.
    #[serde(rename = "SecurityPolicy_TLS13_1_3_FIPS_2025_09")]
    Tls13Fips,
    /// TLS 1.2 and 1.3 with PFS and PQ.
    #[serde(rename = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09")]
    Tls12PfsPq,
    /// TLS 1.2 and 1.3 with FIPS and PQ.
    #[serde(rename = "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09")]
    Tls12FipsPq,
    /// TLS 1.2 and 1.3 with FIPS, PFS and PQ.
    #[serde(rename = "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09")]
    Tls12FipsPfsPq,
    /// TLS 1.2 and 1.3 with PQ.
    #[serde(rename = "SecurityPolicy_TLS13_1_2_PQ_2025_09")]
    Tls12Pq,
    /// TLS 1.2 and 1.3 with FIPS and PQ, and with older ciphers.
    #[serde(rename = "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09")]
    Tls12Ext2FipsPq,
    /// TLS 1.2 and 1.3 with PQ, and with older ciphers.
    #[serde(rename = "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09")]
    Tls12Ext2Pq,
    /// TLS 1.2 and 1.3.
    #[serde(rename = "SecurityPolicy_TLS13_1_2_2021_06")]
    Tls12And13,
    /// TLS 1.3, for edge-optimized endpoints.
    #[serde(rename = "SecurityPolicy_TLS13_2025_EDGE")]
    Tls13Edge,
    /// TLS 1.2 and 1.3 with PFS, for edge-optimized endpoints.
    #[serde(rename = "SecurityPolicy_TLS12_PFS_2025_EDGE")]
    Tls12PfsEdge,
    /// TLS 1.2 and 1.3, for edge-optimized endpoints.
    #[serde(rename = "SecurityPolicy_TLS12_2018_EDGE")]
    Tls12Edge,
}

impl SecurityPolicy {
    /// API Gateway's name of it.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => unreachable!("a variant without fields is text"),
        }
    }
}
