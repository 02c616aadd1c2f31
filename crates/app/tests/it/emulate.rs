//! `sterna emulate` as its users start it: one line, then requests, then a signal.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::Folder;

/// A running emulator; ended with the test.
struct Emulator {
    child: Child,
    reader: BufReader<std::process::ChildStdout>,
    ready: Value,
    _folder: Folder,
}

impl Emulator {
    fn start(args: &str) -> Self {
        let folder = Folder::new();
        folder.write("scenario.toml", "read_delay_ms = 0\n[quota]\nwrites_per_second = 60\n");
        let mut child = folder.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, reader, ready, _folder: folder }
    }

    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.ready))
    }

    /// The body of `GET state_url`.
    fn state(&self) -> Value {
        let url = self.text("state_url").strip_prefix("http://").unwrap();
        let (host, path) = url.split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(&body[body.find('{').unwrap()..=body.rfind('}').unwrap()]).unwrap()
    }

    /// Sends a signal; gives the exit code, how long the end took, and what else came on standard output.
    fn end(mut self, signal: rustix::process::Signal) -> (Option<i32>, Duration, String) {
        let asked = Instant::now();
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest).unwrap();
        (status.code(), asked.elapsed(), rest)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn check(args: &str, signal: rustix::process::Signal) {
    let emulator = Emulator::start(args);
    for name in ["graph_url", "login_url", "tenant", "tenant_id", "client_id", "client_secret"] {
        assert!(!emulator.text(name).is_empty());
    }
    assert!(!emulator.text("graph_url").ends_with('/') && !emulator.text("graph_url").contains("v1.0"));
    assert_eq!(emulator.state()["counters"]["requests"], 0);
    assert_eq!(emulator.state()["users"], serde_json::json!([]));
    // a connection that is kept open does not hold the end up
    let host = emulator.text("graph_url").strip_prefix("http://").unwrap().to_owned();
    let _idle = TcpStream::connect(host).unwrap();
    let (code, took, rest) = emulator.end(signal);
    assert_eq!((code, rest.as_str()), (Some(0), ""));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn one_ready_line_then_requests_then_sigterm_ends_it_within_two_seconds() {
    check("emulate entra-external-id --listen 127.0.0.1:0", rustix::process::Signal::TERM);
}

#[test]
fn the_other_product_with_a_scenario_ends_on_ctrl_c_too() {
    check("emulate azure-ad-b2c --scenario scenario.toml --lagging-uniqueness -vvv", rustix::process::Signal::INT);
}

#[test]
fn with_tls_the_authority_is_written_to_a_file() {
    let emulator = Emulator::start("emulate entra-external-id --tls --ca-file ca.pem");
    assert!(emulator.text("graph_url").starts_with("https://"));
    assert!(emulator.text("ca_file").ends_with("ca.pem"));
    let (code, took, rest) = emulator.end(rustix::process::Signal::TERM);
    assert_eq!((code, rest.as_str()), (Some(0), ""));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn it_listens_on_loopback_only() {
    let run = Folder::new().run("emulate entra-external-id --listen 0.0.0.0:0").exits(2);
    insta::assert_snapshot!(run.stderr, @r"
    error[E1001]: an emulator listens on loopback only, not on 0.0.0.0:0
    ");
    assert_eq!(run.stdout, "");
}

#[test]
fn a_scenario_that_cannot_be_meant_is_told_with_its_line() {
    let folder = Folder::new();
    folder.write("s.toml", "read_delay = 5\n");
    let run = folder.run("emulate entra-external-id --scenario s.toml").exits(2);
    assert!(run.stderr.contains("the scenario is not valid") && run.stderr.contains("line 1"), "{}", run.stderr);
    assert!(folder.run("emulate entra-external-id --scenario none.toml").exits(2).stderr.contains("none.toml"));
}

#[test]
fn an_unknown_product_names_the_nearest_one() {
    insta::assert_snapshot!(Folder::new().run("emulate entra-externalid").exits(2).stderr, @r#"
    error[E1009]: there is no emulator "entra-externalid"
      hint: did you mean entra-external-id?
      hint: emulators: entra-external-id, azure-ad-b2c, scim, wso2-is, asgardeo
    "#);
}
