//! `sterna check`: configuration, key, sources, target, legacy checks and hooks, each finding with how to mend it. It changes
//! nothing. `account.rs` asks the legacy checks about one account.

mod account;

use serde_json::json;
use sterna_core::{
    code::{Finding, Severity},
    plan::Strategy,
    port::Needs,
    registry::Context,
};

use super::Session;
use crate::{
    exit::Exit,
    failure::{Outcome, Trouble, worst},
    opened::Opened,
    project::{Project, SourceConfig},
    world,
};

/// What it exits with when it is asked about an account.
const EXITS: &str =
    "With --account: exit code 0 when it is the password (also an expired one), 1 for every other answer.";

/// Arguments of `sterna check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXITS)]
pub(crate) struct Args {
    /// Only the configuration: reach for nothing
    #[arg(long)]
    offline: bool,
    /// Ask the legacy checks about one test account, by its sign-in name or the source's id; the password is read from standard input
    #[arg(long, value_name = "NAME", conflicts_with = "offline")]
    account: Option<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let context = world::context(&session.common.project);
    let (project, mut troubles) = Project::load(&context)?;
    let opened = Opened { project, context };
    if let Some(name) = &args.account {
        session.out.troubles(&troubles);
        return account::run(name, &opened, session).await;
    }
    if !args.offline {
        troubles.extend(opened.key_trouble());
        for source in &opened.project.sources {
            troubles.extend(check_source(source, &opened.context).await);
        }
        if opened.project.target.is_some() {
            troubles.extend(check_target(&opened).await);
        }
        for link in opened.chain().0 {
            troubles.extend(named(&format!("[checks.{}]", link.name), link.check.preflight().await));
        }
        troubles.extend(check_hooks(&opened).await);
    }
    session.out.troubles(&troubles);
    let exit = Exit::of_findings(worst(&troubles));
    let text = format!("{}: {}", opened.project.name, summary(&troubles));
    session.out.result(&text, &json!({ "ok": exit == Exit::Done, "exit": exit.number(), "findings": troubles }));
    Ok(exit)
}

fn summary(troubles: &[Trouble]) -> String {
    let count = |severity| troubles.iter().filter(|trouble| trouble.finding.severity == severity).count();
    let words = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => "everything is as it should be".to_owned(),
        (errors, warnings) => format!("{}, {}", words(errors, "error"), words(warnings, "warning")),
    }
}

async fn check_source(config: &SourceConfig, context: &Context) -> Vec<Trouble> {
    let findings = match config.kind.open(&config.values, context) {
        Ok(mut source) => source.preflight().await,
        Err(findings) => findings,
    };
    named(&format!("[sources.{}]", config.name), findings)
}

async fn check_target(opened: &Opened) -> Vec<Trouble> {
    let target = match opened.target().await {
        Ok(target) => target,
        Err(failure) => return failure.troubles,
    };
    let just_in_time = opened.project.strategy == Strategy::JustInTime;
    named("[target]", target.preflight(&Needs { creates: 0, links: false, just_in_time }).await)
}

async fn check_hooks(opened: &Opened) -> Vec<Trouble> {
    let config = opened.project.serve.config(&opened.project.folder, None, None);
    let mut troubles = Vec::new();
    for spec in config.into_iter().flat_map(|config| config.hooks) {
        let findings = sterna_serve::preflight(&spec, &opened.context).await;
        troubles.extend(named(&format!("[hooks.{}]", spec.name), findings));
    }
    troubles
}

/// Findings with the table that they are about.
fn named(table: &str, findings: Vec<Finding>) -> Vec<Trouble> {
    let named = |finding: Finding| Finding { message: format!("{table} {}", finding.message), ..finding };
    findings.into_iter().map(|finding| named(finding).into()).collect()
}
