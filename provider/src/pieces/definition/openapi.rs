//! The OpenAPI 3 document with API Gateway's extensions: every method, mapping, status and error text.
//!
//! One pure function. What it renders is put into API Gateway as it is, shown to users as `openApiDocument`, and held by
//! snapshots in the tests.

use s3dataproxy_schema::Operation;
use serde_json::{Map, Value as Json, json};

use crate::partition::Partition;

/// What the API does, in terms of the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// The mount path: `/` or segments without slashes at the ends.
    pub mount: String,
    /// What clients may do.
    pub operations: Vec<Operation>,
    /// The bucket that is served.
    pub bucket: String,
    /// The bucket's Region.
    pub region: String,
    /// The Region's partition.
    pub partition: Partition,
}

/// Request headers that S3 acts upon. API Gateway forwards only what is mapped, and matches names by case.
const REQUEST_HEADERS: [&str; 5] = ["Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"];

/// What S3 says of an object that was found.
const OBJECT_HEADERS: [&str; 11] = [
    "Accept-Ranges",
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Expires",
    "Last-Modified",
    "x-amz-version-id",
];

/// What belongs to an answer without an object.
const NOT_MODIFIED_HEADERS: [&str; 4] = ["Cache-Control", "ETag", "Expires", "Last-Modified"];

/// The object's size on HEAD, under a name of our own: API Gateway renames a mapped `Content-Length`.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const SIZE_HEADER: &str = "X-Object-Size";

/// S3's errors: the pattern of its status, the status that clients get, a code and a message.
///
/// The texts are fixed: S3's own name the bucket, and are XML. A status that no line matches is ours to explain, and
/// never a 200, which API Gateway would make of it by default.
const ERRORS: [(&str, u16, &str, &str); 7] = [
    ("400", 400, "BadRequest", "The request is not valid for this object."),
    ("403", 403, "AccessDenied", "The object may not be read."),
    ("404", 404, "NoSuchKey", "There is no object with this key."),
    ("412", 412, "PreconditionFailed", "A condition of the request does not hold for this object."),
    ("416", 416, "InvalidRange", "The range lies outside of the object."),
    ("5\\d{2}", 502, "StorageError", "The storage could not answer. Try again."),
    ("default", 500, "UnexpectedAnswer", "The storage gave an unexpected answer."),
];

impl Api {
    /// The path of the route that serves objects.
    pub fn object_path(&self) -> String {
        match self.mount.as_str() {
            "/" => "/{key+}".to_owned(),
            mount => format!("/{mount}/{{key+}}"),
        }
    }

    /// The whole document.
    pub fn document(&self, title: &str, description: Option<&str>, role_arn: &str) -> Json {
        let mut info = json!({ "title": title, "version": "1" });
        if let Some(description) = description {
            info["description"] = description.into();
        }
        let methods: Map<String, Json> = self
            .operations
            .iter()
            .map(|operation| match operation {
                Operation::Get => ("get".to_owned(), self.read("GET", "Read an object", None, role_arn)),
                Operation::Head => {
                    ("head".to_owned(), self.read("HEAD", "Read an object's headers", Some(SIZE_HEADER), role_arn))
                }
            })
            .collect();
        json!({
            "openapi": "3.0.1",
            "info": info,
            "paths": { self.object_path(): methods },
            // Everything is bytes, whatever the object's type and the client's Accept say.
            // Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
            "x-amazon-apigateway-binary-media-types": ["*/*"],
            "x-amazon-apigateway-gateway-responses": gateway_responses(),
        })
    }

    /// A method that reads: GET or HEAD, each with its own verb towards S3.
    fn read(&self, verb: &str, summary: &str, size: Option<&'static str>, role_arn: &str) -> Json {
        let found =
            || OBJECT_HEADERS.into_iter().map(|name| (name, name)).chain(size.map(|name| (name, "Content-Length")));
        let mut answers = vec![
            Answer::object("200", 200, "The object", found()),
            Answer::object("206", 206, "A part of the object", found()),
            Answer::object("304", 304, "Not modified", NOT_MODIFIED_HEADERS.into_iter().map(|name| (name, name))),
        ];
        answers.extend(ERRORS.map(|(pattern, status, code, message)| Answer::error(pattern, status, code, message)));

        let mut parameters = vec![parameter("path", "key", true)];
        parameters.extend(REQUEST_HEADERS.map(|name| parameter("header", name, false)));
        let mut mapped = Map::new();
        mapped.insert("integration.request.path.key".to_owned(), "method.request.path.key".into());
        for name in REQUEST_HEADERS {
            mapped.insert(format!("integration.request.header.{name}"), format!("method.request.header.{name}").into());
        }
        let each = |part: fn(&Answer) -> (String, Json)| answers.iter().map(part).collect::<Map<_, _>>();
        json!({
            "summary": summary,
            "parameters": parameters,
            "responses": each(Answer::method_response),
            "x-amazon-apigateway-integration": {
                "type": "aws",
                "httpMethod": verb,
                "uri": format!(
                    "arn:{}:apigateway:{}:s3:path/{}/{{key}}",
                    self.partition.name, self.region, self.bucket
                ),
                "credentials": role_arn,
                "passthroughBehavior": "when_no_match",
                "requestParameters": mapped,
                "responses": each(Answer::integration_response),
            },
        })
    }
}

/// One answer of S3 and what becomes of it.
struct Answer {
    pattern: String,
    status: u16,
    description: String,
    /// The client's header and where it comes from: one of S3's, or a fixed text in quotes.
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Answer {
    /// An answer that passes S3's headers and bytes on.
    fn object(
        pattern: &str,
        status: u16,
        description: &str,
        headers: impl Iterator<Item = (&'static str, &'static str)>,
    ) -> Answer {
        let headers = headers.map(|(name, source)| (name, format!("integration.response.header.{source}")));
        Answer {
            pattern: pattern.to_owned(),
            status,
            description: description.to_owned(),
            headers: headers.collect(),
            body: None,
        }
    }

    /// An answer with a fixed error text.
    fn error(pattern: &str, status: u16, code: &str, message: &str) -> Answer {
        Answer {
            pattern: pattern.to_owned(),
            status,
            description: message.to_owned(),
            headers: vec![("Content-Type", "'application/json'".to_owned())],
            body: Some(json!({ "code": code, "message": message, "requestId": "$context.requestId" }).to_string()),
        }
    }

    fn method_response(&self) -> (String, Json) {
        let headers: Map<String, Json> = self
            .headers
            .iter()
            .map(|(name, _)| ((*name).to_owned(), json!({ "schema": { "type": "string" } })))
            .collect();
        (self.status.to_string(), json!({ "description": self.description, "headers": headers }))
    }

    fn integration_response(&self) -> (String, Json) {
        let headers: Map<String, Json> = self
            .headers
            .iter()
            .map(|(name, source)| (format!("method.response.header.{name}"), source.clone().into()))
            .collect();
        let mut response = json!({ "statusCode": self.status.to_string(), "responseParameters": headers });
        if let Some(body) = &self.body {
            // Templates see text only; every type counts as bytes here.
            response["contentHandling"] = "CONVERT_TO_TEXT".into();
            response["responseTemplates"] = json!({ "application/json": body });
        }
        (self.pattern.clone(), response)
    }
}

fn parameter(place: &str, name: &str, required: bool) -> Json {
    json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } })
}

/// API Gateway's own errors, in the same form as S3's.
fn gateway_responses() -> Json {
    let body = |code: &str, message: &str| json!({ "application/json": format!(r#"{{"code":{code},"message":{message},"requestId":"$context.requestId"}}"#) });
    let own = body("\"$context.error.responseType\"", "$context.error.messageString");
    json!({
        "DEFAULT_4XX": { "responseTemplates": own },
        "DEFAULT_5XX": { "responseTemplates": own },
        // What API Gateway says of a path or method that is not there, as a 403.
        "MISSING_AUTHENTICATION_TOKEN": {
            "statusCode": "404",
            "responseTemplates": body("\"NotFound\"", "\"There is nothing at this path.\""),
        },
    })
}

#[cfg(test)]
mod tests;
