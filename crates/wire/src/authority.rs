//! A certificate authority that lives as long as one process, for tests and emulators on loopback.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{ServerTls, WireError};

/// Names that a server certificate of the authority is good for.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A throwaway authority. Its private key never leaves the process and dies with it.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

impl TestAuthority {
    /// Makes a new authority with a fresh key. `common_name` is what a person sees in the certificate.
    pub fn new(common_name: &str) -> Result<Self, WireError> {
        let key = KeyPair::generate().map_err(WireError::Certificate)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate_pem = params.self_signed(&key).map_err(WireError::Certificate)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate_pem })
    }

    /// The authority's certificate, for a client's list of trusted ones.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Writes [`Self::certificate_pem`] to `path`, replacing what is there.
    pub fn write_certificate(&self, path: &Path) -> Result<(), WireError> {
        std::fs::write(path, &self.certificate_pem)
            .map_err(|source| WireError::WriteCertificate { path: path.to_owned(), source })
    }

    /// Issues a certificate for a server on this machine (`localhost`, `127.0.0.1`, `::1`) with a fresh key.
    pub fn server_tls(&self) -> Result<ServerTls, WireError> {
        let key = KeyPair::generate().map_err(WireError::Certificate)?;
        let names: Vec<String> = SERVER_NAMES.map(String::from).into();
        let mut params = CertificateParams::new(names).map_err(WireError::Certificate)?;
        params.distinguished_name = named("localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(WireError::Certificate)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerTls::new(vec![certificate.der().clone()], key)
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
