//! Password policies as data: one value per target, read by plan (may this plaintext be set?) and by the random maker.

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
}

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
}

impl PasswordPolicy {
    /// Entra and Azure AD B2C: 8 to 256 characters of ASCII, three of four classes (entra.md 4.5).
    pub fn entra() -> Self {
        Self { min: 8, max: 256, classes: 3, symbols: Some(" @#$%^&*-_!+=[]{}|\\:',.?/`~\"();<>".into()) }
    }

    /// The same with `DisableStrongPassword`: complexity is off, the least length stays (entra.md 4.5, B2C).
    pub fn entra_without_complexity() -> Self {
        Self { classes: 0, ..Self::entra() }
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
        if classes(password) < self.classes { Err(Weakness::TooFewClasses) } else { Ok(()) }
    }
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
}
