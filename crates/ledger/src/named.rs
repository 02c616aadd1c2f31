//! Finding one account by a name that a person or an operator knows it by.

use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, params};
use sterna_core::{
    account::{Account, Identity},
    ids::{Ordinal, SourceUid},
};
use uuid::Uuid;

use crate::{
    error::LedgerError,
    ledger::Ledger,
    reading::open_record,
    seal::{Digest, DigestKind, Seal},
};

/// Most accounts that one name gives.
const MOST: usize = 10;

/// An account that has the name.
#[derive(Debug)]
pub struct NamedAccount {
    /// Its number.
    pub ordinal: Ordinal,
    /// The name of the source that it was read from.
    pub source: String,
    /// The account.
    pub account: Account,
}

impl Ledger {
    /// The accounts whose local sign-in name, whose source's own id, or whose target's id is `name`; at most ten.
    pub async fn named(&self, name: String) -> Result<Vec<NamedAccount>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store.read(move |store| named(store, &seal, &name)).await
    }

    /// The names of the sources, by their permanent ids.
    pub async fn source_names(&self) -> Result<HashMap<SourceUid, String>, LedgerError> {
        self.store.read(source_names).await
    }
}

fn named(store: &Connection, seal: &Seal, name: &str) -> Result<Vec<NamedAccount>, LedgerError> {
    let mut ordinals = Vec::new();
    let local = Identity::user_name(name).canonical();
    by_digest(store, &seal.digest(DigestKind::Identity, &[local.as_bytes()]), DigestKind::Identity, &mut ordinals)?;
    for uid in source_uids(store)? {
        let digest = seal.digest(DigestKind::Record, &[uid.as_bytes(), name.as_bytes()]);
        by_digest(store, &digest, DigestKind::Record, &mut ordinals)?;
    }
    let held: Option<i64> = store
        .query_row(
            "SELECT ordinal FROM holding WHERE digest = ?1",
            [seal.digest(DigestKind::TargetId, &[name.as_bytes()])],
            |row| row.get(0),
        )
        .optional()
        .map_err(LedgerError::store("looking an account up"))?;
    ordinals.extend(held);
    ordinals.sort_unstable();
    ordinals.dedup();
    ordinals.truncate(MOST);
    ordinals.into_iter().map(|ordinal| account(store, seal, Ordinal(ordinal))).collect()
}

fn by_digest(store: &Connection, digest: &Digest, kind: DigestKind, into: &mut Vec<i64>) -> Result<(), LedgerError> {
    let doing = LedgerError::store("looking an account up");
    let mut statement =
        store.prepare_cached("SELECT ordinal FROM lookup WHERE digest = ?1 AND kind = ?2 LIMIT 10").map_err(&doing)?;
    let rows = statement.query_map(params![digest, kind as u8], |row| row.get::<_, i64>(0)).map_err(&doing)?;
    for row in rows {
        into.push(row.map_err(&doing)?);
    }
    Ok(())
}

/// The accounts that have a digest, at most ten.
pub(crate) fn with_digest(store: &Connection, digest: &Digest, kind: DigestKind) -> Result<Vec<i64>, LedgerError> {
    let mut ordinals = Vec::new();
    by_digest(store, digest, kind, &mut ordinals)?;
    Ok(ordinals)
}

pub(crate) fn source_uids(store: &Connection) -> Result<Vec<Uuid>, LedgerError> {
    let doing = LedgerError::store("reading its sources");
    let mut statement = store.prepare_cached("SELECT uid FROM source").map_err(&doing)?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).map_err(&doing)?;
    rows.map(|row| {
        let uid = row.map_err(&doing)?;
        Uuid::from_slice(&uid).map_err(|_| LedgerError::Stored { what: "source" })
    })
    .collect()
}

fn source_names(store: &Connection) -> Result<HashMap<SourceUid, String>, LedgerError> {
    let doing = LedgerError::store("reading its sources");
    let mut statement = store.prepare("SELECT uid, name FROM source").map_err(&doing)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?))).map_err(&doing)?;
    rows.map(|row| {
        let (uid, name) = row.map_err(&doing)?;
        let uid = Uuid::from_slice(&uid).map_err(|_| LedgerError::Stored { what: "source" })?;
        Ok((SourceUid(uid), name))
    })
    .collect()
}

fn account(store: &Connection, seal: &Seal, ordinal: Ordinal) -> Result<NamedAccount, LedgerError> {
    let (source, sealed): (String, Vec<u8>) = store
        .query_row(
            "SELECT s.name, r.sealed FROM account a JOIN source s ON s.id = a.source JOIN record r ON r.ordinal = a.ordinal
             WHERE a.ordinal = ?1",
            [ordinal.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(LedgerError::store("reading a record"))?;
    Ok(NamedAccount { ordinal, source, account: open_record(seal, ordinal, &sealed)? })
}
