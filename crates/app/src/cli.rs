//! The command line (design.md 5). Each command's arguments live in its own file under `commands/`.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use crate::{
    commands::{
        apply, check, demo, emulate, explain, export, extract, init, password, plan, purge, rehearse, retry, serve,
        status, undo, verify,
    },
    exit::Exit,
};

/// Moves every user of an organisation from one identity provider to another.
#[derive(Debug, Parser)]
#[command(name = "sterna", version, after_help = Exit::help(), disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes, before or after its name.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The project folder, which holds sterna.toml
    #[arg(long, global = true, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub(crate) project: PathBuf,
    /// Print one JSON document on standard output, everything else on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Answer yes where the command would ask
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Log to standard error: -v informs, -vv debugs, -vvv traces; people only under pseudonyms
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole story against the emulator, in one command
    Demo(demo::Args),
    /// Write a commented project to edit
    Init(init::Args),
    /// Check configuration, reachability, rights and quotas; says how to mend each finding
    Check(check::Args),
    /// Read the sources into the ledger; goes on where it stopped
    Extract(extract::Args),
    /// Decide what will happen to whom, with every loss named; nothing is sent
    Plan(plan::Args),
    /// Send the plan into an emulator, on a scratch copy of the ledger; changes nothing
    Rehearse(rehearse::Args),
    /// Send what was planned, after asking; goes on where it stopped
    Apply(apply::Args),
    /// Read every account back and compare it with the plan
    Verify(verify::Args),
    /// Answer the target's question at a sign-in: is this the old password?
    Serve(serve::Args),
    /// Plan what was refused, clashed or was held anew, and send what comes out
    Retry(retry::Args),
    /// Remove what this project made, except where the owner has signed in since
    Undo(undo::Args),
    /// Destroy the data key: nothing personal in the ledger can be read afterwards
    Purge(purge::Args),
    /// One table: every account in exactly one state
    Status(status::Args),
    /// Name accounts for the operator, in a file that its owner alone can read
    Export(export::Args),
    /// Say what an error code means and how to mend it
    Explain(explain::Args),
    /// Which format has a stored hash, and does a password match it? Needs no project
    Password(password::Args),
    /// Run a strict local stand-in of a product on a port of its own
    Emulate(emulate::Args),
}
