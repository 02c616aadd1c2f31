//! A throwaway RSA certificate with its key, for demos and tests of what is encrypted to a certificate.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256};

use crate::WireError;

/// A self-signed certificate with an RSA key of 2048 bits, both PEM; as a server's it is good for this machine.
pub struct RsaIdentity {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key, PKCS#8.
    pub private_key_pem: String,
}

impl RsaIdentity {
    /// Makes a new one. `common_name` is what a person sees in the certificate.
    ///
    /// # Errors
    /// [`WireError::Certificate`] when the random generator fails.
    pub fn generate(common_name: &str) -> Result<Self, WireError> {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).map_err(WireError::Certificate)?;
        let here = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(here).map_err(WireError::Certificate)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let certificate_pem = params.self_signed(&key).map_err(WireError::Certificate)?.pem();
        Ok(Self { certificate_pem, private_key_pem: key.serialize_pem() })
    }
}
