//! What can go wrong with the ledger. Own words only: no error quotes a record.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::ffi;
use sterna_core::{code::Code, codec::CodecError, state::NoSuchStep};

/// The store's errors when a file cannot grow.
const GROWING: [i32; 3] = [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_TRUNCATE, ffi::SQLITE_IOERR_SHMSIZE];

/// Why the ledger could not do something.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// There is none yet.
    #[error("there is no ledger in {0}")]
    NotThere(PathBuf),
    /// The file or folder cannot be opened or made.
    #[error("the ledger's file {path} cannot be opened")]
    Open {
        /// Which file or folder of it.
        path: PathBuf,
        /// The error underneath.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The store failed.
    #[error("the ledger failed while {doing}")]
    Store {
        /// What we were doing.
        doing: &'static str,
        /// The error underneath.
        source: Arc<rusqlite::Error>,
    },
    /// The disk is full, or the file may not grow.
    #[error("the ledger cannot grow: no room while {doing}")]
    Full {
        /// What we were doing.
        doing: &'static str,
    },
    /// The file is not what it was.
    #[error("the ledger's file is damaged: it failed while {doing}")]
    Corrupt {
        /// What we were doing.
        doing: &'static str,
        /// The error underneath.
        source: Arc<rusqlite::Error>,
    },
    /// Another process held the write lock for too long.
    #[error("another process held the ledger for too long while {doing}")]
    Busy {
        /// What we were doing.
        doing: &'static str,
    },
    /// The key file is not there although the ledger is.
    #[error("the ledger is there, but {0} is not")]
    KeyMissing(String),
    /// The key file can be read by others.
    #[error("{0} can be read by other users")]
    KeyOpen(PathBuf),
    /// The key has a form that is no key.
    #[error("{0} is no key: 32 bytes in base64 or hex are wanted")]
    KeyForm(String),
    /// The key does not open the ledger.
    #[error("the key does not open this ledger")]
    WrongKey,
    /// A sealed value does not open.
    #[error("a sealed value of table {table} does not open: the ledger was changed or damaged")]
    Damaged {
        /// Which table.
        table: &'static str,
    },
    /// A sealed value has a form that is not known.
    #[error("a record of the ledger cannot be read")]
    Form(#[source] Arc<CodecError>),
    /// A stored document has a form that is not known.
    #[error("a stored {what} cannot be read")]
    Stored {
        /// What.
        what: &'static str,
    },
    /// Written by a newer program.
    #[error("the ledger has format {found}; this program knows {known}")]
    Newer {
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// An account has taken another step since it was looked at.
    #[error("an account has moved on since it was looked at")]
    Moved,
    /// The data key was destroyed.
    #[error("the ledger has been purged")]
    Purged,
    /// Another changing phase runs.
    #[error("{holder} is running on this ledger")]
    Locked {
        /// Which phase, and its process.
        holder: String,
    },
    /// A source looks renamed.
    #[error("the source `{new}` is not in the ledger, and `{old}`, which is, is not in the configuration")]
    Renamed {
        /// The name that the ledger knows.
        old: String,
        /// The name that it does not.
        new: String,
    },
    /// A step that the state machine does not know.
    #[error("a step was refused")]
    Step(#[from] NoSuchStep),
    /// A pair of states that may not stand together.
    #[error("an account cannot be {profile} with its credential {credential}")]
    Pair {
        /// The profile state.
        profile: &'static str,
        /// The credential state.
        credential: &'static str,
    },
    /// The random generator failed.
    #[error("the operating system's random generator failed")]
    Entropy,
    /// The writer is gone.
    #[error("the ledger is closed")]
    Closed,
}

impl LedgerError {
    /// The code for `sterna explain`.
    pub fn code(&self) -> Code {
        match self {
            Self::NotThere(_) => Code::E4001,
            Self::Open { .. } | Self::Store { .. } | Self::Entropy | Self::Closed => Code::E4002,
            Self::KeyMissing(_) => Code::E4003,
            Self::KeyForm(_) | Self::WrongKey => Code::E4004,
            Self::KeyOpen(_) => Code::E4005,
            Self::Corrupt { .. }
            | Self::Damaged { .. }
            | Self::Form(_)
            | Self::Stored { .. }
            | Self::Step(_)
            | Self::Pair { .. }
            | Self::Moved => Code::E4006,
            Self::Newer { .. } => Code::E4007,
            Self::Locked { .. } => Code::E4008,
            Self::Purged => Code::E4009,
            Self::Full { .. } => Code::E4010,
            Self::Busy { .. } => Code::E4011,
            Self::Renamed { .. } => Code::E1011,
        }
    }

    /// Names the file or folder that could not be opened, made or written.
    pub(crate) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded => {
                Self::Full { doing: "writing its files" }
            }
            _ => Self::Open { path: path.to_owned(), source: Arc::new(error) },
        }
    }

    /// Names what we were doing when the store failed.
    pub(crate) fn store(doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full { doing },
            // a file-size limit shows as a failed write of the file, its journal or the journal's index
            Some(rusqlite::ErrorCode::SystemIoFailure)
                if error.sqlite_error().is_some_and(|error| GROWING.contains(&error.extended_code)) =>
            {
                Self::Full { doing }
            }
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::Busy { doing },
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Corrupt { doing, source: Arc::new(error) }
            }
            _ => Self::Store { doing, source: Arc::new(error) },
        }
    }
}

impl From<CodecError> for LedgerError {
    fn from(error: CodecError) -> Self {
        Self::Form(Arc::new(error))
    }
}
