//! `sterna serve`: answers the target's question at a sign-in, until somebody ends it.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;
use sterna_core::{
    code::Code,
    port::{Target, TargetError},
    registry::{Context, TargetKind},
    settings::Values,
};
use sterna_serve::{Connect, Parts, Running, ServeError};
use tokio::signal::unix::{SignalKind, signal};

use super::Session;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Trouble},
    opened::Opened,
};

/// Arguments of `sterna serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen, instead of what `[serve]` says; port 0 picks a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where to tell metrics and health, instead of what `[serve]` says
    #[arg(long, value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
    /// Write logs as JSON lines
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// Bounds of the histograms, in seconds: deadlines lie between 0.1 and 1.5.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.5, 3.0, 10.0];

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let serve = &opened.project.serve;
    if !serve.has_hooks() {
        return Err(Failure::new(Code::E1006, "there is no hook to serve")
            .hint("add a table [hooks.NAME] with `connector = \"…\"`; docs/serve.md shows one for each target"));
    }
    if opened.project.checks.is_empty() {
        let message = "no legacy check is configured: every sign-in is answered with \"try later\"";
        session.out.troubles(&[Trouble::from(sterna_core::code::Finding::warning(Code::E5007, message))]);
    }
    let config = serve.config(&opened.project.folder, args.listen, args.metrics_listen);
    let Some(config) = config else { return Err(Failure::new(Code::E1005, "[serve] cannot be read")) };
    let ledger = Arc::new(opened.ledger().await?);
    let parts = Parts {
        ledger,
        chain: opened.chain(),
        target: connect(&opened),
        context: opened.context.clone(),
        metrics: metrics()?,
    };
    let _traces = crate::traces::start(serve.otlp_endpoint())?;
    let running = sterna_serve::start(config, parts).await.map_err(failure)?;
    session.out.ready_line(&json!({
        "serve": format!("http{}://{}", if serve.is_tls() { "s" } else { "" }, running.address()),
        "metrics": running.metrics_address().map(|address| format!("http://{address}")),
        "hooks": serve.hooks().map(|(name, kind, _)| json!({"name": name, "connector": kind.kind(), "path": format!("/hooks/{name}")})).collect::<Vec<_>>(),
    }));
    until_stopped(&running, session).await;
    running.shutdown().await;
    Ok(Exit::Done)
}

/// Waits for the wish to stop; SIGHUP reads keys, secrets and certificates again.
async fn until_stopped(running: &Arc<Running>, session: &Session) {
    let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return session.stop.wanted().await };
    loop {
        tokio::select! {
            () = session.stop.wanted() => return,
            Some(()) = hang_up.recv() => running.reload(),
        }
    }
}

fn connect(opened: &Opened) -> Option<Box<dyn Connect>> {
    let target = opened.project.target.as_ref()?;
    let connection = Connection { kind: target.kind, values: target.values.clone(), context: opened.context.clone() };
    Some(Box::new(connection))
}

struct Connection {
    kind: &'static dyn TargetKind,
    values: Values,
    context: Context,
}

#[async_trait]
impl Connect for Connection {
    async fn connect(&self) -> Result<Arc<dyn Target>, TargetError> {
        self.kind.connect(&self.values, &self.context).await
    }
}

fn metrics() -> Result<PrometheusHandle, Failure> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS);
    builder
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Failure::new(Code::E1013, "metrics cannot be set up").caused_by(&error))
}

fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Hook { findings, .. } => Failure::configuration(findings.into_iter().map(Trouble::from).collect()),
        ServeError::Ledger(error) => error.into(),
        ServeError::Wire(error) => Failure::new(Code::E1013, "the service cannot listen").caused_by(&error),
        ServeError::Entropy => Failure::new(Code::E4002, ServeError::Entropy.to_string()),
        ServeError::Threads(error) => Failure::new(Code::E4002, "threads cannot be started").caused_by(&error),
        error @ ServeError::File { .. } => {
            Failure::new(Code::E1008, "a file of [serve] cannot be read").caused_by(&error)
        }
    }
}
