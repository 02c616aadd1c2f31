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
        error if error.is_connect() && is_distrust(error) => "the service's certificate is not trusted",
        error if error.is_connect() => "the service cannot be connected to",
        error if error.is_timeout() => "it took too long",
        error if error.is_builder() => "the request cannot be built",
        error if error.is_decode() => "the answer breaks off, or its compression is broken",
        _ => "the connection broke off",
    }
}

/// Whether the TLS library did not accept the service's certificate; only its words tell.
fn is_distrust(error: &reqwest::Error) -> bool {
    let first: Option<&dyn std::error::Error> = Some(error);
    std::iter::successors(first, |error| error.source()).take(16).any(|error| error.to_string().contains("certificate"))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::entra::config::{Algorithm, Connection};

    fn connection(url: &str) -> Connection {
        Connection {
            tenant: "t".into(),
            graph_url: url.into(),
            login_url: url.into(),
            applications: Vec::new(),
            algorithm: Algorithm::Ps256,
            ca_file: None,
            timeout: Duration::from_millis(400),
            extension_app_id: None,
        }
    }

    /// A server that answers one request with `bytes`, waits, and closes.
    async fn server(bytes: &'static [u8], then_wait: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(bytes).await;
            tokio::time::sleep(then_wait).await;
        });
        url
    }

    /// What one request comes to: a status, or whether it may have left.
    async fn check(url: &str, limit: usize, expected: &str) {
        let client = client(&connection(url), Path::new(".")).unwrap();
        let came = match exchange(client.post(url).body("{}"), limit, Timestamp(0)).await {
            Ok(reply) => format!("{} {}", reply.status, reply.body.len()),
            Err(Broken::NotSent(_)) => "not sent".to_owned(),
            Err(Broken::Lost(_)) => "lost".to_owned(),
        };
        assert_eq!(came, expected);
    }

    const NONE: Duration = Duration::ZERO;

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_limit() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        check(&server(answer, NONE).await, 5, "200 5").await;
        check(&server(answer, NONE).await, 4, "lost").await;
        check(&server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", NONE).await, 99, "lost").await;
    }

    #[tokio::test]
    async fn what_may_have_left_is_told_from_what_cannot() {
        check("http://127.0.0.1:9", 9, "not sent").await;
        check(&server(b"", NONE).await, 9, "lost").await;
        check(&server(b"HTTP/1.1 200", NONE).await, 9, "lost").await;
        check(&server(b"", Duration::from_secs(5)).await, 9, "lost").await;
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let answer = b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
        check(&server(answer, NONE).await, 9, "307 0").await;
    }

    #[test]
    fn a_file_without_a_certificate_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "nothing").unwrap();
        let with = |file: &str| Connection { ca_file: Some(file.into()), ..connection("http://127.0.0.1:9") };
        assert!(matches!(client(&with("ca.pem"), folder.path()), Err(NoClient::Empty { .. })));
        assert!(matches!(client(&with("none.pem"), folder.path()), Err(NoClient::Read { .. })));
    }
}
