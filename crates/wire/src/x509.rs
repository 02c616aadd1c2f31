//! The little that a token endpoint needs to know of a client's certificate.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// The certificates in a PEM text, in their order; what is not a certificate is passed over. Empty when there is none
/// or when one of them is damaged.
pub fn certificates_from_pem(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default()
}

/// The public key of an X.509 v3 certificate as a `SubjectPublicKeyInfo` in DER; none when it does not parse.
pub fn public_key_of(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let parsed = rustls::server::ParsedCertificate::try_from(certificate).ok()?;
    Some(parsed.subject_public_key_info().to_vec())
}
