//! TLS for listeners: aws-lc-rs, handed in explicitly, never as a process-wide default.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::WireError;

/// The one cryptography provider of this program. Two of them as process-wide defaults would make rustls panic, so
/// none is installed and every builder is handed this one.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The TLS side of a listener: one certificate chain with its key, HTTP/1.1 only.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl ServerTls {
    /// Makes the configuration from a chain (the server's own certificate first) and its private key.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, WireError> {
        let mut config = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(WireError::Tls)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(WireError::Tls)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.0
    }
}
