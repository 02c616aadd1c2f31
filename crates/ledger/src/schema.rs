//! The tables. Rows that every phase walks are narrow and keyed by a running number; sealed documents stand beside
//! them; steps are appended; digests are kept in one table that is filled sorted and in bulk.

use rusqlite::Connection;

use crate::error::LedgerError;

/// Format of the tables; a ledger of a newer one is not opened.
pub(crate) const FORMAT: i64 = 1;

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE source (
    id INTEGER PRIMARY KEY, uid BLOB NOT NULL, name TEXT NOT NULL UNIQUE, connector TEXT NOT NULL,
    pass INTEGER NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 0, indexed INTEGER NOT NULL DEFAULT 0, cursor BLOB);
-- one narrow row per account; profile, credential, action, origin are the numbers of sterna-core's enums
CREATE TABLE account (
    ordinal INTEGER PRIMARY KEY, source INTEGER NOT NULL, pass INTEGER NOT NULL,
    profile INTEGER NOT NULL, credential INTEGER NOT NULL, action INTEGER, origin INTEGER, cohort INTEGER,
    attempt INTEGER NOT NULL DEFAULT 0, code TEXT, worker INTEGER, undoing INTEGER NOT NULL DEFAULT 0,
    until_wall INTEGER, until_boot INTEGER, until_ms INTEGER);
-- what apply works on: planned (5), intended (6), in doubt (7)
CREATE INDEX pending ON account (profile, ordinal) WHERE profile IN (5, 6, 7);
CREATE TABLE record (ordinal INTEGER PRIMARY KEY, content BLOB NOT NULL, digests BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE plan (ordinal INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE holding (ordinal INTEGER PRIMARY KEY, digest BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX holder ON holding (digest);
CREATE TABLE detail (ordinal INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE lookup (
    digest BLOB NOT NULL, kind INTEGER NOT NULL, ordinal INTEGER NOT NULL, PRIMARY KEY (digest, kind, ordinal)
) WITHOUT ROWID;
CREATE TABLE inventory (
    digest BLOB NOT NULL, kind INTEGER NOT NULL, row INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (digest, kind, row)) WITHOUT ROWID;
CREATE TABLE reject (
    id INTEGER PRIMARY KEY, source INTEGER NOT NULL, pass INTEGER NOT NULL, code TEXT NOT NULL, digest BLOB NOT NULL,
    mended INTEGER, sealed BLOB NOT NULL);
CREATE TABLE step (seq INTEGER PRIMARY KEY, ordinal INTEGER NOT NULL, at INTEGER NOT NULL, event INTEGER NOT NULL);
CREATE TABLE run (
    id INTEGER PRIMARY KEY, phase TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER, outcome TEXT);
CREATE TABLE loss (code TEXT NOT NULL, what TEXT NOT NULL, accounts INTEGER NOT NULL, PRIMARY KEY (code, what))
    WITHOUT ROWID;
CREATE TABLE made (id INTEGER PRIMARY KEY, what TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE audit (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, entry TEXT NOT NULL, hash BLOB NOT NULL);
";

/// Attempts to sign in. Made when a ledger is first served, so that ledgers of the same format that were made before have
/// it too.
const SIGN_INS: &str = "
CREATE TABLE IF NOT EXISTS attempt (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, hook TEXT NOT NULL, ordinal INTEGER, who BLOB NOT NULL, address BLOB,
    range BLOB, tenant BLOB NOT NULL, counted INTEGER NOT NULL, verdict TEXT, decision TEXT NOT NULL, took_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_at ON attempt (at);
-- attempts of several calls: any replica may answer the next one
CREATE TABLE IF NOT EXISTS context (
    digest BLOB PRIMARY KEY, at INTEGER NOT NULL, login BLOB, decision TEXT, collected INTEGER) WITHOUT ROWID;
";

/// Makes the table of attempts where it is not there.
pub(crate) fn sign_ins(store: &Connection) -> Result<(), LedgerError> {
    store.execute_batch(SIGN_INS).map_err(LedgerError::store("making its tables"))
}

/// Makes the tables in an empty store.
pub(crate) fn create(store: &Connection) -> Result<(), LedgerError> {
    let doing = LedgerError::store("making its tables");
    store.execute_batch(TABLES).map_err(&doing)?;
    sign_ins(store)?;
    store.pragma_update(None, "user_version", FORMAT).map_err(&doing)
}

/// Checks that the store is of a format that this program knows; `false` when it is empty.
pub(crate) fn check(store: &Connection) -> Result<bool, LedgerError> {
    let found: i64 = store
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(LedgerError::store("reading its format"))?;
    if found > FORMAT {
        return Err(LedgerError::Newer { found, known: FORMAT });
    }
    Ok(found != 0)
}
