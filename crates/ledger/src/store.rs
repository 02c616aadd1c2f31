//! The embedded store: one writer thread that groups what waits into one commit, and readers beside it.
//!
//! No write transaction lasts over 20 ms (design.md 8), so that sign-ins from other processes are not kept waiting:
//! the writer begins, does jobs until [`GROUP`] has passed or none waits, and commits. A job is small by contract
//! (some hundred rows). WAL mode: readers see the last commit and block nobody.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::error::LedgerError;

/// How long one group of jobs may take before it is committed.
const GROUP: Duration = Duration::from_millis(6);
/// Cache of one reader, in KiB below zero: many read beside each other at sign-ins.
const READER_CACHE: i64 = -4_000;
/// How many readers are kept open when nobody reads.
const IDLE_READERS: usize = 8;
/// How many jobs may wait for the writer.
const QUEUE: usize = 64;
/// How long a writer waits for another process before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

type Reply = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;
type Grouped = Box<dyn FnOnce(Result<&Connection, LedgerError>) -> (bool, Reply) + Send>;
type Alone = Box<dyn FnOnce(&Connection) + Send>;

enum Job {
    Grouped(Grouped),
    Alone(Alone),
}

/// The store's file, its writer and its readers.
pub(crate) struct Store {
    path: PathBuf,
    jobs: Mutex<Option<SyncSender<Job>>>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
    readers: Arc<Mutex<Vec<Connection>>>,
    mode: Arc<AtomicU8>,
}

/// What the process that writes is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    /// Single steps that somebody waits for: every commit is flushed, and checkpoints are left to bulk phases as far
    /// as possible.
    Live = 0,
    /// A bulk phase whose commits have to survive a power cut.
    Bulk = 1,
    /// A bulk phase that can be repeated: commits may be lost in a power cut, never in a crash of ours.
    Relaxed = 2,
}

impl Mode {
    fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Bulk,
            2 => Self::Relaxed,
            _ => Self::Live,
        }
    }
}

/// Sets flushing, and how many pages of journal are gathered before they are moved into the file.
fn apply_mode(store: &Connection, mode: Mode) -> rusqlite::Result<()> {
    let (synchronous, pages) = match mode {
        Mode::Live => ("FULL", 10_000),
        Mode::Bulk => ("FULL", 1_000),
        Mode::Relaxed => ("NORMAL", 8_000),
    };
    store.pragma_update(None, "synchronous", synchronous)?;
    store.pragma_update(None, "wal_autocheckpoint", pages)
}

impl Store {
    /// Opens the file for reading and writing; makes it when it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let doing = LedgerError::store("opening it");
        connection.pragma_update(None, "journal_mode", "WAL").map_err(&doing)?;
        apply_mode(&connection, Mode::Live).map_err(&doing)?;
        let mode = Arc::new(AtomicU8::new(Mode::Live as u8));
        let (jobs, waiting) = sync_channel(QUEUE);
        let wanted = Arc::clone(&mode);
        let turn = Turn::open(path)?;
        let thread = thread::Builder::new().name("ledger".into());
        let thread = thread.spawn(move || work(&connection, &turn, &waiting, &wanted));
        let thread = thread.map_err(|source| LedgerError::Open { path: path.to_owned(), source: Arc::new(source) })?;
        Ok(Self {
            path: path.to_owned(),
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(thread)),
            readers: Arc::default(),
            mode,
        })
    }

    /// Opens the file for reading alone: no writer, no key needed.
    pub(crate) fn open_read_only(path: &Path) -> Result<Connection, LedgerError> {
        // read-write on the file (WAL needs its index), but never writing
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "query_only", true).map_err(LedgerError::store("opening it"))?;
        connection.pragma_update(None, "cache_size", READER_CACHE).map_err(LedgerError::store("opening it"))?;
        Ok(connection)
    }

    /// Says what this process writes for.
    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// Does `job` in the next commit; returns once that is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (sender, receiver) = oneshot::channel();
        let job = move |store: Result<&Connection, LedgerError>| {
            let result = store.and_then(job);
            let good = result.is_ok();
            let reply: Reply =
                Box::new(move |commit| drop(sender.send(result.and_then(|value| commit.map(|()| value)))));
            (good, reply)
        };
        self.send(Job::Grouped(Box::new(job))).await?;
        receiver.await.map_err(|_| LedgerError::Closed)?
    }

    /// Does `job` on the writer's connection outside any transaction; the job makes its own, short ones.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (sender, receiver) = oneshot::channel();
        self.send(Job::Alone(Box::new(move |store| drop(sender.send(job(store)))))).await?;
        receiver.await.map_err(|_| LedgerError::Closed)?
    }

    /// Reads beside the writer.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (readers, path) = (Arc::clone(&self.readers), self.path.clone());
        let task = tokio::task::spawn_blocking(move || with_reader(&readers, &path, query));
        task.await.map_err(|_| LedgerError::Closed)?
    }

    /// Reads on the caller's own thread, which must be one that may wait for a disk.
    pub(crate) fn read_here<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        with_reader(&self.readers, &self.path, query)
    }

    async fn send(&self, job: Job) -> Result<(), LedgerError> {
        let sender = self.jobs.lock().ok().and_then(|jobs| jobs.clone()).ok_or(LedgerError::Closed)?;
        // the queue is short and the writer quick, so a full queue is a wait of milliseconds; yield rather than block
        let mut job = job;
        loop {
            match sender.try_send(job) {
                Ok(()) => return Ok(()),
                Err(std::sync::mpsc::TrySendError::Full(back)) => {
                    job = back;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return Err(LedgerError::Closed),
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.jobs.lock().ok().and_then(|mut jobs| jobs.take()));
        if let Some(writer) = self.writer.lock().ok().and_then(|mut writer| writer.take()) {
            // a panic in a job was answered with `Closed` already
            drop(writer.join());
        }
    }
}

fn with_reader<T>(
    readers: &Mutex<Vec<Connection>>,
    path: &Path,
    query: impl FnOnce(&Connection) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let idle = readers.lock().ok().and_then(|mut readers| readers.pop());
    let reader = match idle {
        Some(reader) => reader,
        None => Store::open_read_only(path)?,
    };
    let result = query(&reader);
    // as many as are used at most times; each holds descriptors and a cache of its own
    if let Ok(mut readers) = readers.lock()
        && readers.len() < IDLE_READERS
    {
        readers.push(reader);
    }
    result
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, LedgerError> {
    let open = |source: rusqlite::Error| match LedgerError::store("opening it")(source) {
        LedgerError::Store { source, .. } => LedgerError::Open { path: path.to_owned(), source },
        error => error,
    };
    let mut connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(open)?;
    // short sleeps: sign-ins take turns with bulk commits of a few milliseconds
    connection
        .busy_handler(Some(|tries| {
            thread::sleep(Duration::from_millis(1));
            u128::try_from(tries).is_ok_and(|tries| tries < PATIENCE.as_millis())
        }))
        .map_err(open)?;
    connection.pragma_update(None, "cache_size", -32_000).map_err(open)?;
    connection.pragma_update(None, "temp_store", "FILE").map_err(open)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Where the writers of all processes take turns: whoever waits for the write lock holds this one meanwhile.
///
/// Without it a bulk phase, which begins again as soon as it has committed, overtakes a sign-in that looks every
/// millisecond whether the write lock is free: one of a hundred waited for a quarter of a second.
struct Turn(File);

impl Turn {
    fn open(store: &Path) -> Result<Self, LedgerError> {
        let path = store.with_file_name("turn.lock");
        let file =
            File::options().read(true).append(true).create(true).open(&path).map_err(LedgerError::file(&path))?;
        Ok(Self(file))
    }

    /// Begins to write when it is our turn. Where nobody can tell whose turn it is, the write lock alone decides.
    fn begin(&self, store: &Connection) -> Result<(), LedgerError> {
        let held = self.wait();
        let result = store.execute_batch("BEGIN IMMEDIATE").map_err(LedgerError::store("waiting for its write lock"));
        if held {
            // it would be let go with the process at the latest
            drop(self.0.unlock());
        }
        result
    }

    fn wait(&self) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.0.try_lock() {
                Ok(()) => return true,
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
                Err(TryLockError::Error(_)) => return false,
            }
        }
        false
    }
}

fn work(store: &Connection, turn: &Turn, waiting: &Receiver<Job>, mode: &AtomicU8) {
    let mut current = Mode::Live;
    loop {
        let Ok(job) = waiting.recv() else { return };
        let wanted = Mode::from_number(mode.load(Ordering::Relaxed));
        // a mode that cannot be set is tried again with the next job; until then the safer one stays
        if wanted != current && apply_mode(store, wanted).is_ok() {
            current = wanted;
        }
        match job {
            Job::Alone(job) => job(store),
            Job::Grouped(first) => group(store, turn, first, waiting),
        }
    }
}

/// Does `first` and what else waits in one transaction.
fn group(store: &Connection, turn: &Turn, first: Grouped, waiting: &Receiver<Job>) {
    let mut replies = Vec::new();
    let mut alone = None;
    if let Err(error) = turn.begin(store) {
        let (_, reply) = first(Err(error));
        return reply(Ok(()));
    }
    let began = Instant::now();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        replies.push(in_savepoint(store, job));
        if began.elapsed() < GROUP {
            match waiting.try_recv() {
                Ok(Job::Grouped(job)) => next = Some(job),
                Ok(Job::Alone(job)) => alone = Some(job),
                Err(_) => {}
            }
        }
    }
    let committed = store.execute_batch("COMMIT").map_err(LedgerError::store("committing"));
    if committed.is_err() {
        drop(store.execute_batch("ROLLBACK"));
    }
    for reply in replies {
        reply(committed.clone());
    }
    if let Some(job) = alone {
        job(store);
    }
}

fn in_savepoint(store: &Connection, job: Grouped) -> Reply {
    let run = |sql: &str| store.prepare_cached(sql)?.execute([]).map(drop);
    if run("SAVEPOINT job").is_err() {
        let (_, reply) = job(Err(LedgerError::Closed));
        return reply;
    }
    let (good, reply) = job(Ok(store));
    let ended = if good { Ok(()) } else { run("ROLLBACK TO job") };
    match ended.and_then(|()| run("RELEASE job")) {
        Ok(()) => reply,
        Err(error) => {
            let error = LedgerError::store("ending a step")(error);
            Box::new(move |_| reply(Err(error)))
        }
    }
}
