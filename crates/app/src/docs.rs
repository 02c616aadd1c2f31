//! What can be generated is generated: the pages of `docs/` made from code, compared in tests.
//!
//! `make docs` runs these tests with `STERNA_UPDATE_DOCS=1`, which writes the pages instead.

mod support;

use std::{fmt::Write, fs, path::PathBuf};

use clap::CommandFactory;
use sterna_core::{
    code::Code,
    mapping,
    settings::{Kind, Need, Setting},
};

use crate::{
    cli::Cli,
    connectors,
    exit::Exit,
    project::settings::{TABLES, WHERE},
};

fn compare(name: &str, body: &str) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).join(name);
    let text = format!("<!-- Made from the program by `make docs`; do not edit. -->\n\n{}\n", body.trim_end());
    if std::env::var_os("STERNA_UPDATE_DOCS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "docs/{name} is not what the program says now: run `make docs` and look at the difference");
}

#[test]
fn the_error_catalogue_is_documented() {
    const GROUPS: &[(&str, &str)] = &[
        ("E1", "Usage and configuration"),
        ("E2", "Target"),
        ("E3", "Sources and records"),
        ("E4", "Ledger"),
        ("E5", "Phases"),
        ("L", "Losses and reasons to hold an account"),
    ];
    let mut text =
        "# Errors and losses\n\nEach has a stable code. `sterna explain CODE` shows the same text.\n".to_owned();
    for (head, title) in GROUPS {
        let _ = writeln!(text, "\n## {title}\n");
        for code in Code::ALL.iter().filter(|code| code.as_str().starts_with(head)) {
            let _ = writeln!(text, "### {code}: {}\n\n{} {}\n", code.title(), code.meaning(), code.mend());
        }
    }
    compare("errors.md", &text);
}

#[test]
fn the_command_line_is_documented() {
    let mut text = "# Commands\n\n".to_owned();
    let mut root = Cli::command().term_width(100);
    root.build();
    section(&mut text, &mut root);
    for command in root.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
        // what every command takes is told once
        let mut own =
            command.clone().term_width(100).mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg });
        section(&mut text, &mut own);
    }
    text.push_str("## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(text, "| {} | {meaning} |", exit.number());
    }
    compare("commands.md", &text);
}

fn section(text: &mut String, command: &mut clap::Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = writeln!(text, "## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
}

#[test]
fn the_configuration_is_documented() {
    let mut text = "# Configuration\n\nA migration is a folder with a `sterna.toml`. Relative paths are taken from that \
                    folder. A secret is only referred to:\n`{ env = \"NAME\" }`, `{ file = \"path\" }` (a file that its \
                    owner alone can read) or `{ command = [\"program\", \"argument\"] }`.\n"
        .to_owned();
    for table in TABLES {
        let _ = writeln!(text, "\n## {}\n\n{}\n", table.heading, table.doc);
        settings(&mut text, table.settings);
        match table.heading {
            "[cohorts.NAME]" => {
                text.push_str(
                    "\nEach test of `where` names an attribute and has exactly one of the other settings:\n\n",
                );
                settings(&mut text, WHERE);
            }
            "[mapping]" => {
                let _ = writeln!(text, "As a rule {}.", mapping::HELP);
            }
            _ => {}
        }
    }
    for source in connectors::sources() {
        let _ = writeln!(text, "\n## Source `{}`\n\n{}\n", source.kind(), source.title());
        settings(&mut text, source.settings());
    }
    for target in connectors::targets() {
        let _ = writeln!(text, "\n## Target `{}`\n\n{}\n", target.kind(), target.title());
        settings(&mut text, target.settings());
    }
    for check in connectors::checks() {
        let _ = writeln!(text, "\n## Legacy check `{}`\n\nAsks {}.\n", check.kind(), check.title());
        settings(&mut text, check.settings());
    }
    for hook in connectors::hooks() {
        let _ = writeln!(text, "\n## Hook `{}`\n\nAsked by {}.\n", hook.kind(), hook.title());
        settings(&mut text, hook.settings());
    }
    compare("configuration.md", &text);
}

fn settings(text: &mut String, settings: &[Setting]) {
    if settings.is_empty() {
        return;
    }
    text.push_str("| setting | value | if left out | meaning |\n|---|---|---|---|\n");
    rows(text, settings, "");
}

fn rows(text: &mut String, settings: &[Setting], above: &str) {
    for setting in settings {
        let name = format!("{above}{}", setting.name);
        let need = match setting.need {
            Need::Required => "required".to_owned(),
            Need::Optional => String::new(),
            Need::Default(value) => format!("`{value}`"),
        };
        let _ =
            writeln!(text, "| `{name}` | {} | {} | {} |", cell(&value(setting.kind)), cell(&need), cell(setting.doc));
        if let Kind::Table(inner) | Kind::Tables(inner) = setting.kind
            && inner.iter().map(|setting| setting.name).ne(WHERE.iter().map(|setting| setting.name))
        {
            rows(text, inner, &format!("{name}."));
        }
    }
}

/// Text as a cell of a table holds it; a bar ends a cell even between backquotes.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn value(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::Url => "URL".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Integer(least, most) => format!("whole number, {least} to {most}"),
        Kind::Number(least, most) => format!("number, {least} to {most}"),
        Kind::Choice(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Kind::Secret => "reference to a secret".to_owned(),
        Kind::Secrets => "table of references to secrets".to_owned(),
        Kind::Texts => "list of texts".to_owned(),
        Kind::TextTable => "table of texts".to_owned(),
        Kind::Table(_) => "table".to_owned(),
        Kind::Tables(_) => "list of tables".to_owned(),
        Kind::Rules => "mapping rules".to_owned(),
    }
}
