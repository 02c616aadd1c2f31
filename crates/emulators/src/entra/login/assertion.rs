//! Client assertions: a JWT signed with the key of a registered certificate (`entra.md` 6).

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::error::LoginError;
use crate::clock::Now;
use crate::entra::apps::RegisteredApp;
use crate::entra::service::Service;

/// Seconds by which the clocks may differ.
const SKEW: i64 = 300;

/// Seconds an assertion may be good for. The documentation recommends 5 to 10 minutes and refuses a day and more.
const LONGEST: i64 = 86_400;

#[derive(Deserialize)]
struct Header {
    alg: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    #[serde(rename = "jti")]
    _jti: String,
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, LoginError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_bad| LoginError::malformed_assertion())?;
    serde_json::from_slice(&bytes).map_err(|_bad| LoginError::malformed_assertion())
}

/// Checks signature, issuer, audience and times.
pub(super) fn check(
    service: &Service,
    tenant: &str,
    app: &RegisteredApp,
    assertion: &str,
    now: Now,
) -> Result<(), LoginError> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or_else(LoginError::malformed_assertion)?;
    let (header, claims) = signed.split_once('.').ok_or_else(LoginError::malformed_assertion)?;
    check_signature(app, &part(header)?, signed.as_bytes(), signature)?;
    let claims: Claims = part(claims)?;
    if claims.iss != claims.sub || !claims.iss.eq_ignore_ascii_case(&app.app_id) {
        return Err(LoginError::wrong_issuer());
    }
    let endpoints = [tenant, &service.names.id].map(|name| format!("{}/{name}", service.root()));
    let known =
        |base: &String| claims.aud == format!("{base}/oauth2/v2.0/token") || claims.aud == format!("{base}/v2.0");
    if !endpoints.iter().any(known) {
        return Err(LoginError::wrong_audience());
    }
    let time = now.wall.as_second();
    let too_early = claims.nbf.is_some_and(|from| from > time + SKEW);
    if claims.exp < time - SKEW || too_early || claims.exp > time + LONGEST {
        return Err(LoginError::expired_assertion());
    }
    Ok(())
}

fn check_signature(app: &RegisteredApp, header: &Header, signed: &[u8], signature: &str) -> Result<(), LoginError> {
    let by_sha256 = header.x5t_s256.as_deref();
    let (algorithm, named): (&'static dyn VerificationAlgorithm, _) = match header.alg.as_str() {
        "PS256" => (&RSA_PSS_2048_8192_SHA256, by_sha256.or(header.x5t.as_deref())),
        "RS256" => (&RSA_PKCS1_2048_8192_SHA256, header.x5t.as_deref().or(by_sha256)),
        _ => return Err(LoginError::malformed_assertion()),
    };
    let thumbprint = named.ok_or_else(LoginError::malformed_assertion)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_bad| LoginError::malformed_assertion())?;
    let certificate = app.certificates.iter().find(|known| known.sha1 == thumbprint || known.sha256 == thumbprint);
    let key = &certificate.ok_or_else(LoginError::bad_signature)?.public_key;
    UnparsedPublicKey::new(algorithm, key).verify(signed, &signature).map_err(|_bad| LoginError::bad_signature())
}
