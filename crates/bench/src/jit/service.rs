//! The service in a process of its own, so that its processor time is told apart from the caller's. It is `sterna serve`
//! without the command around it: the real dialect, ledger, limits and metrics; the old system compares at once, and the
//! target answers at once that the password is untouched.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use sterna_connectors::entra::hook::HookKind;
use sterna_core::{
    code::Finding,
    legacy::{Attempt, Chain, LegacyCheck, Link, Verdict},
    registry::Context,
    secrecy::{ExposeSecret, SecretString},
    settings::{SecretRef, Secrets, Values},
    time::{Clock, Entropy, Moment, NoEntropy},
};
use sterna_serve::{Config, Confirm, HookSpec, Parts, SweepRules, guard::Limits};

use super::{
    project::{CLIENT_ID, TENANT_ID, right_password_of},
    target::New,
};
use crate::{
    Bench,
    child::Child,
    report::say,
    sign_ins::{now, open, runtime},
};

/// How long the service may take to be ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// The service's process.
pub(super) struct Service {
    pub(super) process: Child,
    pub(super) address: SocketAddr,
    // it ends when this is closed
    _input: std::process::ChildStdin,
}

impl Service {
    /// Starts it for a project, and waits until it is ready.
    pub(super) fn start(bench: &Bench, project: &Path) -> Result<Self> {
        let mut command = Command::new(&bench.me);
        command.arg("as-jit-service").arg(project).stdin(Stdio::piped()).stdout(Stdio::piped());
        for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        let mut process = Child::start(&mut command)?;
        let (input, output) = process.pipes();
        let mut line = String::new();
        BufReader::new(output.context("a pipe")?).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("the service said {line:?}"))?;
        Ok(Self { process, address, _input: input.context("a pipe")? })
    }
}

/// What its process does: serves until standard input ends.
pub(crate) fn child(project: &Path) -> Result<()> {
    let key_set = std::fs::read(project.join("keys.json"))?;
    let key_set_url = format!("http://{}/keys", publish(key_set)?);
    runtime()?.block_on(async {
        let parts = Parts {
            ledger: Arc::new(open(project).await?),
            chain: chain(),
            target: Some(Box::new(New::made())),
            context: context(project),
            metrics: PrometheusBuilder::new().install_recorder()?,
        };
        let running = sterna_serve::start(config(&key_set_url), parts).await?;
        let address = running.address();
        let began = Instant::now();
        while !is_ready(address)? {
            ensure!(began.elapsed() < PATIENCE, "the service never gets ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        say(&address.to_string());
        tokio::task::spawn_blocking(|| std::io::stdin().lock().read_to_end(&mut Vec::new())).await??;
        running.shutdown().await;
        Ok(())
    })
}

fn config(key_set_url: &str) -> Config {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let values = Values::default()
        .with("tenant_id", TENANT_ID.into())
        .with("client_id", CLIENT_ID.into())
        .with("key_set_url", key_set_url.into())
        .with("keys", json!([{ "certificate": "jit.crt", "private_key": { "file": "jit.key" } }]));
    let hook = HookSpec { name: "entra".into(), kind: &HookKind, values, deadline: None, shared_addresses: Vec::new() };
    Config {
        listen: loopback,
        metrics_listen: None,
        tls: None,
        trusted_proxies: Vec::new(),
        // as settings have them when they say nothing
        connections: 1_024,
        places: 256,
        // thousands of wrong passwords are what is measured
        limits: Limits { tenant: u32::MAX, service: u32::MAX, ..Limits::default() },
        confirm: Confirm::Always,
        sweep: SweepRules::default(),
        keep_attempts: Duration::from_hours(24),
        hooks: vec![hook],
    }
}

fn chain() -> Chain {
    Chain(vec![Link {
        name: "old".into(),
        sources: Vec::new(),
        rules: Vec::new(),
        go_on: Vec::new(),
        check: Arc::new(Old),
    }])
}

fn context(project: &Path) -> Context {
    let outside = Arc::new(Outside { folder: project.to_owned() });
    Context {
        project: project.to_owned(),
        secrets: Arc::clone(&outside) as Arc<dyn Secrets>,
        clock: Arc::clone(&outside) as Arc<dyn Clock>,
        entropy: outside,
    }
}

/// Publishes the caller's key set, for as long as the process lives.
fn publish(key_set: Vec<u8>) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", key_set.len());
            // whoever went away asks again
            drop(stream.read(&mut [0; 4_096]));
            drop(stream.write_all(&[head.as_bytes(), &key_set].concat()));
        }
    });
    Ok(address)
}

fn is_ready(address: SocketAddr) -> Result<bool> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

/// An old system that answers at once.
struct Old;

#[async_trait]
impl LegacyCheck for Old {
    async fn preflight(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        let right = right_password_of(attempt.account.key.as_str());
        if attempt.password.expose_secret() == right { Verdict::Match { upgrade: false } } else { Verdict::Mismatch }
    }
}

struct Outside {
    folder: PathBuf,
}

impl Secrets for Outside {
    fn reveal(&self, reference: &SecretRef) -> Result<SecretString, Box<Finding>> {
        let missing = |what: &str| Box::new(Finding::error(sterna_core::code::Code::E1008, what.to_owned()));
        let SecretRef::File(path) = reference else { return Err(missing("only files are known here")) };
        let text = std::fs::read_to_string(self.folder.join(path)).map_err(|error| missing(&error.to_string()))?;
        Ok(text.into())
    }
}

impl Clock for Outside {
    fn now(&self) -> Moment {
        Moment { wall: now(), boot: 1, since_boot_ms: 1 }
    }
}

impl Entropy for Outside {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| NoEntropy)
    }
}
