//! Reading back from the target whose password has moved: the only proof. Paced, for the target's reads are limited too.
//!
//! A round reads those that were answered; now and then all that wait, which also finds people who moved without us: by a
//! reset, or by typing the password that the target holds.

use std::time::{Duration, Instant};

use sterna_core::{
    ids::{Ordinal, TargetId},
    port::Held,
};
use sterna_ledger::sign_in::Waiting;
use tokio_util::sync::CancellationToken;

use crate::service::Service;

/// Accounts in one read.
const BATCH: usize = 20;
/// The least pause between two reads.
const LEAST: Duration = Duration::from_millis(20);

impl Service {
    /// Sweeps until it is stopped.
    pub(crate) async fn sweep(&self, stop: &CancellationToken) {
        if self.sweep_rules.per_second <= 0.0 {
            return;
        }
        tokio::select! {
            () = self.walk() => {}
            () = stop.cancelled() => {}
        }
    }

    /// Walks for ever: those that were answered go first, and all that wait are read batch by batch beside them, from where the
    /// last batch ended.
    async fn walk(&self) {
        let mut answered = Place::new(self.sweep_rules.every);
        let mut all = Place::new(self.sweep_rules.all_every);
        loop {
            let mut read = 0;
            for (place, answered_only) in [(&mut answered, true), (&mut all, false)] {
                if Instant::now() >= place.due {
                    read += self.batch(place, answered_only).await;
                }
            }
            let due = answered.due.min(all.due);
            let pause = Duration::from_secs_f64(f64::from(read) / self.sweep_rules.per_second.max(0.01));
            let idle = if read == 0 { due.saturating_duration_since(Instant::now()).max(LEAST) } else { LEAST };
            tokio::time::sleep(pause.max(idle)).await;
        }
    }

    /// Reads one batch back; how many accounts it was. At the end of the list the next walk is due after its time.
    async fn batch(&self, place: &mut Place, answered_only: bool) -> u32 {
        let Some(target) = self.seat.target().filter(|target| target.descriptor().reads_back) else {
            place.rest();
            return 0;
        };
        let waiting = match self.ledger.waiting(place.after, BATCH, answered_only).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(code = %error.code(), "The sweep cannot read the ledger: {error}");
                place.rest();
                return 0;
            }
        };
        let Some(last) = waiting.last() else {
            place.rest();
            return 0;
        };
        place.after = Some(last.ordinal);
        let ids: Vec<TargetId> = waiting.iter().map(|one| one.target.clone()).collect();
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        metrics::counter!("sterna_sweep_reads_total").increment(count.into());
        match target.read_back(&ids).await {
            Ok(held) => self.take(&waiting, &held).await,
            // these come again with the next walk; the ones behind them are not kept waiting for it
            Err(error) => tracing::warn!(code = %error.code, "The sweep cannot read the target: {error}"),
        }
        count
    }

    async fn take(&self, waiting: &[Waiting], held: &[Option<Held>]) {
        let step = |one: &Waiting, held: &Option<Held>| {
            Some((one.ordinal, self.sweep_rules.password.step(one.standing.credential, held.as_ref()?)?))
        };
        let steps: Vec<_> = waiting.iter().zip(held).filter_map(|(one, held)| step(one, held)).collect();
        if steps.is_empty() {
            return;
        }
        match self.ledger.credential_steps(steps, self.now()).await {
            Ok(moved) => metrics::counter!("sterna_sweep_steps_total").increment(moved),
            Err(error) => {
                tracing::warn!(code = %error.code(), "What the sweep found cannot be written: {error}");
            }
        }
    }
}

/// Where a walk is.
struct Place {
    after: Option<Ordinal>,
    due: Instant,
    every: Duration,
}

impl Place {
    fn new(every: Duration) -> Self {
        Self { after: None, due: Instant::now(), every }
    }

    /// The end is reached: the next walk begins after its time.
    fn rest(&mut self) {
        (self.after, self.due) = (None, Instant::now() + self.every);
    }
}
