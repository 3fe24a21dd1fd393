//! What becomes of each answer of S3.

use serde_json::{Map, Value as Json, json};

use super::cors::Cors;

/// An error of S3: the pattern of its status, the status that clients get, a code and a message.
///
/// The texts are fixed: S3's own name the bucket, and are XML.
#[derive(Clone, Copy)]
pub(super) struct Failure(&'static str, u16, &'static str, &'static str);

/// The error for a status that no other line matches. API Gateway would make a 200 of it by default.
const UNEXPECTED: Failure = Failure("default", 500, "UnexpectedAnswer", "The storage gave an unexpected answer.");
const STORAGE: Failure = Failure("5\\d{2}", 502, "StorageError", "The storage could not answer. Try again.");
const PRECONDITION: Failure =
    Failure("412", 412, "PreconditionFailed", "A condition of the request does not hold for this object.");

/// The errors of a read.
pub(super) const READ: [Failure; 8] = [
    Failure("400", 400, "BadRequest", "The request is not valid for this object."),
    Failure(
        "403",
        403,
        "AccessDenied",
        "The object may not be read, or it is archived, or API Gateway cannot carry its key.",
    ),
    Failure("404", 404, "NoSuchKey", "There is no object with this key."),
    Failure("405", 405, "MethodNotAllowed", "This version of the object is a delete marker."),
    PRECONDITION,
    Failure("416", 416, "InvalidRange", "The range lies outside of the object."),
    STORAGE,
    UNEXPECTED,
];

/// The errors of a list.
pub(super) const LIST: [Failure; 5] = [
    Failure("400", 400, "BadRequest", "A parameter of the list is not valid."),
    Failure("403", 403, "AccessDenied", "The keys may not be listed."),
    Failure("404", 404, "NotFound", "There is nothing to list."),
    STORAGE,
    UNEXPECTED,
];

/// The errors of a write. S3 calls conditions that it does not know for writes not implemented.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
pub(super) const PUT: [Failure; 7] = [
    Failure(
        "400|501",
        400,
        "BadRequest",
        "The object was not written: a header, the key, a condition or a checksum is not valid.",
    ),
    Failure("403", 403, "AccessDenied", "The object may not be written."),
    Failure("404", 404, "NoSuchKey", "There is no object with this key to compare with."),
    Failure("409", 409, "Conflict", "Another request changed the object at the same time. Try again."),
    PRECONDITION,
    Failure("5(0[02-9]|[1-9]\\d)", 502, "StorageError", "The storage could not answer. Try again."),
    UNEXPECTED,
];

/// The errors of a delete.
pub(super) const DELETE: [Failure; 6] = [
    Failure("400", 400, "BadRequest", "The key is not valid."),
    Failure("403", 403, "AccessDenied", "The object may not be deleted."),
    Failure("404", 404, "NotFound", "There is nothing to delete."),
    Failure("409", 409, "Conflict", "Another request changed the object at the same time. Try again."),
    STORAGE,
    UNEXPECTED,
];

/// One answer of S3 and what becomes of it.
pub(super) struct Answer {
    pattern: String,
    status: u16,
    description: String,
    /// The client's header and where it comes from: one of S3's, or a fixed text in quotes.
    headers: Vec<(String, String)>,
    /// A template of the body, where it is not S3's; it may be empty.
    body: Option<String>,
}

impl Answer {
    /// An answer that passes S3's bytes and these of its headers on. A header is S3's of the same name, or `(name, of)`.
    pub(super) fn success(
        status: u16,
        description: &str,
        headers: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Answer {
        let headers = headers
            .into_iter()
            .map(|(name, source)| (name.to_owned(), format!("integration.response.header.{source}")))
            .collect();
        Answer { pattern: status.to_string(), status, description: description.to_owned(), headers, body: None }
    }

    /// An answer with a fixed error text.
    pub(super) fn error(Failure(pattern, status, code, message): Failure) -> Answer {
        Answer {
            pattern: pattern.to_owned(),
            status,
            description: message.to_owned(),
            headers: vec![("Content-Type".to_owned(), "'application/json'".to_owned())],
            body: Some(error_text(code, message)),
        }
    }

    /// The only answer of a method that S3 has no part in.
    pub(super) fn own(status: u16, description: &str, headers: Vec<(String, String)>, body: String) -> Answer {
        Answer { pattern: "default".to_owned(), status, description: description.to_owned(), headers, body: Some(body) }
    }

    /// With a header that is always the same.
    pub(super) fn with(mut self, name: &str, text: &str) -> Answer {
        self.headers.push((name.to_owned(), format!("'{text}'")));
        self
    }

    /// With what browsers need.
    pub(super) fn shared(mut self, cors: Option<&Cors>) -> Answer {
        self.headers.extend(cors.into_iter().flat_map(Cors::on_answers));
        self
    }

    /// What the method says of the answer: its status and the headers that it may have.
    pub(super) fn method_response(&self) -> (String, Json) {
        let headers: Map<String, Json> =
            self.headers.iter().map(|(name, _)| (name.clone(), json!({ "schema": { "type": "string" } }))).collect();
        (self.status.to_string(), json!({ "description": self.description, "headers": headers }))
    }

    /// What the integration makes of S3's answer.
    pub(super) fn integration_response(&self) -> (String, Json) {
        let headers: Map<String, Json> = self
            .headers
            .iter()
            .map(|(name, source)| (format!("method.response.header.{name}"), source.clone().into()))
            .collect();
        let mut response = json!({ "statusCode": self.status.to_string(), "responseParameters": headers });
        if let Some(body) = &self.body {
            // Templates see text only; every type counts as bytes here.
            response["contentHandling"] = "CONVERT_TO_TEXT".into();
            if !body.is_empty() {
                response["responseTemplates"] = json!({ "application/json": body });
            }
        }
        (self.pattern.clone(), response)
    }
}

/// An error's body. API Gateway fills in the request's id.
pub(super) fn error_text(code: &str, message: &str) -> String {
    json!({ "code": code, "message": message, "requestId": "$context.requestId" }).to_string()
}
