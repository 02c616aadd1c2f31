//! The private keys that password contexts are decrypted with, each known by its certificate (entra.md 1.4, 1.5).

use aws_lc_rs::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};

/// Keys that one hook may have at once; a message without a key id is tried with each.
pub(super) const MOST_KEYS: usize = 4;

/// One private key with the names that messages may call it by.
pub(super) struct Key {
    pub(super) private: OaepPrivateDecryptingKey,
    /// `x5t`: base64url of the certificate's SHA-1.
    x5t: String,
    /// The same in hexadecimal digits, as portals show it.
    hex: String,
    /// `x5t#S256`.
    x5t_s256: String,
    /// The id of the credential at the application, where the settings tell it.
    id: Option<String>,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoKey {
    /// The certificate file is not one.
    #[error("the certificate file holds no PEM certificate")]
    Certificate,
    /// The private key is not one.
    #[error("the private key is no RSA key in PEM (PKCS#8 or PKCS#1) of 2048 bits or more")]
    Private,
    /// They are not of one pair.
    #[error("the certificate is for another key than the private one")]
    OtherKey,
}

impl Key {
    /// Reads a certificate and its key, both PEM.
    ///
    /// # Errors
    /// [`NoKey`].
    pub(super) fn new(certificate: &[u8], private: &SecretString, id: Option<String>) -> Result<Self, NoKey> {
        let certificate = CertificateDer::from_pem_slice(certificate).map_err(|_| NoKey::Certificate)?;
        let private = read_private(private).ok_or(NoKey::Private)?;
        if !is_of(&certificate, &private).ok_or(NoKey::Private)? {
            return Err(NoKey::OtherKey);
        }
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate);
        Ok(Self {
            private: OaepPrivateDecryptingKey::new(private).map_err(|_| NoKey::Private)?,
            x5t: URL_SAFE_NO_PAD.encode(sha1),
            hex: hex::encode(sha1),
            x5t_s256: URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate)),
            id,
        })
    }

    /// Whether a message that names its key so means this one: `x5t`, else `x5t#S256`, else `kid`, which may be the
    /// credential's id or a thumbprint. A key whose id the settings do not tell may have any.
    pub(super) fn is_meant(&self, x5t: Option<&str>, x5t_s256: Option<&str>, kid: Option<&str>) -> bool {
        match (x5t, x5t_s256, kid) {
            (Some(x5t), ..) => x5t == self.x5t,
            (None, Some(x5t_s256), _) => x5t_s256 == self.x5t_s256,
            (None, None, Some(kid)) => {
                let by_id = self.id.as_deref().is_none_or(|id| id.eq_ignore_ascii_case(kid));
                by_id || kid == self.x5t || kid == self.x5t_s256 || kid.eq_ignore_ascii_case(&self.hex)
            }
            (None, None, None) => true,
        }
    }
}

/// Whether the certificate is for the public part of this key: that stands in it as it is written everywhere else.
fn is_of(certificate: &[u8], private: &PrivateDecryptingKey) -> Option<bool> {
    let public = private.public_key();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(&public).ok()?;
    let public = public.as_ref();
    Some(certificate.windows(public.len()).any(|part| part == public))
}

fn read_private(pem: &SecretString) -> Option<PrivateDecryptingKey> {
    let key = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes()).ok()?;
    match &key {
        PrivateKeyDer::Pkcs8(der) => PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(der) => {
            let pair = KeyPair::from_der(der.secret_pkcs1_der()).ok()?;
            let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).ok()?;
            PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).ok()
        }
        _ => None,
    }
}
