//! Why a phase ended early. One enum at this border; codes and hints are computed from the variant.

use sterna_core::{
    code::{Code, Finding},
    password::random::NoPassword,
    port::{SourceError, TargetError},
};
use sterna_ledger::LedgerError;

/// Why a phase ended early. What it had done by then is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum PhaseError {
    /// The ledger failed.
    #[error("the ledger could not be used")]
    Ledger(#[from] LedgerError),
    /// A source failed.
    #[error("reading the source `{name}` ended early")]
    Source {
        /// The source's name.
        name: String,
        /// Why.
        source: SourceError,
    },
    /// The target could not be asked.
    #[error("the target could not be used")]
    Target(#[from] TargetError),
    /// Checks found errors; nothing was done.
    #[error("checks found something that has to be mended first")]
    Findings(Vec<Finding>),
    /// The phase cannot run as things are.
    #[error("{message}")]
    Cannot {
        /// What it is.
        code: Code,
        /// In words.
        message: String,
    },
    /// No randomness for passwords.
    #[error("a random password could not be made")]
    Entropy(#[from] NoPassword),
    /// The operator stopped it.
    #[error("interrupted; the same command goes on where it stopped")]
    Interrupted,
    /// A task of the phase broke down.
    #[error("a part of the phase broke down")]
    Task(#[from] tokio::task::JoinError),
}

impl PhaseError {
    /// An error in our own words.
    pub fn cannot(code: Code, message: impl Into<String>) -> Self {
        Self::Cannot { code, message: message.into() }
    }

    /// The code for `sterna explain`.
    pub fn code(&self) -> Code {
        match self {
            Self::Ledger(error) => error.code(),
            Self::Source { source, .. } => source.code,
            Self::Target(error) => error.code,
            Self::Findings(findings) => findings.first().map_or(Code::E5003, |finding| finding.code),
            Self::Cannot { code, .. } => *code,
            Self::Entropy(_) | Self::Task(_) => Code::E4002,
            Self::Interrupted => Code::E5012,
        }
    }

    /// Sentences to act on.
    pub fn hints(&self) -> Vec<String> {
        let given = match self {
            Self::Source { source, .. } => source.hint.clone(),
            Self::Target(error) => error.hint.clone(),
            Self::Findings(_) => return Vec::new(),
            _ => None,
        };
        vec![given.unwrap_or_else(|| self.code().mend().to_owned())]
    }
}
