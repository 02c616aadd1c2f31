//! Purge: destroys the data key, so that nothing personal in the ledger can ever be read again.

use std::path::Path;

use serde::Serialize;
use sterna_core::{
    code::Code,
    state::{CredentialState, ProfileState},
    time::Timestamp,
};
use sterna_ledger::{Ledger, status::Status};

use crate::{
    error::PhaseError,
    leftovers::{self, UnderWay},
    run::Run,
    words::{agreeing, counted},
};

/// What purge did.
#[derive(Clone, Debug, Serialize)]
pub struct PurgeReport {
    /// Accounts whose records are unreadable now.
    pub accounts: u64,
    /// Copies of the ledger that killed rehearsals had left and that are gone now.
    pub leftovers: u64,
    /// Names in the ledger's folder that are none of its own, and are left as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What is out of its reach, in words.
    pub out_of_reach: &'static str,
}

/// Destroys the data key.
///
/// # Errors
/// [`Code::E5006`] while accounts still await their first sign-in; [`Code::E5016`] while outcomes are unknown;
/// [`Code::E4008`] while a rehearsal is under way.
pub async fn purge(run: &Run) -> Result<PurgeReport, PhaseError> {
    let _lock = run.ledger.lock("purge")?;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    let waiting = status.credential(CredentialState::AwaitingSignIn) + status.credential(CredentialState::Answered);
    if waiting > 0 {
        let message =
            format!("{} still {} a first sign-in", counted(waiting, "account"), agreeing(waiting, "awaits", "await"));
        return Err(PhaseError::cannot(Code::E5006, message));
    }
    let open = status.profile(ProfileState::Intended) + status.profile(ProfileState::InDoubt);
    if open > 0 {
        let message = format!("the outcome of {} is still unknown", counted(open, "request"));
        return Err(PhaseError::cannot(Code::E5016, message));
    }
    let leftovers = leftovers::clear(run.ledger.folder(), UnderWay::Refuse, run.now()).await?;
    run.ledger.purge(run.now()).await?;
    PurgeReport::of(&status, leftovers, run.ledger.folder())
}

/// Ends a purge that was cut short, by a kill or for want of room, after the data key was destroyed.
///
/// # Errors
/// [`PhaseError::Ledger`] when the ledger cannot be rewritten.
pub async fn end(folder: &Path, now: Timestamp) -> Result<PurgeReport, PhaseError> {
    let _lock = Ledger::lock_folder(folder, "purge")?;
    let leftovers = leftovers::clear(folder, UnderWay::Refuse, now).await?;
    Ledger::end_purge(folder, now).await?;
    PurgeReport::of(&sterna_ledger::status::read(folder)?, leftovers, folder)
}

impl PurgeReport {
    fn of(status: &Status, leftovers: u64, folder: &Path) -> Result<Self, PhaseError> {
        let out_of_reach = "copies of the key or of the ledger elsewhere (backups, snapshots) and exported files";
        let unknown = leftovers::strangers(folder)?;
        Ok(Self { accounts: status.accounts, leftovers, unknown, out_of_reach })
    }
}
