//! What can go wrong while a listener or its certificates are set up.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A listener that could not be set up. What goes wrong on one connection only ends that connection.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The test authority could not make a key or a certificate.
    #[error("cannot make the test certificates")]
    Certificate(#[source] rcgen::Error),
    /// The certificate or key does not fit the TLS library.
    #[error("cannot use the certificate for TLS")]
    Tls(#[source] rustls::Error),
    /// A PEM text lacks something, or it is damaged.
    #[error("there is no usable {0} in the PEM text")]
    Pem(&'static str),
    /// The authority's certificate could not be written where the user wants it.
    #[error("cannot write the certificate of the test authority to {path}")]
    WriteCertificate {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}
