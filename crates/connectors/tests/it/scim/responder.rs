//! A service of a few lines that answers as a test says.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sterna_core::port::Target;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::world;
use crate::entra::world::context;

/// What a service answers: a status and a body; status 0 is a cut line.
pub(super) type Answers = fn(method: &str, path: &str, body: &Value) -> (u16, String);

/// A service that answers by `answers`, and what it was asked.
pub(super) struct Service {
    pub(super) url: String,
    pub(super) asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Service {
    pub(super) async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/scim", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answers, Arc::clone(&log)));
            }
        });
        Self { url, asked }
    }

    pub(super) async fn target(&self, more: &str) -> Arc<dyn Target> {
        self.target_by(&format!("token = {{ env = 'TOKEN' }}\n{more}")).await
    }

    /// The target with another way in.
    pub(super) async fn target_by(&self, more: &str) -> Arc<dyn Target> {
        let text = format!("url = '{}'\nrequest_timeout_secs = 2\n{more}", self.url);
        let context = context([("TOKEN".to_owned(), "t".to_owned())].into());
        world::connect(&text, &context).await.expect("it connects")
    }

    pub(super) fn count(&self, request: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == request).count()
    }
}

async fn serve(mut stream: TcpStream, answers: Answers, log: Arc<Mutex<Vec<(String, Value)>>>) {
    let Some((method, target, body)) = read(&mut stream).await else { return };
    let path = target.trim_start_matches("/scim").to_owned();
    let bare = path.split('?').next().unwrap_or_default().to_owned();
    log.lock().unwrap().push((format!("{method} {bare}"), body.clone()));
    let (status, text) = answers(&method, &path, &body);
    if status != 0 {
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
        let _ = stream.write_all(head.as_bytes()).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<(String, String, Value)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let mut first = lines.next()?.split(' ');
            let length = lines
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                let body = serde_json::from_str(body).unwrap_or_default();
                return Some((first.next()?.to_owned(), first.next()?.to_owned(), body));
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

/// What every service here announces.
pub(super) fn announces(path: &str) -> Option<(u16, String)> {
    let bulk = json!({"bulk": {"supported": true, "maxOperations": 100, "maxPayloadSize": 1_000_000}, "patch": {"supported": true},
        "filter": {"supported": true, "maxResults": 100}});
    match path {
        "/ServiceProviderConfig" => Some((200, bulk.to_string())),
        "/Schemas" | "/ResourceTypes" => Some((404, String::new())),
        _ => None,
    }
}
