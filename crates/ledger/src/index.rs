//! Look-ups by keyed digest, built after a reading, sorted and in bulk.
//!
//! Random inserts cost ten times as much (design.md 7), and one large transaction would keep sign-ins waiting: so the
//! digests are sorted first (`sorted.rs`) and appended in short transactions.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Statement, params};
use sterna_core::state::{ProfileEvent, ProfileState};

use crate::{
    error::LedgerError,
    ledger::Ledger,
    reading::{SourceRow, begin, count_records, open_record, reject_duplicate},
    seal::{DigestKind, Seal},
    sorted::{Entry, Sorted, Sorter},
};

/// How long one transaction of the bulk build may take.
const SLICE: Duration = Duration::from_millis(8);

/// What ending a reading did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassEnd {
    /// Records that had the key of another one and were rejected.
    pub duplicates: u64,
    /// Accounts that the source no longer has.
    pub gone: u64,
}

impl Ledger {
    /// Ends a reading: builds the look-ups, rejects duplicates, marks what is gone. Safe to repeat after a kill.
    pub async fn finish_pass(&self, source: &SourceRow) -> Result<PassEnd, LedgerError> {
        let (seal, source) = (std::sync::Arc::clone(&self.seal), source.clone());
        self.store
            .alone(move |store| {
                let mut end = PassEnd::default();
                if !source.indexed {
                    end.duplicates = build(store, &seal, &source)?;
                }
                end.gone = mark_gone(store, &source)?;
                let sql = "UPDATE source SET open = 0, indexed = 1, cursor = NULL WHERE id = ?1";
                store.execute(sql, [source.row]).map_err(LedgerError::store("ending a reading"))?;
                Ok(end)
            })
            .await
    }
}

/// Adds the digests of one account.
pub(crate) fn add(store: &Connection, ordinal: i64, digests: &[u8]) -> Result<(), LedgerError> {
    let doing = LedgerError::store("indexing an account");
    let mut insert = store
        .prepare_cached("INSERT OR IGNORE INTO lookup (digest, kind, ordinal) VALUES (?1, ?2, ?3)")
        .map_err(&doing)?;
    for (kind, digest) in split(digests) {
        insert.execute(params![digest, kind, ordinal]).map_err(&doing)?;
    }
    Ok(())
}

/// Replaces the digests of one account.
pub(crate) fn replace(store: &Connection, ordinal: i64, old: &[u8], new: &[u8]) -> Result<(), LedgerError> {
    remove(store, ordinal, old)?;
    add(store, ordinal, new)
}

/// Removes the digests of one account.
fn remove(store: &Connection, ordinal: i64, digests: &[u8]) -> Result<(), LedgerError> {
    let doing = LedgerError::store("indexing an account");
    let mut delete =
        store.prepare_cached("DELETE FROM lookup WHERE digest = ?1 AND kind = ?2 AND ordinal = ?3").map_err(&doing)?;
    for (kind, digest) in split(digests) {
        delete.execute(params![digest, kind, ordinal]).map_err(&doing)?;
    }
    Ok(())
}

/// The (kind, digest) pairs of a record.
pub(crate) fn split(digests: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    digests.chunks_exact(17).map(|pair| (pair[0], &pair[1..]))
}

fn build(store: &Connection, seal: &Seal, source: &SourceRow) -> Result<u64, LedgerError> {
    let mut sorted = stage(store, source)?.sorted()?;
    let seconds = append_sorted(store, &mut sorted)?;
    sorted.end()?;
    let mut duplicates = 0;
    for slice in seconds.chunks(200) {
        let transaction = begin(store)?;
        for ordinal in slice {
            duplicates += duplicate(&transaction, seal, source, *ordinal)?;
        }
        transaction.commit().map_err(LedgerError::store("indexing a source"))?;
    }
    Ok(duplicates)
}

/// Appends the sorted entries in short transactions; returns the records whose key an earlier one has.
fn append_sorted(store: &Connection, sorted: &mut Sorted<'_>) -> Result<Vec<i64>, LedgerError> {
    let doing = LedgerError::store("indexing a source");
    let mut insert = Insert::new(store)?;
    let (mut last, mut seconds, mut more) = (None, Vec::new(), true);
    while more {
        let transaction = begin(store)?;
        let began = Instant::now();
        while more && began.elapsed() < SLICE {
            let mut entries = Vec::with_capacity(ROWS);
            while entries.len() < ROWS
                && let Some(entry) = sorted.next()?
            {
                if entry.kind == DigestKind::Record as u8 && last.replace(entry.digest) == Some(entry.digest) {
                    seconds.push(entry.ordinal);
                }
                entries.push(entry);
            }
            insert.all(&entries)?;
            more = entries.len() == ROWS;
        }
        transaction.commit().map_err(&doing)?;
    }
    Ok(seconds)
}

/// How many entries one statement inserts: a statement costs as much as several rows.
const ROWS: usize = 32;

/// Inserts entries, many with one statement.
struct Insert<'s> {
    many: Statement<'s>,
    one: Statement<'s>,
}

impl<'s> Insert<'s> {
    fn new(store: &'s Connection) -> Result<Self, LedgerError> {
        let prepare = |rows: usize| {
            let rows = vec!["(?, ?, ?)"; rows].join(", ");
            let sql = format!("INSERT OR IGNORE INTO lookup (digest, kind, ordinal) VALUES {rows}");
            store.prepare(&sql).map_err(LedgerError::store("indexing a source"))
        };
        Ok(Self { many: prepare(ROWS)?, one: prepare(1)? })
    }

    fn all(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
        let doing = LedgerError::store("indexing a source");
        let (statement, at_once) = if entries.len() == ROWS { (&mut self.many, ROWS) } else { (&mut self.one, 1) };
        for row in entries.chunks(at_once) {
            for (at, entry) in row.iter().enumerate() {
                statement.raw_bind_parameter(at * 3 + 1, entry.digest).map_err(&doing)?;
                statement.raw_bind_parameter(at * 3 + 2, entry.kind).map_err(&doing)?;
                statement.raw_bind_parameter(at * 3 + 3, entry.ordinal).map_err(&doing)?;
            }
            statement.raw_execute().map_err(&doing)?;
        }
        Ok(())
    }
}

/// Sorts the digests of all records of a source.
fn stage<'s>(store: &'s Connection, source: &SourceRow) -> Result<Sorter<'s>, LedgerError> {
    let doing = LedgerError::store("indexing a source");
    let mut sorter = Sorter::new(store)?;
    let mut select = store
        .prepare(
            "SELECT r.ordinal, r.digests FROM record r JOIN account a ON a.ordinal = r.ordinal
             WHERE a.source = ?1 ORDER BY r.ordinal",
        )
        .map_err(&doing)?;
    // a deferred transaction: it reads the ledger and writes temporary tables alone, so it keeps nobody waiting
    let transaction = store.unchecked_transaction().map_err(&doing)?;
    let mut rows = select.query([source.row]).map_err(&doing)?;
    while let Some(row) = rows.next().map_err(&doing)? {
        let ordinal: i64 = row.get(0).map_err(&doing)?;
        let digests = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(&doing)?;
        for (kind, digest) in split(digests) {
            let digest = digest.try_into().map_err(|_| LedgerError::Stored { what: "digest" })?;
            sorter.push(Entry { digest, kind, ordinal })?;
        }
    }
    drop(rows);
    transaction.commit().map_err(&doing)?;
    Ok(sorter)
}

fn duplicate(store: &Connection, seal: &Seal, source: &SourceRow, ordinal: i64) -> Result<u64, LedgerError> {
    let doing = LedgerError::store("rejecting a duplicate");
    let (sealed, digests): (Vec<u8>, Vec<u8>) = store
        .query_row("SELECT sealed, digests FROM record WHERE ordinal = ?1", [ordinal], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(&doing)?;
    let account = open_record(seal, sterna_core::ids::Ordinal(ordinal), &sealed)?;
    remove(store, ordinal, &digests)?;
    for table in ["record", "account"] {
        store.execute(&format!("DELETE FROM {table} WHERE ordinal = ?1"), [ordinal]).map_err(&doing)?;
    }
    let rejected = reject_duplicate(store, seal, source, &account)?;
    count_records(store, i64::try_from(rejected).unwrap_or_default() - 1)?;
    Ok(rejected)
}

fn mark_gone(store: &Connection, source: &SourceRow) -> Result<u64, LedgerError> {
    let doing = LedgerError::store("marking what is gone");
    let states: Vec<String> = ProfileState::ALL
        .iter()
        .filter(|state| {
            state.is_plannable() && **state != ProfileState::Gone && state.after(ProfileEvent::Vanish).is_ok()
        })
        .map(|state| state.number().to_string())
        .collect();
    let sql = format!(
        "UPDATE account SET profile = {}, code = NULL, action = NULL WHERE ordinal IN
         (SELECT ordinal FROM account WHERE source = ?1 AND pass < ?2 AND profile IN ({}) LIMIT 2000)",
        ProfileState::Gone.number(),
        states.join(", ")
    );
    let mut gone = 0;
    loop {
        let transaction = begin(store)?;
        let changed = transaction.execute(&sql, params![source.row, source.pass]).map_err(&doing)?;
        transaction.commit().map_err(&doing)?;
        gone += changed as u64;
        if changed == 0 {
            return Ok(gone);
        }
    }
}
