//! One request and its answer over HTTPS: bounded bodies, and whether a failure came before or after the request may
//! have left.

use std::time::Duration;

use reqwest::{RequestBuilder, header::HeaderMap};
use sterna_core::time::Timestamp;

use super::retry;

/// An answer, read to its end.
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `Retry-After`, read.
    pub(crate) retry_after: Option<Duration>,
    /// The service's clock when it answered.
    pub(crate) date: Option<Timestamp>,
    /// All headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// Bodies and headers hold people's data: only the status is shown.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({})", self.status)
    }
}

impl Reply {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
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
pub(crate) async fn exchange(request: RequestBuilder, limit: usize, now: Timestamp) -> Result<Reply, Broken> {
    let mut response = request.send().await.map_err(|error| broken(&error))?;
    let headers = std::mem::take(response.headers_mut());
    let mut reply = Reply {
        status: response.status().as_u16(),
        retry_after: header(&headers, "retry-after").and_then(|value| retry::retry_after(value, now)),
        date: header(&headers, "date").and_then(retry::http_date),
        headers,
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
    use crate::http::client::{ClientSettings, client};

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
        let timeout = Duration::from_millis(400);
        let client = client(&ClientSettings { ca_file: None, timeout, urls: &[url] }).unwrap();
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
}
