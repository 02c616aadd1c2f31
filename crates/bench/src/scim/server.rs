//! scim2-server as a process of its own: a real SCIM server in Python, in memory.

use std::{
    fs::File,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::child::Child;

/// The bearer token that it takes.
pub(super) const TOKEN: &str = "bench-token-of-a-scim-server";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; it ends when this is dropped.
pub(super) struct Server {
    _process: Child,
    port: u16,
}

impl Server {
    /// Starts one with nobody in it.
    pub(super) fn start(folder: &Path, port: u16) -> Result<Self> {
        let program = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../counterparts/venv/bin/scim2-server"));
        ensure!(program.exists(), "scim2-server is not installed: `make setup` installs it");
        let log = File::create(folder.join("server.log")).context("making a file")?;
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bearer-token", TOKEN]).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        let server = Self { _process: Child::start(&mut command)?, port };
        let began = Instant::now();
        while server.users().is_err() {
            if began.elapsed() > PATIENCE {
                bail!("scim2-server did not start");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// How many users it has.
    pub(super) fn users(&self) -> Result<u64> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).context("reaching scim2-server")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET /v2/Users?count=0 HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n",
            self.port
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("an answer without an end of its head")?;
        let body: Value = serde_json::from_str(body).context("an answer that is no JSON")?;
        body.get("totalResults").and_then(Value::as_u64).context("the server says how many users there are")
    }
}

/// A port that nothing listens on.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
