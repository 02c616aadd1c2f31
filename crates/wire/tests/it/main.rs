//! The listener as its peers see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sterna_wire::{Handler, Limits, Listener, Reply, Request, Server, TestAuthority};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Answers by path, and counts what it carried out.
#[derive(Default)]
struct Paths {
    done: AtomicUsize,
}

impl Handler for Paths {
    async fn handle(&self, request: Request, _peer: SocketAddr) -> Reply {
        match request.uri().path() {
            "/close" => return Reply::Close,
            "/reset" => return Reply::Reset,
            "/slow" => tokio::time::sleep(Duration::from_millis(200)).await,
            _ => {}
        }
        self.done.fetch_add(1, Ordering::SeqCst);
        Reply::Send(http::Response::new(request.into_body()))
    }
}

async fn serve(limits: Limits) -> (Server, Arc<Paths>) {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None, limits).await.unwrap();
    let paths = Arc::new(Paths::default());
    (listener.serve(Arc::clone(&paths)), paths)
}

/// Sends bytes and reads until the end.
async fn raw(address: SocketAddr, bytes: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_request_is_answered() {
    let (server, _) = serve(Limits::default()).await;
    let answer = raw(server.address(), &post("/", "hello")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn a_handler_can_close_without_a_byte_and_reset() {
    let (server, _) = serve(Limits::default()).await;
    assert_eq!(raw(server.address(), &post("/close", "")).await.unwrap(), "");
    let error = raw(server.address(), &post("/reset", "")).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let (server, paths) = serve(Limits { body_bytes: 4, ..Limits::default() }).await;
    let answer = raw(server.address(), &post("/", "12345")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(paths.done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_peer_that_says_nothing_or_half_a_body_is_let_go() {
    let short = Duration::from_millis(100);
    let (server, _) = serve(Limits { header_timeout: short, body_timeout: short, ..Limits::default() }).await;
    let started = Instant::now();
    raw(server.address(), "POST / HT").await.unwrap();
    let answer = raw(server.address(), "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let (server, _) = serve(Limits { connections: 1, ..Limits::default() }).await;
    let first = TcpStream::connect(server.address()).await.unwrap();
    let address = server.address();
    let second = tokio::spawn(async move { raw(address, &post("/", "late")).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().ends_with("late"));
}

#[tokio::test]
async fn what_was_asked_for_is_done_even_when_the_caller_has_gone() {
    let (server, paths) = serve(Limits::default()).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(post("/slow", "").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(paths.done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn shutting_down_lets_a_running_request_end_and_an_idle_connection_go() {
    let (server, _) = serve(Limits::default()).await;
    let address = server.address();
    let _idle = TcpStream::connect(address).await.unwrap();
    let running = tokio::spawn(async move { raw(address, &post("/slow", "end")).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    server.shutdown(Duration::from_secs(1)).await;
    assert!(running.await.unwrap().ends_with("end"));
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_client_that_trusts_the_test_authority_can_talk_tls() {
    let authority = TestAuthority::new("test").unwrap();
    let tls = authority.server_tls().unwrap();
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), Some(tls), Limits::default()).await.unwrap();
    let server = listener.serve(Arc::new(Paths::default()));
    let trusted = reqwest::Certificate::from_pem(authority.certificate_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    let port = server.address().port();
    for host in ["127.0.0.1", "localhost"] {
        let answer = client.post(format!("https://{host}:{port}/")).body("x").send().await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), Bytes::from_static(b"x"));
    }
    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(stranger.get(format!("https://127.0.0.1:{port}/")).send().await.is_err());
}
