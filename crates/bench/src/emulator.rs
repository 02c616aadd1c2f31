//! An emulator as a process of its own, its counters and its quota lever, over plain HTTP on loopback.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Bench, child::Child};

/// Most bytes that are taken of an answer.
const ANSWER: u64 = 1 << 20;

/// The line that an emulator prints once it answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Ready {
    pub(crate) graph_url: String,
    pub(crate) login_url: String,
    pub(crate) state_url: String,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

/// What the emulator has counted; items, not envelopes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Counters {
    /// Users made.
    pub(crate) creates: u64,
    /// Items turned away for the quota.
    pub(crate) throttled: u64,
}

/// An emulator that runs until it is dropped.
pub(crate) struct Emulator {
    /// Its process.
    pub(crate) child: Child,
    /// Where it is reached.
    pub(crate) ready: Ready,
}

impl Emulator {
    /// Starts one with an empty tenant that takes `per_second` writes of one application: so many times the window's
    /// seconds in any window.
    pub(crate) fn start(bench: &Bench, folder: &Path, per_second: f64, window_secs: u32) -> Result<Self> {
        let scenario = folder.join("scenario.toml");
        let text = format!(
            "seed = 7\nread_delay_ms = 200\n[tenant]\nobject_quota = 50000000\n[quota]\nwindow_secs = {window_secs}\nwrites_per_second = {per_second:?}\n"
        );
        fs::write(&scenario, text).context("writing the scenario")?;
        let mut command = Command::new(&bench.sterna);
        command.args(["emulate", "entra-external-id", "--listen", "127.0.0.1:0", "--hide-passwords", "--scenario"]);
        command.arg(&scenario).stdout(Stdio::piped()).stderr(Stdio::inherit()).stdin(Stdio::null());
        let mut child = Child::start(&mut command)?;
        let (_, Some(out)) = child.pipes() else { bail!("the emulator has no standard output") };
        let mut line = String::new();
        BufReader::new(out.take(ANSWER)).read_line(&mut line).context("waiting for the emulator")?;
        let ready = serde_json::from_str(&line).context("the emulator's first line")?;
        Ok(Self { child, ready })
    }

    /// What it has counted.
    pub(crate) fn counters(&self) -> Result<Counters> {
        let value = ask("GET", &format!("{}/counters", self.ready.state_url), None)?;
        serde_json::from_value(value).context("the emulator's counters")
    }

    /// Changes the quota while requests go on.
    pub(crate) fn change_quota(&self, per_second: f64) -> Result<()> {
        let body = json!({ "writes_per_second": per_second });
        ask("POST", &format!("{}/quota", self.ready.state_url), Some(&body)).map(drop)
    }
}

/// One request on a connection of its own.
fn ask(method: &str, url: &str, body: Option<&Value>) -> Result<Value> {
    let rest = url.strip_prefix("http://").context("an emulator's address begins with http://")?;
    let (host, path) = rest.split_once('/').context("an emulator's address has a path")?;
    let mut stream = TcpStream::connect(host).context("reaching the emulator")?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.take(ANSWER).read_to_string(&mut answer).context("reading the emulator's answer")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the emulator's answer has no end of its head")?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("the emulator answered {}", head.lines().next().unwrap_or_default());
    }
    serde_json::from_str(body).context("the emulator's answer")
}
