//! What a rehearsal that was killed leaves in the ledger's folder: a copy of the ledger with its data key, which must not
//! outlive a purge. Start at [`clear`].

use std::{fs, io, path::Path, sync::Arc};

use sterna_core::time::Timestamp;
use sterna_ledger::{Ledger, LedgerError, PhaseLock, Presence};

use crate::error::PhaseError;

/// What the name of a rehearsal's folder in the ledger's folder begins with.
pub const REHEARSAL: &str = ".rehearsal-";
/// The copy of the ledger in a rehearsal's folder.
pub const COPY: &str = "ledger";
/// What a ledger's folder holds.
const OWN: [&str; 5] = ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "phase.lock", "turn.lock"];
/// How many strange names are told.
const NAMED: usize = 100;

/// What becomes of a rehearsal that is still under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnderWay {
    /// It is left alone.
    Leave,
    /// It is in the way.
    Refuse,
}

/// Marks a rehearsal's folder as in use, until the lock is dropped or its process ends.
pub fn hold(scratch: &Path) -> Result<PhaseLock, LedgerError> {
    Ledger::lock_folder(scratch, "rehearse")
}

/// Destroys the copies of the ledger that rehearsals left behind; tells how many. The phase lock has to be held.
///
/// # Errors
/// [`LedgerError::Locked`] for a rehearsal under way that is in the way; when something cannot be removed.
pub async fn clear(folder: &Path, under_way: UnderWay, now: Timestamp) -> Result<u64, PhaseError> {
    let mut cleared = 0;
    for name in names(folder)?.into_iter().filter(|name| name.starts_with(REHEARSAL)) {
        let scratch = folder.join(name);
        let _lock = match hold(&scratch) {
            Err(LedgerError::Locked { .. }) if under_way == UnderWay::Leave => continue,
            held => held?,
        };
        let copy = scratch.join(COPY);
        // one that was cut short while it was copied is no ledger, and holds no key that could be read
        if Ledger::presence(&copy).is_ok_and(|presence| presence != Presence::None)
            && let Err(error) = Ledger::end_purge(&copy, now).await
        {
            tracing::warn!(%error, "A rehearsal's copy of the ledger could not be wiped and is only removed");
        }
        fs::remove_dir_all(&scratch).map_err(at(&scratch))?;
        cleared += 1;
    }
    Ok(cleared)
}

/// The names in the ledger's folder that are not the ledger's.
pub fn strangers(folder: &Path) -> Result<Vec<String>, PhaseError> {
    let mut names: Vec<String> = names(folder)?;
    names.retain(|name| !OWN.contains(&name.as_str()) && !name.starts_with(REHEARSAL));
    names.sort_unstable();
    names.truncate(NAMED);
    Ok(names)
}

fn names(folder: &Path) -> Result<Vec<String>, PhaseError> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let names: io::Result<Vec<String>> =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
    Ok(names.map_err(at(folder))?)
}

fn at(path: &Path) -> impl Fn(io::Error) -> LedgerError {
    move |source| LedgerError::Open { path: path.to_owned(), source: Arc::new(source) }
}
