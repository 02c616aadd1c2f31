//! The sign-in side: people (and tests that play them) enter a name and a password, and a password that has not moved
//! yet is looked up at an endpoint (`entra.md` 1 and 2).
//!
//! Start at [`run::sign_in`] in `run.rs`: the state machine. `account.rs` finds users and writes what a sign-in changes,
//! `call.rs` asks the endpoint, with the body of `request.rs`, the password context of `context.rs` and `jwe.rs` and the
//! token of `bearer.rs`; `answer.rs` (pure) reads what it says, `code.rs` has the codes of failures. `setup.rs` is the
//! configuration, ready to be used. `levers.rs` is the side for machines, `page.rs` the one for people.

mod account;
mod answer;
mod bearer;
mod call;
mod code;
mod context;
mod flows;
mod jwe;
pub(crate) mod levers;
mod log;
pub(crate) mod page;
mod request;
mod run;
mod setup;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use serde_json::Value;

use self::answer::{Answer, Expected};
use self::bearer::{SigningKey, default_issuer};
use self::flows::Flows;
use self::log::Log;
pub(crate) use self::setup::{MadeIds, Setup};
use super::scenario::{ActionSpelling, TokenVersion};
use super::tenant::TenantNames;
use crate::clock::Micros;

/// What the sign-in side keeps.
pub(crate) struct SignIns {
    ids: MadeIds,
    setup: RwLock<Option<Arc<Setup>>>,
    /// Made when it is first needed: an RSA key takes its time, and most tenants never sign anybody in.
    key: OnceLock<Option<SigningKey>>,
    flows: Mutex<Flows>,
    log: Mutex<Log>,
    calls: Mutex<VecDeque<Micros>>,
}

/// The action of an answer with status 200 and the right content type, or the code of what is wrong with it.
pub(super) fn action_of(body: &[u8], nonce: &str) -> Result<&'static str, u32> {
    let answer = Answer { status: 200, content_type: Some("application/json"), body };
    let expected = Expected { nonce: Some(nonce), actions: ActionSpelling::Documented };
    answer::read(&answer, &expected).map(|action| action.name()).map_err(|code| code.number)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SignIns {
    pub(crate) fn new(ids: MadeIds) -> Self {
        Self {
            ids,
            setup: RwLock::new(None),
            key: OnceLock::new(),
            flows: Mutex::default(),
            log: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    pub(crate) fn ids(&self) -> &MadeIds {
        &self.ids
    }

    /// The configuration of just-in-time migration; none while it is off.
    pub(crate) fn setup(&self) -> Option<Arc<Setup>> {
        self.setup.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the configuration; the key is made now rather than within the first call's time.
    pub(crate) fn set_up(&self, setup: Option<Setup>) {
        if setup.is_some() {
            self.key();
        }
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = setup.map(Arc::new);
    }

    fn key(&self) -> Option<&SigningKey> {
        self.key.get_or_init(SigningKey::generate).as_ref()
    }

    /// The public half of the key that signs calls, for the key set.
    pub(crate) fn jwk(&self) -> Option<Value> {
        self.key().map(SigningKey::jwk)
    }

    /// The issuer of tokens of the second version, as discovery names it.
    pub(crate) fn issuer(&self, names: &TenantNames) -> String {
        let second = self.setup().filter(|setup| setup.settings.token_version == TokenVersion::V2);
        second.map_or_else(|| default_issuer(TokenVersion::V2, &names.id), |setup| setup.issuer(&names.id))
    }

    /// Whether one more request to the endpoint fits the tenant's limit; counts it if so. 0 is no limit.
    fn admit(&self, now: Micros, per_second: u32) -> bool {
        const SECOND: Micros = 1_000_000;
        if per_second == 0 {
            return true;
        }
        let mut calls = lock(&self.calls);
        while calls.front().is_some_and(|at| *at + SECOND <= now) {
            calls.pop_front();
        }
        let fits = calls.len() < per_second as usize;
        if fits {
            calls.push_back(now);
        }
        fits
    }
}
