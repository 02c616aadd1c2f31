//! `sterna check`: configuration, key, sources and target, each finding with how to mend it. It changes nothing.

use serde_json::json;
use sterna_core::{
    code::{Code, Finding, Severity},
    plan::Strategy,
    port::Needs,
    registry::Context,
    settings::SecretRef,
};

use super::Session;
use crate::{
    exit::Exit,
    failure::{Outcome, Trouble, worst},
    project::{Project, SourceConfig, TargetConfig},
    world,
};

/// Arguments of `sterna check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the configuration: reach for nothing
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let context = world::context(&session.common.project);
    let (project, mut troubles) = Project::load(&context)?;
    if !args.offline {
        troubles.extend(key(&project, &context));
        for source in &project.sources {
            troubles.extend(check_source(source, &context).await);
        }
        if let Some(config) = &project.target {
            troubles.extend(check_target(config, project.strategy, &context).await);
        }
    }
    session.out.troubles(&troubles);
    let exit = Exit::of_findings(worst(&troubles));
    let text = format!("{}: {}", project.name, summary(&troubles));
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

/// A key file that is not there yet is made with the ledger; any other reference has to give a key now.
fn key(project: &Project, context: &Context) -> Option<Trouble> {
    match &project.key {
        SecretRef::File(path) if !project.folder.join(path).exists() => None,
        reference => context.secrets.reveal(reference).err().map(|finding| {
            let open = matches!(reference, SecretRef::File(_)) && finding.message.contains("other users");
            let code = if open { Code::E4005 } else { finding.code };
            Finding { code, ..*finding }.into()
        }),
    }
}

async fn check_source(config: &SourceConfig, context: &Context) -> Vec<Trouble> {
    let findings = match config.kind.open(&config.values, context) {
        Ok(mut source) => source.preflight().await,
        Err(findings) => findings,
    };
    named(&format!("[sources.{}]", config.name), findings)
}

async fn check_target(config: &TargetConfig, strategy: Strategy, context: &Context) -> Vec<Trouble> {
    let target = match config.kind.connect(&config.values, context).await {
        Ok(target) => target,
        Err(error) => return vec![Trouble::from(&error)],
    };
    let needs = Needs { creates: 0, links: false, just_in_time: strategy == Strategy::JustInTime };
    named("[target]", target.preflight(&needs).await)
}

/// Findings with the table that they are about.
fn named(table: &str, findings: Vec<Finding>) -> Vec<Trouble> {
    let named = |finding: Finding| Finding { message: format!("{table} {}", finding.message), ..finding };
    findings.into_iter().map(|finding| named(finding).into()).collect()
}
