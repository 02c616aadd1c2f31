//! The commands, one file each: its arguments, what it does, and how its result looks.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod emulate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod extract;
pub(crate) mod init;
mod mended;
pub(crate) mod password;
pub(crate) mod plan;
pub(crate) mod purge;
pub(crate) mod rehearse;
pub(crate) mod retry;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod undo;
pub(crate) mod verify;

use sterna_engine::Stop;

use crate::{
    cli::{Command, Common},
    failure::Outcome,
    out::Out,
};

/// What every command works with.
pub(crate) struct Session {
    /// Where results and findings go.
    pub(crate) out: Out,
    /// The arguments that every command takes.
    pub(crate) common: Common,
    /// Whether somebody asked the program to end.
    pub(crate) stop: Stop,
}

/// Runs a command.
pub(crate) async fn run(command: Command, session: &Session) -> Outcome {
    match command {
        Command::Demo(args) => demo::run(&args, session).await,
        Command::Init(args) => init::run(&args, session),
        Command::Check(args) => check::run(&args, session).await,
        Command::Extract(args) => extract::run(&args, session).await,
        Command::Plan(args) => plan::run(&args, session).await,
        Command::Rehearse(args) => rehearse::run(&args, session).await,
        Command::Apply(args) => apply::run(&args, session).await,
        Command::Verify(args) => verify::run(&args, session).await,
        Command::Retry(args) => retry::run(&args, session).await,
        Command::Serve(args) => serve::run(&args, session).await,
        Command::Undo(args) => undo::run(&args, session).await,
        Command::Purge(args) => purge::run(&args, session).await,
        Command::Status(args) => status::run(&args, session),
        Command::Export(args) => export::run(&args, session).await,
        Command::Explain(args) => explain::run(&args, session),
        Command::Password(args) => password::run(&args, session),
        Command::Emulate(args) => emulate::run(args, session).await,
    }
}
