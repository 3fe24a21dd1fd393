//! That a client has to send an API key, as the document says it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-setup-api-key-with-console.html>

use serde_json::{Value as Json, json};

/// The scheme's name in the document.
const SCHEME: &str = "api_key";

/// The header that has the key.
const HEADER: &str = "x-api-key";

/// The document's security scheme, with its name. API Gateway knows it by the header.
pub(super) fn scheme() -> (String, Json) {
    (SCHEME.to_owned(), json!({ "type": "apiKey", "name": HEADER, "in": "header" }))
}

/// What a method says of it.
pub(super) fn requirement() -> Json {
    json!({ SCHEME: [] })
}

/// Whether an operation of our document asks for a key.
pub fn asked_by(operation: &Json) -> bool {
    operation["security"].as_array().into_iter().flatten().any(|requirement| requirement.get(SCHEME).is_some())
}
