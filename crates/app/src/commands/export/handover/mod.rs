//! `sterna export handover`: the accounts as a package for whoever loads them into the target, encrypted to the receiver.
//!
//! `recipients.rs` reads the public keys, `package.rs` writes the one encrypted file and its list of checksums; who is in it
//! and what it says is `sterna_engine::handover`'s. Nothing is ever written unencrypted.

mod package;
mod recipients;

use std::path::PathBuf;

use serde_json::{Value, json};
use sterna_core::code::{Code, Finding};
use sterna_engine::{
    Run,
    handover::{self, HandoverInput, Manifest, Secrets},
};

use self::{
    package::{Archive, Written},
    recipients::Recipients,
};
use super::{Session, free_path};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    opened::Opened,
    out::table::{Table, counted},
};

/// Arguments of `sterna export handover`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A public key of the receiver, `age1…`; may be given several times, and any of them opens the package
    #[arg(long = "recipient", value_name = "KEY", required_unless_present = "recipients_file")]
    recipients: Vec<String>,
    /// A file with public keys, one a line; lines with # are comments
    #[arg(long, value_name = "FILE")]
    recipients_file: Option<PathBuf>,
    /// The file to write, never over another. Without it a new handover.tar.age in the project's exports/
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only accounts of this cohort; needs a plan
    #[arg(long, value_name = "NAME")]
    cohort: Option<String>,
    /// Put hashes of passwords into the package
    #[arg(long)]
    with_hashes: bool,
    /// Put passwords that the source gave in clear into the package as well
    #[arg(long, requires = "with_hashes")]
    with_passwords: bool,
    /// The SCIM schema (a URN) under which further attributes go into the user; without it they stand beside it
    #[arg(long, value_name = "URN", value_parser = urn)]
    extension: Option<String>,
}

fn urn(text: &str) -> Result<String, String> {
    let is_urn = text.starts_with("urn:") && text.len() > 8 && text.chars().all(|c| c.is_ascii_graphic());
    if is_urn {
        Ok(text.to_owned())
    } else {
        Err("write a schema's URN, such as urn:example:users:1.0:User".to_owned())
    }
}

impl Args {
    fn secrets(&self) -> Secrets {
        match (self.with_hashes, self.with_passwords) {
            (_, true) => Secrets::Passwords,
            (true, false) => Secrets::Hashes,
            (false, false) => Secrets::None,
        }
    }
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let recipients = Recipients::read(&args.recipients, args.recipients_file.as_deref())?;
    let opened = Opened::load(session)?;
    let run = opened.run(session, opened.ledger().await?);
    let input = input(args, &opened, &run).await?;
    if input.secrets == Secrets::Passwords {
        consent(session)?;
    }
    let path = match &args.output {
        Some(path) => path.clone(),
        None => free_path(&opened.project.folder, "handover", "tar.age")?,
    };
    let archive = Archive::create(&path, &recipients)?;
    let worker = run.ledger.begin_run("handover", run.now()).await.map_err(Failure::from)?;
    let (manifest, written) = match pack(&run, &input, archive, session).await {
        Ok(packed) => packed,
        Err(failure) => {
            let code = failure.troubles.first().map_or("", |trouble| trouble.finding.code.as_str());
            let outcome = format!("nothing was written ({code})");
            run.ledger.end_run(worker, "handover", outcome, run.now()).await.map_err(Failure::from)?;
            return Err(failure);
        }
    };
    let outcome = audit(&manifest, &written, &recipients);
    run.ledger.end_run(worker, "handover", outcome, run.now()).await.map_err(Failure::from)?;
    session.out.result(&text(&manifest, &written, &recipients), &document(&manifest, &written, &recipients));
    let unknown: u64 = manifest.hashes.iter().filter(|group| group.family.is_none()).map(|group| group.hashes).sum();
    if unknown == 0 {
        return Ok(Exit::Done);
    }
    let message = format!("nothing says which format {} in the package has", counted(unknown, "hash"));
    session.out.troubles(&[Finding::warning(Code::E5019, message).hint(Code::E5019.mend()).into()]);
    Ok(Exit::Warnings)
}

async fn input(args: &Args, opened: &Opened, run: &Run) -> Result<HandoverInput, Failure> {
    let project = &opened.project;
    let cohort = match &args.cohort {
        Some(name) => Some((name.clone(), opened.cohort(name, run).await?)),
        None => None,
    };
    Ok(HandoverInput {
        project: project.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        sources: project.sources.iter().map(|source| (source.name.clone(), source.kind.kind().to_owned())).collect(),
        mapping: project.mapping.clone(),
        issuers: project.issuers.clone(),
        excluded_issuers: project.excluded_issuers.clone(),
        cohort,
        secrets: args.secrets(),
        extension: args.extension.clone(),
    })
}

/// Passwords in clear leave the ledger only on a second word.
fn consent(session: &Session) -> Result<(), Failure> {
    let warning = Finding::warning(Code::E5020, "passwords IN CLEAR go into this package");
    session.out.troubles(&[warning.hint(Code::E5020.mend()).into()]);
    if session.common.yes { Ok(()) } else { session.out.ask("Hand over passwords in clear?") }
}

async fn pack(
    run: &Run,
    input: &HandoverInput,
    mut archive: Archive,
    session: &Session,
) -> Result<(Manifest, Written), Failure> {
    let _watch = session.out.watch(&run.progress);
    let manifest = handover::hand_over(run, input, &mut archive).await?;
    Ok((manifest, archive.finish()?))
}

/// What the audit log keeps: how many, which secrets, for whom, and by which checksum the file is known.
fn audit(manifest: &Manifest, written: &Written, recipients: &Recipients) -> String {
    let secrets = match manifest.secrets {
        Secrets::None => "no secrets",
        Secrets::Hashes => "hashes",
        Secrets::Passwords => "hashes and PASSWORDS IN CLEAR",
    };
    let keys = recipients.names().join(" ");
    format!("{} accounts with {secrets} for {keys}, SHA-256 {}", manifest.accounts.together, written.sha256)
}

fn text(manifest: &Manifest, written: &Written, recipients: &Recipients) -> String {
    let mut table = Table::default();
    table.count("in the package", manifest.accounts.together);
    let left = manifest.left_out.by_state.iter().chain(&manifest.left_out.by_reason);
    for (name, count) in left {
        table.count(&format!("left out: {}", name.replace('_', " ")), *count);
    }
    table.count("records that could not be read", manifest.left_out.rejected);
    format!(
        "Wrote {} to {} for {}.\n\n{}\n\nchecksums: {} (send it another way)\nSHA-256 of the package: {}\n\
         Nothing changed in the ledger: when the accounts are loaded, `sterna plan` finds them by their keys.",
        counted(manifest.accounts.together, "account"),
        written.path.display(),
        counted(recipients.names().len() as u64, "key"),
        table.render(),
        written.checksums.display(),
        written.sha256,
    )
}

fn document(manifest: &Manifest, written: &Written, recipients: &Recipients) -> Value {
    json!({
        "file": written.path,
        "sha256": written.sha256,
        "bytes": written.bytes,
        "checksums": written.checksums,
        "recipients": recipients.names(),
        "secrets": manifest.secrets,
        "accounts": manifest.accounts,
        "left_out": manifest.left_out,
        "adds_up": manifest.adds_up,
        "files": manifest.files,
    })
}
