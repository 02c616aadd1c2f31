//! The token that a call of the endpoint carries (`entra.md` 2.1): RS256, from a key that only such tokens use.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::setup::Setup;
use crate::entra::scenario::{TokenVersion, V1Audience};

/// The first-party application "Azure Active Directory Authentication Extensions", the same everywhere.
pub(super) const CALLER_APP_ID: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";

/// Seconds for which a token is good; that of the observed one.
const LIFETIME_SECS: i64 = 3_900;

/// The key that signs calls; it lives as long as the emulator.
pub(super) struct SigningKey {
    pair: RsaKeyPair,
    id: String,
}

/// The real product's issuer.
pub(super) fn default_issuer(version: TokenVersion, tenant: &str) -> String {
    match version {
        TokenVersion::V2 => format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"),
        TokenVersion::V1 => format!("https://sts.windows.net/{tenant}/"),
    }
}

impl SigningKey {
    /// A new key; none without randomness.
    pub(super) fn generate() -> Option<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        Some(Self { pair, id: Uuid::new_v4().simple().to_string() })
    }

    pub(super) fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// A new token for the endpoint; none without randomness.
    pub(super) fn issue(&self, setup: &Setup, tenant: &str, principal: &str, at: Timestamp) -> Option<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims(setup, tenant, principal, at)));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn claims(setup: &Setup, tenant: &str, principal: &str, at: Timestamp) -> Value {
    let settings = &setup.settings;
    let issued = at.as_second();
    let mut claims = json!({
        "aud": setup.app_id,
        "iss": setup.issuer(tenant),
        "iat": issued, "nbf": issued, "exp": issued + LIFETIME_SECS,
        "oid": principal,
        "sub": principal,
        "tid": tenant,
        "uti": Uuid::new_v4().simple().to_string(),
    });
    match settings.token_version {
        TokenVersion::V2 => {
            claims["azp"] = Value::from(CALLER_APP_ID);
            claims["azpacr"] = Value::from("2");
            claims["ver"] = Value::from("2.0");
        }
        TokenVersion::V1 => {
            if let (V1Audience::ResourceId, Ok(target)) = (settings.v1_audience, &setup.target) {
                claims["aud"] = Value::from(target.resource_id.as_str());
            }
            claims["appid"] = Value::from(CALLER_APP_ID);
            claims["appidacr"] = Value::from("2");
            claims["ver"] = Value::from("1.0");
        }
    }
    claims
}
