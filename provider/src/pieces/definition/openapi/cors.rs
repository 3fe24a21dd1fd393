//! What browsers need to let a page of another origin use the URL.
//!
//! One origin, or all, is a fixed text on every answer. Of several, an answer has to name the one that asks: API Gateway
//! cannot compare there, as templates do not go with bytes, so S3 tells it from the bucket's CORS rules; only the answers
//! that S3 has no part in use a template.

use s3dataproxy_schema as contract;
use s3dataproxy_schema::Operation;
use serde_json::{Value as Json, json};

use super::answers::Answer;
use super::auth::Auth;
use super::headers;
use super::methods::own_method;
use crate::pieces::bucket;
use crate::pieces::definition::routes::Routes;

/// The request header that names the page's origin.
pub const ORIGIN: &str = "Origin";

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// For how long a browser may remember a preflight where nothing is said, in seconds.
pub const MAX_AGE: i64 = 600;

/// Which web pages may use the URL, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// The origins, or `*` alone.
    pub origins: Vec<String>,
    /// The request headers that pages may send.
    pub allow_headers: Vec<String>,
    /// The response headers that pages may read.
    pub expose_headers: Vec<String>,
    /// For how many seconds a browser may remember a preflight.
    pub max_age: i64,
    /// Whether pages may send cookies and HTTP authentication.
    pub credentials: bool,
}

impl Cors {
    /// What the inputs mean for these operations.
    pub fn of(inputs: &contract::Cors, operations: &[Operation], auth: &Auth) -> Cors {
        let or = |given: &Option<Vec<String>>, default: Vec<&str>| {
            given.clone().unwrap_or_else(|| default.into_iter().map(str::to_owned).collect())
        };
        Cors {
            origins: inputs.allow_origins.clone(),
            allow_headers: or(&inputs.allow_headers, headers::requested(operations, auth.headers())),
            expose_headers: or(&inputs.expose_headers, headers::answered(operations)),
            max_age: inputs.max_age_seconds.unwrap_or(MAX_AGE),
            credentials: inputs.allow_credentials.unwrap_or(false),
        }
    }

    /// Whether S3 says which of several origins an answer is for.
    pub fn is_told_by_s3(&self) -> bool {
        self.origins.len() > 1
    }

    /// The headers of S3's answers.
    pub fn on_answers(&self) -> Vec<(String, String)> {
        let origin = match self.origins.as_slice() {
            [only] => format!("'{only}'"),
            _ => format!("integration.response.header.{ALLOW_ORIGIN}"),
        };
        let mut found = vec![(ALLOW_ORIGIN.to_owned(), origin)];
        found.extend(self.fixed());
        if !self.expose_headers.is_empty() {
            found.push(("Access-Control-Expose-Headers".to_owned(), format!("'{}'", self.expose_headers.join(","))));
        }
        found
    }

    /// The headers of API Gateway's own errors, by the names of its parameters. There it cannot compare either: with
    /// several origins each page may read these errors, which hold no data.
    pub fn on_own_errors(&self) -> Vec<(String, String)> {
        let origin = match self.origins.as_slice() {
            [only] => format!("'{only}'"),
            _ => format!("method.request.header.{ORIGIN}"),
        };
        let mut found = vec![(ALLOW_ORIGIN.to_owned(), origin)];
        found.extend(self.fixed());
        found
    }

    /// The headers that do not depend on who asks.
    fn fixed(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.is_told_by_s3() {
            found.push(("Vary".to_owned(), format!("'{ORIGIN}'")));
        }
        if self.credentials {
            found.push(("Access-Control-Allow-Credentials".to_owned(), "'true'".to_owned()));
        }
        found
    }

    /// A template that names the origin that asks, where it is one of several.
    pub fn told_by_template(&self) -> String {
        if !self.is_told_by_s3() {
            return String::new();
        }
        let known: Vec<String> = self.origins.iter().map(|origin| format!("$origin == '{origin}'")).collect();
        // A name comes in one case or the other: HTTP/2 has lower case only.
        format!(
            "#set($origin = $input.params('Origin'))#if($origin == '')#set($origin = $input.params('origin'))#end\
             #if({})#set($context.responseOverride.header.{ALLOW_ORIGIN} = $origin)#end",
            known.join(" || ")
        )
    }

    /// The headers of answers that S3 has no part in, besides what the template sets.
    pub fn on_answers_by_template(&self) -> Vec<(String, String)> {
        let mut found = self.fixed();
        if let [only] = self.origins.as_slice() {
            found.push((ALLOW_ORIGIN.to_owned(), format!("'{only}'")));
        }
        found
    }

    /// The headers that the template sets.
    pub fn names_for_template(&self) -> Vec<String> {
        if self.is_told_by_s3() { vec![ALLOW_ORIGIN.to_owned()] } else { Vec::new() }
    }

    /// The answer to a browser that asks first.
    pub fn preflight(&self, verbs: &[String]) -> Json {
        let mut found = self.on_answers_by_template();
        found.push(("Access-Control-Allow-Methods".to_owned(), format!("'{}'", verbs.join(","))));
        if !self.allow_headers.is_empty() {
            found.push(("Access-Control-Allow-Headers".to_owned(), format!("'{}'", self.allow_headers.join(","))));
        }
        found.push(("Access-Control-Max-Age".to_owned(), format!("'{}'", self.max_age)));
        let answer = Answer::own(204, "What pages of other origins may do", found, self.told_by_template());
        own_method("What a browser asks before a page's request", 204, answer, self.names_for_template())
    }
}

/// The `cors` input behind the routes of an API, for an import. The origins, where they are several, are in the bucket's
/// rules. What equals a default is left out.
pub fn of_routes(routes: &Routes, auth: &Auth, rules: Option<&bucket::Rules>) -> Option<Json> {
    let (_, preflight) = routes.iter().find(|(route, _)| route.starts_with("OPTIONS "))?;
    let header = |does: &Json, status: &str, name: &str| {
        let value = does["answers"][status]["headers"][format!("method.response.header.{name}")].as_str()?;
        Some(value.trim_matches('\'').to_owned())
    };
    let list = |text: Option<String>| {
        text.map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default()
    };
    let origins = match header(preflight, "204", ALLOW_ORIGIN) {
        Some(only) => vec![only],
        None => rules.map(|rules| rules.origins.clone()).unwrap_or_default(),
    };
    let asks_s3 = routes.iter().filter(|(_, does)| does["type"] == "AWS");
    let operations: Vec<Operation> = asks_s3
        .clone()
        .filter_map(|(route, _)| match route.split_once(' ')? {
            ("GET", path) if path.ends_with("/{key+}") => Some(Operation::Get),
            ("GET", _) => Some(Operation::List),
            ("HEAD", _) => Some(Operation::Head),
            ("PUT", _) => Some(Operation::Put),
            ("DELETE", _) => Some(Operation::Delete),
            _ => None,
        })
        .collect();
    let exposed = asks_s3.filter_map(|(_, does)| {
        let status = ["200", "204"].into_iter().find(|status| does["answers"][*status].is_object())?;
        header(does, status, "Access-Control-Expose-Headers")
    });
    let mut input = json!({ "allowOrigins": origins });
    let allowed = list(header(preflight, "204", "Access-Control-Allow-Headers"));
    if allowed != headers::requested(&operations, auth.headers()) {
        input["allowHeaders"] = allowed.into();
    }
    let exposed = list(exposed.map(Some).next().flatten());
    let mut sorted = operations;
    sorted.sort();
    if exposed != headers::answered(&sorted) {
        input["exposeHeaders"] = exposed.into();
    }
    let age = header(preflight, "204", "Access-Control-Max-Age").and_then(|age| age.parse::<i64>().ok());
    if let Some(age) = age.filter(|age| *age != MAX_AGE) {
        input["maxAgeSeconds"] = age.into();
    }
    if header(preflight, "204", "Access-Control-Allow-Credentials").is_some() {
        input["allowCredentials"] = true.into();
    }
    Some(input)
}
