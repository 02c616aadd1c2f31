//! What a text shows of its format (password-hashes.md 11.6).

use super::fields::Fields;

/// How a format is told from its text.
#[derive(Clone, Copy)]
pub(super) enum Clue {
    /// Begins like nothing else does.
    Starts(&'static str),
    /// Has a shape that nothing else has.
    Sure(fn(&str) -> bool),
    /// Has a shape that other things have too: a proposal.
    Maybe(fn(&str) -> bool),
    /// Is JSON with members that nothing else has.
    Members(fn(&Fields) -> bool),
}

impl Clue {
    /// Whether a text that fits is of this format, rather than perhaps of this format.
    pub(super) fn is_sure(self) -> bool {
        matches!(self, Self::Starts(_) | Self::Sure(_) | Self::Members(_))
    }

    /// Whether the text fits.
    pub(super) fn fits(self, text: &str, fields: Option<&Fields>) -> bool {
        match self {
            Self::Starts(prefix) => text.starts_with(prefix),
            Self::Sure(shape) | Self::Maybe(shape) => fields.is_none() && shape(text),
            Self::Members(shape) => fields.is_some_and(shape),
        }
    }
}

/// The rest of a text after a scheme like `{SSHA}`, without regard to case.
pub(super) fn after_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}
