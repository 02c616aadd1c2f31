//! Who calls: the access token that the first-party application of authentication extensions was given for our own
//! application (entra.md 2). Whoever has the public certificate can make a password context; this is what proves the
//! sender.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
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
    jwe,
    keys::Key,
};

/// The application that calls, the same in every tenant (entra.md 2.1).
pub(super) const CALLER: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";

/// Longest token that is looked at, in bytes; encrypted ones are bounded by [`jwe::MESSAGE_BYTES`].
const TOKEN_BYTES: usize = 16 * 1024;

/// Keys of a set that are kept at most.
const MOST_KEYS: usize = 64;

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

/// Reads a key set (RFC 7517); keys that are no RSA keys for signing are passed over.
pub(super) fn key_set(bytes: &[u8]) -> Option<Vec<SigningKey>> {
    let set: Value = serde_json::from_slice(bytes).ok()?;
    let keys = set.get("keys")?.as_array()?.iter().filter_map(|key| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        let is_signing = text("kty") == Some("RSA") && text("use").is_none_or(|usage| usage == "sig");
        is_signing.then_some(())?;
        Some(SigningKey { id: text("kid")?.to_owned(), modulus: number("n")?, exponent: number("e")? })
    });
    Some(keys.take(MOST_KEYS).collect())
}

/// Checks the token of a call.
///
/// # Errors
/// [`NotTaken`]; the caller learns only that it is 401.
pub(super) fn check(
    headers: &Headers,
    signing: &[SigningKey],
    decrypting: &[Key],
    expected: &Expected,
    now: Timestamp,
) -> Result<(), NotTaken> {
    const NOBODY: NotTaken = NotTaken::Refused(Refusal::Unauthenticated);
    let value = headers.text("authorization").ok_or(NOBODY)?;
    let (scheme, token) = value.split_once(' ').ok_or(NOBODY)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.len() > TOKEN_BYTES {
        return Err(NOBODY);
    }
    if token.split('.').count() == 5 {
        let inner = jwe::decrypt(token, decrypting).map_err(|_| NOBODY)?;
        let inner = std::str::from_utf8(&inner).map_err(|_| NOBODY)?;
        return signed(inner.trim(), signing, expected, now);
    }
    signed(token, signing, expected, now)
}

fn signed(token: &str, signing: &[SigningKey], expected: &Expected, now: Timestamp) -> Result<(), NotTaken> {
    const NOBODY: NotTaken = NotTaken::Refused(Refusal::Unauthenticated);
    let (message, signature) = token.rsplit_once('.').ok_or(NOBODY)?;
    let (header, claims) = message.split_once('.').ok_or(NOBODY)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| NOBODY);
    let header: Header = read(&decode(header)?).ok_or(NOBODY)?;
    if header.alg != "RS256" || header.crit {
        return Err(NOBODY);
    }
    let kid = header.kid.ok_or(NOBODY)?;
    let key = signing.iter().find(|key| key.id == kid).ok_or(NotTaken::UnknownKey)?;
    let public = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &decode(signature)?).map_err(|_| NOBODY)?;
    let claims: Claims = read(&decode(claims)?).ok_or(NOBODY)?;
    within(Some(millis(claims.exp)), claims.nbf.map(millis), now)?;
    if is_allowed(&claims, expected) { Ok(()) } else { Err(Refusal::NotAllowed.into()) }
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
