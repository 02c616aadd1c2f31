//! The program: settings, wiring, commands, printing and exit codes.
//!
//! Start at [`main`]; `cli.rs` is the command line, `commands/` has one file per command, `project/` reads
//! `sterna.toml`, `out/` is the only place that prints, `world/` gives time, randomness and secrets.

mod cli;
mod commands;
mod connectors;
#[cfg(test)]
mod docs;
mod exit;
mod failure;
mod interrupt;
mod logging;
mod opened;
mod out;
mod project;
mod traces;
mod world;

use clap::{Parser, error::ErrorKind};
use sterna_core::code::Code;

use crate::{
    cli::Cli,
    commands::Session,
    exit::Exit,
    failure::{Failure, Outcome},
    out::{Form, Out},
};

fn main() -> Exit {
    let Cli { common, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let as_json = matches!(&command, cli::Command::Serve(args) if args.log_json);
    logging::start(common.verbose, as_json);
    world::keep_memory_private();
    let out = Out::new(if common.json { Form::Json } else { Form::Text }, common.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&out, &Failure::new(Code::E1013, "no threads can be made").caused_by(&error)),
    };
    runtime.block_on(async {
        let stop = match interrupt::listen() {
            Ok(stop) => stop,
            Err(error) => return failed(&out, &Failure::new(Code::E1013, "signals cannot be heard").caused_by(&error)),
        };
        let session = Session { out, common, stop };
        end(&session.out, commands::run(command, &session).await)
    })
}

/// The exit code of a command, after its failure was shown.
fn end(out: &Out, outcome: Outcome) -> Exit {
    match outcome {
        Ok(_) if out.lost() => {
            out.failure(&Failure::new(Code::E1013, "the result could not be written to standard output"));
            Exit::Failed
        }
        Ok(exit) => exit,
        Err(failure) => failed(out, &failure),
    }
}

fn failed(out: &Out, failure: &Failure) -> Exit {
    out.failure(failure);
    failure.exit
}

/// Wrong usage, or a question about usage.
fn usage(error: &clap::Error) -> Exit {
    let form = if std::env::args_os().any(|word| word == "--json") { Form::Json } else { Form::Text };
    let out = Out::new(form, 0);
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out.result(&text, &serde_json::json!({ "help": text }));
            Exit::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            out.note(&text);
            Exit::Usage
        }
        _ => {
            let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim()).to_owned();
            failed(&out, &Failure::new(Code::E1001, text))
        }
    }
}
