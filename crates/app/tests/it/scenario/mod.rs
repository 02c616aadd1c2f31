//! Whole migrations against the emulator, driven as a user would drive them.
//!
//! [`World`] is a project folder and an emulator of its own on a free loopback port.

mod after_sign_in;
mod crash;
mod faults;
mod first_migration;
mod matching;
mod phases;
mod secrets;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Folder, Run};

/// The environment variable that the projects of these tests take their client secret from.
const SECRET: &str = "STERNA_TEST_CLIENT_SECRET";

/// An emulator in a process of its own; ended by its process id.
pub(crate) struct Emulator {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    pub(crate) ready: Value,
}

impl Emulator {
    /// Starts one. `args` are added to `emulate KIND --listen 127.0.0.1:0`.
    pub(crate) fn start(folder: &Folder, kind: &str, args: &str) -> Self {
        let mut command = folder.command(&format!("emulate {kind} --listen 127.0.0.1:0 {args}"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, _stdout: stdout, ready }
    }

    /// Everything that it holds at this instant.
    pub(crate) fn state(&self) -> Value {
        let answer = get(self.ready["state_url"].as_str().unwrap());
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:.200}"))
    }

    /// Asks the control side for something.
    pub(crate) fn control(&self, path: &str, body: &Value) -> String {
        let url = self.ready["state_url"].as_str().unwrap().trim_end_matches('/').to_owned();
        request("POST", &format!("{url}{path}"), &body.to_string())
    }

    pub(crate) fn users(&self) -> Vec<Value> {
        self.state()["users"].as_array().unwrap().clone()
    }

    /// The user whose display name is `name`.
    pub(crate) fn user(&self, name: &str) -> Value {
        let users = self.users();
        let found: Vec<_> = users.iter().filter(|user| user["displayName"] == name).collect();
        assert_eq!(found.len(), 1, "{name} among {users:#?}");
        found[0].clone()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A project and the emulator that it writes to.
pub(crate) struct World {
    pub(crate) folder: Folder,
    pub(crate) emulator: Emulator,
}

impl World {
    /// A project with `sources` (TOML) and `more` tables, and an emulator with `scenario`.
    pub(crate) fn new(sources: &str, target: &str, more: &str, scenario: &str) -> Self {
        Self::of("entra-external-id", sources, target, more, scenario, "--read-delay-ms 150")
    }

    pub(crate) fn of(kind: &str, sources: &str, target: &str, more: &str, scenario: &str, args: &str) -> Self {
        let folder = Folder::new();
        folder.write("scenario.toml", scenario);
        let emulator = Emulator::start(&folder, kind, &format!("--scenario scenario.toml {args}"));
        let ready = &emulator.ready;
        let toml = format!(
            "[migration]\nname = \"test\"\n{sources}\n[target]\nconnector = \"{kind}\"\ntenant = {}\nclient_id = {}\n\
             client_secret = {{ env = \"{SECRET}\" }}\ngraph_url = {}\nlogin_url = {}\n{target}\n{more}\n",
            ready["tenant"], ready["client_id"], ready["graph_url"], ready["login_url"]
        );
        folder.write("sterna.toml", &toml);
        Self { folder, emulator }
    }

    /// A project with accounts in a JSON Lines file, and quick settling, in small batches.
    pub(crate) fn with_people(people: &[String], more: &str, scenario: &str) -> Self {
        let source = "[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";
        let target = "settling_secs = 1\nrequest_timeout_secs = 2\nbatch_size = 4\n";
        let world = Self::new(source, target, more, scenario);
        world.folder.write("people.jsonl", &(people.join("\n") + "\n"));
        world
    }

    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = self.folder.command(args);
        command.env(SECRET, self.emulator.ready["client_secret"].as_str().unwrap());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &str) -> Run {
        let output = self.command(args).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn status(&self) -> Value {
        self.run("status --json").exits(0).json()
    }

    /// Extracts and plans; the plan may warn.
    pub(crate) fn extract_and_plan(&self) {
        self.run("extract").exits(0);
        let plan = self.run("plan");
        assert!([0, 11].contains(&plan.code), "plan: {} {}", plan.stdout, plan.stderr);
    }
}

/// An account of Sterna's own form with an e-mail sign-in name.
pub(crate) fn local(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","display_name":"Person {id}","identities":[{{"kind":"local","name":"email","value":"{id}@example.com"}}],"password":"held-by-legacy"}}"#
    )
}

/// An account of Sterna's own form that signs in socially.
pub(crate) fn social(id: &str, issuer: &str, subject: &str) -> String {
    format!(
        r#"{{"id":"{id}","display_name":"Person {id}","emails":[{{"value":"{id}@example.com"}}],"identities":[{{"kind":"federated","issuer":"{issuer}","subject":"{subject}"}}]}}"#
    )
}

/// The count of one state in a status.
pub(crate) fn count(status: &Value, kind: &str, state: &str) -> u64 {
    status[kind][state].as_u64().unwrap_or_default()
}

/// Asserts that a status adds up: records, profile states and credential states.
pub(crate) fn adds_up(status: &Value) {
    let sum = |kind: &str| status[kind].as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
    let accounts = status["accounts"].as_u64().unwrap();
    assert_eq!(sum("profile"), accounts, "{status:#}");
    assert_eq!(sum("credential"), accounts, "{status:#}");
    assert_eq!(status["adds_up"], true, "{status:#}");
}

fn get(url: &str) -> String {
    request("GET", url, "")
}

/// A bare HTTP/1.1 exchange: the tests need no client of the program's own kind.
fn request(method: &str, url: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") { unchunk(body) } else { body.to_owned() }
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
