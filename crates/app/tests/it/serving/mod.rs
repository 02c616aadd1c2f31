//! `sterna serve` as a process: what it prints, how it is stopped, TLS, traces, and what it refuses to start with.

mod process;
mod tls;
mod traces;

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Stdio},
};

use reqwest::{Client, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::Folder;

pub(crate) const TOKEN: &str = "a token of the tests";
/// bcrypt of the password beside it.
pub(crate) const HASH: &str = "$2b$10$Q9vJd3xZ1wYb7uKpLmNcReTlX9bNNs8hgeVjbbkG4bFax4cIiFDta";
pub(crate) const PASSWORD: &str = "Terns fly far, 2026";

/// A project whose one account comes on demand: `ana@example.com`.
pub(crate) fn project(serve: &str) -> Folder {
    let folder = Folder::project(&format!(
        "[migration]\nname = \"serving\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n\
         [target]\nconnector = \"on-demand\"\n[checks.hashes]\nconnector = \"stored-hash\"\n\
         [serve]\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"127.0.0.1:0\"\n{serve}\n\
         [hooks.okta]\nconnector = \"okta-password-import\"\nbearer_token = {{ file = \"token\" }}\n"
    ));
    secret(&folder, "token", TOKEN);
    folder.write(
        "people.jsonl",
        &json!({
            "id": "1", "display_name": "Ana", "emails": [{"value": "ana@example.com", "verified": true, "primary": true}],
            "identities": [{"kind": "local", "name": "email", "value": "ana@example.com"}],
            "password": {"hash": HASH, "format": "bcrypt"},
        })
        .to_string(),
    );
    folder
}

/// The same, up to where people can sign in.
pub(crate) fn ready(serve: &str) -> Folder {
    let folder = project(serve);
    folder.run("extract").exits(0);
    folder.run("plan").exits(0);
    folder.run("apply --yes").exits(0);
    folder
}

/// A file that its owner alone can read.
pub(crate) fn secret(folder: &Folder, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.write(name, text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The service at work; ended with its value.
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) ready: Value,
    _stdout: BufReader<ChildStdout>,
}

impl Service {
    pub(crate) fn start(folder: &Folder, args: &str) -> Self {
        let mut command = folder.command(&format!("serve {args}"));
        let log = std::fs::File::create(folder.path().join("serve.log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}: {}", folder.read("serve.log")));
        Self { child, ready, _stdout: stdout }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/hooks/okta", self.ready["serve"].as_str().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The call that Okta makes (jit-hooks.md 2).
pub(crate) fn call(client: &Client, url: &str, token: &str, password: &str) -> RequestBuilder {
    let body = json!({
        "eventId": "e1", "eventType": "com.okta.user.credential.password.import",
        "data": {"context": {
            "request": {"id": "r1", "ipAddress": "203.0.113.7"},
            "credential": {"username": "ana@example.com", "password": password},
        }},
    });
    client.post(url).header("authorization", format!("Bearer {token}")).json(&body)
}

/// The credential that was answered, or the status.
pub(crate) async fn verdict(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    if response.status() != 200 {
        return response.status().as_u16().to_string();
    }
    let body: Value = response.json().await.unwrap();
    body["commands"][0]["value"]["credential"].as_str().unwrap().to_owned()
}

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}
