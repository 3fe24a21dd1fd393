//! API Gateway's own errors, in the same form as S3's.

use serde_json::{Map, Value as Json, json};

use super::Api;
use super::auth::Auth;
use super::cors::Cors;

/// A kind of error, the status where it is not API Gateway's, and a code and a message where they are not.
type Own = (&'static str, Option<u16>, Option<(&'static str, &'static str)>);

/// The kind for a type of content without a template. Only the methods that are not offered refuse one.
const REFUSED_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";

/// Every kind that says something else than API Gateway would.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>
const OWN: [Own; 9] = [
    ("DEFAULT_4XX", None, None),
    ("DEFAULT_5XX", None, Some(("InternalError", "The request could not be carried out. Try again."))),
    // What it says of a path that is not there, as a 403.
    ("MISSING_AUTHENTICATION_TOKEN", Some(404), Some(("NotFound", "There is nothing at this path."))),
    (REFUSED_TYPE, Some(405), Some(("MethodNotAllowed", "This method is not offered here."))),
    ("REQUEST_TOO_LARGE", Some(413), Some(("TooLarge", "A request carries at most 10 MB."))),
    ("THROTTLED", Some(429), Some(("Throttled", "Too many requests. Try again more slowly."))),
    ("INTEGRATION_FAILURE", Some(502), Some(TOO_LARGE)),
    ("API_CONFIGURATION_ERROR", Some(502), Some(TOO_LARGE)),
    (
        "INTEGRATION_TIMEOUT",
        Some(504),
        Some(("Timeout", "The storage did not answer in time. Try again, or read a smaller range.")),
    ),
];

/// What an object is mostly that API Gateway cannot pass on. It does not tell that from other failures.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const TOO_LARGE: (&str, &str) = (
    "StorageError",
    "The storage could not be reached, or its answer could not be passed on. If the object has more than 10 MB, read it \
     in parts, with the header Range, such as bytes=0-9999999.",
);

/// What it says of keys.
const KEYS: [Own; 2] = [
    ("INVALID_API_KEY", Some(403), Some(("InvalidApiKey", "Send a valid API key in the header x-api-key."))),
    ("QUOTA_EXCEEDED", Some(429), Some(("QuotaExceeded", "The quota of this API key is used up."))),
];

/// What it says of a path that is not there is, where callers have to sign, also what it says of a missing signature.
const UNSIGNED: Own = (
    "MISSING_AUTHENTICATION_TOKEN",
    Some(403),
    Some((
        "MissingAuthentication",
        "There is nothing at this path, or the request is not signed with AWS Signature Version 4.",
    )),
);

/// The document's part for them. `verbs` are those that every path offers, where all offer the same.
pub(super) fn responses(api: &Api, verbs: Option<&[String]>) -> Json {
    let signed = api.auth == Auth::Iam;
    let own = OWN.iter().map(|own| if signed && own.0 == UNSIGNED.0 { &UNSIGNED } else { own });
    let own = own.chain(KEYS.iter().filter(|_| api.keys));
    let responses = own.map(|(kind, status, words)| {
        let (code, message) = match words {
            Some((code, message)) => (Json::from(*code).to_string(), Json::from(*message).to_string()),
            // The message comes with its quotes.
            None => ("\"$context.error.responseType\"".to_owned(), "$context.error.messageString".to_owned()),
        };
        let text = format!(r#"{{"code":{code},"message":{message},"requestId":"$context.requestId"}}"#);
        let mut response = json!({ "responseTemplates": { "application/json": text } });
        if let Some(status) = status {
            response["statusCode"] = status.to_string().into();
        }
        let verbs = verbs.filter(|_| *kind == REFUSED_TYPE);
        let headers: Map<String, Json> = api
            .cors
            .iter()
            .flat_map(Cors::on_own_errors)
            .chain(verbs.map(|verbs| api.allow(verbs)))
            .map(|(name, source)| (format!("gatewayresponse.header.{name}"), source.into()))
            .collect();
        if !headers.is_empty() {
            response["responseParameters"] = headers.into();
        }
        ((*kind).to_owned(), response)
    });
    responses.collect::<Map<_, _>>().into()
}
