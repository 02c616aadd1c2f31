//! Password policies as data: one value per target, read by plan (may this plaintext be set?), by the random maker, and
//! after a positive check of an old password ("right, but too weak for the target": [`PasswordPolicy::check`]).

use std::cell::RefCell;

use fancy_regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// What a target demands of a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub min: usize,
    /// Most characters.
    pub max: usize,
    /// How many of the four classes (lower, upper, digit, symbol) must occur.
    pub classes: usize,
    /// The symbols that are allowed besides letters and digits; `None` allows every character.
    pub symbols: Option<String>,
    /// A regular expression that has to fit, in the dialect of Java's (look-ahead included); `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// Longest pattern that is taken, in bytes.
const MAX_PATTERN: usize = 1_024;
/// How far a pattern may search for a fit before it counts as none.
const BACKTRACKS: usize = 100_000;

/// Why a password would be refused. Says nothing about the password itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer characters than the policy's least.
    #[error("too short")]
    TooShort,
    /// More characters than the policy's most.
    #[error("too long")]
    TooLong,
    /// Fewer classes than demanded.
    #[error("too few kinds of character")]
    TooFewClasses,
    /// A character that the target does not allow.
    #[error("a character that the target does not allow")]
    ForbiddenCharacter,
    /// The target's pattern does not fit.
    #[error("not as the target's pattern demands")]
    Pattern,
}

/// A pattern that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern is no regular expression that can be used here")]
pub struct BadPattern;

impl PasswordPolicy {
    /// Entra and Azure AD B2C: 8 to 256 characters of ASCII, three of four classes (entra.md 4.5).
    pub fn entra() -> Self {
        let symbols = Some(" @#$%^&*-_!+=[]{}|\\:',.?/`~\"();<>".into());
        Self { min: 8, max: 256, classes: 3, symbols, pattern: None }
    }

    /// The same with `DisableStrongPassword`: complexity is off, the least length stays (entra.md 4.5, B2C).
    pub fn entra_without_complexity() -> Self {
        Self { classes: 0, ..Self::entra() }
    }

    /// Azure AD B2C: what its directory demands is the same as Entra's (entra.md 4.5); a custom policy may demand more.
    pub fn b2c() -> Self {
        Self::entra()
    }

    /// WSO2 Identity Server's user-store default, `^[\S]{5,30}$` (wso2-scim.md 2.5).
    pub fn wso2_store() -> Self {
        Self { min: 5, max: 30, classes: 0, symbols: None, pattern: Some(r"^[\S]{5,30}$".into()) }
    }

    /// The usual rule of a WSO2 tenant, which goes before the store's: 8 to 30 characters with digit, lower and upper.
    pub fn wso2_tenant() -> Self {
        let pattern = r"^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{8,30}$";
        Self { min: 8, max: 30, classes: 0, symbols: None, pattern: Some(pattern.into()) }
    }

    /// What most services demand: 8 to 128 characters, whatever they are (NIST SP 800-63B 5.1.1.2).
    pub fn generic() -> Self {
        Self { min: 8, max: 128, classes: 0, symbols: None, pattern: None }
    }

    /// The policy of this name: what settings choose from ([`PasswordPolicy::NAMES`]).
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "entra" => Self::entra(),
            "entra-without-complexity" => Self::entra_without_complexity(),
            "b2c" => Self::b2c(),
            "wso2-store" => Self::wso2_store(),
            "wso2-tenant" => Self::wso2_tenant(),
            "generic" => Self::generic(),
            _ => return None,
        })
    }

    /// The names of all policies.
    pub const NAMES: &[&str] = &["entra", "entra-without-complexity", "b2c", "wso2-store", "wso2-tenant", "generic"];

    /// The same policy with another pattern.
    ///
    /// # Errors
    /// [`BadPattern`] when it is too long or no regular expression.
    pub fn with_pattern(self, pattern: &str) -> Result<Self, BadPattern> {
        compile(pattern)?;
        Ok(Self { pattern: Some(pattern.to_owned()), ..self })
    }

    /// Whether the target would take `password`.
    ///
    /// # Errors
    /// The first [`Weakness`] found.
    pub fn check(&self, password: &str) -> Result<(), Weakness> {
        let length = password.chars().count();
        if length < self.min {
            return Err(Weakness::TooShort);
        }
        if length > self.max {
            return Err(Weakness::TooLong);
        }
        if let Some(symbols) = &self.symbols
            && !password.chars().all(|c| c.is_ascii_alphanumeric() || symbols.contains(c))
        {
            return Err(Weakness::ForbiddenCharacter);
        }
        if classes(password) < self.classes {
            return Err(Weakness::TooFewClasses);
        }
        match &self.pattern {
            Some(pattern) if !fits(pattern, password) => Err(Weakness::Pattern),
            _ => Ok(()),
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, BadPattern> {
    if pattern.len() > MAX_PATTERN {
        return Err(BadPattern);
    }
    RegexBuilder::new(pattern).backtrack_limit(BACKTRACKS).build().map_err(|_| BadPattern)
}

/// Whether the pattern fits; one that cannot be used, or searches for too long, fits nothing.
fn fits(pattern: &str, password: &str) -> bool {
    thread_local! {
        /// The last pattern: a plan asks for one and the same a million times.
        static LAST: RefCell<Option<(String, Option<Regex>)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(text, _)| text != pattern) {
            *last = Some((pattern.to_owned(), compile(pattern).ok()));
        }
        let regex = last.as_ref().and_then(|(_, regex)| regex.as_ref());
        regex.is_some_and(|regex| regex.is_match(password).unwrap_or(false))
    })
}

fn classes(password: &str) -> usize {
    let tests: [fn(char) -> bool; 4] =
        [|c| c.is_lowercase(), |c| c.is_uppercase(), |c| c.is_numeric(), |c| !c.is_alphanumeric()];
    tests.iter().filter(|test| password.chars().any(**test)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entra_wants_eight_to_256_ascii_characters_of_three_classes() {
        let policy = PasswordPolicy::entra();
        assert_eq!(policy.check("Pass!w0rd"), Ok(()));
        assert_eq!(policy.check("Ab1 efgh"), Ok(()));
        assert_eq!(policy.check("Ab1!"), Err(Weakness::TooShort));
        assert_eq!(policy.check(&"Ab1!".repeat(65)), Err(Weakness::TooLong));
        assert_eq!(policy.check("password1"), Err(Weakness::TooFewClasses));
        assert_eq!(policy.check("Pässw0rd!"), Err(Weakness::ForbiddenCharacter));
        assert_eq!(PasswordPolicy::entra_without_complexity().check("password"), Ok(()));
    }

    #[test]
    fn a_pattern_is_one_of_javas_and_bounded() {
        let policy = PasswordPolicy::wso2_tenant();
        assert_eq!(policy.check("Passw0rd"), Ok(()));
        assert_eq!(policy.check("password1"), Err(Weakness::Pattern));
        assert_eq!(PasswordPolicy::wso2_store().check("no blanks"), Err(Weakness::Pattern));
        assert_eq!(PasswordPolicy::wso2_store().check("äöüßé"), Ok(()));
        assert_eq!(PasswordPolicy::generic().with_pattern("(").err(), Some(BadPattern));
        assert_eq!(PasswordPolicy::generic().with_pattern(&"a".repeat(2_000)).err(), Some(BadPattern));
        let slow = PasswordPolicy::generic().with_pattern(r"^(?=(a+)+$)(\w+\s?)*\1b$").unwrap();
        assert_eq!(slow.check(&"a".repeat(100)), Err(Weakness::Pattern));
    }

    #[test]
    fn every_named_policy_is_there_and_tells_weak_from_strong() {
        for name in PasswordPolicy::NAMES {
            let policy = PasswordPolicy::named(name).unwrap();
            assert_eq!(policy.check("Corr3ct.Horse"), Ok(()), "{name}");
            assert!(policy.check("abc").is_err(), "{name}");
        }
        assert_eq!(PasswordPolicy::named("other"), None);
        assert_eq!(PasswordPolicy::b2c().check(&"Ab1!".repeat(65)), Err(Weakness::TooLong));
    }
}
