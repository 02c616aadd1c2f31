//! Why something could not be read or sent, and what a command makes of it.

use sterna_core::{
    code::{Code, Finding},
    port::{SourceError, TargetError},
};

use super::token::MEND;
use crate::http::token::NoToken;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// No token.
    #[error(transparent)]
    Token(#[from] NoToken),
    /// No answer.
    #[error("Graph gave no answer: {0}")]
    Unreachable(&'static str),
    /// An answer that says no.
    #[error("Graph answered {status} {code}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// Graph's code.
        code: String,
    },
    /// An answer of a form that is not known.
    #[error("Graph's answer has an unknown form")]
    Shape,
    /// A next link that leads elsewhere.
    #[error("Graph's next link leads to another server")]
    Elsewhere,
}

impl ReadError {
    /// Whether the service says that we may not, or that it does not have this.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status { status: 400..=499, .. }) && !self.is_throttled()
    }

    fn is_throttled(&self) -> bool {
        matches!(self, Self::Status { status: 429, .. })
    }

    /// What it is, for `sterna explain`.
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Token(NoToken::Unreachable { .. }) | Self::Unreachable(_) | Self::Status { status: 500.., .. } => {
                Code::E2001
            }
            Self::Token(_) => Code::E2002,
            Self::Status { status: 401, .. } => Code::E2003,
            Self::Status { status: 403, .. } => Code::E2004,
            Self::Status { status: 429, .. } => Code::E2013,
            Self::Status { .. } | Self::Shape | Self::Elsewhere => Code::E2009,
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

/// The error that the same failure is to a source.
pub(super) fn of_source(error: TargetError) -> SourceError {
    SourceError { code: Code::E3001, message: error.message, hint: error.hint, source: error.source }
}

/// An error as a finding of a check, with its cause.
pub(super) fn finding(error: SourceError) -> Finding {
    let mut finding = Finding::error(error.code, error.message);
    if let Some(cause) = error.source {
        finding.message = format!("{}: {cause}", finding.message);
    }
    finding.hints.extend(error.hint);
    finding
}
