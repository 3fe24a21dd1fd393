//! A domain name of the user's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A custom domain name for the URL. Its DNS record is yours to make: an alias or CNAME of the name to `domainTarget`. One for
/// the `endpoint.type` `EDGE` takes AWS up to 40 minutes, which the update waits. It has the `endpoint.ipAddressType` of the API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Domain {
    /// The domain name, such as `data.example.com`, in lower case. With another name, the new one is made and answers
    /// before the old one goes.
    pub name: String,
    /// The ARN of a certificate for the name in AWS Certificate Manager: in the resource's Region, or for the `endpoint.type`
    /// `EDGE` in `us-east-1`. A change is made in place.
    pub certificate_arn: String,
    /// What the URL's path begins with, in place of the stage: one segment of letters, digits and `$-_.+!*'()`. Without it,
    /// `path` is right below the domain name, which then has no room for other APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
    /// Which versions of TLS clients may use. `TLS_1_2` by default. The newer policies, such as those of
    /// `endpoint.securityPolicy`, are not offered for domain names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<DomainSecurityPolicy>,
}

/// The oldest version of TLS that clients may use
/// ([AWS's list](https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DomainSecurityPolicy {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "TLS_1_2")]
    Tls12,
    /// TLS 1.0, for clients that know no better.
    #[serde(rename = "TLS_1_0")]
    Tls10,
}

/// What the DNS record of a custom domain name leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainTarget {
    /// The name that a CNAME or an alias leads to.
    pub name: String,
    /// The id of its hosted zone, which an alias in Route 53 needs.
    pub hosted_zone_id: String,
}
