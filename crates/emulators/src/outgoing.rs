//! The HTTP client of emulators that call somebody.

use reqwest::{Certificate, Client, ClientBuilder};

/// A client without redirects and repeats of its own, which also trusts the authorities of `ca_pem`; each request brings
/// its own time limit.
///
/// # Errors
/// A sentence; `name` is what the setting with the authorities is called.
pub(crate) fn client(ca_pem: Option<&str>, name: &str) -> Result<Client, String> {
    let extra = match ca_pem {
        None => Vec::new(),
        Some(pem) => Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default(),
    };
    if ca_pem.is_some() && extra.is_empty() {
        return Err(format!("{name} holds no certificate"));
    }
    let builder = || {
        Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent("Sterna-Emulator/1.0")
    };
    let build = |builder: ClientBuilder| builder.build();
    // a machine without any authorities of its own can still use the given ones
    let built = build(builder().tls_certs_merge(extra.clone()));
    let built = built.or_else(|_no_authorities| build(builder().tls_certs_only(extra)));
    built.map_err(|error| format!("cannot make an HTTP client: {error}"))
}
