//! Calls that the tenant would never send, full of what must not be told; also a genuine one that somebody overheard and
//! sends again, whole, cut and changed.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::world::{Scene, Service, came_out};
use crate::scenario::request;

/// What stands for a password in places where none belongs.
pub(super) const CLEAR: &str = "Zq3!password-in-the-clear";
/// A name and an address that are also typed elsewhere.
const NAME: &str = "zqana@example.com";
const ADDRESS: &str = "203.0.113.77";

/// A call of the tenant's, with its token.
pub(super) struct Overheard {
    authorization: String,
    body: Value,
}

impl Overheard {
    /// Lets the tenant ask somebody else than the service for once, and keeps what it says.
    pub(super) fn from(scene: &Scene, service: &Service, username: &str, password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks/entra", listener.local_addr().unwrap());
        let ear = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            let mut piece = [0; 4_096];
            loop {
                let length = stream.read(&mut piece).unwrap();
                bytes.extend_from_slice(&piece[..length]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let whole = text.split_once("\r\n\r\n").and_then(|(head, body)| {
                    let body = serde_json::from_str(body).ok()?;
                    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"))?;
                    Some(Self { authorization: line.to_owned(), body })
                });
                if let Some(overheard) = whole {
                    drop(stream.write_all(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
                    return overheard;
                }
                assert!(length > 0, "the tenant said too little: {text}");
            }
        });
        scene.just_in_time(service, &json!({ "target_url": url }));
        came_out(&scene.sign_in(username, password), "error");
        scene.just_in_time(service, &json!({}));
        ear.join().unwrap()
    }

    /// Sends it whole: twice the same answer; then in pieces and changed, with the genuine token.
    pub(super) fn send_in_every_way(&self, service: &Service) {
        let whole = self.body.to_string();
        let send = |body: &str| raw(&service.hook(), &self.authorization, body);
        let first = send(&whole);
        assert!(first.starts_with("HTTP/1.1 200") && first.contains("passwordSubmit"), "{first}");
        let body = |answer: &str| answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        assert_eq!(body(&send(&whole)), body(&first), "a repeat gets the same answer");
        for cut in (0..whole.len()).step_by(whole.len() / 20 + 1) {
            refused(&send(&whole[..cut]));
        }
        refused(&send(CLEAR));
        refused(&send(&format!("{{\"data\":{}", "[".repeat(5_000))));
        for (place, value) in [
            ("/data/tenantId", json!(CLEAR)),
            ("/data/encryptedPasswordContext", json!(CLEAR)),
            ("/data/encryptedPasswordContext", json!(format!("{CLEAR}.{NAME}.a.b.c"))),
            ("/data/encryptedPasswordContext", json!({ "userPassword": CLEAR })),
            ("/data/encryptedPasswordContext", Value::Null),
            ("/data/authenticationContext", json!(NAME)),
            ("/data", json!([NAME, CLEAR])),
        ] {
            refused(&send(&self.with(place, value)));
        }
        // what the password context does not hold may be anything, and is not told either
        for (place, value) in [
            ("/data/authenticationContext/client/ip", json!(format!("{ADDRESS} {CLEAR}"))),
            ("/data/authenticationContext/correlationId", json!(CLEAR)),
            ("/data/authenticationContext/user/id", json!(NAME)),
            ("/data/authenticationContext/protocol", json!(CLEAR)),
        ] {
            send(&self.with(place, value));
        }
        let sealed = self.body["data"]["encryptedPasswordContext"].as_str().unwrap();
        let parts: Vec<&str> = sealed.split('.').collect();
        for number in 0..parts.len() {
            let changed = |part: &str| {
                let mut parts: Vec<&str> = parts.clone();
                parts[number] = part;
                json!(parts.join("."))
            };
            for part in ["", CLEAR, "enFhbmE", &parts[number][1..]] {
                refused(&send(&self.with("/data/encryptedPasswordContext", changed(part))));
            }
        }
    }

    fn with(&self, place: &str, value: Value) -> String {
        let mut body = self.body.clone();
        *body.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
        body.to_string()
    }
}

fn refused(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

/// Calls without a genuine token.
pub(super) fn without_a_token(service: &Service) {
    let hook = service.hook();
    let plain = json!({ "data": {
        "passwordContext": { "userPassword": CLEAR, "nonce": CLEAR },
        "authenticationContext": { "user": { "mail": NAME, "id": NAME }, "client": { "ip": ADDRESS } },
    } })
    .to_string();
    let whole = format!("{hook}?login={NAME}&password={CLEAR}");
    let beside = format!("{hook}/{NAME}/{CLEAR}");
    let elsewhere = hook.replace("/hooks/entra", &format!("/hooks/{NAME}/{CLEAR}"));
    for (method, url) in [("POST", &hook), ("POST", &whole), ("POST", &beside), ("PUT", &whole), ("GET", &elsewhere)] {
        for body in [&plain, "", CLEAR, &plain[..plain.len() / 2], &format!("{{\"{CLEAR}\":")] {
            request(method, url, body);
        }
    }
    for token in [CLEAR.to_owned(), forged_token(), "enFhbmE.enFhbmE.enFhbmE.enFhbmE.enFhbmE".to_owned()] {
        refused(&raw(&hook, &format!("Authorization: Bearer {token}\r\nX-Forwarded-For: {ADDRESS}"), &plain));
    }
    refused(&raw(&hook, &format!("Authorization: Basic {CLEAR}\r\nCookie: zqana={CLEAR}"), &plain));
    // no HTTP at all, and more than anybody has to say: it may hang up before everything is sent
    raw(&hook, "Content-Length: 7", &plain);
    raw(&hook, &format!("{NAME} {CLEAR}"), "");
    raw(&hook, "X-Long: yes", &plain.repeat(3_000));
}

/// A token that says who it is for and is signed by nobody.
fn forged_token() -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "aud": CLEAR, "iss": CLEAR, "upn": NAME, "exp": 4_000_000_000_u32 });
    format!("{}.{}.{}", part(&json!({ "alg": "RS256", "kid": CLEAR })), part(&claims), "AAAA")
}

/// A request with a header line of any sort, and what comes back; nothing where the connection is cut.
fn raw(url: &str, header: &str, body: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let length = body.len();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{header}\r\n\r\n"
    );
    let mut answer = Vec::new();
    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_ok() {
        drop(stream.read_to_end(&mut answer));
    }
    String::from_utf8_lossy(&answer).into_owned()
}
