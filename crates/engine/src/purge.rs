//! Purge: destroys the data key, so that nothing personal in the ledger can ever be read again.

use serde::Serialize;
use sterna_core::{
    code::Code,
    state::{CredentialState, ProfileState},
};

use crate::{error::PhaseError, run::Run};

/// What purge did.
#[derive(Clone, Debug, Serialize)]
pub struct PurgeReport {
    /// Accounts whose records are unreadable now.
    pub accounts: u64,
    /// What is out of its reach, in words.
    pub out_of_reach: &'static str,
}

/// Destroys the data key.
///
/// # Errors
/// [`Code::E5006`] while accounts still await their first sign-in; [`Code::E5016`] while outcomes are unknown.
pub async fn purge(run: &Run) -> Result<PurgeReport, PhaseError> {
    let _lock = run.ledger.lock("purge")?;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    let waiting = status.credential(CredentialState::AwaitingSignIn) + status.credential(CredentialState::Answered);
    if waiting > 0 {
        let message = format!("{waiting} accounts still await their first sign-in");
        return Err(PhaseError::cannot(Code::E5006, message));
    }
    let open = status.profile(ProfileState::Intended) + status.profile(ProfileState::InDoubt);
    if open > 0 {
        return Err(PhaseError::cannot(Code::E5016, format!("the outcome of {open} requests is still unknown")));
    }
    run.ledger.purge(run.now()).await?;
    Ok(PurgeReport {
        accounts: status.accounts,
        out_of_reach: "copies of the key or of the ledger elsewhere (backups, snapshots) and exported files",
    })
}
