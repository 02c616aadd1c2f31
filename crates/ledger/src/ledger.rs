//! The ledger of a project: opening, making and purging it. What the phases do stands in the modules beside.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, OptionalExtension, params};
use sterna_core::{
    ids::{AccountKey, Ordinal, Pseudonym, SourceKey, SourceUid},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    audit,
    error::LedgerError,
    key::ProjectKey,
    lock::PhaseLock,
    schema,
    seal::{DataKey, Place, Seal},
    store::{Mode, Store},
};

const FILE: &str = "ledger.sqlite";
const NAMESPACE: Place = Place { table: "meta", column: "namespace" };

/// A project's ledger, opened with its key.
///
/// Its interface speaks of accounts, plans and answers, never of rows; it is async, takes batches, and every intent is
/// a lease (worker, until).
pub struct Ledger {
    pub(crate) store: Store,
    pub(crate) seal: Arc<Seal>,
    folder: PathBuf,
    namespace: Uuid,
}

/// Where a project's ledger stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// There is none yet.
    None,
    /// There is one.
    There,
    /// There is one whose data key was destroyed.
    Purged,
}

impl Ledger {
    /// Tells whether the project has a ledger, without its key.
    pub fn presence(folder: &Path) -> Result<Presence, LedgerError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Presence::None);
        }
        let store = Store::open_read_only(&path)?;
        if !schema::check(&store)? {
            return Ok(Presence::None);
        }
        Ok(if meta(&store, "wrapped_key")?.is_some() { Presence::There } else { Presence::Purged })
    }

    /// Makes the ledger of a project in `folder` (`.sterna`), under `key`.
    ///
    /// # Errors
    /// [`LedgerError::Open`] when the folder or file cannot be made.
    pub async fn create(folder: &Path, key: &ProjectKey, now: Timestamp) -> Result<Self, LedgerError> {
        let open = LedgerError::file(folder);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(&open)?;
        let path = folder.join(FILE);
        let store = Store::open(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(open)?;
        let (ledger, namespace) = (random_uuid()?, random_uuid()?);
        let data_key = DataKey::generate()?;
        let wrapped = data_key.wrap(key, ledger)?;
        let seal = Arc::new(Seal::new(&data_key, ledger)?);
        let sealed_namespace = seal.seal(NAMESPACE, 0, namespace.as_bytes())?;
        store
            .write(move |store| {
                schema::create(store)?;
                set_meta(store, "ledger", ledger.as_bytes())?;
                set_meta(store, "namespace", &sealed_namespace)?;
                set_meta(store, "wrapped_key", &wrapped)?;
                audit::append(store, now, "ledger made")
            })
            .await?;
        Ok(Self { store, seal, folder: folder.to_owned(), namespace })
    }

    /// Opens the ledger in `folder` with `key`.
    ///
    /// # Errors
    /// [`LedgerError::NotThere`], [`LedgerError::Purged`], [`LedgerError::WrongKey`], [`LedgerError::Newer`].
    pub async fn open(folder: &Path, key: &ProjectKey) -> Result<Self, LedgerError> {
        match Self::presence(folder)? {
            Presence::None => return Err(LedgerError::NotThere(folder.to_owned())),
            Presence::Purged => return Err(LedgerError::Purged),
            Presence::There => {}
        }
        let store = Store::open(&folder.join(FILE))?;
        let read = |name: &'static str| {
            let read = store.read(move |store| meta(store, name));
            async move { read.await?.ok_or(LedgerError::Stored { what: "head" }) }
        };
        let ledger = Uuid::from_slice(&read("ledger").await?).map_err(|_| LedgerError::Stored { what: "head" })?;
        let data_key = DataKey::unwrap(&read("wrapped_key").await?, key, ledger)?;
        let seal = Arc::new(Seal::new(&data_key, ledger)?);
        let namespace = seal.open(NAMESPACE, 0, &read("namespace").await?)?;
        let namespace = Uuid::from_slice(&namespace).map_err(|_| LedgerError::Stored { what: "head" })?;
        Ok(Self { store, seal, folder: folder.to_owned(), namespace })
    }

    /// Takes the lock of a changing phase; only one may run on a ledger.
    pub fn lock(&self, phase: &str) -> Result<PhaseLock, LedgerError> {
        PhaseLock::take(&self.folder, phase)
    }

    /// Takes the lock of a changing phase before there is a ledger.
    pub fn lock_folder(folder: &Path, phase: &str) -> Result<PhaseLock, LedgerError> {
        PhaseLock::take(folder, phase)
    }

    /// Says that this process runs a bulk phase. `relaxed`: commits may be lost in a power cut, never in a crash, which
    /// is right for phases that can be repeated. Without it the ledger is set for single steps, as sign-ins are.
    pub fn relax(&self, relaxed: bool) {
        self.store.set_mode(if relaxed { Mode::Relaxed } else { Mode::Bulk });
    }

    /// The folder that holds it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What log lines call an account by.
    pub fn pseudonym(&self, ordinal: Ordinal) -> Pseudonym {
        self.seal.pseudonym(ordinal.0)
    }

    /// The namespace of its account keys.
    pub(crate) fn namespace(&self) -> Uuid {
        self.namespace
    }

    /// The one key of a record of a source.
    pub fn account_key(&self, source: SourceUid, record: &SourceKey) -> AccountKey {
        AccountKey::make(&self.namespace, source, record)
    }

    /// Copies the ledger as it is at this instant into another folder, for a rehearsal.
    pub async fn copy_to(&self, folder: &Path) -> Result<(), LedgerError> {
        let open = LedgerError::file(folder);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(&open)?;
        let path = folder.join(FILE);
        self.store
            .alone(move |store| {
                let name = path.to_string_lossy();
                store.execute("VACUUM INTO ?1", [name.as_ref()]).map_err(LedgerError::store("copying itself"))?;
                Ok(())
            })
            .await
    }

    /// Destroys the data key and everything sealed under it, and rewrites the file so that nothing of it is left.
    ///
    /// Counts, codes and the audit log stay.
    ///
    /// # Errors
    /// [`LedgerError::Full`] and [`LedgerError::Busy`] leave something of it on the disk: then [`Self::end_purge`] ends
    /// what was begun.
    pub async fn purge(&self, now: Timestamp) -> Result<(), LedgerError> {
        self.store.alone(move |store| destroy(store, now)).await
    }

    /// Ends a purge that was cut short after the data key was destroyed. Needs no key, and may be done again.
    pub async fn end_purge(folder: &Path, now: Timestamp) -> Result<(), LedgerError> {
        Store::open(&folder.join(FILE))?.alone(move |store| destroy(store, now)).await
    }
}

/// The steps of a purge, each of which may be repeated. The key goes first.
fn destroy(store: &Connection, now: Timestamp) -> Result<(), LedgerError> {
    let doing = LedgerError::store("purging");
    store.pragma_update(None, "secure_delete", true).map_err(&doing)?;
    let first = store.unchecked_transaction().map_err(&doing)?;
    let keys = first.execute("DELETE FROM meta WHERE name IN ('wrapped_key', 'namespace')", []).map_err(&doing)?;
    if keys > 0 {
        audit::append(&first, now, "purged: data key destroyed")?;
    }
    first.commit().map_err(&doing)?;
    schema::sign_ins(store)?;
    store
        .execute_batch(
            "DELETE FROM attempt; DELETE FROM context; DELETE FROM record; DELETE FROM plan; DELETE FROM holding; DELETE FROM detail;
             DELETE FROM lookup; DELETE FROM inventory; UPDATE source SET cursor = NULL;
             UPDATE reject SET sealed = x'', digest = x'';",
        )
        .map_err(&doing)?;
    store.execute_batch("VACUUM").map_err(&doing)?;
    let doing = "cutting its journal";
    let kept: bool =
        store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(LedgerError::store(doing))?;
    if kept { Err(LedgerError::Busy { doing }) } else { Ok(()) }
}

/// Reads a value of the ledger's head.
pub(crate) fn meta(store: &Connection, name: &str) -> Result<Option<Vec<u8>>, LedgerError> {
    store
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(LedgerError::store("reading its head"))
}

/// Writes a value of the ledger's head.
pub(crate) fn set_meta(store: &Connection, name: &str, value: &[u8]) -> Result<(), LedgerError> {
    store
        .execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", params![name, value])
        .map_err(LedgerError::store("writing its head"))?;
    Ok(())
}

/// Opens the project's ledger for reading counts, without its key.
pub(crate) fn reader(folder: &Path) -> Result<Connection, LedgerError> {
    if Ledger::presence(folder)? == Presence::None {
        return Err(LedgerError::NotThere(folder.to_owned()));
    }
    Store::open_read_only(&folder.join(FILE))
}

fn random_uuid() -> Result<Uuid, LedgerError> {
    use aws_lc_rs::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| LedgerError::Entropy)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}
