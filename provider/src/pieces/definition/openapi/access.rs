//! From where callers may come: the REST API's resource policy.

use s3dataproxy_schema::{EndpointType, Inputs};
use serde_json::{Value as Json, json};

use super::Auth;
use crate::pieces::rest_api::Endpoint;
use crate::policy::canonical;

/// The statement that refuses all other addresses.
const SID: &str = "AllowedIpRanges";

/// The statement that refuses all other VPC endpoints.
const VPC_SID: &str = "AllowedVpcEndpoints";

/// Every request, as policies name them before the API has an id.
const EVERYTHING: &str = "execute-api:/*";

/// What the inputs say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// The user's policy, in canonical form.
    pub policy: Option<String>,
    /// The addresses that may call; none for all.
    pub ip_ranges: Vec<String>,
    /// Whether callers come from VPCs, where they have addresses of their own.
    pub private: bool,
    /// The VPC endpoints through which they may come; none for all.
    pub vpc_endpoint_ids: Vec<String>,
}

impl Access {
    /// What the inputs ask for.
    pub fn of(inputs: &Inputs) -> Access {
        let mut ip_ranges = inputs.allowed_ip_ranges.clone().unwrap_or_default();
        ip_ranges.sort();
        ip_ranges.dedup();
        let Endpoint { kind, vpc_endpoint_ids, .. } = Endpoint::of(inputs);
        let policy = inputs.policy.as_deref().map(canonical);
        Access { policy, ip_ranges, private: kind == EndpointType::Private, vpc_endpoint_ids }
    }

    /// The policy; none where everybody may come from everywhere. `preflights` is the stage, where there are some.
    pub fn document(&self, auth: &Auth, preflights: Option<&str>) -> Option<Json> {
        let mut policy = match &self.policy {
            // What is not known yet is no JSON.
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| json!({ "Id": text })),
            None if self.ip_ranges.is_empty() && self.vpc_endpoint_ids.is_empty() => return None,
            None => json!({ "Version": "2012-10-17", "Statement": opening(auth, preflights) }),
        };
        let mut all = listed(&policy["Statement"]);
        if !self.ip_ranges.is_empty() {
            all.push(refusal(SID, json!({ "NotIpAddress": { self.address(): self.ip_ranges } })));
        }
        if !self.vpc_endpoint_ids.is_empty() {
            all.push(refusal(VPC_SID, json!({ "StringNotEquals": { "aws:SourceVpce": self.vpc_endpoint_ids } })));
        }
        if all.iter().any(is_ours) {
            policy["Statement"] = all.into();
        }
        Some(policy)
    }

    /// The condition key that has the caller's address.
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html>
    fn address(&self) -> &'static str {
        if self.private { "aws:VpcSourceIp" } else { "aws:SourceIp" }
    }
}

fn is_ours(statement: &Json) -> bool {
    statement["Sid"] == SID || statement["Sid"] == VPC_SID
}

fn refusal(sid: &str, condition: Json) -> Json {
    json!({
        "Action": "execute-api:Invoke",
        "Condition": condition,
        "Effect": "Deny",
        "Principal": "*",
        "Resource": EVERYTHING,
        "Sid": sid,
    })
}

/// What a policy has to allow that is there only to refuse addresses.
///
/// With no or Cognito's authorization, what no statement allows is refused. With AWS identities and functions, what a
/// statement allows needs neither: an allowance for all would let in whom they do not.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html>
///
/// Preflights are named with their stage: an asterisk in its place would stand for slashes too, and so for the path of any
/// object with `/OPTIONS/` in its key.
fn opening(auth: &Auth, preflights: Option<&str>) -> Vec<Json> {
    let resource = match (auth, preflights) {
        (Auth::None | Auth::UserPools { .. }, _) => EVERYTHING.to_owned(),
        (Auth::Iam | Auth::Function { .. }, Some(stage)) => format!("execute-api:/{stage}/OPTIONS/*"),
        (Auth::Iam | Auth::Function { .. }, None) => return Vec::new(),
    };
    vec![json!({ "Action": "execute-api:Invoke", "Effect": "Allow", "Principal": "*", "Resource": resource })]
}

fn listed(statement: &Json) -> Vec<Json> {
    match statement {
        Json::Array(all) => all.clone(),
        Json::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// A policy as API Gateway tells it, in the form in which ours is compared: it escapes the text, and writes the API's whole
/// name where one may leave it out.
pub fn told(text: &str, api_id: &str) -> Option<String> {
    let plain = || serde_json::from_str::<String>(&format!("\"{text}\"")).ok();
    let policy: Json = serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&plain()?).ok())?;
    Some(compared(&policy, api_id))
}

/// The form in which policies are compared.
pub fn compared(policy: &Json, api_id: &str) -> String {
    let mut policy = policy.clone();
    let mut all = listed(&policy["Statement"]);
    for statement in &mut all {
        for part in ["Resource", "NotResource"] {
            match statement.get_mut(part) {
                Some(Json::Array(texts)) => texts.iter_mut().for_each(|text| shorten(text, api_id)),
                Some(text) => shorten(text, api_id),
                None => {}
            }
        }
    }
    policy["Statement"] = all.into();
    canonical(&policy.to_string())
}

fn shorten(resource: &mut Json, api_id: &str) {
    let Some(text) = resource.as_str().filter(|text| text.starts_with("arn:")) else { return };
    let mut parts = text.splitn(6, ':').skip(2);
    if parts.next() == Some("execute-api")
        && let Some(path) = parts.nth(2).and_then(|what| what.strip_prefix(api_id))
        && path.starts_with('/')
    {
        *resource = format!("execute-api:{path}").into();
    }
}

/// The inputs behind a policy in the form of [`compared`], for an import: the policy without what is ours, the ranges and the
/// VPC endpoints.
pub fn inputs_of(policy: &str, auth: &Auth, preflights: Option<&str>, private: bool) -> Access {
    let mut access = Access { private, ..Access::default() };
    let Ok(mut document) = serde_json::from_str::<Json>(policy) else { return access };
    let (ours, others): (Vec<Json>, Vec<Json>) = listed(&document["Statement"]).into_iter().partition(is_ours);
    let told = |sid: &str, test: &str, key: &str| -> Vec<String> {
        let statement = ours.iter().find(|statement| statement["Sid"] == sid);
        let values = statement.map(|statement| listed(&statement["Condition"][test][key])).unwrap_or_default();
        values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    access.ip_ranges = told(SID, "NotIpAddress", access.address());
    access.vpc_endpoint_ids = told(VPC_SID, "StringNotEquals", "aws:SourceVpce");
    if ours.is_empty() || others != opening(auth, preflights) {
        document["Statement"] = others.into();
        access.policy = Some(canonical(&document.to_string()));
    }
    access
}

#[cfg(test)]
mod tests {
    use s3dataproxy_schema::AuthorizerType;

    use super::*;

    const POLICY: &str = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke",
        "Resource":["execute-api:/prod/GET/*"],"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}},"Version":"2012-10-17"}"#;

    fn function() -> Auth {
        Auth::Function { kind: AuthorizerType::Token, arn: "f".to_owned(), role_arn: None, sources: Vec::new(), ttl: 0 }
    }

    #[test]
    fn the_policy_follows_the_inputs_and_back() {
        let pools = Auth::UserPools { arns: Vec::new(), scopes: Vec::new() };
        let mut said = String::new();
        for (policy, ranges, vpc_endpoints, auth, preflights) in [
            (None, vec![], vec![], Auth::None, Some("prod")),
            (None, vec!["2001:db8::/32", "203.0.113.0/24"], vec![], Auth::None, None),
            (None, vec!["203.0.113.0/24"], vec![], pools, None),
            (None, vec!["203.0.113.0/24"], vec![], Auth::Iam, None),
            (None, vec!["203.0.113.0/24"], vec![], function(), Some("prod")),
            (Some(POLICY), vec![], vec![], Auth::Iam, None),
            (Some(POLICY), vec!["203.0.113.0/24"], vec![], Auth::None, None),
            (None, vec![], vec!["vpce-1", "vpce-2"], Auth::None, None),
            (None, vec!["10.0.0.0/8"], vec!["vpce-1"], Auth::Iam, Some("prod")),
            (Some(POLICY), vec![], vec!["vpce-1"], Auth::None, None),
        ] {
            let all = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
            let access = Access {
                policy: policy.map(canonical),
                ip_ranges: all(ranges),
                private: !vpc_endpoints.is_empty(),
                vpc_endpoint_ids: all(vpc_endpoints),
            };
            let Some(document) = access.document(&auth, preflights) else {
                assert_eq!(access, Access::default());
                continue;
            };
            said += &format!("{document}\n");
            // As API Gateway tells it.
            let long =
                document.to_string().replace("execute-api:/", "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/");
            let escaped = Json::from(long).to_string();
            let told = told(escaped.trim_matches('"'), "a1b2c3").expect("a policy");
            assert_eq!(told, compared(&document, "a1b2c3"));
            assert_eq!(inputs_of(&told, &auth, preflights, access.private), access);
        }
        insta::assert_snapshot!(said);
    }
}
