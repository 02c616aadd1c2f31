//! Client assertions: a signed statement instead of a secret (entra.md 6).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm as Signing, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sterna_core::time::Timestamp;
use uuid::Uuid;

use super::{config::Algorithm, limits::ASSERTION_VALID};

/// Signs assertions of one application.
pub(super) struct Signer {
    key: EncodingKey,
    header: Header,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// Why assertions cannot be signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoSigner {
    /// The certificate file is not one.
    #[error("the certificate file holds no PEM certificate")]
    Certificate,
    /// The key is not one.
    #[error("the private key is no RSA key in PEM")]
    Key,
    /// The library refused to sign.
    #[error("the assertion cannot be signed: is it an RSA key of 2048 bits or more?")]
    Sign,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

impl Signer {
    /// Makes a signer from a certificate and its key, both PEM.
    ///
    /// # Errors
    /// [`NoSigner`] when one of them is not what it should be.
    pub(super) fn new(certificate: &[u8], key: &SecretString, algorithm: Algorithm) -> Result<Self, NoSigner> {
        let der = first_certificate(certificate).ok_or(NoSigner::Certificate)?;
        let key = EncodingKey::from_rsa_pem(key.expose_secret().as_bytes()).map_err(|_| NoSigner::Key)?;
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(algorithm, &der));
        let header = match algorithm {
            Algorithm::Ps256 => {
                let x5t_s256 = Some(thumbprint(&aws_lc_rs::digest::SHA256));
                Header { x5t_s256, ..Header::new(Signing::PS256) }
            }
            Algorithm::Rs256 => {
                let x5t = Some(thumbprint(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY));
                Header { x5t, ..Header::new(Signing::RS256) }
            }
        };
        Ok(Self { key, header })
    }

    /// Signs a statement of `client_id` for the token endpoint `audience`.
    ///
    /// # Errors
    /// [`NoSigner::Sign`] when the key is not usable.
    pub(super) fn sign(&self, client_id: &str, audience: &str, now: Timestamp) -> Result<String, NoSigner> {
        let seconds = now.0.div_euclid(1_000);
        let valid = i64::try_from(ASSERTION_VALID.as_secs()).unwrap_or(300);
        let claims = Claims {
            aud: audience,
            iss: client_id,
            sub: client_id,
            jti: Uuid::new_v4().to_string(),
            nbf: seconds,
            iat: seconds,
            exp: seconds + valid,
        };
        jsonwebtoken::encode(&self.header, &claims, &self.key).map_err(|_| NoSigner::Sign)
    }
}

/// The DER bytes of the first certificate in a PEM text.
fn first_certificate(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let compact: String = body.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(compact).ok().filter(|der| !der.is_empty())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature;
    use serde_json::Value;

    use super::*;

    /// A key pair and self-signed certificate of its own, DER for checking.
    fn pair() -> (rcgen::KeyPair, rcgen::Certificate) {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["a.example".into()]).unwrap().self_signed(&key).unwrap();
        (key, certificate)
    }

    fn part(token: &str, at: usize) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_names_its_key_and_audience_and_can_be_verified() {
        let (key, certificate) = pair();
        let pem = SecretString::from(key.serialize_pem());
        for (algorithm, name, member) in [(Algorithm::Ps256, "PS256", "x5t#S256"), (Algorithm::Rs256, "RS256", "x5t")] {
            let signer = Signer::new(certificate.pem().as_bytes(), &pem, algorithm).unwrap();
            let token = signer.sign("app", "https://login.example/t/oauth2/v2.0/token", Timestamp(1_000_500)).unwrap();
            let header: Value = serde_json::from_slice(&part(&token, 0)).unwrap();
            let digest = match algorithm {
                Algorithm::Ps256 => &aws_lc_rs::digest::SHA256,
                Algorithm::Rs256 => &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
            };
            let thumbprint = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(digest, certificate.der()));
            assert_eq!((header["alg"].as_str(), header[member].as_str()), (Some(name), Some(thumbprint.as_str())));
            let claims: Value = serde_json::from_slice(&part(&token, 1)).unwrap();
            assert_eq!((&claims["iss"], &claims["sub"]), (&Value::from("app"), &Value::from("app")));
            assert_eq!(claims["aud"], "https://login.example/t/oauth2/v2.0/token");
            assert_eq!((&claims["nbf"], &claims["exp"]), (&Value::from(1_000), &Value::from(1_540)));
            let padding: &signature::RsaParameters = match algorithm {
                Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            };
            let (signed, _) = token.rsplit_once('.').unwrap();
            let public = signature::UnparsedPublicKey::new(padding, rsa_public_key(&key));
            public.verify(signed.as_bytes(), &part(&token, 2)).expect("the signature holds");
        }
    }

    /// The PKCS #1 public key inside rcgen's raw form.
    fn rsa_public_key(key: &rcgen::KeyPair) -> Vec<u8> {
        key.public_key_raw().to_vec()
    }

    #[test]
    fn what_is_no_certificate_or_key_is_told_as_such() {
        let (key, certificate) = pair();
        let pem = SecretString::from(key.serialize_pem());
        let nonsense = SecretString::from("nonsense");
        assert!(matches!(Signer::new(b"nonsense", &pem, Algorithm::Ps256), Err(NoSigner::Certificate)));
        let wrong = Signer::new(certificate.pem().as_bytes(), &nonsense, Algorithm::Ps256);
        assert!(matches!(wrong, Err(NoSigner::Key)));
    }
}
