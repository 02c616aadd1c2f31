//! One request and its answer over HTTPS: timeouts, bounded bodies, and whether a failure came before or after the
//! request may have left.

use std::{path::Path, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, header::HeaderMap};
use sterna_core::time::Timestamp;

use super::{config::Connection, retry};

/// Builds the HTTP client of a connection: own timeouts, no redirects, no repeats, the system's authorities and those
/// of `ca_file`. Services on this machine are never reached through a proxy.
///
/// # Errors
/// [`NoClient`] when `ca_file` cannot be read or holds no certificate.
pub(super) fn client(connection: &Connection, project: &Path) -> Result<Client, NoClient> {
    let extra = match &connection.ca_file {
        Some(path) => authorities(&project.join(path))?,
        None => Vec::new(),
    };
    let local = [&connection.graph_url, &connection.login_url].iter().all(|url| is_loopback(url));
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("sterna/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connection.timeout.min(Duration::from_secs(15)))
            .timeout(connection.timeout)
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

fn is_loopback(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why there is no HTTP client.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoClient {
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

/// An answer, read to its end.
pub(super) struct Reply {
    /// The HTTP status.
    pub(super) status: u16,
    /// `Retry-After`, read.
    pub(super) retry_after: Option<Duration>,
    /// `x-ms-throttle-limit-percentage`: the part of the quota that is used, 1.0 for all of it.
    pub(super) pressure: Option<f64>,
    /// The service's clock when it answered.
    pub(super) date: Option<Timestamp>,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The request cannot have left: nothing happened.
    #[error("no connection: {0}")]
    NotSent(&'static str),
    /// The request may have left: what happened is unknown.
    #[error("no answer: {0}")]
    Lost(&'static str),
}

/// Sends a request and reads its answer, at most `limit` bytes of it.
///
/// # Errors
/// [`Broken`]: whether the request may have left.
pub(super) async fn exchange(request: RequestBuilder, limit: usize, now: Timestamp) -> Result<Reply, Broken> {
    let mut response = request.send().await.map_err(|error| broken(&error))?;
    let mut reply = Reply {
        status: response.status().as_u16(),
        retry_after: header(response.headers(), "retry-after").and_then(|value| retry::retry_after(value, now)),
        pressure: header(response.headers(), "x-ms-throttle-limit-percentage").and_then(pressure),
        date: header(response.headers(), "date").and_then(retry::http_date),
        body: Vec::new(),
    };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if reply.body.len() + chunk.len() <= limit => reply.body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Broken::Lost("the answer is longer than allowed")),
            Ok(None) => return Ok(reply),
            Err(error) => return Err(Broken::Lost(words(&error))),
        }
    }
}

/// Reads the early-warning header; only what can be a part of a quota is taken.
pub(super) fn pressure(value: &str) -> Option<f64> {
    value.trim().parse::<f64>().ok().filter(|part| (0.0..=100.0).contains(part))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Only a failure to connect proves that nothing left; everything else may have been read by the service.
fn broken(error: &reqwest::Error) -> Broken {
    if error.is_builder() || error.is_connect() { Broken::NotSent(words(error)) } else { Broken::Lost(words(error)) }
}

/// What went wrong in our own words: error texts of the library hold URLs, and those hold people's names.
fn words(error: &reqwest::Error) -> &'static str {
    match error {
        error if error.is_connect() && error.is_timeout() => "connecting took too long",
        error if error.is_connect() => "the service cannot be connected to",
        error if error.is_timeout() => "it took too long",
        error if error.is_builder() => "the request cannot be built",
        error if error.is_decode() => "the answer's compression is broken",
        _ => "the connection broke off",
    }
}
