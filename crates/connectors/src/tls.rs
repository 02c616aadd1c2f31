//! The TLS settings of connections that are not HTTP: databases and directories.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use rustls_platform_verifier::BuilderVerifierExt;

/// Why there are no TLS settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoTls {
    /// The file of authorities cannot be read, or holds none.
    #[error("`ca_file` cannot be read as PEM certificates")]
    Authorities(#[source] Option<rustls_pki_types::pem::Error>),
    /// Rustls refuses.
    #[error("TLS cannot be set up")]
    Rustls(#[from] rustls::Error),
}

/// Trusts the authorities of `ca_file` alone where it is given, else those of the operating system.
pub(crate) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, NoTls> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    let config = match ca_file {
        None => builder.with_platform_verifier()?.with_no_client_auth(),
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| NoTls::Authorities(Some(error)))?;
            let mut roots = RootCertStore::empty();
            for certificate in certificates {
                roots.add(certificate.map_err(|error| NoTls::Authorities(Some(error)))?)?;
            }
            if roots.is_empty() {
                return Err(NoTls::Authorities(None));
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    Ok(Arc::new(config))
}

/// Whether a host of a URL or an address is this machine itself: there, an open line and no proxy are right.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
