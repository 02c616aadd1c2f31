//! Exit codes (design.md 5): what scripts may rely on.

use std::process::{ExitCode, Termination};

use serde::Serialize;
use sterna_core::code::{Code, Severity};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed; the message says why.
    Failed = 1,
    /// Wrong usage or configuration; nothing was begun.
    Usage = 2,
    /// There are findings that have to be mended first.
    Errors = 10,
    /// There are findings, and they are only warnings.
    Warnings = 11,
    /// Finished, but records were rejected or accounts failed.
    Partly = 12,
    /// Interrupted; the same command goes on where it stopped.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code with what it means, for documentation and help.
    pub(crate) const ALL: &'static [(Self, &'static str)] = &[
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::Usage, "wrong usage or configuration"),
        (Self::Errors, "findings that are errors"),
        (Self::Warnings, "findings that are only warnings"),
        (Self::Partly, "finished, but records were rejected or accounts failed"),
        (Self::Interrupted, "interrupted, can be resumed"),
    ];

    /// All of them in a sentence, for help.
    pub(crate) fn help() -> String {
        let each: Vec<String> =
            Self::ALL.iter().map(|(exit, meaning)| format!("{} {meaning}", exit.number())).collect();
        format!("Exit codes: {}.", each.join("; "))
    }

    /// The number.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// How a command that ends early because of `code` exits: whatever lies in usage or configuration is 2, what a plan
    /// found and nobody mended is 10.
    pub(crate) fn of(code: Code) -> Self {
        match code {
            Code::E1013 => Self::Failed,
            Code::E5012 => Self::Interrupted,
            Code::E5003 | Code::E5004 => Self::Errors,
            Code::E5014 => Self::Usage,
            code if code.as_str().starts_with("E1") => Self::Usage,
            _ => Self::Failed,
        }
    }

    /// How a command that only checks exits.
    pub(crate) fn of_findings(worst: Option<Severity>) -> Self {
        match worst {
            Some(Severity::Error) => Self::Errors,
            Some(Severity::Warning) => Self::Warnings,
            Some(Severity::Note) | None => Self::Done,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_scripts_rely_on() {
        let numbers: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 10, 11, 12, 130]);
    }

    #[test]
    fn usage_and_configuration_end_with_two_and_everything_else_with_one() {
        let cases = [
            (Code::E1001, Exit::Usage),
            (Code::E1012, Exit::Usage),
            (Code::E1013, Exit::Failed),
            (Code::E2001, Exit::Failed),
            (Code::E4003, Exit::Failed),
            (Code::E5004, Exit::Errors),
            (Code::E5014, Exit::Usage),
            (Code::E5012, Exit::Interrupted),
        ];
        for (code, exit) in cases {
            assert_eq!(Exit::of(code), exit, "{code}");
        }
    }

    #[test]
    fn a_check_ends_with_its_worst_finding() {
        assert_eq!(Exit::of_findings(None), Exit::Done);
        assert_eq!(Exit::of_findings(Some(Severity::Note)), Exit::Done);
        assert_eq!(Exit::of_findings(Some(Severity::Warning)), Exit::Warnings);
        assert_eq!(Exit::of_findings(Some(Severity::Error)), Exit::Errors);
    }
}
