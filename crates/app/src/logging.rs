//! Logs on standard error: `-v` informs, `-vv` debugs, `-vvv` traces.
//!
//! Only our own crates log below warnings: the levels of HTTP libraries show whole URLs, whose filters hold people's
//! addresses. For the same reason no environment variable widens this.

use std::io;

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

const OWN: &[&str] = &[
    "sterna",
    "sterna_core",
    "sterna_ledger",
    "sterna_connectors",
    "sterna_engine",
    "sterna_serve",
    "sterna_wire",
    "sterna_emulators",
];

/// Starts logging; a second call changes nothing.
pub(crate) fn start(verbosity: u8, as_json: bool) {
    let level = match verbosity {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let targets = OWN.iter().map(|name| (*name, level));
    // a certificate that is not trusted is told with the request that it stopped
    let told = ("rustls_platform_verifier", LevelFilter::OFF);
    let filter = Targets::new().with_default(LevelFilter::WARN).with_targets(targets).with_target(told.0, told.1);
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(crate::out::coloured()).with_target(verbosity > 1);
    let lines = if as_json { lines.json().boxed() } else { lines.boxed() };
    let lines = lines.with_filter(filter);
    // a logger that is there already stays: the program can be started once only
    let _ = tracing_subscriber::registry().with(crate::traces::slot()).with(lines).try_init();
}
