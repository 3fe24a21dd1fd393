//! The provider's configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the plugin reaches AWS. What is not set here comes from the usual AWS environment variables and files, as
/// [the AWS SDKs read them](https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The AWS Region everything is made in, such as `eu-central-1`. By default `AWS_REGION`, `AWS_DEFAULT_REGION` or
    /// the profile's Region. A change replaces the resources.
    #[schemars(extend("willReplaceOnChanges" = true))]
    pub region: Option<String>,
    /// The profile to use from the AWS configuration and credentials files. By default `AWS_PROFILE`, or `default`.
    pub profile: Option<String>,
    /// The access key id. Needs `secretKey`. Keys from the environment or a profile keep them out of the stack.
    pub access_key: Option<String>,
    /// The secret access key. Needs `accessKey`.
    #[schemars(extend("secret" = true))]
    pub secret_key: Option<String>,
    /// The session token that belongs to temporary keys. Needs `accessKey` and `secretKey`.
    #[schemars(extend("secret" = true))]
    pub token: Option<String>,
    /// A role to assume, with the credentials found otherwise, for every call to AWS.
    pub assume_role: Option<AssumeRole>,
    /// One endpoint for all AWS services, such as a local AWS at `http://127.0.0.1:4566`. By default
    /// `AWS_ENDPOINT_URL`, or AWS itself.
    pub endpoint_url: Option<String>,
    /// Endpoints of single services. Each wins over `endpointUrl`; a service without one uses that.
    pub endpoints: Option<Endpoints>,
    /// Tags for everything that can have tags. A resource's own `tags` win over them.
    pub default_tags: Option<BTreeMap<String, String>>,
    /// The ids of the AWS accounts that may be touched, of 12 digits each. With credentials of any other account nothing
    /// is made, changed or deleted. By default every account may.
    pub allowed_account_ids: Option<Vec<String>>,
    /// How often a call to AWS is tried, the first try included: 1 to 50, 8 by default. Only what may succeed later,
    /// such as a throttled call, is tried again.
    pub max_attempts: Option<i64>,
    /// The base URL of a stage; `{restApiId}`, `{region}`, `{stage}` and `{dnsSuffix}` in it are filled in. By default
    /// `https://{restApiId}.execute-api.{region}.{dnsSuffix}/{stage}`, and with an API Gateway endpoint of your own
    /// `ENDPOINT/_aws/execute-api/{restApiId}/{stage}`, which a local AWS answers.
    pub execute_api_url: Option<String>,
    /// Whether bucket, role, REST API and the other pieces show as rows below the resource. `false` by default, because
    /// the engine cannot cope with such rows when the resource has `retainOnDelete` or `deletedWith`, or gets another
    /// name: leave it off where you use these.
    pub views: Option<bool>,
}

/// A role to assume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssumeRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The session's name, as CloudTrail shows it: 2 to 64 letters, digits and `_=,.@-`. `s3dataproxy` by default.
    pub session_name: Option<String>,
    /// The external id that the role's trust policy
    /// [asks for](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html), if it
    /// does.
    pub external_id: Option<String>,
}

/// Endpoints of single AWS services, each a URL such as `http://127.0.0.1:4566`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoints {
    /// The endpoint of Amazon S3.
    pub s3: Option<String>,
    /// The endpoint of AWS IAM.
    pub iam: Option<String>,
    /// The endpoint of Amazon API Gateway's management API.
    pub apigateway: Option<String>,
    /// The endpoint of Amazon CloudWatch Logs.
    pub logs: Option<String>,
    /// The endpoint of AWS STS.
    pub sts: Option<String>,
    /// The endpoint of AWS WAF.
    pub wafv2: Option<String>,
}
