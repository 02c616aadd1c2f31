//! The audit log: append-only, each entry chained to the one before by a hash.
//!
//! The chain's head is read inside the transaction that extends it (design.md 8), so that processes beside each other
//! cannot fork it. Entries name phases, counts and pseudonyms, never persons.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, params};
use sterna_core::time::Timestamp;

use crate::{
    error::LedgerError,
    key::hex,
    ledger::{Ledger, reader},
};

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub entry: String,
    /// The chain's hash up to and with it, in hex.
    pub hash: String,
}

impl Ledger {
    /// Appends an entry.
    pub async fn audit(&self, now: Timestamp, entry: String) -> Result<(), LedgerError> {
        self.store.write(move |store| append(store, now, &entry)).await
    }
}

/// Reads the whole audit log and checks its chain; the number of the first broken entry, if any.
pub fn read(folder: &Path) -> Result<(Vec<Entry>, Option<i64>), LedgerError> {
    let store = reader(folder)?;
    let doing = LedgerError::store("reading the audit log");
    let mut statement = store.prepare("SELECT seq, at, entry, hash FROM audit ORDER BY seq").map_err(&doing)?;
    let rows = statement
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, row.get::<_, Vec<u8>>(3)?))
        })
        .map_err(&doing)?;
    let (mut entries, mut broken, mut head) = (Vec::new(), None, Vec::new());
    for row in rows {
        let (seq, at, entry, hash) = row.map_err(&doing)?;
        let at = Timestamp(at);
        if broken.is_none() && link(&head, seq, at, &entry) != hash {
            broken = Some(seq);
        }
        let text = hex(&hash);
        entries.push(Entry { seq, at, entry, hash: text });
        head = hash;
    }
    Ok((entries, broken))
}

pub(crate) fn append(store: &Connection, at: Timestamp, entry: &str) -> Result<(), LedgerError> {
    let doing = LedgerError::store("writing the audit log");
    let head = store
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        .and_then(|mut select| {
            select.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).optional()
        })
        .map_err(&doing)?;
    let (last, head) = head.unwrap_or_default();
    let hash = link(&head, last + 1, at, entry);
    store
        .prepare_cached("INSERT INTO audit (seq, at, entry, hash) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut insert| insert.execute(params![last + 1, at.0, entry, hash]))
        .map_err(doing)
        .map(drop)
}

fn link(head: &[u8], seq: i64, at: Timestamp, entry: &str) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&at.0.to_be_bytes());
    bytes.extend_from_slice(entry.as_bytes());
    digest(&SHA256, &bytes).as_ref().to_vec()
}
