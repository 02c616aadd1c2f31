//! An old system of the tests' own: the right password is `right-` and the account's key; how it answers can be changed.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sterna_core::{
    code::Finding,
    legacy::{Attempt, LegacyCheck, Outage, Verdict},
    secrecy::ExposeSecret,
};

/// The old system.
pub(crate) struct Old {
    pub(crate) mood: Mutex<Mood>,
    pub(crate) asked: AtomicUsize,
}

/// How it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Slow(Duration),
    Hanging,
    Down,
    Says(Verdict),
}

impl Default for Old {
    fn default() -> Self {
        Self { mood: Mutex::new(Mood::Well), asked: AtomicUsize::new(0) }
    }
}

impl Old {
    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl LegacyCheck for Old {
    async fn preflight(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => {}
            Mood::Slow(time) => tokio::time::sleep(time).await,
            Mood::Hanging => std::future::pending().await,
            Mood::Down => return Verdict::Unavailable(Outage::Unreachable),
            Mood::Says(verdict) => return verdict,
        }
        let right = format!("correct-{}", attempt.account.key.as_str());
        if attempt.password.expose_secret() == right { Verdict::Match { upgrade: false } } else { Verdict::Mismatch }
    }
}
