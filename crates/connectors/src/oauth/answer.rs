//! What the answer of a token endpoint means, as a pure function: tables, no network.
//!
//! Start at [`verdict`]. Meanings of Azure's numbers by `entra.md` 8.3 and the public list of error codes; the
//! service says that they can change, so an unknown number is never a mismatch.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, Visitor},
};
use sterna_core::legacy::{Outage, Verdict};

/// Whose token endpoint it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any that keeps to RFC 6749.
    Oidc,
    /// Azure's login service, v2.0.
    AzureDirectory,
    /// Azure's login service, v1, with `resource`.
    AzureDirectoryV1,
    /// A resource-owner policy of Azure AD B2C.
    B2cPolicy,
}

impl Form {
    /// Whether errors carry Azure's numbers.
    pub fn is_azure(self) -> bool {
        match self {
            Self::Oidc => false,
            Self::AzureDirectory | Self::AzureDirectoryV1 | Self::B2cPolicy => true,
        }
    }
}

/// How answers are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whose endpoint it is.
    pub form: Form,
    /// Whether the wish for a second factor counts as the right password.
    pub second_factor_counts: bool,
    /// An `error`, an Azure number or a part of `error_description`, and what it means. Longer ones win.
    pub errors: Vec<(String, Verdict)>,
}

/// What a service wants to say with an error of its own.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    error_codes: Option<Vec<u64>>,
}

/// What matters of a success; the tokens themselves are not kept.
#[derive(Deserialize)]
struct Success {
    #[serde(default)]
    access_token: Held,
    #[serde(default)]
    id_token: Held,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// Whether a text that is not empty is there.
#[derive(Default)]
struct Held(bool);

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Held;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a token")
            }
            fn visit_str<E>(self, text: &str) -> Result<Held, E> {
                Ok(Held(!text.is_empty()))
            }
            fn visit_unit<E>(self) -> Result<Held, E> {
                Ok(Held(false))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

const NOT_UNDERSTOOD: Verdict = Verdict::Unavailable(Outage::NotUnderstood);

/// The verdict of an answer with this status and body.
pub fn verdict(reading: &Reading, status: u16, body: &[u8]) -> Verdict {
    match status {
        200 => match serde_json::from_slice::<Success>(body) {
            Ok(found) if found.error.is_none() && (found.access_token.0 || found.id_token.0) => {
                Verdict::Match { upgrade: false }
            }
            Ok(_) | Err(_) => NOT_UNDERSTOOD,
        },
        429 => Verdict::Unavailable(Outage::Overloaded),
        400 | 401 | 403 => match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) => refused(reading, &refusal),
            Err(_) => NOT_UNDERSTOOD,
        },
        _ => NOT_UNDERSTOOD,
    }
}

fn refused(reading: &Reading, refusal: &Refusal) -> Verdict {
    let description = refusal.error_description.as_deref().unwrap_or_default();
    let numbers = numbers(refusal, description);
    if let Some(verdict) = configured(reading, refusal, description, &numbers) {
        return verdict;
    }
    if reading.form.is_azure() {
        // our own client is at fault whatever the numbers beside it are
        if refusal.error != "invalid_client"
            && let Some(verdict) = numbers.iter().find_map(|number| azure(reading, *number))
        {
            return verdict;
        }
        if let Some(verdict) = b2c(description) {
            return verdict;
        }
    }
    match refusal.error.as_str() {
        // how widespread providers word it, with the error of a wrong password
        "invalid_grant" if !reading.form.is_azure() && description.contains("Account disabled") => Verdict::Disabled,
        "invalid_grant" if !reading.form.is_azure() && description.contains("not fully set up") => {
            Verdict::Unavailable(Outage::Unclear)
        }
        "invalid_grant" if !reading.form.is_azure() => Verdict::Mismatch,
        "invalid_client" | "unauthorized_client" | "invalid_request" | "unsupported_grant_type" | "invalid_scope" => {
            Verdict::Unavailable(Outage::Rejected)
        }
        "temporarily_unavailable" | "slow_down" => Verdict::Unavailable(Outage::Overloaded),
        _ => NOT_UNDERSTOOD,
    }
}

/// What the settings say about this error. A part of the description does not count where our own client is at fault.
fn configured(reading: &Reading, refusal: &Refusal, description: &str, numbers: &[u64]) -> Option<Verdict> {
    let ours = matches!(
        refusal.error.as_str(),
        "invalid_client" | "unauthorized_client" | "invalid_request" | "unsupported_grant_type" | "invalid_scope"
    );
    let fits = |text: &str| {
        text == refusal.error
            || text.strip_prefix("AADSTS").unwrap_or(text).parse().is_ok_and(|number: u64| numbers.contains(&number))
            || (!ours && !text.is_empty() && description.contains(text))
    };
    let fitting = reading.errors.iter().filter(|(text, _)| fits(text));
    fitting.max_by_key(|(text, _)| text.len()).map(|(_, verdict)| *verdict)
}

/// Azure's numbers: `error_codes`, else the one that the description begins with.
fn numbers(refusal: &Refusal, description: &str) -> Vec<u64> {
    match &refusal.error_codes {
        Some(codes) if !codes.is_empty() => codes.clone(),
        Some(_) | None => code(description, "AADSTS").into_iter().collect(),
    }
}

/// The number that the text begins with, after `prefix`.
fn code(text: &str, prefix: &str) -> Option<u64> {
    let rest = text.trim_start().strip_prefix(prefix)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// What a number of Azure's login service means for a password.
fn azure(reading: &Reading, number: u64) -> Option<Verdict> {
    Some(match number {
        50_126 | 50_056 | 50_064 => Verdict::Mismatch,
        50_034 => Verdict::Unknown,
        50_055 | 50_135 => Verdict::MatchButExpired,
        // too many bad tries, or our own address is blocked
        50_053 => Verdict::Locked,
        50_057 => Verdict::Disabled,
        50_072 | 50_074 | 50_076 | 50_079 | 50_158 if reading.second_factor_counts => Verdict::Match { upgrade: false },
        50_072 | 50_074 | 50_076 | 50_079 | 50_158 => Verdict::Unavailable(Outage::SecondFactor),
        50_196 => Verdict::Unavailable(Outage::Overloaded),
        _ => return None,
    })
}

/// What a code of a B2C policy means; others are not understood.
fn b2c(description: &str) -> Option<Verdict> {
    Some(match code(description, "AADB2C")? {
        // "Invalid username or password", in three wordings
        90_225 | 90_054 | 90_052 => Verdict::Mismatch,
        // "a user with the specified credential could not be found", "user does not exist"
        90_053 | 99_002 => Verdict::Unknown,
        // "your account has been locked"
        90_114 => Verdict::Locked,
        // "resource owner flow has not been enabled for the application"
        90_224 => Verdict::Unavailable(Outage::Rejected),
        _ => return None,
    })
}
