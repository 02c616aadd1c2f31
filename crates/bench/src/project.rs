//! A project folder for one measurement, as `sterna init` would make it, and the program's commands in it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    Bench, accounts,
    child::{Child, Took},
    emulator::Ready,
};

/// How the target is to be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The quota of one application, writes per second.
    pub(crate) quota: f64,
    /// The part of it to use.
    pub(crate) share: f64,
    /// The window over which the target counts.
    pub(crate) window_secs: u32,
    /// Batches under way at once.
    pub(crate) concurrency: u32,
}

/// A project folder; it is gone when this is dropped.
pub(crate) struct Project {
    folder: PathBuf,
    sterna: PathBuf,
    secret: String,
}

impl Project {
    /// Makes an empty folder for a project.
    pub(crate) fn folder(bench: &Bench, name: &str) -> Result<PathBuf> {
        let folder = bench.folder.join("work").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    /// Makes a project in `folder` with `accounts` accounts, whose target is the emulator.
    pub(crate) fn make(bench: &Bench, folder: PathBuf, accounts: u64, target: &Ready, pace: Pace) -> Result<Self> {
        accounts::write(&folder.join("accounts.jsonl"), accounts)?;
        let Ready { graph_url, login_url, tenant, client_id, client_secret, .. } = target;
        let Pace { quota, share, window_secs, concurrency } = pace;
        let tenant_quota = quota * 3.0;
        let text = format!(
            r#"[migration]
name = "bench"

[sources.people]
connector = "json-lines"
path = "accounts.jsonl"

[target]
connector = "entra-external-id"
tenant = "{tenant}"
client_id = "{client_id}"
client_secret = {{ env = "STERNA_BENCH_SECRET" }}
graph_url = "{graph_url}"
login_url = "{login_url}"
writes_per_second = {quota:?}
tenant_writes_per_second = {tenant_quota:?}
write_share = {share:?}
quota_window_secs = {window_secs}
concurrency = {concurrency}
settling_secs = 2

[passwords]
strategy = "just-in-time"

[social.issuers]
"facebook.com" = "facebook.com"
"#
        );
        fs::write(folder.join("sterna.toml"), text).context("writing the project")?;
        Ok(Self { folder, sterna: bench.sterna.clone(), secret: client_secret.clone() })
    }

    /// Makes a project in `folder` whose `sterna.toml` is `text`.
    pub(crate) fn with(bench: &Bench, folder: PathBuf, text: &str) -> Result<Self> {
        fs::write(folder.join("sterna.toml"), text).context("writing the project")?;
        Ok(Self { folder, sterna: bench.sterna.clone(), secret: String::new() })
    }

    /// With this value of the environment variable that its settings name.
    pub(crate) fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Starts a command with `--json --yes`; what it prints goes to files in the folder.
    pub(crate) fn start(&self, args: &[&str]) -> Result<Child> {
        let name = args.first().copied().unwrap_or("sterna");
        let file = |ending: &str| File::create(self.folder.join(format!("{name}.{ending}"))).context("making a file");
        let mut command = Command::new(&self.sterna);
        command.args(args).args(["--json", "--yes", "--project"]).arg(&self.folder);
        command.env("STERNA_BENCH_SECRET", &self.secret);
        command.stdin(Stdio::null()).stdout(file("json")?).stderr(file("err")?);
        Child::start(&mut command)
    }

    /// Runs a command to its end; the exit codes 0, 11 (warnings) and 12 (some were rejected) are fine.
    pub(crate) fn run(&self, args: &[&str]) -> Result<(Took, Value)> {
        let took = self.start(args)?.wait()?;
        let name = args.first().copied().unwrap_or("sterna");
        if ![0, 11, 12].contains(&took.code) {
            let said = fs::read_to_string(self.folder.join(format!("{name}.err"))).unwrap_or_default();
            bail!("sterna {name} ended with {}: {}", took.code, said.trim());
        }
        Ok((took, self.said(name)?))
    }

    /// What a command printed on standard output.
    pub(crate) fn said(&self, name: &str) -> Result<Value> {
        let text = fs::read_to_string(self.folder.join(format!("{name}.json"))).context("reading a result")?;
        serde_json::from_str(&text).with_context(|| format!("the result of sterna {name}"))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // it lies in the build folder: what cannot be removed is overwritten by the next run
        drop(fs::remove_dir_all(&self.folder));
    }
}
