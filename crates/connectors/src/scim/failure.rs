//! Why something could not be read or sent, and what a command makes of it.

use serde_json::Value;
use sterna_core::{
    code::{Code, Finding},
    port::{Answer, TargetError},
};

use super::answer::{silence, throttled, word};
use crate::http::{
    access::MEND,
    caller::{Unread, Unsent},
    token::NoToken,
};

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// No token.
    #[error(transparent)]
    Token(NoToken),
    /// No answer.
    #[error("the service gave no answer: {0}")]
    Unreachable(&'static str),
    /// An answer that says no.
    #[error("the service answered {status} {scim_type}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// `scimType`, where it is a word.
        scim_type: String,
    },
    /// An answer of a form that is not known.
    #[error("the service's answer has an unknown form")]
    Shape,
    /// A look-up that shows others, or not all that it found: the filter means nothing.
    #[error("the service does not keep to filters")]
    Unfiltered,
    /// The same page over and over.
    #[error("the service gives the same page again and again")]
    Circle,
}

impl ReadError {
    /// The status of an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        if let Self::Status { status, .. } = self { Some(*status) } else { None }
    }

    /// Whether the service says that it does not have this, or that we may not have it.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status { status: 400..=428 | 430..=499 | 501, .. })
    }

    /// Whether the service says that it does not have this.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 405 | 410 | 501, .. })
    }

    /// What it is, for `sterna explain`.
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Token(NoToken::Unreachable { .. }) | Self::Unreachable(_) => Code::E2001,
            Self::Token(_) => Code::E2002,
            Self::Status { status: 401, .. } => Code::E2003,
            Self::Status { status: 403, .. } => Code::E2004,
            Self::Status { status: 429, .. } => Code::E2013,
            Self::Status { status: 502.., .. } => Code::E2001,
            Self::Status { .. } | Self::Shape | Self::Unfiltered => Code::E2009,
            Self::Circle => Code::E2010,
        }
    }

    /// The error that a command ends with; `doing` says what was tried.
    pub(super) fn during(self, doing: &str) -> TargetError {
        match self {
            Self::Token(error) => error.into_error(&MEND),
            error => TargetError::new(error.code(), format!("{doing} failed")).caused_by(error),
        }
    }
}

impl From<Unread> for ReadError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Token(error) => Self::Token(error),
            Unread::Unreachable(why) => Self::Unreachable(why),
            Unread::Status(reply) => {
                let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                let scim_type = word(body.get("scimType").and_then(Value::as_str)).to_owned();
                Self::Status { status: reply.status, scim_type }
            }
        }
    }
}

/// An error as a finding of a check, with its cause.
pub(super) fn finding(error: TargetError) -> Finding {
    let mut finding = Finding::error(error.code, error.message);
    if let Some(cause) = error.source {
        finding.message = format!("{}: {cause}", finding.message);
    }
    finding.hints.extend(error.hint);
    finding
}

/// What it means for a write that it went this way.
pub(super) fn unsent(unsent: &Unsent) -> Answer {
    match unsent {
        Unsent::NotSent(why) => throttled(Some(std::time::Duration::from_secs(1)), why),
        Unsent::NoToken(error) => Answer::Stops { code: Code::E2002, detail: error.to_string() },
        Unsent::Lost(why) => silence(why),
    }
}
