//! Who calls: the access token that the first-party application of authentication extensions was given for our own
//! application (entra.md 2). Whoever has the public certificate can make a password context; this is what proves the
//! sender.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use sterna_core::{
    hook::{Headers, Refusal},
    time::Timestamp,
};

use super::{
    context::{is_for, millis, within},
    json::{is_there, read},
    jwe::{self, Tries},
    keys::Key,
};

/// The application that calls, the same in every tenant (entra.md 2.1).
pub(super) const CALLER: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";

/// Longest token that is looked at, in bytes; encrypted ones are bounded by [`jwe::MESSAGE_BYTES`].
const TOKEN_BYTES: usize = 16 * 1024;

/// Keys of a set that are kept at most.
const MOST_KEYS: usize = 64;

/// How long a modulus of those that tokens are verified with is, in bytes.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

/// What a token has to say.
pub(super) struct Expected {
    /// Issuers that are believed.
    pub(super) issuers: Vec<String>,
    /// What the token has to be for.
    pub(super) audience: Vec<String>,
    /// The tenant.
    pub(super) tenant: String,
    /// Whether tokens of version 1 are taken.
    pub(super) version_1: bool,
}

/// A key that tokens are signed with.
pub(super) struct SigningKey {
    id: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Tokens that were verified a moment ago. A caller uses one for an hour, and verifying it anew for every call costs a tenth
/// of what a call costs at all.
///
/// It belongs to one set of keys and goes with it. Only tokens are in it that were right; when they are valid is looked at
/// each time.
#[derive(Default)]
pub(super) struct Verified(Mutex<VecDeque<Token>>);

/// A token that was right, known by SHA-256 over the whole of it.
#[derive(Clone, Copy)]
struct Token {
    digest: [u8; 32],
    valid: Valid,
}

/// When a token is valid, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Valid {
    expires: i64,
    not_before: Option<i64>,
}

impl Verified {
    /// Tokens that are remembered: a caller changes its own about once an hour, and there are few callers.
    const MOST: usize = 32;

    fn find(&self, digest: &[u8; 32]) -> Option<Valid> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|token| token.digest == *digest).map(|token| token.valid)
    }

    fn add(&self, token: Token) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|one| one.digest == token.digest) {
            return;
        }
        known.truncate(Self::MOST - 1);
        known.push_front(token);
    }
}

/// What tokens are checked with.
#[derive(Clone, Copy)]
pub(super) struct Checks<'a> {
    /// The caller's keys.
    pub(super) signing: &'a [SigningKey],
    /// Ours, for encrypted tokens; none where those are not taken.
    pub(super) decrypting: Option<&'a [Key]>,
    /// What a token has to say.
    pub(super) expected: &'a Expected,
    /// Those that were right before, by the same keys.
    pub(super) verified: &'a Verified,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It is wrong.
    Refused(Refusal),
    /// Its signing key is not known here.
    UnknownKey,
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// What must be understood: nothing is.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Value,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    tid: String,
    #[serde(default)]
    ver: Option<String>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    appid: Option<String>,
}

/// Reads a key set (RFC 7517); keys that are no RSA keys for signing are passed over. One without any other is none: with
/// it nobody could be let in, so the one that is there is better kept.
pub(super) fn key_set(bytes: &[u8]) -> Option<Vec<SigningKey>> {
    let set: Value = serde_json::from_slice(bytes).ok()?;
    let keys = set.get("keys")?.as_array()?.iter().filter_map(|key| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        let is_signing = text("kty") == Some("RSA") && text("use").is_none_or(|usage| usage == "sig");
        is_signing.then_some(())?;
        let key = SigningKey { id: text("kid")?.to_owned(), modulus: number("n")?, exponent: number("e")? };
        (MODULUS_BYTES.contains(&key.modulus.len()) && !key.exponent.is_empty()).then_some(key)
    });
    let keys: Vec<SigningKey> = keys.take(MOST_KEYS).collect();
    (!keys.is_empty()).then_some(keys)
}

/// Checks the token of a call.
///
/// # Errors
/// [`NotTaken`]; the caller learns only that it is 401.
pub(super) fn check(headers: &Headers, checks: Checks<'_>, now: Timestamp) -> Result<(), NotTaken> {
    const NOBODY: NotTaken = NotTaken::Refused(Refusal::Unauthenticated);
    let value = headers.text("authorization").ok_or(NOBODY)?;
    let (scheme, token) = value.split_once(' ').ok_or(NOBODY)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.len() > TOKEN_BYTES {
        return Err(NOBODY);
    }
    let mut known_by = [0; 32];
    known_by.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    if let Some(valid) = checks.verified.find(&known_by) {
        return Ok(within(Some(valid.expires), valid.not_before, now)?);
    }
    let valid = if token.split('.').count() == 5 {
        let keys = checks.decrypting.ok_or(NOBODY)?;
        // nobody has proved anything yet: one private-key operation is all that this may cost
        let inner = jwe::decrypt(token, keys, Tries::One).map_err(|_| NOBODY)?;
        signed(std::str::from_utf8(&inner).map_err(|_| NOBODY)?.trim(), checks, now)?
    } else {
        signed(token, checks, now)?
    };
    checks.verified.add(Token { digest: known_by, valid });
    Ok(())
}

/// Verifies a token; when it is valid.
fn signed(token: &str, checks: Checks<'_>, now: Timestamp) -> Result<Valid, NotTaken> {
    const NOBODY: NotTaken = NotTaken::Refused(Refusal::Unauthenticated);
    let (message, signature) = token.rsplit_once('.').ok_or(NOBODY)?;
    let (header, claims) = message.split_once('.').ok_or(NOBODY)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| NOBODY);
    let header: Header = read(&decode(header)?).ok_or(NOBODY)?;
    if header.alg != "RS256" || header.crit {
        return Err(NOBODY);
    }
    let kid = header.kid.ok_or(NOBODY)?;
    let signature = decode(signature)?;
    let verifies = |key: &SigningKey| {
        let public = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).is_ok()
    };
    // nothing forbids that several keys of a set have one name
    let mut named = checks.signing.iter().filter(|key| key.id == kid).peekable();
    named.peek().ok_or(NotTaken::UnknownKey)?;
    if !named.any(verifies) {
        return Err(NOBODY);
    }
    let claims: Claims = read(&decode(claims)?).ok_or(NOBODY)?;
    let valid = Valid { expires: millis(claims.exp), not_before: claims.nbf.map(millis) };
    within(Some(valid.expires), valid.not_before, now)?;
    if is_allowed(&claims, checks.expected) { Ok(valid) } else { Err(Refusal::NotAllowed.into()) }
}

fn is_allowed(claims: &Claims, expected: &Expected) -> bool {
    let is_caller = match claims.ver.as_deref() {
        Some("2.0") => claims.azp.as_deref() == Some(CALLER),
        Some("1.0") => expected.version_1 && claims.appid.as_deref() == Some(CALLER),
        _ => false,
    };
    is_caller
        && claims.tid.eq_ignore_ascii_case(&expected.tenant)
        && expected.issuers.contains(&claims.iss)
        && is_for(&claims.aud, &expected.audience)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_verified_tokens_are_remembered_and_the_newest_stay() {
        let verified = Verified::default();
        let token =
            |number: u8| Token { digest: [number; 32], valid: Valid { expires: number.into(), not_before: None } };
        (0..100).for_each(|number| verified.add(token(number)));
        (0..100).for_each(|_| verified.add(token(99)));
        assert_eq!(verified.find(&[99; 32]), Some(Valid { expires: 99, not_before: None }));
        assert!(verified.find(&[68; 32]).is_some());
        assert_eq!(verified.find(&[67; 32]), None);
        assert_eq!(verified.0.lock().unwrap().len(), Verified::MOST);
    }
}
