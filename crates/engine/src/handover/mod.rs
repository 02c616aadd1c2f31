//! Hand-over: the accounts as a package for somebody who loads them into the target himself.
//!
//! Start at [`hand_over`], which walks the accounts and adds up. `form.rs` makes an account's line (pure), `secret.rs` what
//! is told of its password, `choice.rs` who is in the package, `manifest.rs` and `readme.rs` what the receiver reads first.
//! Nothing is encrypted here: a [`Package`] takes files, and the one that the program has keeps nothing in the clear.
//!
//! No account's state changes: what the receiver made is found later by its key, as every account that is there already.

mod choice;
mod form;
mod manifest;
mod readme;
mod secret;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io,
};

use secrecy::zeroize::Zeroizing;
use serde::Serialize;
use sterna_core::{
    code::Code,
    ids::{Ordinal, SourceUid},
    mapping::Rules,
    plan::Loss,
    port::Descriptor,
    state::ProfileState,
    time::Timestamp,
};
use sterna_ledger::{sending::Selection, status::Status};

pub use manifest::{Counts, HashGroup, LeftOut, Manifest};

use crate::{apply::promise, error::PhaseError, run::Run};
use choice::{Chooser, Chosen};
use secret::Hashes;

/// Which secrets go along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secrets {
    /// None: only which sort of password there is.
    None,
    /// Hashes of passwords.
    Hashes,
    /// Hashes, and passwords that the source gave in clear.
    Passwords,
}

/// What a hand-over is made from besides the ledger.
pub struct HandoverInput {
    /// The project's name.
    pub project: String,
    /// The program's version.
    pub version: &'static str,
    /// The sources: name and connector.
    pub sources: Vec<(String, String)>,
    /// The project's own mapping rules.
    pub mapping: Rules,
    /// Issuers as sources name them, in lower case → as the target names them.
    pub issuers: BTreeMap<String, String>,
    /// Issuers that are left out, in lower case.
    pub excluded_issuers: BTreeSet<String>,
    /// Only accounts of this cohort: its name, and its number in the plan.
    pub cohort: Option<(String, u32)>,
    /// Which secrets go along.
    pub secrets: Secrets,
    /// The SCIM schema under which further attributes go into the user; without one they stand beside it.
    pub extension: Option<String>,
}

/// What takes the files of a hand-over, one after the other.
pub trait Package {
    /// Takes a file. Its content is personal data.
    ///
    /// # Errors
    /// When it cannot be written.
    fn add(&mut self, name: &str, content: &[u8]) -> io::Result<PackedFile>;
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackedFile {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
}

/// Accounts that are read at a time.
const CHUNK: usize = 500;
/// Most accounts in one file.
const FILE_ACCOUNTS: u64 = 10_000;
/// A file ends after so many bytes. It is made in memory, since nothing may stand on the disk in the clear.
const FILE_BYTES: usize = 6 << 20;
/// Room for a file's last line, so that the buffer seldom grows and leaves a copy of itself behind.
const LINE_BYTES: usize = 2 << 20;
/// Most names of groups that are counted.
const GROUPS: usize = 100_000;

/// Makes the files of a hand-over, and tells what is in them.
///
/// # Errors
/// [`Code::E5015`] when a source has not been read to its end; [`Code::E5001`] when nobody is to be handed over;
/// [`Code::E1013`] when the package takes no more; errors of the ledger.
pub async fn hand_over(run: &Run, input: &HandoverInput, package: &mut dyn Package) -> Result<Manifest, PhaseError> {
    // no bulk phase moves anything meanwhile, so that the sums can add up
    let _lock = run.ledger.lock("handover")?;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    if let Some(name) = status.unfinished_sources.first() {
        let message = format!("the source `{name}` has not been read to its end");
        return Err(PhaseError::cannot(Code::E5015, message));
    }
    let plan = promise::planned_target(run).await?;
    let mut walk = Walk::new(run, input, plan, &status).await?;
    if status.profile(walk.chooser.state()) == 0 {
        let message = format!("no account is {}", walk.chooser.state().name());
        return Err(PhaseError::cannot(Code::E5001, message));
    }
    run.progress.begin("accounts handed over", status.profile(walk.chooser.state()));
    walk.accounts(package).await?;
    walk.end(package, &status)
}

struct Walk<'w> {
    run: &'w Run,
    input: &'w HandoverInput,
    plan: Option<Descriptor>,
    sources: HashMap<SourceUid, String>,
    chooser: Chooser<'w>,
    counts: Counts,
    losses: BTreeMap<(&'static str, Loss), u64>,
    hashes: Hashes,
    groups: BTreeMap<String, u64>,
    files: Vec<PackedFile>,
    made_at: Timestamp,
    /// The file under way, and how many accounts it has.
    file: Zeroizing<Vec<u8>>,
    lines: u64,
}

impl<'w> Walk<'w> {
    async fn new(
        run: &'w Run,
        input: &'w HandoverInput,
        plan: Option<Descriptor>,
        status: &Status,
    ) -> Result<Self, PhaseError> {
        let chooser = if plan.is_some() {
            Chooser::planned()
        } else {
            let doubles =
                if status.profile(ProfileState::Seen) > 0 { run.ledger.doubles().await? } else { HashSet::new() };
            Chooser::seen(input, doubles)
        };
        Ok(Self {
            run,
            input,
            plan,
            sources: run.ledger.source_names().await?,
            chooser,
            counts: Counts::default(),
            losses: BTreeMap::new(),
            hashes: Hashes::default(),
            groups: BTreeMap::new(),
            files: Vec::new(),
            made_at: run.now(),
            file: Zeroizing::new(Vec::with_capacity(FILE_BYTES + LINE_BYTES)),
            lines: 0,
        })
    }

    async fn accounts(&mut self, package: &mut dyn Package) -> Result<(), PhaseError> {
        let states = vec![self.chooser.state()];
        let mut after = Ordinal(0);
        loop {
            self.run.check_stop()?;
            let loaded = self.run.ledger.records(after, CHUNK, &states).await?;
            let Some(last) = loaded.last().map(|record| record.ordinal) else { break };
            let cohort = self.input.cohort.as_ref().map(|(_, number)| *number);
            let selection = Selection { states: states.clone(), cohort, after: Some(after), limit: loaded.len() };
            let cases = self.run.ledger.cases(selection).await?;
            let mut cases: BTreeMap<Ordinal, _> = cases.into_iter().map(|case| (case.ordinal, case)).collect();
            after = last;
            self.run.progress.add(loaded.len() as u64);
            for record in loaded {
                match self.chooser.choose(record.ordinal, record.account, cases.remove(&record.ordinal)) {
                    Ok(chosen) => self.account(record.source, &chosen, package)?,
                    Err(reason) => *self.counts.left_of_candidates.entry(reason).or_default() += 1,
                }
            }
        }
        self.end_file(package)
    }

    fn account(&mut self, source: SourceUid, chosen: &Chosen, package: &mut dyn Package) -> Result<(), PhaseError> {
        let key = self.run.ledger.account_key(source, &chosen.account.key);
        let source = self.sources.get(&source).map_or("", String::as_str);
        let credential = self.hashes.credential(&chosen.account.credential, self.input.secrets);
        self.counts.add(chosen, source);
        let of_plan = chosen.losses.iter().map(|loss| ("plan", loss.clone()));
        for loss in of_plan.chain(form::losses(&chosen.account).into_iter().map(|loss| ("package", loss))) {
            *self.losses.entry(loss).or_default() += 1;
        }
        for group in &chosen.account.profile.groups {
            if self.groups.len() < GROUPS || self.groups.contains_key(group) {
                *self.groups.entry(group.clone()).or_default() += 1;
            }
        }
        let line = form::line(self.input, key, source, chosen, credential);
        serde_json::to_writer(&mut *self.file, &line).map_err(|error| unwritten(&error.into()))?;
        self.file.push(b'\n');
        self.lines += 1;
        if self.lines >= FILE_ACCOUNTS || self.file.len() >= FILE_BYTES {
            self.end_file(package)?;
        }
        Ok(())
    }

    fn end_file(&mut self, package: &mut dyn Package) -> Result<(), PhaseError> {
        if self.lines == 0 {
            return Ok(());
        }
        let name = format!("users-{:05}.jsonl", self.files.len() + 1);
        self.files.push(package.add(&name, &self.file).map_err(|error| unwritten(&error))?);
        self.lines = 0;
        self.file.clear();
        Ok(())
    }

    fn end(mut self, package: &mut dyn Package, before: &Status) -> Result<Manifest, PhaseError> {
        let mut add = |name: &str, content: &[u8]| package.add(name, content).map_err(|error| unwritten(&error));
        if !self.groups.is_empty() {
            let mut lines = Zeroizing::new(Vec::new());
            for (name, members) in &self.groups {
                let line = serde_json::json!({ "displayName": name, "members": members });
                lines.extend_from_slice(line.to_string().as_bytes());
                lines.push(b'\n');
            }
            self.files.push(add("groups.jsonl", &lines)?);
        }
        let after = sterna_ledger::status::read(self.run.ledger.folder())?;
        let manifest = self.manifest(before);
        if before.profile != after.profile || !manifest.adds_up {
            let message = "the accounts moved while they were read, so the sums do not add up";
            return Err(PhaseError::cannot(Code::E4002, message));
        }
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        add("manifest.json", text.as_bytes())?;
        add("README.txt", readme::text(&manifest).as_bytes())?;
        Ok(manifest)
    }
}

fn unwritten(error: &io::Error) -> PhaseError {
    PhaseError::cannot(Code::E1013, format!("the package cannot be written: {error}"))
}
