//! A stored hash, read and within its bounds; and what checking a password against it answers.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    Bounds, Format, NotLossless, bounds::MAX_DIGEST, encoding::Bytes, fields::Given, format::Parsed, recipe::Recipe,
    reencode,
};

/// Why a stored hash, or a password for it, is not checked. Says nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is not what the format prescribes.
    #[error("{0} is not as the format has it")]
    Malformed(&'static str),
    /// The parameters ask for more work or memory than the bounds allow.
    #[error("{0} is over the bound")]
    TooCostly(&'static str),
    /// A part is longer than any that is known.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// A member or setting that the format needs is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// There is no password: the account cannot sign in with one.
    #[error("it marks an account without a usable password")]
    Unusable,
    /// A variant of the algorithm that is known but not computed here.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// Not with this password: too long for so many rounds, or no text where the algorithm needs one.
    #[error("it cannot be computed for this password")]
    NotComputed,
    /// The password is one that the format's own system refuses before it hashes.
    #[error("the password is {0}, which the format's own system refuses")]
    Password(&'static str),
}

/// Why a hash that matched should be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Upgrade {
    /// It takes microseconds to guess at: a digest, DES, MD5.
    Fast,
    /// Its cost is below what is advised today.
    LowCost,
    /// A variant with a known fault, or a superseded version.
    Retired,
}

impl Upgrade {
    /// The reason in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::LowCost => "low-cost",
            Self::Retired => "retired",
        }
    }
}

/// The answer for one password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is the password.
    Match {
        /// Why the hash should be replaced, if so.
        upgrade: Option<Upgrade>,
    },
    /// It is another password.
    Mismatch,
    /// It was not computed. Never to be read as a mismatch.
    Refused(Refusal),
    /// The format or its variant is not supported. Never to be read as a mismatch.
    Unsupported,
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unsupported(_) => Self::Unsupported,
            other => Self::Refused(other),
        }
    }
}

/// A stored hash that was read in full and is within its bounds. It neither prints nor serialises.
pub struct Stored {
    format: &'static Format,
    recipe: Recipe,
    expected: Bytes,
}

impl Stored {
    /// Reads `text` as `format`: complete, with nothing after it, within `bounds`. Nothing is derived.
    ///
    /// # Errors
    /// A [`Refusal`] that names the part, never its value.
    pub fn parse(format: &'static Format, text: &str, bounds: &Bounds) -> Result<Self, Refusal> {
        Self::parse_with(format, text, &BTreeMap::new(), bounds)
    }

    /// The same with the values of [`Format::needs`] that do not come with the text: a pepper, a key, a salt column.
    ///
    /// # Errors
    /// As [`Stored::parse`].
    pub fn parse_with(
        format: &'static Format,
        text: &str,
        settings: &BTreeMap<String, String>,
        bounds: &Bounds,
    ) -> Result<Self, Refusal> {
        let given = Given::new(text, format.main, settings)?;
        let Parsed { recipe, expected } = (format.parse)(&given)?;
        recipe.admit(bounds)?;
        if expected.len() > MAX_DIGEST {
            return Err(Refusal::TooLong("the digest"));
        }
        Ok(Self { format, recipe, expected })
    }

    /// Its format.
    pub fn format(&self) -> &'static Format {
        self.format
    }

    pub(super) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(super) fn expected_bytes(&self) -> &[u8] {
        &self.expected
    }

    /// Checks a password. Takes [`Stored::seconds`] of a core, and compares in constant time.
    pub fn verify(&self, password: &[u8]) -> Verdict {
        let rules = self.format.rules;
        if password.is_empty() && !rules.empty {
            return Verdict::Refused(Refusal::Password("empty"));
        }
        if password.contains(&0) && !rules.nul {
            return Verdict::Refused(Refusal::Password("one with a NUL"));
        }
        if password.len() > rules.longest {
            return Verdict::Refused(Refusal::Password("too long"));
        }
        match self.verify_as_given(password) {
            Verdict::Mismatch if rules.trims => match trimmed(password) {
                Some(trimmed) => self.verify_as_given(trimmed),
                None => Verdict::Mismatch,
            },
            verdict => verdict,
        }
    }

    fn verify_as_given(&self, password: &[u8]) -> Verdict {
        let Some(got) = self.recipe.run(password) else {
            return Verdict::Refused(Refusal::NotComputed);
        };
        if bool::from(got.ct_eq(&self.expected)) {
            Verdict::Match { upgrade: self.recipe.upgrade() }
        } else {
            Verdict::Mismatch
        }
    }

    /// Seconds of one core that a check takes, predicted from measured costs.
    pub fn seconds(&self) -> f64 {
        /// What a check takes beside its digests.
        const AROUND: f64 = 5.0e-7;
        AROUND + self.recipe.seconds()
    }

    /// Bytes of memory that a check takes, beyond a few kilobytes.
    pub fn memory(&self) -> u64 {
        self.recipe.memory()
    }

    /// Why a hash like this should be replaced, if so.
    pub fn upgrade(&self) -> Option<Upgrade> {
        self.recipe.upgrade()
    }

    /// What its work depends on, as people write it: `cost 12`, `m=65536 t=3 p=4`. Nothing secret.
    pub fn parameters(&self) -> String {
        self.recipe.parameters()
    }

    /// The same hash as another format writes it, where nothing is lost by that (password-hashes.md 11.2).
    ///
    /// # Errors
    /// [`NotLossless`] when the other format cannot say the same.
    pub fn reencode(&self, to: &'static Format) -> Result<Zeroizing<String>, NotLossless> {
        reencode::write(&self.recipe, &self.expected, to)
    }
}

/// What is left between blanks and control characters, as Java's `trim` cuts; `None` where nothing is cut.
fn trimmed(password: &[u8]) -> Option<&[u8]> {
    let is_cut = |byte: &u8| *byte <= b' ';
    let start = password.iter().position(|byte| !is_cut(byte)).unwrap_or(password.len());
    let end = password.iter().rposition(|byte| !is_cut(byte)).map_or(start, |last| last + 1);
    let inner = password.get(start..end)?;
    (inner.len() < password.len()).then_some(inner)
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stored({}, ..)", self.format.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::formats::find;

    /// wso2-scim.md 7.1: password `Wso2@test123`.
    const STORED: &str = r#"{"UM_USER_PASSWORD":"UvDY6AJTUR73GZz8YIIP89CKsKi/uj9C8ZkG/3K94Q0=","UM_SALT_VALUE":"AAECAwQFBgcICQoLDA0ODw=="}"#;

    #[test]
    fn a_system_that_trims_takes_a_password_with_blanks_around_it_and_no_other_does() {
        let check = |format: &str, text: &str, password: &[u8], right: bool| {
            let stored = Stored::parse(find(format).unwrap(), text, &Bounds::ONLINE).unwrap();
            let verdict = stored.verify(password);
            assert_eq!(matches!(verdict, Verdict::Match { .. }), right, "{format} {password:?}: {verdict:?}");
        };
        for password in [&b"Wso2@test123"[..], b" Wso2@test123", b"Wso2@test123\t\n ", b"\x01Wso2@test123"] {
            check("wso2-salted-sha256", STORED, password, true);
        }
        for password in [&b"Wso2@ test123"[..], b"", b"  ", b"Wso2@test12"] {
            check("wso2-salted-sha256", STORED, password, false);
        }
        check("hex-md5", "5f4dcc3b5aa765d61d8327deb882cf99", b"password", true);
        check("hex-md5", "5f4dcc3b5aa765d61d8327deb882cf99", b" password", false);
    }
}
