//! Stable codes of everything that can go wrong or be lost; `sterna explain` and `docs/errors.md` are made from here.
//!
//! E1 usage and configuration · E2 target · E3 sources and records · E4 ledger · E5 phases · L losses and holds.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($code:ident $title:literal $meaning:literal $mend:literal;)*) => {
        /// A stable code; numbers are never used again for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each code's text is its entry in the catalogue")]
        pub enum Code { $($code,)* }

        impl Code {
            /// Every code, in order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// `E2104`.
            pub fn as_str(self) -> &'static str { match self { $(Self::$code => stringify!($code),)* } }

            /// A short title.
            pub fn title(self) -> &'static str { match self { $(Self::$code => $title,)* } }

            /// What it means.
            pub fn meaning(self) -> &'static str { match self { $(Self::$code => $meaning,)* } }

            /// How to mend it.
            pub fn mend(self) -> &'static str { match self { $(Self::$code => $mend,)* } }
        }
    };
}

mod catalogue;
pub use catalogue::Code;
pub(crate) use codes;

impl Code {
    /// The code with this name, without regard to case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| format!("there is no code {text}"))
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("unknown code {text}")))
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Should be looked at; the command goes on.
    Warning,
    /// Has to be mended first.
    Error,
}

/// Where in a text file a finding stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The offending text.
    pub text: String,
}

/// One result of a check, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub code: Code,
    /// What was found, in our own words; no personal data.
    pub message: String,
    /// Where, in a configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Sentences to act on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl Finding {
    /// A finding that has to be mended.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), place: None, hints: Vec::new() }
    }

    /// A finding to look at.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Something good to know.
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, message) }
    }

    /// Adds a sentence to act on.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says where it stands.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_read_back() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()), "sorted and unique");
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(!code.meaning().is_empty() && !code.mend().is_empty(), "{code} needs its texts");
        }
        assert_eq!(Code::parse("e1001"), Some(Code::E1001));
    }
}
