//! Export: names accounts for the operator, who must know them by their own ids. What comes out is personal data.

use serde::Serialize;
use sterna_core::{
    ids::Ordinal,
    state::{CredentialState, ProfileState},
};
use sterna_ledger::sending::Selection;

use crate::{error::PhaseError, run::Run};

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Every account's id at the source and at the target.
    Ids,
    /// Accounts that were refused, clash, differ or are missing, with the target's words.
    Failures,
    /// Accounts that are held, with the reason.
    Held,
    /// Accounts whose password moves at the first sign-in.
    Waiting,
    /// Accounts that undo left at the target.
    Undo,
}

/// One exported account.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What logs call it.
    pub account: String,
    /// Its id at the source.
    pub source_id: String,
    /// Its first sign-in name.
    pub sign_in_name: Option<String>,
    /// Its id at the target.
    pub target_id: Option<String>,
    /// The key under which it was made.
    pub key: String,
    /// Where its profile stands.
    pub profile: &'static str,
    /// Where its password stands.
    pub credential: &'static str,
    /// Why, as a code for `sterna explain`.
    pub code: Option<String>,
    /// The target's words.
    pub detail: Option<String>,
}

const CHUNK: usize = 500;

/// Exports accounts a chunk at a time; `write` is given each.
pub async fn export(
    run: &Run,
    what: What,
    mut write: impl FnMut(&Row) -> std::io::Result<()>,
) -> Result<Result<u64, std::io::Error>, PhaseError> {
    let states = states(what);
    let (mut after, mut count) = (Ordinal(0), 0);
    loop {
        run.check_stop()?;
        let loaded = run.ledger.records(after, CHUNK, &states).await?;
        let Some(last) = loaded.last() else { return Ok(Ok(count)) };
        let selection = Selection { states: states.clone(), cohort: None, after: Some(after), limit: loaded.len() };
        let cases = run.ledger.cases(selection).await?;
        after = last.ordinal;
        for record in loaded {
            let Some(case) = cases.iter().find(|case| case.ordinal == record.ordinal) else { continue };
            if what == What::Waiting && case.standing.credential != CredentialState::AwaitingSignIn {
                continue;
            }
            let detail = if what == What::Ids { None } else { run.ledger.detail(record.ordinal).await? };
            let first = record.account.identities.first();
            let row = Row {
                account: run.ledger.pseudonym(record.ordinal).to_string(),
                source_id: record.account.key.as_str().to_owned(),
                sign_in_name: first.map(sign_in_name),
                target_id: case.target.as_ref().map(|id| id.0.clone()),
                key: run.ledger.account_key(record.source, &record.account.key).to_string(),
                profile: case.standing.profile.name(),
                credential: case.standing.credential.name(),
                code: case.code.map(|code| code.to_string()),
                detail,
            };
            if let Err(error) = write(&row) {
                return Ok(Err(error));
            }
            count += 1;
        }
    }
}

fn states(what: What) -> Vec<ProfileState> {
    use ProfileState as P;
    match what {
        What::Ids | What::Waiting => ProfileState::ALL.to_vec(),
        What::Failures => vec![P::Clash, P::Refused, P::Differs, P::Missing, P::InDoubt],
        What::Held => vec![P::Held],
        What::Undo => vec![P::Applied, P::Verified, P::Differs, P::Linked],
    }
}

fn sign_in_name(identity: &sterna_core::account::Identity) -> String {
    match identity {
        sterna_core::account::Identity::Local { value, .. } => value.clone(),
        sterna_core::account::Identity::Federated { issuer, subject } => format!("{issuer}: {subject}"),
    }
}
