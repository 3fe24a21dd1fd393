//! Who may call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may call the URL. Preflights of browsers, and the refusal of methods that are not offered, stay open to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Authorization {
    /// Everybody.
    #[default]
    #[serde(rename = "NONE")]
    None,
    /// AWS identities that are allowed `execute-api:Invoke` on `executionArn`; clients sign with Signature Version 4.
    #[serde(rename = "AWS_IAM")]
    AwsIam,
    /// Users of Amazon Cognito user pools, with their token in the header `Authorization`. It needs `authorizer`.
    #[serde(rename = "COGNITO_USER_POOLS")]
    CognitoUserPools,
    /// Whomever a Lambda function of yours lets in. It needs `authorizer`.
    #[serde(rename = "CUSTOM")]
    Custom,
}

/// How API Gateway finds out who may call: for the `authorization` `COGNITO_USER_POOLS` with `userPoolArns`, for `CUSTOM`
/// with `functionArn`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authorizer {
    /// The ARNs of the user pools whose users may call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_pool_arns: Option<Vec<String>>,
    /// The OAuth scopes of which a token has to have one. With scopes, clients send access tokens; without, identity tokens.
    /// None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The ARN of the Lambda function that decides, of a version or an alias too. Without `roleArn` its own policy has to let
    /// `apigateway.amazonaws.com` invoke it, from the source `executionArn` + `/authorizers/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_arn: Option<String>,
    /// The ARN of a role with which API Gateway invokes the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// What the function gets. `TOKEN` by default.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<AuthorizerType>,
    /// Where in a request its sender's identity is, such as `method.request.header.Authorization`, which is the default. A
    /// request that lacks one is a 401 without asking the function. `TOKEN` takes exactly one header; `REQUEST` takes any of
    /// `method.request.header.NAME`, `method.request.querystring.NAME`, `context.NAME` and `stageVariables.NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_sources: Option<Vec<String>>,
    /// For how many seconds API Gateway may use the function's answer again for the same identity: 0 to 3600. 0 by default,
    /// for a reason: the answer is kept for every key, so a policy that names only the one it was asked for locks its owner
    /// out of all others. Set it when your function's policies end with a `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_ttl_in_seconds: Option<i64>,
}

/// What a function that decides gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AuthorizerType {
    /// The value of one header.
    #[default]
    #[serde(rename = "TOKEN")]
    Token,
    /// The request's headers, parameters and path.
    #[serde(rename = "REQUEST")]
    Request,
}
