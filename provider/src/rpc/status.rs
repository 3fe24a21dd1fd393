//! Errors as gRPC statuses.

use prost::Message;
use tonic::{Code, Status};

use super::google;
use super::wire::ErrorResourceInitFailed;
use crate::error::{Error, Kind};
use crate::inputs::Failure;
use crate::state::Unusable;

/// A message that is no value.
pub(super) fn malformed(error: super::codec::Malformed) -> Status {
    Status::invalid_argument(error.to_string())
}

/// A stored state that cannot be used.
pub(super) fn unusable(error: Unusable) -> Status {
    Status::failed_precondition(error.to_string())
}

/// Inputs that `Check` would have refused.
pub(super) fn invalid(failures: Vec<Failure>) -> Status {
    let reasons: Vec<String> = failures.into_iter().map(|failure| failure.reason).collect();
    Status::invalid_argument(reasons.join("; "))
}

/// An operation that failed before it changed anything, or a delete that can be tried again.
///
/// The engine takes `Unknown` and `Internal` for "the state may be corrupt", so the other codes are used.
pub(super) fn failed(error: &Error, secrets: &[String]) -> Status {
    let code = match error.kind {
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::Denied => Code::PermissionDenied,
        Kind::Throttled | Kind::UsedUp => Code::ResourceExhausted,
        Kind::Invalid => Code::InvalidArgument,
        Kind::Stopped => Code::Aborted,
        Kind::Unreachable | Kind::Unanswered | Kind::Faulty | Kind::Config | Kind::Other => Code::FailedPrecondition,
    };
    Status::new(code, redact(&error.to_string(), secrets))
}

/// Text for the user without the secrets that it may quote.
pub(super) fn redact(text: &str, secrets: &[String]) -> String {
    // The longest first: what is left of one that another is a part of would tell the rest.
    let mut secrets: Vec<&String> = secrets.iter().collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[secret]"))
}

/// An operation that stopped half way: what exists is saved, and the next update goes on from there.
pub(super) fn init_failed(detail: ErrorResourceInitFailed) -> Status {
    let message = detail.reasons.join("; ");
    with_detail(Code::Unknown, message, "pulumirpc.ErrorResourceInitFailed", &detail)
}

/// Details travel in a `google.rpc.Status` whose code has to be that of the gRPC status itself.
fn with_detail(code: Code, message: String, name: &str, detail: &impl Message) -> Status {
    let any = prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value: detail.encode_to_vec() };
    let status = google::Status { code: code as i32, message: message.clone(), details: vec![any] };
    Status::with_details(code, message, status.encode_to_vec().into())
}
