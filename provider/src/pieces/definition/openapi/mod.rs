//! The OpenAPI 3 document with API Gateway's extensions: every method, mapping, status and error text.
//!
//! One pure function. What it renders is put into API Gateway as it is, shown to users as `openApiDocument`, and held by
//! snapshots in the tests.

use std::collections::BTreeSet;

use s3dataproxy_schema::Operation;
use serde_json::{Map, Value as Json, json};

use crate::partition::Partition;

pub mod access;
mod answers;
pub mod auth;
pub mod cors;
mod gateway;
pub mod headers;
pub mod keys;
pub mod methods;

pub use access::Access;
pub use auth::Auth;
pub use cors::Cors;

/// What the API does, in terms of the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// The mount path: `/` or segments without slashes at the ends.
    pub mount: String,
    /// What clients may do.
    pub operations: Vec<Operation>,
    /// The key of the object at the mount path itself, below the prefix.
    pub index: Option<String>,
    /// The bucket that is served.
    pub bucket: String,
    /// What every served key begins with: nothing, or segments with a slash behind each.
    pub prefix: String,
    /// The bucket's Region.
    pub region: String,
    /// The Region's partition.
    pub partition: Partition,
    /// Who may call.
    pub auth: Auth,
    /// Whether they have to send an API key.
    pub keys: bool,
    /// From where they may.
    pub access: Access,
    /// The stage, which a policy may have to name.
    pub stage: String,
    /// The VPC endpoints that it is for, in order. An import that left them out would take them away.
    pub vpc_endpoint_ids: Vec<String>,
    /// Whether the URL that API Gateway gives is switched off.
    pub disabled: bool,
    /// The security policy and the access mode that goes with it, where they are not the default.
    pub security_policy: Option<(String, Option<&'static str>)>,
    /// Which web pages may use the URL.
    pub cors: Option<Cors>,
    /// Whether the stage keeps answers.
    pub cached: bool,
}

impl Api {
    /// The path of the route that serves objects.
    pub fn object_path(&self) -> String {
        format!("{}/{{key+}}", self.mount_path().trim_end_matches('/'))
    }

    /// The path of the mount itself.
    fn mount_path(&self) -> String {
        if self.mount == "/" { "/".to_owned() } else { format!("/{}", self.mount) }
    }

    /// The verbs towards S3.
    pub fn s3_verbs(&self) -> Vec<String> {
        let verb = |operation: &Operation| match operation {
            Operation::Get | Operation::List => "GET",
            Operation::Head => "HEAD",
            Operation::Put => "PUT",
            Operation::Delete => "DELETE",
        };
        self.operations.iter().map(verb).collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
    }

    /// Whether everybody may call, from everywhere.
    pub fn is_open(&self) -> bool {
        !self.keys && !self.disabled && self.auth == Auth::None && self.access == Access::default()
    }

    /// What a method that reaches S3 says of who may call it. Each requirement is an entry of its own; all of them hold.
    fn security(&self) -> Option<Json> {
        let asked: Vec<Json> =
            [self.auth.requirement(), self.keys.then(keys::requirement)].into_iter().flatten().collect();
        (!asked.is_empty()).then(|| asked.into())
    }

    /// Whether clients may do this.
    fn offers(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// The whole document.
    pub fn document(&self, title: &str, description: Option<&str>, role_arn: &str) -> Json {
        let mut info = json!({ "title": title, "version": "1" });
        if let Some(description) = description {
            info["description"] = description.into();
        }
        let mut paths = Map::new();
        let mut offered = BTreeSet::new();
        for (path, methods) in
            [(self.object_path(), self.object_methods(role_arn)), (self.mount_path(), self.mount_methods(role_arn))]
        {
            if !methods.is_empty() {
                let verbs: Vec<String> = methods.keys().map(|verb| verb.to_uppercase()).collect();
                paths.insert(path, self.completed(methods, &verbs));
                offered.insert(verbs);
            }
        }
        // One answer for all paths can name the methods only where all offer the same.
        let verbs = offered.first().filter(|_| offered.len() == 1);
        let mut document = json!({
            "openapi": "3.0.1",
            "info": info,
            "paths": paths,
            // Everything is bytes, whatever the object's type and the client's Accept say.
            // Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
            "x-amazon-apigateway-binary-media-types": ["*/*"],
            "x-amazon-apigateway-gateway-responses": gateway::responses(self, verbs.map(Vec::as_slice)),
        });
        let schemes: Map<String, Json> =
            [self.auth.scheme(), self.keys.then(keys::scheme)].into_iter().flatten().collect();
        if !schemes.is_empty() {
            document["components"] = json!({ "securitySchemes": schemes });
        }
        let endpoint = self.endpoint();
        if !endpoint.is_empty() {
            document["x-amazon-apigateway-endpoint-configuration"] = endpoint.into();
        }
        // A change is live after a deployment, as everything here.
        // Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/openapi-extensions-security-policy.html
        if let Some((policy, mode)) = &self.security_policy {
            document["x-amazon-apigateway-security-policy"] = policy.as_str().into();
            if let Some(mode) = mode {
                document["x-amazon-apigateway-endpoint-access-mode"] = (*mode).into();
            }
        }
        if let Some(policy) = self.access.document(&self.auth, self.cors.as_ref().map(|_| self.stage.as_str())) {
            document["x-amazon-apigateway-policy"] = policy;
        }
        document
    }

    /// What an import would otherwise set back.
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/openapi-extensions-api-gateway-endpoint-configuration.html>
    fn endpoint(&self) -> Map<String, Json> {
        let mut endpoint = Map::new();
        if self.disabled {
            endpoint.insert("disableExecuteApiEndpoint".to_owned(), true.into());
        }
        if !self.vpc_endpoint_ids.is_empty() {
            endpoint.insert("vpcEndpointIds".to_owned(), json!(self.vpc_endpoint_ids));
        }
        endpoint
    }

    /// The methods of an object's path.
    fn object_methods(&self, role_arn: &str) -> Map<String, Json> {
        let methods = self.operations.iter().filter_map(|operation| {
            let target = format!("/{}{{key}}", self.prefix);
            match operation {
                Operation::Get => Some(("get", self.read("GET", "Read an object", &target, role_arn))),
                Operation::Head => Some(("head", self.read("HEAD", "Read an object's headers", &target, role_arn))),
                Operation::Put => Some(("put", self.put(&target, role_arn))),
                Operation::Delete => Some(("delete", self.delete(&target, role_arn))),
                Operation::List => None,
            }
        });
        methods.map(|(verb, method)| (verb.to_owned(), method)).collect()
    }

    /// The methods of the mount path: the index document, or the list of keys.
    fn mount_methods(&self, role_arn: &str) -> Map<String, Json> {
        let mut methods = Map::new();
        if let Some(index) = &self.index {
            let target = format!("/{}{index}", self.prefix);
            methods.insert("get".to_owned(), self.read("GET", "Read the index document", &target, role_arn));
            if self.offers(Operation::Head) {
                let method = self.read("HEAD", "Read the index document's headers", &target, role_arn);
                methods.insert("head".to_owned(), method);
            }
        } else if self.offers(Operation::List) {
            methods.insert("get".to_owned(), self.list(role_arn));
        }
        methods
    }

    /// A path's methods with the preflight, and an answer to all other verbs.
    fn completed(&self, mut methods: Map<String, Json>, verbs: &[String]) -> Json {
        if let Some(cors) = &self.cors {
            methods.insert("options".to_owned(), cors.preflight(verbs));
        }
        methods.insert("x-amazon-apigateway-any-method".to_owned(), self.not_allowed(verbs));
        methods.into()
    }
}

#[cfg(test)]
mod tests;
