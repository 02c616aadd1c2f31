//! Why a command ended early: findings with their causes and places, and the exit code that follows from them.

use std::error::Error;

use serde::Serialize;
use sterna_core::{
    code::{Code, Finding, Severity},
    port::{SourceError, TargetError},
};

use sterna_engine::PhaseError;
use sterna_ledger::LedgerError;

use crate::{exit::Exit, project::caret::Snippet};

/// A command that ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the program exits.
    pub(crate) exit: Exit,
    /// What went wrong; at least one.
    pub(crate) troubles: Vec<Trouble>,
}

/// The result of a command: how the program exits, or why it ended early.
pub(crate) type Outcome = Result<Exit, Failure>;

/// A finding with the errors underneath it and the text it is about.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trouble {
    /// What was found.
    #[serde(flatten)]
    pub(crate) finding: Finding,
    /// The errors underneath, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) causes: Vec<String>,
    /// The part of the configuration file that it is about, fit to be shown.
    #[serde(skip)]
    pub(crate) snippet: Option<Snippet>,
}

impl Failure {
    /// A failure with one sentence of ours.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Finding::error(code, message).into()
    }

    /// A failure because of wrong configuration: everything that is wrong, at once.
    pub(crate) fn configuration(troubles: Vec<Trouble>) -> Self {
        Self { exit: Exit::Usage, troubles }
    }

    /// Adds the error underneath and those under it.
    pub(crate) fn caused_by(mut self, source: &(dyn Error + 'static)) -> Self {
        if let Some(trouble) = self.troubles.last_mut() {
            trouble.causes.extend(chain(Some(source)));
        }
        self
    }

    /// Adds a sentence to act on.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(trouble) = self.troubles.last_mut() {
            trouble.finding.hints.push(hint.into());
        }
        self
    }
}

impl From<Finding> for Trouble {
    fn from(finding: Finding) -> Self {
        Self { finding, causes: Vec::new(), snippet: None }
    }
}

impl From<&TargetError> for Trouble {
    fn from(error: &TargetError) -> Self {
        let TargetError { code, message, hint, source: _ } = error;
        with_hint(*code, message, hint.as_deref().or(Some(code.mend())), error.source())
    }
}

impl From<&SourceError> for Trouble {
    fn from(error: &SourceError) -> Self {
        let SourceError { code, message, hint, source: _ } = error;
        with_hint(*code, message, hint.as_deref().or(Some(code.mend())), error.source())
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self { exit: Exit::of(trouble.finding.code), troubles: vec![trouble] }
    }
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Trouble::from(finding).into()
    }
}

impl From<Box<Finding>> for Failure {
    fn from(finding: Box<Finding>) -> Self {
        Trouble::from(*finding).into()
    }
}

impl From<&LedgerError> for Trouble {
    fn from(error: &LedgerError) -> Self {
        let code = error.code();
        with_hint(code, &error.to_string(), Some(code.mend()), error.source())
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Trouble::from(&error).into()
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Trouble::from(&error).into()
    }
}

impl From<PhaseError> for Failure {
    fn from(error: PhaseError) -> Self {
        match &error {
            PhaseError::Ledger(error) => Trouble::from(error).into(),
            PhaseError::Target(error) => Trouble::from(error).into(),
            PhaseError::Findings(findings) => {
                Self { exit: Exit::Errors, troubles: findings.iter().cloned().map(Trouble::from).collect() }
            }
            PhaseError::Source { .. }
            | PhaseError::Cannot { .. }
            | PhaseError::Entropy(_)
            | PhaseError::Interrupted
            | PhaseError::Task(_) => {
                let finding = Finding { hints: error.hints(), ..Finding::error(error.code(), error.to_string()) };
                Trouble { causes: chain(error.source()), ..finding.into() }.into()
            }
        }
    }
}

/// The worst severity among `troubles`.
pub(crate) fn worst(troubles: &[Trouble]) -> Option<Severity> {
    troubles.iter().map(|trouble| trouble.finding.severity).max()
}

fn with_hint(code: Code, message: &str, hint: Option<&str>, source: Option<&(dyn Error + 'static)>) -> Trouble {
    let mut finding = Finding::error(code, message);
    finding.hints.extend(hint.map(str::to_owned));
    Trouble { finding, causes: chain(source), snippet: None }
}

/// An error and those underneath, each told once: some libraries repeat their source's words in their own.
fn chain(mut source: Option<&(dyn Error + 'static)>) -> Vec<String> {
    const LONGEST: usize = 16;
    let mut causes: Vec<String> = Vec::new();
    while let Some(error) = source {
        let text = error.to_string();
        if causes.last().is_none_or(|above| !above.contains(&text)) {
            causes.push(text);
        }
        source = if causes.len() < LONGEST { error.source() } else { None };
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_outermost_first_and_once() {
        let low = TargetError::new(Code::E2001, "connection refused");
        let high = TargetError::new(Code::E2002, "no token for the application").hint("try later").caused_by(low);
        let trouble = Trouble::from(&high);
        assert_eq!(trouble.finding.message, "no token for the application");
        assert_eq!(trouble.causes, ["connection refused"]);
        assert_eq!(trouble.finding.hints, ["try later"]);
        assert_eq!(Failure::from(trouble).exit, Exit::Failed);
    }
}
