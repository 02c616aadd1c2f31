//! Access tokens: signed JWTs with the claims that Graph tokens have.
//!
//! They are signed with ES256 instead of RS256, since an elliptic key is made in no time at each start. A client treats
//! a Graph token as opaque (`entra.md` 6), so it cannot tell.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::EmulatorError;
use crate::clock::Now;
use crate::entra::apps::RegisteredApp;
use crate::entra::service::Service;

/// The key that signs tokens; it lives as long as the emulator.
pub(crate) struct TokenKey {
    pair: EcdsaKeyPair,
    id: String,
}

impl TokenKey {
    pub(crate) fn generate() -> Result<Self, EmulatorError> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_unspecified| EmulatorError::Keys)?;
        Ok(Self { pair, id: Uuid::new_v4().simple().to_string() })
    }

    /// The public half, as the key set shows it.
    pub(super) fn jwk(&self) -> Value {
        // An uncompressed point: a byte 4, then both coordinates.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// A new token for an application.
    pub(super) fn issue(&self, service: &Service, app: &RegisteredApp, now: Now) -> String {
        let issued = now.wall.as_second();
        let lifetime = i64::try_from(service.token_lifetime.as_secs()).unwrap_or(i64::MAX / 2);
        let claims = json!({
            "aud": "https://graph.microsoft.com",
            "iss": format!("https://sts.windows.net/{}/", service.names.id),
            "iat": issued, "nbf": issued, "exp": issued + lifetime,
            "app_displayname": app.name,
            "appid": app.app_id,
            "appidacr": "1",
            "idtyp": "app",
            "oid": app.principal_id,
            "sub": app.principal_id,
            "roles": app.roles,
            "tid": service.names.id,
            "uti": Uuid::new_v4().simple().to_string(),
            "ver": "1.0",
        });
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": self.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        // Signing fails only without randomness; a token without a signature is as unknown to Graph as any other text.
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default();
        format!("{signed}.{signature}")
    }
}
