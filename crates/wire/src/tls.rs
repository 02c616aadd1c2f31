//! TLS for listeners: aws-lc-rs, handed in explicitly, never as a process-wide default.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::TlsAcceptor;

use crate::WireError;

/// The one cryptography provider of this program. Two of them as process-wide defaults would make rustls panic, so
/// none is installed and every builder is handed this one.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// SHA-256 of the certificate that a caller has shown and proved to hold the key of; an extension of its requests.
///
/// No authority has vouched for it: whoever reads it compares it with the ones that it expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCertificate(pub [u8; 32]);

/// The TLS side of a listener: one certificate chain with its key, HTTP/1.1 only.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
    present: Arc<Present>,
}

impl ServerTls {
    /// Makes the configuration from a chain (the server's own certificate first) and its private key.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, WireError> {
        Self::make(certified(chain, key)?, None)
    }

    /// Makes it from a text with the chain and its private key in PEM. Callers may show certificates of their own
    /// ([`PeerCertificate`]).
    ///
    /// # Errors
    /// [`WireError::Pem`] when chain or key is missing or damaged, [`WireError::Tls`] when they do not fit.
    pub fn from_pem(pem: &[u8]) -> Result<Self, WireError> {
        Self::make(from_pem(pem)?, Some(Arc::new(AnyCertificate(provider()))))
    }

    /// Takes another certificate for connections from now on.
    ///
    /// # Errors
    /// As [`ServerTls::from_pem`]; the one before stays.
    pub fn replace(&self, pem: &[u8]) -> Result<(), WireError> {
        let fresh = from_pem(pem)?;
        *self.present.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    fn make(certified: CertifiedKey, callers: Option<Arc<AnyCertificate>>) -> Result<Self, WireError> {
        let present = Arc::new(Present(RwLock::new(Arc::new(certified))));
        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(WireError::Tls)?;
        let builder = match callers {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&present) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), present })
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

/// The certificate of the moment.
#[derive(Debug)]
struct Present(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Present {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, WireError> {
    CertifiedKey::from_der(chain, key, &provider()).map_err(WireError::Tls)
}

fn from_pem(pem: &[u8]) -> Result<CertifiedKey, WireError> {
    let chain = crate::certificates_from_pem(pem);
    if chain.is_empty() {
        return Err(WireError::Pem("certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| WireError::Pem("private key"))?;
    certified(chain, key)
}

/// Takes every certificate whose holder proves to have its key, and tells later whose it was.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
