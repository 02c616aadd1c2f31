//! A service that answers reads as it is told to, and remembers them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A read: its path, its parameters, and how many came before it.
pub(super) struct Read {
    pub(super) path: String,
    parameters: HashMap<String, String>,
    pub(super) before: usize,
}

impl Read {
    /// A parameter.
    pub(super) fn text(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A parameter that is a number.
    pub(super) fn number(&self, name: &str) -> usize {
        self.text(name).parse().unwrap_or(0)
    }
}

/// An answer: status, further header lines, body.
pub(super) type Answer = (u16, &'static str, String);

/// A plain answer.
pub(super) fn ok(body: &Value) -> Answer {
    (200, "", body.to_string())
}

/// A page of a list.
pub(super) fn page(users: &[Value], total: Option<usize>) -> Answer {
    let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "Resources": users});
    if let Some(total) = total {
        body["totalResults"] = total.into();
    }
    ok(&body)
}

/// Users `from` to `to`, both included.
pub(super) fn users(from: usize, to: usize) -> Vec<Value> {
    (from..=to).map(|n| json!({"id": format!("u{n}"), "userName": format!("user{n}")})).collect()
}

/// The service.
pub(super) struct Service {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// One that answers reads of `/Users` so, and has nothing else.
    pub(super) async fn users(answers: impl Fn(&Read) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(move |read| match read.path.as_str() {
            "/Users" => answers(read),
            _ => (404, "", String::new()),
        })
        .await
    }

    /// One that answers everything so.
    pub(super) async fn start(answers: impl Fn(&Read) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/scim", listener.local_addr().unwrap());
        let (asked, answers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answers));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
                tokio::spawn(async move { serve(stream, &*answers, &log).await });
            }
        });
        Self { url, asked }
    }

    /// The settings that read it.
    pub(super) fn toml(&self, more: &str) -> String {
        format!("url = '{}'\nrequest_timeout_secs = 2\n{more}\n", self.url)
    }

    /// What was asked for, whole.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answers: &(dyn Fn(&Read) -> Answer + Sync), log: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().trim_start_matches("/scim").to_owned();
    let url = url::Url::parse(&format!("http://x{target}")).unwrap();
    let path = url.path().to_owned();
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|one| one.split('?').next() == Some(&path)).count();
        log.push(target);
        before
    };
    let parameters = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let (status, headers, body) = answers(&Read { path, parameters, before });
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // the other side may have gone: answers that are too long
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
}
