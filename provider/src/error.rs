//! What went wrong at AWS, in words for the user.

use std::fmt;

use crate::pieces::Piece;

/// A failure of one call, or the reason why no call was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// What was being done, such as ``create the bucket `x` ``.
    pub doing: String,
    /// The piece it was done for.
    pub piece: Option<Piece>,
    /// The kind of failure.
    pub kind: Kind,
    /// The AWS operation, such as `CreateBucket`.
    pub operation: Option<&'static str>,
    /// AWS's error code.
    pub code: Option<String>,
    /// What AWS, or the way to it, said.
    pub message: String,
    /// The id by which AWS support finds the call.
    pub request_id: Option<String>,
    /// What the user can do.
    pub hint: Option<String>,
}

/// Kinds of failure, as far as the plugin acts upon them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// AWS says that the thing is not there.
    NotFound,
    /// Something of that name is there already.
    AlreadyExists,
    /// The caller may not do this.
    Denied,
    /// AWS asks for a slower pace, longer than the retries lasted.
    Throttled,
    /// AWS allows no more of them: a quota is used up.
    UsedUp,
    /// AWS refuses the request as it is.
    Invalid,
    /// AWS could not be reached.
    Unreachable,
    /// AWS was reached and did not answer: the call may have taken effect.
    Unanswered,
    /// AWS failed by itself (HTTP status 5xx), or answered what is no answer: the call may have taken effect.
    Faulty,
    /// The configuration lacks something.
    Config,
    /// The operation was cancelled, or its time was up.
    Stopped,
    /// Anything else.
    Other,
}

impl Error {
    /// A failure without an AWS call.
    pub fn new(kind: Kind, doing: impl Into<String>, message: impl Into<String>) -> Error {
        Error {
            doing: doing.into(),
            piece: None,
            kind,
            operation: None,
            code: None,
            message: message.into(),
            request_id: None,
            hint: None,
        }
    }

    /// The same failure of a piece.
    pub fn of(self, piece: Piece) -> Error {
        Error { piece: Some(piece), ..self }
    }

    /// Whether the call may have taken effect all the same.
    pub fn may_have_worked(&self) -> bool {
        let reads = |operation: &str| operation.starts_with("Get") || operation.starts_with("List");
        matches!(self.kind, Kind::Unanswered | Kind::Faulty) && !self.operation.is_some_and(reads)
    }

    /// The same failure with advice.
    pub fn hint(self, hint: impl Into<String>) -> Error {
        Error { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: ", self.doing)?;
        if let Some(operation) = self.operation {
            write!(f, "{operation} failed: ")?;
        }
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(self.message.trim_end_matches('.'))?;
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
