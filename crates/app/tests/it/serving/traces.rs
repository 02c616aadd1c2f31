//! Traces go to the collector that is configured, and hold nobody.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, sync_channel},
    time::Duration,
};

use rustix::process::Signal;

use super::{PASSWORD, Service, TOKEN, call, client, ready, verdict};

/// A collector that takes everything; what it was sent comes out of the channel.
fn collector() -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sent, taken) = sync_channel(100);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if sent.send(take(stream)).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}"), taken)
}

fn take(mut stream: TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let (mut all, mut part) = (Vec::new(), [0; 16_384]);
    while let Ok(length) = stream.read(&mut part) {
        all.extend_from_slice(&part[..length]);
        if length == 0 {
            break;
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    all
}

#[tokio::test]
async fn spans_of_calls_are_sent_and_name_nobody() {
    let (endpoint, taken) = collector();
    let folder = ready(&format!("otlp_endpoint = \"{endpoint}\"\n"));
    let mut service = Service::start(&folder, "");
    assert_eq!(verdict(call(&client(), &service.url(), TOKEN, "PLANTED")).await, "UNVERIFIED");
    assert_eq!(verdict(call(&client(), &service.url(), TOKEN, PASSWORD)).await, "VERIFIED");
    service.signal(Signal::TERM);
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
    let mut all = Vec::new();
    while let Ok(part) = taken.recv_timeout(Duration::from_secs(5)) {
        all.extend(part);
        if has(&all, "accept") {
            break;
        }
    }
    for expected in ["POST /v1/traces", "hook call", "legacy check", "accept", "okta"] {
        assert!(has(&all, expected), "{expected} in {}", String::from_utf8_lossy(&all));
    }
    for secret in ["PLANTED", PASSWORD, TOKEN, "ana@example.com", "203.0.113.7", "127.0.0.1:5"] {
        assert!(!has(&all, secret), "{secret}");
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
