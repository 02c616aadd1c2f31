//! The password context inside the JWE: claims, bare or as a JWT that nobody signed (entra.md 1.4).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use sterna_core::{hook::Refusal, time::Timestamp};
use zeroize::{Zeroize, Zeroizing};

use super::json::{is_there, read as object};
use crate::hooks::body::{NAME_BYTES, PASSWORD_BYTES};

/// Clocks may differ by so much, in milliseconds.
pub(super) const SKEW_MS: i64 = 5 * 60 * 1_000;

/// Nothing is valid for longer than this, in milliseconds: what is said to be was made by somebody else, or would have to be
/// remembered for ever.
pub(super) const LONGEST_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was typed, and what the answer has to repeat.
pub(super) struct Context {
    pub(super) password: SecretString,
    pub(super) nonce: String,
    pub(super) username: Option<String>,
    /// When the message expires, where it says so.
    pub(super) expires: Option<Timestamp>,
}

impl Context {
    /// Puts one together.
    ///
    /// # Errors
    /// [`Refusal::Malformed`]: there is no nonce, or something is longer than any of its kind.
    pub(super) fn new(
        password: &Wiped,
        nonce: String,
        username: Option<String>,
        expires: Option<Timestamp>,
    ) -> Result<Self, Refusal> {
        let is_name = |text: &str| (1..=NAME_BYTES).contains(&text.len());
        let is_in_bounds = password.0.len() <= PASSWORD_BYTES
            && is_name(&nonce)
            && username.as_ref().is_none_or(|name| name.len() <= NAME_BYTES);
        if !is_in_bounds {
            return Err(Refusal::Malformed);
        }
        Ok(Self { password: password.0.as_str().into(), nonce, username, expires })
    }
}

#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "user-password")]
    password: Wiped,
    nonce: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    aud: Option<Value>,
    #[serde(default)]
    exp: Option<f64>,
    #[serde(default)]
    nbf: Option<f64>,
}

/// A text that is wiped when it goes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Wiped(pub(super) String);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// What must be understood: nothing is.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

/// Reads the plaintext of a password context.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(plain: &[u8], audience: &[String], now: Timestamp) -> Result<Context, Refusal> {
    let bare = plain.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let claims = if bare { Zeroizing::new(plain.to_vec()) } else { unsigned(plain).ok_or(Refusal::Malformed)? };
    let claims: Claims = object(&claims).ok_or(Refusal::Malformed)?;
    if claims.aud.as_ref().is_some_and(|claimed| !is_for(claimed, audience)) {
        return Err(Refusal::NotAllowed);
    }
    let expires = claims.exp.map(millis);
    within(expires, claims.nbf.map(millis), now)?;
    Context::new(&claims.password, claims.nonce, claims.username, expires.map(Timestamp))
}

/// Checks that an instant lies between two others, give or take the skew, and that the later one is in sight.
///
/// # Errors
/// [`Refusal::Expired`].
pub(super) fn within(expires: Option<i64>, not_before: Option<i64>, now: Timestamp) -> Result<(), Refusal> {
    let is_over = expires.is_some_and(|expires| now.0.saturating_sub(SKEW_MS) >= expires);
    let is_early = not_before.is_some_and(|begins| now.0.saturating_add(SKEW_MS) < begins);
    let is_endless = expires.is_some_and(|expires| expires > now.0.saturating_add(LONGEST_MS + SKEW_MS));
    if is_over || is_early || is_endless { Err(Refusal::Expired) } else { Ok(()) }
}

/// Seconds since the epoch, as JWTs write them (RFC 7519 2), in milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` stays within bounds, and an instant beyond them is one in no time"
)]
pub(super) fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

/// Whether an `aud` claim, a text or a list of them, names one of these. They are GUIDs and hosts, which have no case.
pub(super) fn is_for(claimed: &Value, audience: &[String]) -> bool {
    let names = |value: &Value| {
        value.as_str().is_some_and(|text| audience.iter().any(|known| known.eq_ignore_ascii_case(text)))
    };
    match claimed {
        Value::Array(list) => list.iter().any(names),
        value => names(value),
    }
}

/// The claims of a compact JWT with the algorithm `none` and an empty signature: right only inside a JWE that was
/// authenticated, under a bearer that was verified.
fn unsigned(plain: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(plain).ok()?;
    let mut parts = text.trim().split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !signature.is_empty() {
        return None;
    }
    let header: Header = object(&URL_SAFE_NO_PAD.decode(header).ok()?)?;
    if header.alg != "none" || header.crit {
        return None;
    }
    URL_SAFE_NO_PAD.decode(claims).ok().map(Zeroizing::new)
}
