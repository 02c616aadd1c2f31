//! The plaintext of the password context (`entra.md` 1.4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::entra::scenario::ClaimsForm;

/// Seconds for which the inner JWT is good.
const LIFETIME_SECS: i64 = 600;

/// What the context says.
pub(super) struct Claims<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) nonce: &'a str,
    pub(super) audience: &'a str,
    pub(super) issuer: &'a str,
    pub(super) at: Timestamp,
}

impl Claims<'_> {
    /// The text that is encrypted.
    pub(super) fn text(&self, form: ClaimsForm) -> String {
        let at = self.at.as_second();
        let claims = json!({
            "aud": self.audience, "iss": self.issuer,
            "iat": at, "nbf": at, "exp": at + LIFETIME_SECS,
            "user-password": self.password, "username": self.username, "nonce": self.nonce,
        });
        match form {
            ClaimsForm::Flat => claims.to_string(),
            ClaimsForm::Nested => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims))
            }
        }
    }
}
