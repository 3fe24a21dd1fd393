//! The methods: what each takes from the client, what it asks S3, and what becomes of S3's answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::Api;
use super::answers::{self, Answer, error_text};
use super::cors::ORIGIN;
use super::headers::{self, HEADER, QUERY};

/// A method that asks S3.
struct Method<'a> {
    summary: &'a str,
    /// The verb towards S3.
    verb: &'a str,
    /// What follows the bucket in S3's path.
    target: &'a str,
    /// What passes from the client to S3: where it is, and its name.
    parameters: Vec<(&'static str, &'static str)>,
    /// What only the template reads of the query.
    read: &'static [&'static str],
    /// Query parameters of S3 with fixed values.
    fixed: Vec<(&'static str, String)>,
    /// A template that decides about the request, on top of what is mapped.
    template: Option<String>,
    answers: Vec<Answer>,
}

impl Api {
    /// A method that reads an object: GET or HEAD, each with its own verb towards S3.
    ///
    /// The role may list the bucket, so that a missing key is a 404. Should a key with `..` ever bring a read to the bucket
    /// itself, which makes it a list, then the fixed prefix keeps it below ours. To a read of an object it says nothing: S3
    /// ignores query parameters that an operation does not know. Its documentation says so of names with `x-`
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>), AWS's people of any
    /// (<https://github.com/aws/aws-sdk-go/issues/3380>).
    pub(super) fn read(&self, verb: &str, summary: &str, target: &str, role_arn: &str) -> Json {
        let length = (verb == "HEAD").then_some(("Content-Length", "Content-Length"));
        let found = || same(&headers::OBJECT).chain(length);
        // A part says the whole's size in Content-Range. GET has it too, as browsers answer HEAD from what GET has left.
        let whole = found().chain([(headers::SIZE, "Content-Length")]);
        let mut answers = vec![
            // S3 reads every object by ranges; not each of its answers says so.
            Answer::success(200, "The object", whole).with("Accept-Ranges", "bytes"),
            Answer::success(206, "A part of the object", found()).with("Accept-Ranges", "bytes"),
            Answer::success(304, "Not modified", same(&headers::NOT_MODIFIED)),
        ];
        answers.extend(answers::READ.map(Answer::error));
        self.method(
            Method {
                summary,
                verb,
                target,
                parameters: headers::READ.to_vec(),
                read: &[],
                fixed: self.fixed_prefix().into_iter().collect(),
                template: None,
                answers,
            },
            role_arn,
        )
    }

    /// The method that lists keys, with S3's ListObjectsV2.
    pub(super) fn list(&self, role_arn: &str) -> Json {
        let mut parameters: Vec<_> = headers::LIST.map(|name| (QUERY, name)).to_vec();
        let mut fixed = vec![("list-type", "2".to_owned())];
        let mut read: &[&str] = &[];
        let template = if self.prefix.is_empty() {
            parameters.extend(headers::LIST_KEYS.map(|name| (QUERY, name)));
            None
        } else {
            // The client's prefix is one below ours. A mapping cannot join the two. Where the template does not apply,
            // for a request with an odd Content-Type, the fixed prefix holds.
            fixed.extend(self.fixed_prefix());
            read = &headers::LIST_KEYS;
            Some(format!(
                "#set($context.requestOverride.querystring.prefix = \"{0}$input.params('prefix')\")\
                 #if($input.params('start-after') != '')\
                 #set($context.requestOverride.querystring.start-after = \"{0}$input.params('start-after')\")#end",
                self.prefix
            ))
        };
        let mut answers =
            vec![Answer::success(200, "The keys, as S3's ListObjectsV2 gives them", same(&["Content-Type"]))];
        answers.extend(answers::LIST.map(Answer::error));
        let summary = "List keys";
        self.method(Method { summary, verb: "GET", target: "", parameters, read, fixed, template, answers }, role_arn)
    }

    /// The method that writes an object.
    pub(super) fn put(&self, target: &str, role_arn: &str) -> Json {
        let mut answers = vec![Answer::success(200, "The object is written", same(&headers::WRITTEN))];
        answers.extend(answers::PUT.map(Answer::error));
        self.method(
            Method {
                summary: "Write an object",
                verb: "PUT",
                target,
                parameters: headers::PUT.to_vec(),
                read: &[],
                fixed: Vec::new(),
                template: None,
                answers,
            },
            role_arn,
        )
    }

    /// The method that deletes an object.
    pub(super) fn delete(&self, target: &str, role_arn: &str) -> Json {
        let mut answers = vec![Answer::success(204, "The object is deleted", same(&headers::DELETED))];
        answers.extend(answers::DELETE.map(Answer::error));
        self.method(
            Method {
                summary: "Delete an object",
                verb: "DELETE",
                target,
                parameters: Vec::new(),
                read: &[],
                fixed: Vec::new(),
                template: None,
                answers,
            },
            role_arn,
        )
    }

    /// The query parameter that keeps a list below the prefix, where there is one.
    fn fixed_prefix(&self) -> Option<(&'static str, String)> {
        (!self.prefix.is_empty()).then(|| ("prefix", self.prefix.clone()))
    }

    fn method(&self, method: Method<'_>, role_arn: &str) -> Json {
        let mut taken = method.parameters;
        // S3 tells which of several origins an answer is for.
        taken.extend(self.cors.as_ref().filter(|cors| cors.is_told_by_s3()).map(|_| (HEADER, ORIGIN)));
        let mut parameters = Vec::new();
        let mut mapped = Map::new();
        if method.target.contains("{key}") {
            parameters.push(parameter("path", "key", true));
            mapped.insert("integration.request.path.key".to_owned(), "method.request.path.key".into());
        }
        for (place, name) in taken {
            // API Gateway tells upper from lower case, and HTTP/2 has lower case only. S3 does not tell them apart.
            let names = BTreeSet::from([name.to_owned(), name.to_lowercase()]);
            for name in if place == QUERY { BTreeSet::from([name.to_owned()]) } else { names } {
                parameters.push(parameter(place, &name, false));
                let place = if place == QUERY { "querystring" } else { place };
                let to = format!("integration.request.{place}.{name}");
                mapped.insert(to, format!("method.request.{place}.{name}").into());
            }
        }
        parameters.extend(method.read.iter().map(|name| parameter(QUERY, name, false)));
        for (name, value) in method.fixed {
            mapped.insert(format!("integration.request.querystring.{name}"), format!("'{value}'").into());
        }
        let answers: Vec<Answer> = method.answers.into_iter().map(|answer| answer.shared(self.cors.as_ref())).collect();
        let mut integration = json!({
            "type": "aws",
            "httpMethod": method.verb,
            "uri": format!(
                "arn:{}:apigateway:{}:s3:path/{}{}",
                self.partition.name, self.region, self.bucket, method.target
            ),
            "credentials": role_arn,
            "passthroughBehavior": "when_no_match",
            "requestParameters": mapped,
            "responses": answers.iter().map(Answer::integration_response).collect::<Map<_, _>>(),
        });
        if self.cached && method.verb == "GET" {
            integration["cacheKeyParameters"] = keys_of(&parameters);
        }
        if let Some(template) = method.template {
            // Templates see text only; every type counts as bytes here.
            integration["contentHandling"] = "CONVERT_TO_TEXT".into();
            integration["requestTemplates"] = json!({ "application/json": template });
        }
        let mut told = json!({
            "summary": method.summary,
            "parameters": parameters,
            "responses": answers.iter().map(Answer::method_response).collect::<Map<_, _>>(),
            "x-amazon-apigateway-integration": integration,
        });
        if let Some(security) = self.security() {
            told["security"] = security;
        }
        told
    }

    /// The header of a 405: what a path with these verbs offers.
    pub(super) fn allow(&self, verbs: &[String]) -> (String, String) {
        let preflight = self.cors.as_ref().map(|_| "OPTIONS");
        let all: Vec<&str> = verbs.iter().map(String::as_str).chain(preflight).collect();
        ("Allow".to_owned(), format!("'{}'", all.join(", ")))
    }

    /// The method for every verb that is not offered: API Gateway itself would say that an authentication token is missing.
    pub(super) fn not_allowed(&self, verbs: &[String]) -> Json {
        let mut headers = vec![self.allow(verbs), ("Content-Type".to_owned(), "'application/json'".to_owned())];
        let message = "This method is not offered here.";
        let mut body = error_text("MethodNotAllowed", message);
        let mut by_template = Vec::new();
        if let Some(cors) = &self.cors {
            headers.extend(cors.on_answers_by_template());
            body = cors.told_by_template() + &body;
            by_template = cors.names_for_template();
        }
        own_method("Every other method", 405, Answer::own(405, message, headers, body), by_template)
    }
}

/// A method that API Gateway answers by itself.
pub(super) fn own_method(summary: &str, status: u16, answer: Answer, more: Vec<String>) -> Json {
    let (_, mut told) = answer.method_response();
    for name in more {
        told["headers"][name] = json!({ "schema": { "type": "string" } });
    }
    let (pattern, response) = answer.integration_response();
    json!({
        "summary": summary,
        "responses": { status.to_string(): told },
        "x-amazon-apigateway-integration": {
            "type": "mock",
            // Every type counts as bytes, and a mock has to read text.
            // Source: https://github.com/aws/chalice/issues/1310
            "contentHandling": "CONVERT_TO_TEXT",
            "passthroughBehavior": "never",
            "requestTemplates": { "application/json": json!({ "statusCode": status }).to_string() },
            "responses": { pattern: response },
        },
    })
}

/// S3's headers under their own names.
fn same(names: &'static [&'static str]) -> impl Iterator<Item = (&'static str, &'static str)> {
    names.iter().map(|name| (*name, *name))
}

/// What tells kept answers apart: everything that an answer may depend on. A kept part of an object must not be taken for
/// the whole, nor a kept "not modified" for an answer to somebody who has nothing.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html>
fn keys_of(parameters: &[Json]) -> Json {
    parameters.iter().map(|parameter| Json::from(source(parameter))).collect()
}

/// How API Gateway calls a parameter of a method.
pub(in crate::pieces::definition) fn source(parameter: &Json) -> String {
    let place = match &parameter["in"] {
        place if place == "query" => "querystring",
        place => place.as_str().unwrap_or_default(),
    };
    format!("method.request.{place}.{}", parameter["name"].as_str().unwrap_or_default())
}

fn parameter(place: &str, name: &str, required: bool) -> Json {
    json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } })
}
