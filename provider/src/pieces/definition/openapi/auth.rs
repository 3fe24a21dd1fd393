//! Who may call, as the document says it: a security scheme, and each method's use of it.
//!
//! API Gateway ignores a document's own security, so every method has to name it.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>

use s3dataproxy_schema::{Authorization, Authorizer, AuthorizerType, Inputs};
use serde_json::{Value as Json, json};

use crate::partition::Partition;

/// Where an identity is unless the user says otherwise.
pub const SOURCE: &str = "method.request.header.Authorization";

/// What comes before a header's name where an identity is.
const HEADER: &str = "method.request.header.";

/// The scheme's name in the document, which is the authorizer's in API Gateway.
const SCHEME: &str = "authorization";

/// Who may call, with every default filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Auth {
    /// Everybody.
    #[default]
    None,
    /// AWS identities.
    Iam,
    /// Users of these pools, with a token that has one of these scopes, if there are some.
    UserPools {
        /// The pools' ARNs.
        arns: Vec<String>,
        /// The scopes.
        scopes: Vec<String>,
    },
    /// Whomever a function lets in.
    Function {
        /// What it gets.
        kind: AuthorizerType,
        /// The function's ARN.
        arn: String,
        /// The role with which it is invoked.
        role_arn: Option<String>,
        /// Where identities are.
        sources: Vec<String>,
        /// For how many seconds its answers hold.
        ttl: i64,
    },
}

impl Auth {
    /// What the inputs ask for.
    pub fn of(inputs: &Inputs) -> Auth {
        let authorizer = inputs.authorizer.clone().unwrap_or_default();
        match inputs.authorization.unwrap_or_default() {
            Authorization::None => Auth::None,
            Authorization::AwsIam => Auth::Iam,
            Authorization::CognitoUserPools => Auth::UserPools {
                arns: authorizer.user_pool_arns.unwrap_or_default(),
                scopes: authorizer.scopes.unwrap_or_default(),
            },
            Authorization::Custom => Auth::Function {
                kind: authorizer.kind.unwrap_or_default(),
                arn: authorizer.function_arn.unwrap_or_default(),
                role_arn: authorizer.role_arn,
                sources: authorizer.identity_sources.unwrap_or_else(|| vec![SOURCE.to_owned()]),
                ttl: authorizer.result_ttl_in_seconds.unwrap_or(0),
            },
        }
    }

    /// The document's security scheme, with its name.
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html>
    pub(super) fn scheme(&self) -> Option<(String, Json)> {
        let scheme = |header: &str, kind: &str| json!({ "type": "apiKey", "name": header, "in": "header", "x-amazon-apigateway-authtype": kind });
        let scheme = match self {
            Auth::None => return None,
            Auth::Iam => scheme("Authorization", "awsSigv4"),
            Auth::UserPools { arns, .. } => {
                let mut scheme = scheme("Authorization", "cognito_user_pools");
                scheme["x-amazon-apigateway-authorizer"] =
                    json!({ "type": "cognito_user_pools", "providerARNs": arns });
                scheme
            }
            Auth::Function { kind, arn, role_arn, sources, ttl } => {
                let is_token = *kind == AuthorizerType::Token;
                let header = sources.first().and_then(|source| source.strip_prefix(HEADER)).filter(|_| is_token);
                let mut authorizer = json!({
                    "type": if is_token { "token" } else { "request" },
                    "authorizerUri": uri(arn),
                    "authorizerResultTtlInSeconds": ttl,
                });
                if let Some(role) = role_arn {
                    authorizer["authorizerCredentials"] = role.as_str().into();
                }
                if !is_token && !sources.is_empty() {
                    authorizer["identitySource"] = sources.join(", ").into();
                }
                let mut scheme = scheme(header.unwrap_or("Unused"), "custom");
                scheme["x-amazon-apigateway-authorizer"] = authorizer;
                scheme
            }
        };
        Some((SCHEME.to_owned(), scheme))
    }

    /// The headers that a function asks for.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        let sources: &[String] = if let Auth::Function { sources, .. } = self { sources } else { &[] };
        sources.iter().filter_map(|source| source.strip_prefix(HEADER))
    }

    /// What a method says of it.
    pub(super) fn requirement(&self) -> Option<Json> {
        let scopes: &[String] = match self {
            Auth::None => return None,
            Auth::UserPools { scopes, .. } => scopes,
            Auth::Iam | Auth::Function { .. } => &[],
        };
        Some(json!({ SCHEME: scopes }))
    }
}

/// Where API Gateway invokes a function.
fn uri(function_arn: &str) -> String {
    let region = function_arn.split(':').nth(3).unwrap_or_default();
    let partition = Partition::of(region).name;
    format!("arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations")
}

/// What an operation of our document says, in the form of [`told`].
pub fn of_operation(document: &Json, operation: &Json) -> Json {
    let Some(scopes) = operation["security"][0][SCHEME].as_array() else { return told("NONE", &[], &Json::Null) };
    let scheme = &document["components"]["securitySchemes"][SCHEME];
    let authorizer = &scheme["x-amazon-apigateway-authorizer"];
    let header = format!("{HEADER}{}", scheme["name"].as_str().unwrap_or_default());
    let by = |source: &Json| {
        json!({
            "type": authorizer["type"].as_str().map(str::to_uppercase),
            "pools": authorizer["providerARNs"],
            "uri": authorizer["authorizerUri"],
            "credentials": authorizer["authorizerCredentials"],
            "source": source,
            "pattern": null,
            "ttl": authorizer["authorizerResultTtlInSeconds"],
        })
    };
    match scheme["x-amazon-apigateway-authtype"].as_str() {
        Some("awsSigv4") => told("AWS_IAM", &[], &Json::Null),
        Some("cognito_user_pools") => told("COGNITO_USER_POOLS", scopes, &by(&header.into())),
        _ if authorizer["type"] == "token" => told("CUSTOM", scopes, &by(&header.into())),
        _ => told("CUSTOM", scopes, &by(&authorizer["identitySource"])),
    }
}

/// Where identities are, as one text, whatever is between its parts.
pub fn source(text: &str) -> String {
    text.split(',').map(str::trim).collect::<Vec<_>>().join(", ")
}

/// Who may call a method, in the one form in which document and API Gateway are compared.
pub fn told(kind: &str, scopes: &[Json], authorizer: &Json) -> Json {
    json!({ "type": kind, "scopes": scopes, "authorizer": authorizer })
}

/// The inputs behind the form of [`told`], for an import; `None` where it is not one of ours.
pub fn inputs_of(told: &Json) -> Option<(Authorization, Option<Authorizer>)> {
    let kind: Authorization = serde_json::from_value(told["type"].clone()).ok()?;
    let by = &told["authorizer"];
    let texts = |json: &Json| -> Vec<String> {
        json.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let some = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
    let authorizer = match kind {
        Authorization::None | Authorization::AwsIam => None,
        Authorization::CognitoUserPools => Some(Authorizer {
            user_pool_arns: some(texts(&by["pools"])),
            scopes: some(texts(&told["scopes"])),
            ..Authorizer::default()
        }),
        Authorization::Custom => {
            let uri = by["uri"].as_str()?;
            let kind: AuthorizerType = serde_json::from_value(by["type"].clone()).ok()?;
            let sources = by["source"].as_str().filter(|source| !source.is_empty());
            let sources: Vec<String> = sources.map(|s| s.split(", ").map(str::to_owned).collect()).unwrap_or_default();
            Some(Authorizer {
                function_arn: Some(uri.split_once("/functions/")?.1.strip_suffix("/invocations")?.to_owned()),
                role_arn: by["credentials"].as_str().map(str::to_owned),
                kind: Some(kind).filter(|kind| *kind != AuthorizerType::default()),
                identity_sources: Some(sources).filter(|sources| *sources != [SOURCE]),
                result_ttl_in_seconds: by["ttl"].as_i64().filter(|ttl| *ttl != 0),
                ..Authorizer::default()
            })
        }
    };
    Some((kind, authorizer))
}
