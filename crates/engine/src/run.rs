//! What every phase is given: the ledger, time, randomness, progress that anyone may read, and the wish to stop.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use sterna_core::{
    code::Finding,
    time::{Clock, Entropy, Moment, Timestamp},
};
use sterna_ledger::Ledger;
use tokio::sync::Notify;

use crate::error::PhaseError;

/// What every phase is given.
#[derive(Clone)]
pub struct Run {
    /// The project's ledger.
    pub ledger: Arc<Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Whether the operator wants it to stop.
    pub stop: Stop,
}

impl Run {
    /// The present, by the wall clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    /// The present.
    pub fn moment(&self) -> Moment {
        self.clock.now()
    }

    /// Begins what a phase does under its lock: a repair that was interrupted or refused is a difference again, so that
    /// no other phase takes it for an account that was never sent.
    pub(crate) async fn lay_repairs_aside(&self) -> Result<(), PhaseError> {
        let laid = self.ledger.lay_repairs_aside(self.now()).await?;
        if laid > 0 {
            tracing::info!(accounts = laid, "Repairs that were not carried out are differences again");
        }
        Ok(())
    }

    /// Ends the phase if the operator wants it to stop.
    pub fn check_stop(&self) -> Result<(), PhaseError> {
        if self.stop.is_wanted() { Err(PhaseError::Interrupted) } else { Ok(()) }
    }

    /// Sleeps, unless the operator wants to stop, and says why it waits.
    pub async fn wait(&self, how_long: Duration, why: &str) -> Result<(), PhaseError> {
        self.progress.waits(Some(why));
        tokio::select! {
            () = tokio::time::sleep(how_long) => {}
            () = self.stop.wanted() => {}
        }
        self.progress.waits(None);
        self.check_stop()
    }
}

/// How far a phase is: a value that anyone may read while it changes.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    what: Mutex<String>,
    waits: Mutex<Option<String>>,
}

impl Progress {
    /// Begins something new: `what` is done, out of `total` where that is known (0: unknown).
    pub fn begin(&self, what: &str, total: u64) {
        if let Ok(mut text) = self.what.lock() {
            what.clone_into(&mut text);
        }
        self.total.store(total, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
    }

    /// So many more are done.
    pub fn add(&self, done: u64) {
        self.done.fetch_add(done, Ordering::Relaxed);
    }

    /// Why nothing happens at present.
    pub fn waits(&self, why: Option<&str>) {
        if let Ok(mut waits) = self.waits.lock()
            && waits.as_deref() != why
        {
            *waits = why.map(str::to_owned);
        }
    }

    /// What is done, how much of it, of how much, and why nothing happens at present.
    pub fn read(&self) -> (String, u64, u64, Option<String>) {
        let what = self.what.lock().map(|text| text.clone()).unwrap_or_default();
        let waits = self.waits.lock().map(|waits| waits.clone()).unwrap_or_default();
        (what, self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed), waits)
    }
}

/// The operator's wish to stop; phases look at it between steps.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(AtomicBool, Notify)>);

impl Stop {
    /// Says that the phase shall stop.
    pub fn want(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Whether it shall stop.
    pub fn is_wanted(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until it shall stop.
    pub async fn wanted(&self) {
        let notified = self.0.1.notified();
        if !self.is_wanted() {
            notified.await;
        }
    }
}

/// Whether findings have errors among them.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == sterna_core::code::Severity::Error)
}
