//! Users who are asked for a new password and have not given it yet.

use std::collections::VecDeque;

use uuid::Uuid;

use crate::clock::Micros;
use crate::entra::directory::index::Slot;

/// Flows kept at one time; the oldest goes first.
const MAX_FLOWS: usize = 10_000;

/// How long one may take: ten minutes.
const LIFETIME: Micros = 600_000_000;

/// One user on the page that asks for a new password.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    id: String,
    pub(super) slot: Slot,
    pub(super) client_app_id: Option<String>,
    pub(super) ip: String,
    expires: Micros,
}

/// All of them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Flows(VecDeque<Flow>);

impl Flows {
    /// Begins one and tells its id.
    pub(super) fn begin(&mut self, slot: Slot, client_app_id: Option<String>, ip: String, now: Micros) -> String {
        while self.0.len() >= MAX_FLOWS {
            self.0.pop_front();
        }
        let id = Uuid::new_v4().simple().to_string();
        self.0.push_back(Flow { id: id.clone(), slot, client_app_id, ip, expires: now + LIFETIME });
        id
    }

    /// The flow of this id, unless it took too long.
    pub(super) fn find(&self, id: &str, now: Micros) -> Option<Flow> {
        self.0.iter().find(|flow| flow.id == id && flow.expires > now).cloned()
    }

    pub(super) fn end(&mut self, id: &str) {
        self.0.retain(|flow| flow.id != id);
    }
}
