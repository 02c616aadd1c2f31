//! scim2-server, a SCIM 2.0 server in Python, as a throwaway instance (counterparts.md): in memory, HTTP/1.0, and at its end it
//! writes down everything that it holds, passwords in clear included.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Server, folder, free_port, program};

/// Where `make setup` puts it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../counterparts/venv/bin/scim2-server");
/// The bearer token that it takes.
pub(crate) const TOKEN: &str = "a-token-for-the-scim-server";

/// A running SCIM server.
pub(crate) struct Scim {
    /// Its process.
    pub(crate) server: Server,
    dump: PathBuf,
}

/// How it is started.
#[derive(Default)]
pub(crate) struct Launch<'a> {
    /// Directories of their own, each below a path of its name; without any there is one, at the root.
    pub(crate) tenants: &'a [&'a str],
    /// What it announces about itself, instead of its defaults.
    pub(crate) config: Option<Value>,
}

impl Scim {
    /// Starts it; `None` where it is not installed.
    pub(crate) fn start(launch: &Launch<'_>) -> Option<Self> {
        let program = program(&[PROGRAM])?;
        let (folder, port) = (folder(), free_port());
        let dump = folder.path().join("dump.json");
        let mut command = command(&program, port, &dump);
        command.args(launch.tenants.iter().flat_map(|tenant| ["--tenant", tenant]));
        if let Some(config) = &launch.config {
            let path = folder.path().join("config.json");
            std::fs::write(&path, config.to_string()).unwrap();
            command.arg("--service-provider-config").arg(path);
        }
        Some(Self { server: Server::start(&mut command, port, folder), dump })
    }

    /// The base of the SCIM endpoints: of a tenant by its name, or of the one directory with `""`.
    pub(crate) fn url(&self, tenant: &str) -> String {
        let slash = if tenant.is_empty() { "" } else { "/" };
        format!("http://{}{slash}{tenant}/v2", self.server.address())
    }

    /// Ends it, and gives all it held.
    pub(crate) fn dump(self) -> Value {
        self.server.signal("INT");
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let text = std::fs::read_to_string(&self.dump).unwrap_or_default();
            if let Ok(value) = serde_json::from_str(&text) {
                return value;
            }
            assert!(Instant::now() < until, "the server wrote no dump");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn command(program: &Path, port: u16, dump: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bearer-token", TOKEN, "--dump-resources"]).arg(dump);
    command.env("PYTHONUNBUFFERED", "1");
    command
}
