//! Counts: every account in exactly one profile state and one credential state, and the proof that they add up.

use std::{collections::BTreeMap, path::Path};

use rusqlite::Connection;
use serde::Serialize;
use sterna_core::{
    code::Code,
    state::{CredentialState, ProfileState},
};

use crate::{
    error::LedgerError,
    ledger::{Presence, meta, reader},
};

/// What `status` tells.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Accounts that were read from the sources.
    pub accounts: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// Accounts by profile state; every state is named.
    pub profile: BTreeMap<&'static str, u64>,
    /// Accounts by credential state; every state is named.
    pub credential: BTreeMap<&'static str, u64>,
    /// Whether records read = accounts + rejected, and both kinds of state sum to the accounts.
    pub adds_up: bool,
    /// Accounts at the target that this project knows of; merges and adoptions make it differ from `accounts`.
    pub target_accounts: u64,
    /// Sources that have not been read to their end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unfinished_sources: Vec<String>,
    /// Accounts that are held, excluded, refused or clashing, by code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, u64>,
    /// Whether the data key was destroyed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub purged: bool,
}

impl Status {
    /// How many accounts are in a profile state.
    pub fn profile(&self, state: ProfileState) -> u64 {
        self.profile.get(state.name()).copied().unwrap_or_default()
    }

    /// How many accounts are in a credential state.
    pub fn credential(&self, state: CredentialState) -> u64 {
        self.credential.get(state.name()).copied().unwrap_or_default()
    }
}

/// Reads the counts of the ledger in `folder` in one snapshot; needs no key.
pub fn read(folder: &Path) -> Result<Status, LedgerError> {
    let store = reader(folder)?;
    let doing = LedgerError::store("counting");
    store.execute_batch("BEGIN").map_err(&doing)?;
    let purged = crate::ledger::Ledger::presence(folder)? == Presence::Purged;
    count(&store, purged)
}

fn count(store: &Connection, purged: bool) -> Result<Status, LedgerError> {
    let doing = LedgerError::store("counting");
    let mut profile: BTreeMap<_, _> = ProfileState::ALL.iter().map(|state| (state.name(), 0)).collect();
    let mut credential: BTreeMap<_, _> = CredentialState::ALL.iter().map(|state| (state.name(), 0)).collect();
    let mut known = 0;
    let mut statement = store
        .prepare("SELECT profile, credential, count(*) FROM account GROUP BY profile, credential")
        .map_err(&doing)?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, u8>(1)?, row.get::<_, u64>(2)?)))
        .map_err(&doing)?;
    let mut pairs_allowed = true;
    for row in rows {
        let (p, c, accounts) = row.map_err(&doing)?;
        let (Some(p), Some(c)) = (ProfileState::from_number(p), CredentialState::from_number(c)) else { continue };
        pairs_allowed &= sterna_core::state::may_stand_together(p, c);
        *profile.entry(p.name()).or_default() += accounts;
        *credential.entry(c.name()).or_default() += accounts;
        known += accounts;
    }
    let number = |sql: &str| store.query_row(sql, [], |row| row.get::<_, u64>(0)).map_err(&doing);
    let accounts = number("SELECT count(*) FROM account")?;
    let rejected = number("SELECT count(*) FROM reject WHERE mended IS NULL")?;
    let target_accounts = if purged {
        number("SELECT count(*) FROM account WHERE profile IN (10, 11, 12, 13, 14, 15)")?
    } else {
        number("SELECT count(DISTINCT digest) FROM holding")?
    };
    Ok(Status {
        accounts,
        rejected,
        adds_up: known == accounts
            && pairs_allowed
            && records_read(store)?.is_none_or(|read| read == accounts + rejected),
        profile,
        credential,
        target_accounts,
        unfinished_sources: unfinished(store)?,
        reasons: reasons(store)?,
        purged,
    })
}

/// How many records the sources gave, counted apart from accounts and rejects as they were read.
fn records_read(store: &Connection) -> Result<Option<u64>, LedgerError> {
    let Some(bytes) = meta(store, "records_read")? else { return Ok(None) };
    Ok(bytes.try_into().ok().map(u64::from_be_bytes))
}

fn unfinished(store: &Connection) -> Result<Vec<String>, LedgerError> {
    let doing = LedgerError::store("counting");
    let mut statement =
        store.prepare("SELECT name FROM source WHERE open <> 0 OR pass = 0 ORDER BY id").map_err(&doing)?;
    let names = statement.query_map([], |row| row.get(0)).map_err(&doing)?;
    names.collect::<Result<_, _>>().map_err(&doing)
}

fn reasons(store: &Connection) -> Result<BTreeMap<String, u64>, LedgerError> {
    let doing = LedgerError::store("counting");
    let mut statement =
        store.prepare("SELECT code, count(*) FROM account WHERE code IS NOT NULL GROUP BY code").map_err(&doing)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).map_err(&doing)?;
    let rows: Vec<(String, u64)> = rows.collect::<Result<_, _>>().map_err(&doing)?;
    Ok(rows.into_iter().filter(|(code, _)| Code::parse(code).is_some()).collect())
}
