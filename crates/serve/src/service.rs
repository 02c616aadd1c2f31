//! The running service: what it holds, its start and its end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use aws_lc_rs::{hmac, rand::SystemRandom};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret;
use sterna_core::{
    code::Finding,
    hook::{Once, Submission},
    legacy::Chain,
    registry::Context,
    time::Timestamp,
};
use sterna_ledger::{Ledger, LedgerError, sign_in::PastAttempt};
use sterna_wire::{Listener, Server, WireError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    attempt::Settled,
    config::{Config, Confirm, HookSpec, SweepRules},
    guard::{From, Guard, Joins, KNOWN_FOR, Places, QUIET, Replays},
    handler::{Front, Side},
    keys::Armed,
    lag::Lag,
    reading::Readers,
    record::{self, Recorder},
    seat::{Connect, Seat},
    tally::Refusals,
    timing::Timing,
    tls::{Reload, Tls},
};

/// Messages that are remembered, so that each is answered once.
const REPLAYS: usize = 400_000;
/// Attempts of the past that limits are filled from at a start.
const RECALLED: usize = 100_000;
/// From one look at key files and key sets to the next.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// From one summary of refusals in the audit log to the next.
const SUMMARY_EVERY: Duration = Duration::from_mins(5);
/// How long requests under way may take to end when the service stops.
const GRACE: Duration = Duration::from_secs(5);

/// What the service needs of the program.
pub struct Parts {
    /// The ledger.
    pub ledger: Arc<Ledger>,
    /// The legacy checks.
    pub chain: Chain,
    /// How the target is connected to; a project may have none.
    pub target: Option<Box<dyn Connect>>,
    /// Secrets, clock, randomness, the project folder.
    pub context: Context,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A hook's keys or secrets cannot be had, or do not fit.
    #[error("the hook {name} cannot be opened")]
    Hook {
        /// Which.
        name: String,
        /// What is wrong.
        findings: Vec<Finding>,
    },
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An address cannot be listened on, or TLS cannot be set up.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The operating system gives no randomness.
    #[error("the operating system's random generator failed")]
    Entropy,
    /// The operating system gives no threads.
    #[error("threads cannot be started")]
    Threads(#[source] std::io::Error),
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// One hook at work.
pub(crate) struct Hook {
    pub(crate) spec: HookSpec,
    pub(crate) armed: Armed,
}

impl Hook {
    /// Reads keys and secrets again.
    fn reload(&self) {
        match self.armed.reload(&self.spec) {
            Ok(()) => tracing::info!(hook = %self.spec.name, "Keys and secrets were read again"),
            Err(findings) => {
                metrics::counter!("sterna_reload_failures_total").increment(1);
                for finding in findings {
                    tracing::error!(hook = %self.spec.name, "Keys and secrets stay as they were: {}", finding.message);
                }
            }
        }
    }
}

/// Everything that requests share.
pub(crate) struct Service {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) chain: Chain,
    pub(crate) context: Context,
    pub(crate) seat: Seat,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) guard: Guard,
    /// Look-ups without a password have limits of their own: whoever guesses names must not spend what sign-ins need.
    pub(crate) look_ups: Guard,
    pub(crate) places: Places,
    pub(crate) readers: Readers,
    pub(crate) lag: Lag,
    pub(crate) joins: Joins<Settled>,
    pub(crate) replays: Replays,
    pub(crate) recorder: Recorder,
    pub(crate) refusals: Refusals,
    pub(crate) timing: Timing,
    pub(crate) confirm: Confirm,
    pub(crate) sweep_rules: SweepRules,
    pub(crate) trusted_proxies: Vec<ipnet::IpNet>,
    pub(crate) metrics: PrometheusHandle,
    keep_attempts: Duration,
    join_key: hmac::Key,
    ledger_works: AtomicBool,
}

/// A service that answers. Ends by [`Running::shutdown`].
pub struct Running {
    service: Arc<Service>,
    hooks: Server,
    observed: Option<Server>,
    tls: Option<Tls>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Starts the service: opens every hook, recalls what limits have to know, listens.
///
/// # Errors
/// [`ServeError`]; nothing listens then. A target or a key set that cannot be reached now is no error: it is tried again,
/// and until then nothing is accepted that depends on it.
pub async fn start(config: Config, parts: Parts) -> Result<Arc<Running>, ServeError> {
    let Parts { ledger, chain, target, context, metrics } = parts;
    let mut hooks = Vec::with_capacity(config.hooks.len());
    for spec in config.hooks {
        match Armed::new(&spec, &context).await {
            Ok(armed) => hooks.push(Hook { spec, armed }),
            Err(findings) => return Err(ServeError::Hook { name: spec.name.to_string(), findings }),
        }
    }
    let tls = config.tls.map(Tls::read).transpose()?;
    ledger.begin_serving(context.clock.now().wall).await?;
    let join_key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| ServeError::Entropy)?;
    let service = Arc::new(Service {
        ledger,
        chain,
        seat: Seat::new(target),
        hooks,
        guard: Guard::new(config.limits),
        look_ups: Guard::new(config.limits),
        places: Places::new(config.places),
        lag: Lag::default(),
        readers: Readers::for_processors().map_err(ServeError::Threads)?,
        joins: Joins::default(),
        replays: Replays::new(REPLAYS),
        recorder: Recorder::default(),
        refusals: Refusals::default(),
        timing: Timing::default(),
        confirm: config.confirm,
        sweep_rules: config.sweep,
        trusted_proxies: config.trusted_proxies,
        metrics,
        keep_attempts: config.keep_attempts,
        join_key,
        ledger_works: AtomicBool::new(true),
        context,
    });
    service.recall(config.limits.window).await?;
    let limits = sterna_wire::Limits {
        connections: config.connections,
        // callers are few and keep their connections; nobody else shall take them all
        connections_each: (config.connections / 2).max(1),
        body_bytes: service.body_bytes(),
        header_timeout: Duration::from_secs(15),
        body_timeout: Duration::from_secs(5),
        ..sterna_wire::Limits::default()
    };
    let server_tls = tls.as_ref().map(Tls::shown);
    let listener = Listener::bind(config.listen, server_tls, limits).await?;
    let observed = match config.metrics_listen {
        Some(address) => Some(
            Listener::bind(address, None, sterna_wire::Limits { connections: 32, body_bytes: 1_024, ..limits }).await?,
        ),
        None => None,
    };
    let front = |side| Arc::new(Front { service: Arc::clone(&service), side });
    let running = Arc::new(Running {
        hooks: listener.serve(front(Side::Hooks)),
        observed: observed.map(|listener| listener.serve(front(Side::Observed))),
        tls,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        service,
    });
    running.spawn_tasks();
    Ok(running)
}

impl Running {
    /// Where hooks are answered, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.hooks.address()
    }

    /// Where metrics and health are told.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.observed.as_ref().map(Server::address)
    }

    /// Reads every secret, key file and certificate again. What cannot be read stays as it was.
    pub fn reload(&self) {
        for hook in &self.service.hooks {
            hook.reload();
        }
        self.tls.iter().for_each(|tls| tls.reload(Reload::Always));
    }

    /// Ends the service: accepts nothing more, lets requests under way end, writes what is to be recorded.
    pub async fn shutdown(self: Arc<Self>) {
        self.hooks.stop(GRACE).await;
        if let Some(observed) = &self.observed {
            observed.stop(Duration::from_secs(1)).await;
        }
        self.stop.cancel();
        self.tasks.close();
        // a task that hangs must not keep the process from ending
        drop(tokio::time::timeout(GRACE, self.tasks.wait()).await);
        let service = &self.service;
        service.recorder.write(&service.ledger).await;
        service.summarise().await;
        if let Err(error) = service.ledger.end_serving(service.now(), "in good order".to_owned()).await {
            tracing::warn!(code = %error.code(), "The end cannot be recorded: {error}");
        }
    }

    fn spawn_tasks(self: &Arc<Self>) {
        let on = |running: &Arc<Self>| (Arc::clone(&running.service), running.stop.clone());
        let (service, stop) = on(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = service.seat.fill() => {}
                () = stop.cancelled() => return,
            }
            service.sweep(&stop).await;
        });
        let (service, stop) = on(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = service.lag.watch() => {}
                () = stop.cancelled() => {}
            }
        });
        let (service, stop) = on(self);
        self.tasks.spawn(async move {
            while let Some(()) = pause(&stop, record::EVERY).await {
                service.recorder.write(&service.ledger).await;
            }
        });
        let (service, stop) = on(self);
        self.tasks.spawn(async move {
            while let Some(()) = pause(&stop, SUMMARY_EVERY).await {
                service.summarise().await;
                service.forget().await;
            }
        });
        // a weak one: this task must not keep the listener alive
        let (running, stop) = (Arc::downgrade(self), self.stop.clone());
        self.tasks.spawn(async move {
            while let Some(()) = pause(&stop, LOOK_EVERY).await {
                let Some(running) = running.upgrade() else { return };
                running.look_at_keys().await;
            }
        });
    }

    async fn look_at_keys(&self) {
        for hook in &self.service.hooks {
            if hook.armed.has_changed() {
                hook.reload();
            }
            hook.armed.refresh_when_old(&hook.spec).await;
        }
        self.tls.iter().for_each(|tls| tls.reload(Reload::WhenChanged));
        self.service.look_at_ledger().await;
    }
}

impl Service {
    pub(crate) fn now(&self) -> Timestamp {
        self.context.clock.now().wall
    }

    /// The hook of that name.
    pub(crate) fn hook(&self, name: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| &*hook.spec.name == name)
    }

    /// Keyed with a key of this process alone: it says nothing about the password to anybody.
    pub(crate) fn join_key(&self, spec: &HookSpec, operation: &str, submission: &Submission) -> [u8; 32] {
        self.keyed(&[
            spec.name.as_bytes(),
            operation.as_bytes(),
            submission.tenant.as_deref().unwrap_or_default().as_bytes(),
            &self.ledger.who_digest(&submission.who),
            submission.correlation.as_deref().unwrap_or_default().as_bytes(),
            submission.password.expose_secret().as_bytes(),
        ])
    }

    /// What a repeated message is known by: the same bytes at another hook, or about somebody else, are another message.
    pub(crate) fn replay_key(&self, spec: &HookSpec, submission: &Submission, once: &Once) -> Once {
        let digest = self.keyed(&[
            spec.name.as_bytes(),
            submission.tenant.as_deref().unwrap_or_default().as_bytes(),
            &self.ledger.who_digest(&submission.who),
            &once.digest,
        ]);
        Once { digest, until: once.until }
    }

    fn keyed(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.join_key);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.sign().as_ref());
        key
    }

    /// What keeps the service from doing its work, in words; empty when nothing does.
    pub(crate) fn unready(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self
            .hooks
            .iter()
            .filter(|hook| !hook.armed.is_ready())
            .map(|hook| format!("hook {}: the caller's signing keys cannot be fetched", hook.spec.name))
            .collect();
        if self.seat.is_configured() && self.seat.target().is_none() {
            reasons.push("the target has not been reached yet".to_owned());
        }
        if !self.ledger_works.load(Ordering::Relaxed) {
            reasons.push("the ledger cannot be read".to_owned());
        }
        reasons
    }

    fn body_bytes(&self) -> usize {
        let dialects = self.hooks.iter().filter_map(|hook| hook.armed.dialect());
        dialects.map(|dialect| dialect.limits().body_bytes).max().unwrap_or(16 * 1024)
    }

    /// Fills the limits from what the ledger has recorded, so that a restart gives nobody new guesses.
    async fn recall(&self, window: Duration) -> Result<(), LedgerError> {
        let (now, wall) = (Instant::now(), self.now());
        let ago =
            |span: Duration| Timestamp(wall.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)));
        let accepted = self.ledger.attempts_since(ago(KNOWN_FOR.min(self.keep_attempts)), true, RECALLED).await?;
        let counted = self.ledger.attempts_since(ago(QUIET.max(window)), false, RECALLED).await?;
        let mut past = [accepted, counted].concat();
        past.sort_by_key(|attempt| attempt.at);
        for attempt in past {
            let age = Duration::from_millis(u64::try_from(wall.0.saturating_sub(attempt.at.0)).unwrap_or_default());
            let PastAttempt { who, account, address, range, tenant, accepted, .. } = attempt;
            let from = From { who, address, range, tenant };
            self.guard.recall(&from, account, accepted, now.checked_sub(age).unwrap_or(now));
        }
        Ok(())
    }

    async fn summarise(&self) {
        let Some(summary) = self.refusals.take() else { return };
        if let Err(error) = self.ledger.audit(self.now(), format!("turned away: {summary}")).await {
            tracing::warn!(code = %error.code(), "Refusals cannot be recorded: {error}");
        }
    }

    async fn forget(&self) {
        let age = i64::try_from(self.keep_attempts.as_millis()).unwrap_or(i64::MAX);
        if let Err(error) = self.ledger.forget_attempts(Timestamp(self.now().0.saturating_sub(age))).await {
            tracing::warn!(code = %error.code(), "Old attempts cannot be forgotten: {error}");
        }
    }

    async fn look_at_ledger(&self) {
        let works = self.ledger.waiting(None, 1, true).await.is_ok();
        self.ledger_works.store(works, Ordering::Relaxed);
    }
}

/// Waits; `None` when the service stops.
async fn pause(stop: &CancellationToken, span: Duration) -> Option<()> {
    tokio::select! {
        () = tokio::time::sleep(span) => Some(()),
        () = stop.cancelled() => None,
    }
}
