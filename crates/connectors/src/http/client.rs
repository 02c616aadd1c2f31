//! The HTTP client: own timeouts, no redirects, no repeats.

use std::{path::Path, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder};

/// What a client is made of.
pub(crate) struct ClientSettings<'s> {
    /// More authorities to trust, a PEM file.
    pub(crate) ca_file: Option<&'s Path>,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// Where it will go.
    pub(crate) urls: &'s [&'s str],
}

/// Builds a client: own timeouts, no redirects, no repeats, the system's authorities and those of `ca_file`. Services on
/// this machine are never reached through a proxy.
///
/// # Errors
/// [`NoClient`] when `ca_file` cannot be read or holds no certificate.
pub(crate) fn client(settings: &ClientSettings<'_>) -> Result<Client, NoClient> {
    let extra = settings.ca_file.map_or_else(|| Ok(Vec::new()), authorities)?;
    let local = settings.urls.iter().all(|url| is_local(url));
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("sterna/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.timeout.min(Duration::from_secs(15)))
            .timeout(settings.timeout)
            .pool_idle_timeout(Duration::from_secs(50))
            .pool_max_idle_per_host(64)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if local { builder.no_proxy() } else { builder }
    };
    let first = build(builder().tls_certs_merge(extra.clone()));
    // a machine without any authorities of its own can still use those of `ca_file`
    first.or_else(|error| build(builder().tls_certs_only(extra)).map_err(|_| error))
}

fn build(builder: ClientBuilder) -> Result<Client, NoClient> {
    builder.build().map_err(|source| NoClient::Build { source })
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, NoClient> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| NoClient::Read { file: file.clone(), source })?;
    let list = Certificate::from_pem_bundle(&bytes).unwrap_or_default();
    if list.is_empty() { Err(NoClient::Empty { file }) } else { Ok(list) }
}

fn is_local(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(crate::tls::is_loopback))
}

/// Why there is no HTTP client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoClient {
    /// `ca_file` cannot be read.
    #[error("the authorities in {file} cannot be read")]
    Read {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// `ca_file` holds nothing.
    #[error("{file} holds no PEM certificate")]
    Empty {
        /// Which file.
        file: String,
    },
    /// The TLS library refused.
    #[error("the TLS client cannot be made")]
    Build {
        /// Why.
        source: reqwest::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "nothing").unwrap();
        let with = |file: &str| {
            let path = folder.path().join(file);
            let urls = &["http://127.0.0.1:9"][..];
            client(&ClientSettings { ca_file: Some(&path), timeout: Duration::from_secs(1), urls })
        };
        assert!(matches!(with("ca.pem"), Err(NoClient::Empty { .. })));
        assert!(matches!(with("none.pem"), Err(NoClient::Read { .. })));
    }

    #[test]
    fn only_services_on_this_machine_are_local() {
        for url in ["http://127.0.0.1:9/scim", "https://localhost/x", "http://[::1]:80"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["https://localhost.example", "https://10.0.0.1/", "localhost"] {
            assert!(!is_local(url), "{url}");
        }
    }
}
