//! The sign-in log. It holds ids, never names or passwords that somebody typed.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Called;
use super::code::Code;

/// Entries kept; the oldest go first.
const MAX_ENTRIES: usize = 10_000;

/// One sign-in.
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) correlation_id: String,
    pub(super) user_id: Option<String>,
    pub(super) client_app_id: String,
    pub(super) ip: String,
    pub(super) outcome: &'static str,
    pub(super) code: Option<Code>,
    pub(super) extension: Option<Value>,
}

/// The log, and how many entries it ever had.
#[derive(Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    total: u64,
}

impl Log {
    pub(super) fn add(&mut self, entry: Entry) {
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.total += 1;
    }

    /// Everything that is kept, the newest last.
    pub(super) fn value(&self) -> Value {
        let entries: Vec<Value> = self.entries.iter().map(Entry::value).collect();
        json!({ "total": self.total, "sign_ins": entries })
    }
}

impl Entry {
    fn value(&self) -> Value {
        let Self { at, correlation_id, user_id, client_app_id, ip, outcome, code, extension } = self;
        json!({
            "time": at,
            "correlation_id": correlation_id,
            "user_id": user_id,
            "client_app_id": client_app_id,
            "ip": ip,
            "outcome": outcome,
            "code": code.map(|code| code.number),
            "name": code.map(|code| code.name),
            "extension": extension,
        })
    }
}

/// What the log tells of a call.
pub(super) fn extension_value(called: &Called) -> Value {
    let code = called.result.as_ref().err();
    json!({
        "listener_id": called.listener_id,
        "extension_id": called.extension_id,
        "http_status": called.http_status,
        "duration_ms": u64::try_from(called.duration.as_millis()).unwrap_or(u64::MAX),
        "attempts": called.attempts,
        "code": code.map(|code| code.number),
        "name": code.map(|code| code.name),
    })
}
