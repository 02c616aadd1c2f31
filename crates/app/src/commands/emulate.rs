//! `sterna emulate`: a strict local stand-in of a product, on a port of its own, until somebody ends it.
//!
//! Standard output gets one JSON line, once connections are accepted, and nothing else.

use std::{error::Error, net::SocketAddr, path::PathBuf};

use sterna_core::{code::Code, settings::nearest};
use sterna_emulators::{EMULATORS, EmulatorError, Launch, find};

use super::Session;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
};

/// Arguments of `sterna emulate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What it stands in for, by its connector's name: entra-external-id, azure-ad-b2c, scim, wso2-is or asgardeo
    kind: String,
    /// Where to listen, loopback only; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What the tenant holds, how it is throttled and what goes wrong: a TOML file
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// HTTPS instead of HTTP, with a certificate of a throwaway authority
    #[arg(long)]
    tls: bool,
    /// Where the authority's certificate is written; without it, a file that is removed at the end
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
    /// Milliseconds until a change shows in reads; without it and the scenario's, 2000 behind Graph, 0 elsewhere
    #[arg(long, value_name = "N")]
    read_delay_ms: Option<u64>,
    /// Let uniqueness checks lag by the read delay too, so that doubles become possible
    #[arg(long)]
    lagging_uniqueness: bool,
    /// Leave passwords out of the state: for rehearsals, where real people's passwords arrive
    #[arg(long)]
    hide_passwords: bool,
}

pub(super) async fn run(args: Args, session: &Session) -> Outcome {
    let Args { kind, listen, scenario, tls, ca_file, read_delay_ms, lagging_uniqueness, hide_passwords } = args;
    let Some(emulated) = find(&kind) else { return Err(unknown(&kind)) };
    let launch = Launch {
        listen,
        tls,
        ca_file,
        scenario,
        read_delay_ms,
        lagging_uniqueness: lagging_uniqueness.then_some(true),
        show_passwords: !hide_passwords,
        ..Launch::default()
    };
    let emulator = (emulated.start)(launch).await.map_err(|error| failure(&error))?;
    session.out.ready_line(emulator.ready());
    session.stop.wanted().await;
    emulator.shutdown().await;
    Ok(Exit::Done)
}

fn unknown(kind: &str) -> Failure {
    let names: Vec<&str> = EMULATORS.iter().map(|kind| kind.name).collect();
    let failure = Failure::new(Code::E1009, format!("there is no emulator \"{}\"", kind.escape_debug()));
    let failure = match nearest(kind, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure,
    };
    failure.hint(format!("emulators: {}", names.join(", ")))
}

fn failure(error: &EmulatorError) -> Failure {
    let code = match error {
        EmulatorError::NotLoopback { .. }
        | EmulatorError::ReadScenario { .. }
        | EmulatorError::ParseScenario { .. }
        | EmulatorError::Scenario(_) => Code::E1001,
        EmulatorError::Keys | EmulatorError::Wire(_) => Code::E1013,
    };
    let failure = Failure::new(code, error.to_string());
    match error.source() {
        Some(source) => failure.caused_by(source),
        None => failure,
    }
}
