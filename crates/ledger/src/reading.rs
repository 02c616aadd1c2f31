//! The source side: registering sources, storing pages of records, keeping rejects, taking them back mended.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sterna_core::{
    account::Account,
    code::Code,
    codec,
    ids::{Ordinal, SourceUid},
    port::{Cursor, Record, Rejected},
    state::{CredentialState, ProfileState},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    again,
    error::LedgerError,
    ledger::{Ledger, meta, set_meta},
    seal::{Digest, DigestKind, Place, Seal},
};

pub(crate) const RECORD: Place = Place { table: "record", column: "sealed" };
const CURSOR: Place = Place { table: "source", column: "cursor" };
const REJECT: Place = Place { table: "reject", column: "sealed" };

/// Where reading goes on; no place to go on means that the last page is stored.
const PLACE: &str = "UPDATE source SET cursor = ?2, open = CASE WHEN ?2 IS NULL THEN 2 ELSE 1 END WHERE id = ?1";

/// A source as the ledger knows it.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// Its number in the ledger.
    pub row: i64,
    /// Its permanent id.
    pub uid: SourceUid,
    /// Its present name.
    pub name: String,
    /// Which reading of it this is, from 1; 0 before the first.
    pub pass: i64,
    /// Whether a reading was begun and not ended.
    pub open: bool,
    /// Whether the open reading has stored its last page, and only its end is left to do.
    pub drained: bool,
    /// Whether its records can be looked up by key.
    pub indexed: bool,
    /// Where the open reading goes on.
    pub cursor: Option<Cursor>,
}

/// A source as the configuration names it.
#[derive(Clone, Debug)]
pub struct SourceName {
    /// Its name.
    pub name: String,
    /// The name it had before.
    pub formerly: Option<String>,
    /// Its connector.
    pub connector: String,
}

/// What storing a page did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Accounts that are new.
    pub new: u64,
    /// Accounts that were there and have changed; they are planned anew.
    pub changed: u64,
    /// Accounts that were there and are the same.
    pub same: u64,
    /// Accounts that changed at the source after they were sent; left as they were sent, but for a password that waits for
    /// a sign-in.
    pub late: u64,
    /// Records that were rejected.
    pub rejected: u64,
}

impl std::ops::AddAssign for Stored {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.same += other.same;
        self.late += other.late;
        self.rejected += other.rejected;
    }
}

/// A page whose records are sealed, ready to be stored.
pub struct SealedPage {
    accounts: Vec<SealedAccount>,
    rejects: Vec<SealedReject>,
}

/// A record, sealed for its row.
pub(crate) struct SealedAccount {
    pub(crate) ordinal: i64,
    pub(crate) state: ProfileState,
    pub(crate) code: Option<Code>,
    pub(crate) content: Digest,
    pub(crate) digests: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

/// A rejected record, to be sealed for its row.
pub(crate) struct SealedReject {
    code: Code,
    digest: Digest,
    plain: Zeroizing<Vec<u8>>,
}

impl Ledger {
    /// Makes the ledger know the configured sources; new ones get their permanent id.
    ///
    /// # Errors
    /// [`LedgerError::Renamed`] when a source is new while one that the ledger knows is gone.
    pub async fn register(&self, sources: Vec<SourceName>) -> Result<Vec<SourceRow>, LedgerError> {
        let seal = std::sync::Arc::clone(&self.seal);
        self.store.write(move |store| register(store, &seal, &sources)).await
    }

    /// Begins or goes on with a reading. `from_start` drops what an open first reading has kept.
    pub async fn begin_pass(&self, source: &SourceRow, from_start: bool) -> Result<SourceRow, LedgerError> {
        let mut source = source.clone();
        if source.open && !from_start {
            return Ok(source);
        }
        if source.open && !source.indexed {
            self.forget_open_pass(source.row).await?;
        }
        // a record counts as a duplicate within one pass; a reading that starts again is another pass
        if !source.open || source.indexed {
            source.pass += 1;
        }
        (source.open, source.drained, source.cursor) = (true, false, None);
        let (row, pass) = (source.row, source.pass);
        self.store
            .write(move |store| {
                let doing = LedgerError::store("beginning to read a source");
                let dropped =
                    store.execute("DELETE FROM reject WHERE source = ?1 AND mended IS NULL", [row]).map_err(&doing)?;
                count_records(store, -i64::try_from(dropped).unwrap_or_default())?;
                store
                    .execute("UPDATE source SET pass = ?2, open = 1, cursor = NULL WHERE id = ?1", params![row, pass])
                    .map_err(&doing)?;
                Ok(())
            })
            .await?;
        Ok(source)
    }

    /// The first ordinal that is free.
    pub async fn next_ordinal(&self) -> Result<i64, LedgerError> {
        self.store
            .read(|store| {
                store
                    .query_row("SELECT coalesce(max(ordinal), 0) + 1 FROM account", [], |row| row.get(0))
                    .map_err(LedgerError::store("numbering accounts"))
            })
            .await
    }

    /// Seals a page of a first reading: every account is new. Heavy on the processor; call it beside the reader.
    pub fn seal_new(
        &self,
        source: &SourceRow,
        records: Vec<Record>,
        next: &mut i64,
    ) -> Result<SealedPage, LedgerError> {
        let mut page = SealedPage { accounts: Vec::with_capacity(records.len()), rejects: Vec::new() };
        for record in records {
            match record {
                Record::Account(account) => {
                    page.push(&self.seal, source, &account, Self::take(next), ProfileState::Seen, None)?;
                }
                Record::Excluded(account, code) => {
                    let state = ProfileState::Excluded;
                    page.push(&self.seal, source, &account, Self::take(next), state, Some(code))?;
                }
                Record::Rejected(reject) => page.rejects.push(seal_reject(&self.seal, source, &reject)),
            }
        }
        Ok(page)
    }

    fn take(next: &mut i64) -> i64 {
        *next += 1;
        *next - 1
    }

    /// Stores a sealed page together with where reading goes on, in one commit.
    pub async fn store_new(
        &self,
        source: &SourceRow,
        page: SealedPage,
        cursor: Option<Cursor>,
    ) -> Result<Stored, LedgerError> {
        let source = source.clone();
        let cursor = self.seal_cursor(&source, cursor.as_ref())?;
        let seal = std::sync::Arc::clone(&self.seal);
        self.store
            .write(move |store| {
                let stored = Stored {
                    new: page.accounts.len() as u64,
                    rejected: insert_rejects(store, &seal, &source, &page.rejects)?,
                    ..Stored::default()
                };
                insert_accounts(store, &source, &page.accounts)?;
                count_records(store, i64::try_from(stored.new + stored.rejected).unwrap_or_default())?;
                store.execute(PLACE, params![source.row, cursor]).map_err(LedgerError::store("storing a page"))?;
                Ok(stored)
            })
            .await
    }

    /// Stores a page of a later reading: records are matched by key with what was read before.
    ///
    /// Looking up and sealing are done beforehand: only one changing phase runs, so nothing but sign-ins moves in between,
    /// and the write lock is held for the writes alone.
    pub async fn store_again(
        &self,
        source: &SourceRow,
        records: Vec<Record>,
        cursor: Option<Cursor>,
        next: &mut i64,
    ) -> Result<Stored, LedgerError> {
        let cursor = self.seal_cursor(source, cursor.as_ref())?;
        let (seal, row, mut free) = (std::sync::Arc::clone(&self.seal), source.clone(), *next);
        let (changes, free) =
            self.store.read(move |store| Ok((again::prepare(store, &seal, &row, records, &mut free)?, free))).await?;
        *next = free;
        let (seal, source) = (std::sync::Arc::clone(&self.seal), source.clone());
        self.store
            .write(move |store| {
                let mut stored = Stored::default();
                for change in &changes {
                    stored += again::write(store, &seal, &source, change)?;
                }
                count_records(store, i64::try_from(stored.new + stored.rejected).unwrap_or_default())?;
                store.execute(PLACE, params![source.row, cursor]).map_err(LedgerError::store("storing a page"))?;
                Ok(stored)
            })
            .await
    }

    /// Takes a mended record in place of reject `id`. `None` when no such reject is open.
    pub async fn mend(&self, id: i64, record: Record, next: &mut i64) -> Result<Option<Mended>, LedgerError> {
        let Record::Account(account) = record else { return Ok(None) };
        let (seal, free) = (std::sync::Arc::clone(&self.seal), *next);
        let done = self.store.write(move |store| mend(store, &seal, id, &account, free)).await?;
        if matches!(done, Some(Mended::Taken)) {
            *next += 1;
        }
        Ok(done)
    }

    /// The source of an open reject.
    pub async fn reject_source(&self, id: i64) -> Result<Option<i64>, LedgerError> {
        self.store
            .read(move |store| {
                store
                    .query_row("SELECT source FROM reject WHERE id = ?1 AND mended IS NULL", [id], |row| row.get(0))
                    .optional()
                    .map_err(LedgerError::store("looking for a rejected record"))
            })
            .await
    }

    /// Open rejects after `id`, opened for export.
    pub async fn rejects(&self, after: i64, limit: usize) -> Result<Vec<OpenReject>, LedgerError> {
        let seal = std::sync::Arc::clone(&self.seal);
        self.store.read(move |store| rejects(store, &seal, after, limit)).await
    }

    async fn forget_open_pass(&self, source: i64) -> Result<(), LedgerError> {
        let limit = 2_000;
        loop {
            let gone = self
                .store
                .write(move |store| {
                    let doing = LedgerError::store("forgetting an interrupted reading");
                    let chosen = "SELECT ordinal FROM account WHERE source = ?1 AND profile IN (0, 1) LIMIT ?2";
                    store
                        .execute(&format!("DELETE FROM record WHERE ordinal IN ({chosen})"), params![source, limit])
                        .map_err(&doing)?;
                    let gone = store
                        .execute(&format!("DELETE FROM account WHERE ordinal IN ({chosen})"), params![source, limit])
                        .map_err(&doing)?;
                    count_records(store, -i64::try_from(gone).unwrap_or_default())?;
                    Ok(gone)
                })
                .await?;
            if gone == 0 {
                return Ok(());
            }
        }
    }

    fn seal_cursor(&self, source: &SourceRow, cursor: Option<&Cursor>) -> Result<Option<Vec<u8>>, LedgerError> {
        cursor.map(|cursor| self.seal.seal(CURSOR, source.row, cursor.0.as_bytes())).transpose()
    }
}

/// What became of a mended record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mended {
    /// It is an account now.
    Taken,
    /// An account with its key is there already.
    Duplicate,
}

/// A rejected record, opened.
pub struct OpenReject {
    /// Its number.
    pub id: i64,
    /// The source's name.
    pub source: String,
    /// What sort of mistake.
    pub code: Code,
    /// Where it stood.
    pub position: String,
    /// What is wrong.
    pub reason: String,
    /// The record: as it was read, or in Sterna's account form.
    pub raw: Zeroizing<Vec<u8>>,
    /// Whether `raw` is in Sterna's account form.
    pub is_account_form: bool,
}

impl SealedPage {
    fn push(
        &mut self,
        seal: &Seal,
        source: &SourceRow,
        account: &Account,
        ordinal: i64,
        state: ProfileState,
        code: Option<Code>,
    ) -> Result<(), LedgerError> {
        self.accounts.push(seal_account(seal, source, account, ordinal, state, code)?);
        Ok(())
    }
}

pub(crate) fn seal_account(
    seal: &Seal,
    source: &SourceRow,
    account: &Account,
    ordinal: i64,
    state: ProfileState,
    code: Option<Code>,
) -> Result<SealedAccount, LedgerError> {
    let encoded = codec::encode(account)?;
    Ok(SealedAccount {
        ordinal,
        state,
        code,
        content: seal.digest(DigestKind::Content, &[&encoded]),
        digests: digests(seal, source.uid, account),
        sealed: seal.seal(RECORD, ordinal, &encoded)?,
    })
}

/// The digests under which a record is looked up: (kind, digest) after one another.
fn digests(seal: &Seal, source: SourceUid, account: &Account) -> Vec<u8> {
    let mut all = Vec::with_capacity(17 * (1 + account.identities.len()));
    all.push(DigestKind::Record as u8);
    all.extend_from_slice(&key_digest(seal, source, account));
    for identity in &account.identities {
        all.push(DigestKind::Identity as u8);
        all.extend_from_slice(&seal.digest(DigestKind::Identity, &[identity.canonical().as_bytes()]));
    }
    all
}

pub(crate) fn key_digest(seal: &Seal, source: SourceUid, account: &Account) -> Digest {
    seal.digest(DigestKind::Record, &[source.0.as_bytes(), account.key.as_str().as_bytes()])
}

pub(crate) fn seal_reject(seal: &Seal, source: &SourceRow, reject: &Rejected) -> SealedReject {
    let digest = seal.digest(DigestKind::Reject, &[source.uid.0.as_bytes(), &reject.raw]);
    SealedReject {
        code: reject.code,
        digest,
        plain: reject_plain(&reject.position, &reject.reason, &reject.raw, false),
    }
}

/// position NUL reason NUL form raw
fn reject_plain(position: &str, reason: &str, raw: &[u8], is_account_form: bool) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(position.len() + reason.len() + raw.len() + 3));
    for text in [position, reason] {
        plain.extend(text.bytes().filter(|byte| *byte != 0));
        plain.push(0);
    }
    plain.push(u8::from(is_account_form));
    plain.extend_from_slice(raw);
    plain
}

fn register(store: &Connection, seal: &Seal, sources: &[SourceName]) -> Result<Vec<SourceRow>, LedgerError> {
    let doing = LedgerError::store("registering sources");
    for source in sources {
        if let Some(old) = &source.formerly {
            let there = row_of(store, &source.name)?.is_some();
            if !there {
                store
                    .execute("UPDATE source SET name = ?2 WHERE name = ?1", params![old, source.name])
                    .map_err(&doing)?;
            }
        }
    }
    let mut names = store.prepare("SELECT name FROM source ORDER BY id").map_err(&doing)?;
    let known: Vec<String> = names.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(&doing)?;
    let orphan = known.iter().find(|known| sources.iter().all(|source| source.name != **known));
    for source in sources {
        if known.contains(&source.name) {
            continue;
        }
        if let Some(old) = orphan {
            return Err(LedgerError::Renamed { old: old.clone(), new: source.name.clone() });
        }
        let uid = Uuid::new_v4();
        store
            .execute(
                "INSERT INTO source (uid, name, connector) VALUES (?1, ?2, ?3)",
                params![uid.as_bytes(), source.name, source.connector],
            )
            .map_err(&doing)?;
    }
    let rows = sources.iter().map(|source| source_row(store, seal, &source.name));
    rows.collect()
}

fn row_of(store: &Connection, name: &str) -> Result<Option<i64>, LedgerError> {
    store
        .query_row("SELECT id FROM source WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(LedgerError::store("registering sources"))
}

fn source_row(store: &Connection, seal: &Seal, name: &str) -> Result<SourceRow, LedgerError> {
    let doing = LedgerError::store("registering sources");
    let sql = "SELECT id, uid, pass, open, indexed, cursor FROM source WHERE name = ?1";
    let (row, uid, pass, open, indexed, cursor): (_, _, _, i64, _, _) = store
        .query_row(sql, [name], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get::<_, Option<Vec<u8>>>(5)?,
            ))
        })
        .map_err(&doing)?;
    let uid = SourceUid(Uuid::from_slice(&uid).map_err(|_| LedgerError::Stored { what: "source id" })?);
    let cursor = match cursor {
        Some(sealed) => {
            let plain = seal.open(CURSOR, row, &sealed)?;
            Some(Cursor(String::from_utf8_lossy(&plain).into_owned()))
        }
        None => None,
    };
    let (open, drained) = (open != 0, open == 2);
    Ok(SourceRow { row, uid, name: name.to_owned(), pass, open, drained, indexed, cursor })
}

pub(crate) fn insert_accounts(
    store: &Connection,
    source: &SourceRow,
    accounts: &[SealedAccount],
) -> Result<(), LedgerError> {
    let doing = LedgerError::store("storing accounts");
    let mut narrow = store
        .prepare_cached(
            "INSERT INTO account (ordinal, source, pass, profile, credential, code) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .map_err(&doing)?;
    let mut wide = store
        .prepare_cached("INSERT INTO record (ordinal, content, digests, sealed) VALUES (?1, ?2, ?3, ?4)")
        .map_err(&doing)?;
    let dormant = CredentialState::Dormant.number();
    for account in accounts {
        let code = account.code.map(Code::as_str);
        narrow
            .execute(params![account.ordinal, source.row, source.pass, account.state.number(), dormant, code])
            .map_err(&doing)?;
        wide.execute(params![account.ordinal, account.content, account.digests, account.sealed]).map_err(&doing)?;
    }
    Ok(())
}

/// Stores rejects; ones that were mended before are not stored again.
pub(crate) fn insert_rejects(
    store: &Connection,
    seal: &Seal,
    source: &SourceRow,
    rejects: &[SealedReject],
) -> Result<u64, LedgerError> {
    let doing = LedgerError::store("keeping rejected records");
    let mut stored = 0;
    for reject in rejects {
        let mended = store
            .prepare_cached("SELECT 1 FROM reject WHERE source = ?1 AND mended IS NOT NULL AND digest = ?2")
            .and_then(|mut statement| statement.exists(params![source.row, reject.digest]))
            .map_err(&doing)?;
        if mended {
            continue;
        }
        let sql = "INSERT INTO reject (source, pass, code, digest, sealed) VALUES (?1, ?2, ?3, ?4, x'')";
        store.execute(sql, params![source.row, source.pass, reject.code.as_str(), reject.digest]).map_err(&doing)?;
        let id = store.last_insert_rowid();
        let sealed = seal.seal(REJECT, id, &reject.plain)?;
        store.execute("UPDATE reject SET sealed = ?2 WHERE id = ?1", params![id, sealed]).map_err(&doing)?;
        stored += 1;
    }
    Ok(stored)
}

/// Keeps a second record with a known key as a reject, in Sterna's account form.
pub(crate) fn reject_duplicate(
    store: &Connection,
    seal: &Seal,
    source: &SourceRow,
    account: &Account,
) -> Result<u64, LedgerError> {
    insert_rejects(store, seal, source, &[duplicate(seal, source, account)?])
}

/// The reject that a second record with a known key becomes.
pub(crate) fn duplicate(seal: &Seal, source: &SourceRow, account: &Account) -> Result<SealedReject, LedgerError> {
    let raw = codec::encode(account)?;
    let digest = seal.digest(DigestKind::Reject, &[source.uid.0.as_bytes(), &raw]);
    let reason = "a record with the same key was read before";
    let plain = reject_plain("after the first record with its key", reason, &raw, true);
    Ok(SealedReject { code: Code::E3103, digest, plain })
}

fn mend(store: &Connection, seal: &Seal, id: i64, account: &Account, next: i64) -> Result<Option<Mended>, LedgerError> {
    let doing = LedgerError::store("taking a mended record");
    let sql = "SELECT s.name FROM reject r JOIN source s ON s.id = r.source WHERE r.id = ?1 AND r.mended IS NULL";
    let name: Option<String> = store.query_row(sql, [id], |row| row.get(0)).optional().map_err(&doing)?;
    let Some(name) = name else { return Ok(None) };
    // a mended record is in no later reading of the source: it is never taken for gone
    let source = SourceRow { pass: i64::MAX, ..source_row(store, seal, &name)? };
    if again::known(store, &key_digest(seal, source.uid, account))?.is_some() {
        return Ok(Some(Mended::Duplicate));
    }
    let sealed = seal_account(seal, &source, account, next, ProfileState::Seen, None)?;
    insert_accounts(store, &source, std::slice::from_ref(&sealed))?;
    crate::index::add(store, next, &sealed.digests)?;
    store.execute("UPDATE reject SET mended = ?2 WHERE id = ?1", params![id, next]).map_err(&doing)?;
    Ok(Some(Mended::Taken))
}

fn rejects(store: &Connection, seal: &Seal, after: i64, limit: usize) -> Result<Vec<OpenReject>, LedgerError> {
    let doing = LedgerError::store("reading rejected records");
    let sql = "SELECT r.id, s.name, r.code, r.sealed FROM reject r JOIN source s ON s.id = r.source
               WHERE r.id > ?1 AND r.mended IS NULL ORDER BY r.id LIMIT ?2";
    let mut statement = store.prepare_cached(sql).map_err(&doing)?;
    let rows = statement
        .query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, Vec<u8>>(3)?))
        })
        .map_err(&doing)?;
    let mut open = Vec::new();
    for row in rows {
        let (id, source, code, sealed) = row.map_err(&doing)?;
        let plain = seal.open(REJECT, id, &sealed)?;
        let mut parts = plain.splitn(3, |byte| *byte == 0);
        let mut text = || parts.next().map(|part| String::from_utf8_lossy(part).into_owned()).unwrap_or_default();
        let (position, reason) = (text(), text());
        let rest = parts.next().unwrap_or_default();
        open.push(OpenReject {
            id,
            source,
            code: Code::parse(&code).ok_or(LedgerError::Stored { what: "code" })?,
            position,
            reason,
            is_account_form: rest.first() == Some(&1),
            raw: Zeroizing::new(rest.get(1..).unwrap_or_default().to_vec()),
        });
    }
    Ok(open)
}

/// Counts records as they are read, apart from the tables, for the proof that status adds up.
pub(crate) fn count_records(store: &Connection, by: i64) -> Result<(), LedgerError> {
    let known = meta(store, "records_read")?.and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes);
    set_meta(store, "records_read", &known.saturating_add(by).max(0).to_be_bytes())
}

/// Opens the sealed record of an account.
pub(crate) fn open_record(seal: &Seal, ordinal: Ordinal, sealed: &[u8]) -> Result<Account, LedgerError> {
    Ok(codec::decode(&seal.open(RECORD, ordinal.0, sealed)?)?)
}

/// Begins a short transaction on the writer's connection, for jobs that run alone.
pub(crate) fn begin(store: &Connection) -> Result<Transaction<'_>, LedgerError> {
    Transaction::new_unchecked(store, rusqlite::TransactionBehavior::Immediate)
        .map_err(LedgerError::store("waiting for its write lock"))
}
