//! What goes wrong with a database, classified once: for the source's errors and for the legacy check's verdicts.

use std::error::Error;

use sterna_core::{
    code::{Code, Finding},
    legacy::Outage,
    port::SourceError,
};

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection, or it was lost.
    Unreachable,
    /// TLS failed.
    Untrusted,
    /// The database user is turned away.
    Rejected,
    /// The database does not take the query.
    Query,
    /// No answer in time.
    TimedOut,
    /// A file that cannot be opened.
    File,
    /// A secret that cannot be had.
    Secret,
}

/// What went wrong, in words that quote no row.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into() }
    }

    pub(crate) fn timed_out() -> Self {
        Self::new(Fault::TimedOut, "the database gave no answer in time")
    }

    fn code(&self) -> Code {
        match self.fault {
            Fault::Unreachable | Fault::Untrusted | Fault::TimedOut => Code::E3009,
            Fault::Rejected => Code::E3010,
            Fault::Query => Code::E3011,
            Fault::File => Code::E3001,
            Fault::Secret => Code::E1008,
        }
    }

    pub(crate) fn into_error(self) -> SourceError {
        SourceError::new(self.code(), self.message)
    }

    pub(crate) fn into_finding(self) -> Finding {
        Finding::error(self.code(), self.message)
    }

    /// The finding of a legacy check.
    pub(super) fn into_check_finding(self) -> Finding {
        let code = match self.fault {
            Fault::Unreachable | Fault::Untrusted | Fault::TimedOut | Fault::File => Code::E2301,
            Fault::Rejected => Code::E2302,
            Fault::Query => Code::E2303,
            Fault::Secret => Code::E1008,
        };
        Finding::error(code, self.message)
    }

    pub(super) fn outage(&self) -> Outage {
        match self.fault {
            Fault::Unreachable | Fault::File => Outage::Unreachable,
            Fault::Untrusted => Outage::Untrusted,
            Fault::Rejected => Outage::Rejected,
            // a name that does not fit the column's type is this account's matter, not the database's
            Fault::Query => Outage::Unclear,
            Fault::TimedOut => Outage::TimedOut,
            Fault::Secret => Outage::Misconfigured,
        }
    }
}

/// How much of the server's words may be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// No row has been read: the words are about the query.
    Tell,
    /// The words may quote a value.
    Withhold,
}

pub(super) fn postgres(error: &tokio_postgres::Error, words: Words) -> Failure {
    let Some(db) = error.as_db_error() else {
        let text = causes(error);
        return if has_tls(error) || text.contains("TLS") {
            Failure::new(Fault::Untrusted, format!("TLS with the database failed: {text}"))
        } else if text.contains("password missing") || text.contains("authentication") {
            Failure::new(Fault::Rejected, "the database wants a password that was not given, or another way to sign in")
        } else {
            Failure::new(Fault::Unreachable, "the database cannot be reached, or the connection was lost")
        };
    };
    let state = db.code().code();
    let told = match words {
        Words::Tell => format!("{} (SQLSTATE {state})", db.message()),
        Words::Withhold => format!("SQLSTATE {state}"),
    };
    match state.get(..2) {
        Some("28") => Failure::new(Fault::Rejected, format!("the database turns the user away: SQLSTATE {state}")),
        Some("08" | "53") => Failure::new(Fault::Unreachable, format!("the database is not available: {told}")),
        Some("57") if state == "57014" => Failure::timed_out(),
        Some("57") => Failure::new(Fault::Unreachable, format!("the database ended the connection: {told}")),
        Some("42") if state == "42501" => Failure::new(Fault::Rejected, format!("the user may not read that: {told}")),
        Some("3D") => Failure::new(Fault::Rejected, format!("there is no such database: {told}")),
        _ => Failure::new(Fault::Query, format!("the database does not take the query: {told}")),
    }
}

pub(super) fn mysql(error: &mysql_async::Error, words: Words) -> Failure {
    use mysql_async::{DriverError, Error as Sql, IoError};
    match error {
        Sql::Server(server) => {
            let told = match words {
                Words::Tell => format!("{} (error {})", server.message, server.code),
                Words::Withhold => format!("error {}", server.code),
            };
            match server.code {
                1044 | 1045 | 1049 | 1130 | 1698 | 1820 | 1862 | 3118 => {
                    Failure::new(Fault::Rejected, format!("the database turns the user away: error {}", server.code))
                }
                1142 | 1143 | 1227 | 1370 => {
                    Failure::new(Fault::Rejected, format!("the user may not read that: {told}"))
                }
                1969 | 3024 => Failure::timed_out(),
                1040 | 1053 | 1203 | 1927 | 4031 => {
                    Failure::new(Fault::Unreachable, format!("the database is not available: {told}"))
                }
                _ => Failure::new(Fault::Query, format!("the database does not take the query: {told}")),
            }
        }
        Sql::Io(IoError::Tls(_)) | Sql::Driver(DriverError::NoClientSslFlagFromServer) => {
            Failure::new(Fault::Untrusted, "TLS with the database failed, or it offers none")
        }
        Sql::Io(IoError::Io(io)) if io.get_ref().is_some_and(is_rustls) => {
            Failure::new(Fault::Untrusted, "TLS with the database failed")
        }
        Sql::Driver(DriverError::UnknownAuthPlugin { .. } | DriverError::CleartextPluginDisabled) => {
            Failure::new(Fault::Rejected, "the database wants a way to sign in that is not supported")
        }
        _ => Failure::new(Fault::Unreachable, "the database cannot be reached, or the connection was lost"),
    }
}

pub(super) fn sqlite(error: &rusqlite::Error, words: Words) -> Failure {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::NotADatabase) => {
            Failure::new(Fault::File, "the SQLite file cannot be opened, or is none")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::timed_out(),
        Some(ErrorCode::OperationInterrupted) => Failure::timed_out(),
        _ if words == Words::Tell => Failure::new(Fault::Query, format!("SQLite does not take the query: {error}")),
        _ => Failure::new(Fault::Query, "SQLite failed while it ran the query"),
    }
}

fn is_rustls(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.is::<rustls::Error>()
}

fn has_tls(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && io.get_ref().is_some_and(is_rustls)
        {
            return true;
        }
        next = error.source();
    }
    false
}

fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
