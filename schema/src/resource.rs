//! Inputs and outputs of the resource.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AccessLog, Authorization, Authorizer, Bucket, Cache, Cors, Domain, DomainTarget, Endpoint, ExecutionLog, Operation,
    Quota, Role, Throttle,
};

/// The inputs of `S3DataProxy`, all optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inputs {
    /// The base of every name that is made: bucket, role and REST API. 3 to 63 lower-case letters, digits and hyphens.
    /// By default the resource's name and a random suffix. A change replaces the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("willReplaceOnChanges" = true, "alwaysOutput" = true))]
    pub name: Option<String>,
    /// Where in the URL the objects are: one or more segments such as `v1/models`, or `/` for right below the stage. By
    /// default the resource's name. A change moves the objects to the new URL at once; the old one ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("alwaysOutput" = true))]
    pub path: Option<String>,
    /// The stage's name, the first segment of the URL's path: up to 128 letters, digits, `-` and `_`
    /// ([quotas](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html)).
    /// `prod` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_name: Option<String>,
    /// The description of the REST API, as the AWS console shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What clients may do, at least one operation. `GET` and `HEAD` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<Operation>>,
    /// The key of the object that is served for the mount path itself, such as `index.html`. It needs the operation `GET`,
    /// and does not go with `LIST`, which is answered there too. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_document: Option<String>,
    /// Which web pages may use the URL. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// Who may call the URL. `NONE` by default, which is everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// How API Gateway finds out who may call, for the `authorization` `COGNITO_USER_POOLS` and `CUSTOM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer: Option<Authorizer>,
    /// Where the REST API can be reached. In its Region, over the internet, by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// A domain name of your own for the URL. With `endpoint.disableExecuteApi` it is the only one. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// The IP addresses that may call, as ranges such as `203.0.113.0/24` or `2001:db8::/32`: all others are refused, whatever
    /// `policy` and `authorization` say. With a `PRIVATE` `endpoint`, the addresses that callers have in their VPC. Everybody's
    /// by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ip_ranges: Option<Vec<String>>,
    /// A resource policy of the REST API, as JSON text, for what the other inputs cannot say. In `Resource`,
    /// `execute-api:/STAGE/METHOD/PATH` is enough. With `allowedIpRanges` both hold. What it does not allow is refused; with
    /// `authorization`, [AWS's tables](https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html)
    /// tell which of the two decides. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The names of clients, such as `["alice", "lab-7"]`: each gets an API key of its own, which it sends in the header
    /// `x-api-key`, and a request without a key is a 403. 1 to 128 letters, digits, `.`, `_`, `@` and `-` each. A client
    /// that is added or dropped leaves the keys of the others as they are. Keys tell clients apart, for `throttle`, `quota` and
    /// the monitoring of each; [they are no proof of who calls](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html),
    /// which is for `authorization`. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_keys: Option<Vec<String>>,
    /// How many requests each client of `apiKeys` has in a day, week or month. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// How many requests the stage takes, and with `apiKeys` also each client. Without it only the account's own limit holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// A line for each request, in CloudWatch Logs or a Firehose stream; `{}` is enough. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log: Option<AccessLog>,
    /// API Gateway's own notes on the way of each request, for finding faults; `{}` is enough. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_log: Option<ExecutionLog>,
    /// Whether CloudWatch gets metrics of each method, besides those of the whole stage. They
    /// [are charged](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html)
    /// as CloudWatch's custom metrics. `false` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_enabled: Option<bool>,
    /// Whether requests are traced with AWS X-Ray, which charges for traces. `false` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracing_enabled: Option<bool>,
    /// Answers that API Gateway keeps for a while; `{}` is enough. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// The ARN of a web ACL of [AWS WAF](https://docs.aws.amazon.com/waf/latest/developerguide/web-acl.html) that looks at each
    /// request before anything else does, such as
    /// `arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/data/a1b2c3d4-5678-90ab-cdef-example11111`. It is one for
    /// regional resources (also for `endpoint.type` `EDGE`), in the Region of the API. AWS WAF charges for web ACLs and for
    /// requests. With it, it takes the
    /// place of one that is associated elsewhere; without it the stage's web ACL is left as it is. A new stage is without it
    /// for a moment. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_acl_arn: Option<String>,
    /// The bucket that holds the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<Bucket>,
    /// The role that API Gateway assumes to reach the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether to wait, after create and update, until the URL answers from S3: two minutes at most, as a new role takes
    /// seconds to be known everywhere on AWS. A URL that is not ready by then is a warning, never a failure. With
    /// `authorization`, `apiKeys`, `allowedIpRanges`, `policy`, `webAclArn`, the `endpoint.type` `PRIVATE` or
    /// `endpoint.disableExecuteApi` it does not wait, as it may not be let in itself. `true` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_for_ready: Option<bool>,
    /// Tags for everything that can have tags, at most 49 (AWS has room for 50, and the plugin's own
    /// tag is one). They win over the provider's `defaultTags`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// What `S3DataProxy` makes known. All inputs are outputs too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The URL of the data, with the mount path and without a trailing slash: append `/` and an object's key. With `domain`, it begins
    /// with that name.
    pub invoke_url: String,
    /// The bucket's name: what uploads to S3 need.
    pub bucket_name: String,
    /// The bucket's ARN.
    pub bucket_arn: String,
    /// The name of the role that API Gateway assumes to reach the bucket.
    pub role_name: String,
    /// The ARN of the role that API Gateway assumes to reach the bucket.
    pub role_arn: String,
    /// The REST API's id.
    pub rest_api_id: String,
    /// The ARN that IAM policies
    /// [build on](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html)
    /// to allow calls of the API: append `/STAGE/METHOD/PATH`.
    pub execution_arn: String,
    /// The stage's ARN, as other services such as AWS WAF want it.
    pub stage_arn: String,
    /// The id of the deployment that the stage serves. It changes with every change of the API.
    pub deployment_id: String,
    /// The ARN of the log group that is made for `accessLog`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group_arn: Option<String>,
    /// What the DNS record of `domain.name` leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_target: Option<DomainTarget>,
    /// The ids of the API keys, by the names of `apiKeys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_ids: Option<BTreeMap<String, String>>,
    /// The API keys themselves, by the names of `apiKeys`: what clients send in the header `x-api-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("secret" = true))]
    pub api_key_values: Option<BTreeMap<String, String>>,
    /// The OpenAPI 3 document that is deployed, as JSON text.
    pub open_api_document: String,
}
