//! The commands, one file each: its arguments, what it does, and how its result looks.

pub(crate) mod check;
pub(crate) mod emulate;
pub(crate) mod explain;
pub(crate) mod init;

use crate::{
    cli::{Command, Common},
    failure::Outcome,
    interrupt::Interrupt,
    out::Out,
};

/// What every command works with.
pub(crate) struct Session {
    /// Where results and findings go.
    pub(crate) out: Out,
    /// The arguments that every command takes.
    pub(crate) common: Common,
    /// Whether somebody asked the program to end.
    pub(crate) interrupt: Interrupt,
}

/// Runs a command.
pub(crate) async fn run(command: Command, session: &Session) -> Outcome {
    match command {
        Command::Init(args) => init::run(&args, session),
        Command::Check(args) => check::run(&args, session).await,
        Command::Explain(args) => explain::run(&args, session),
        Command::Emulate(args) => emulate::run(args, session).await,
    }
}
