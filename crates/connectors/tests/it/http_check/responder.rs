//! A server for one request: keeps it as it came, and answers what it was told to.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Request {
    /// Method, path and version.
    pub(crate) line: String,
    /// Headers; names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A server for one request.
pub(crate) struct Responder {
    /// Where it listens.
    pub(crate) port: u16,
    seen: JoinHandle<Request>,
}

impl Responder {
    /// One that answers these bytes after a pause and closes the connection.
    pub(crate) async fn start(answer: Vec<u8>, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let request = loop {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "half a request");
                if let Some(request) = read(&bytes) {
                    break request;
                }
            };
            tokio::time::sleep(pause).await;
            // the other side may have gone: answers that are too long or too late
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
            request
        });
        Self { port, seen }
    }

    /// The request that came.
    pub(crate) async fn request(self) -> Request {
        self.seen.await.unwrap()
    }
}

fn read(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())).unwrap();
    let headers: BTreeMap<_, _> = lines.map(pair).collect();
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let body = bytes[end + 4..].to_vec();
    (body.len() >= length).then_some(Request { line, headers, body })
}
