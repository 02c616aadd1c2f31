//! Reading back from the target whose password has moved: the only proof. Paced, for the target's reads are limited too.
//!
//! A round reads those that were answered; now and then all that wait, which also finds people who moved without us: by a
//! reset, or by typing the password that the target holds.

use std::time::{Duration, Instant};

use sterna_core::ids::{Ordinal, TargetId};
use tokio_util::sync::CancellationToken;

use crate::service::Service;

/// Accounts in one read.
const BATCH: usize = 20;

impl Service {
    /// Sweeps until it is stopped.
    pub(crate) async fn sweep(&self, stop: &CancellationToken) {
        if self.sweep_rules.per_second <= 0.0 {
            return;
        }
        let mut last_full: Option<Instant> = None;
        loop {
            let full = last_full.is_none_or(|at| at.elapsed() >= self.sweep_rules.all_every);
            if full {
                last_full = Some(Instant::now());
            }
            tokio::select! {
                () = self.round(full) => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.sweep_rules.every) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One round.
    async fn round(&self, full: bool) {
        let Some(target) = self.seat.target().filter(|target| target.descriptor().reads_back) else { return };
        let pause = Duration::from_secs_f64(1.0 / self.sweep_rules.per_second);
        let mut after: Option<Ordinal> = None;
        loop {
            let waiting = match self.ledger.waiting(after, BATCH, !full).await {
                Ok(waiting) => waiting,
                Err(error) => return tracing::warn!(code = %error.code(), "The sweep cannot read the ledger: {error}"),
            };
            let Some(last) = waiting.last() else { return };
            after = Some(last.ordinal);
            let ids: Vec<TargetId> = waiting.iter().map(|one| one.target.clone()).collect();
            let held = match target.read_back(&ids).await {
                Ok(held) => held,
                Err(error) => return tracing::warn!(code = %error.code, "The sweep cannot read the target: {error}"),
            };
            let steps: Vec<_> = waiting
                .iter()
                .zip(&held)
                .filter_map(|(one, held)| {
                    Some((one.ordinal, self.sweep_rules.password.step(one.standing.credential, held.as_ref()?)?))
                })
                .collect();
            metrics::counter!("sterna_sweep_reads_total").increment(ids.len().try_into().unwrap_or(u64::MAX));
            if !steps.is_empty() {
                match self.ledger.credential_steps(steps, self.now()).await {
                    Ok(moved) => metrics::counter!("sterna_sweep_steps_total").increment(moved),
                    Err(error) => {
                        tracing::warn!(code = %error.code(), "What the sweep found cannot be written: {error}");
                    }
                }
            }
            let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            tokio::time::sleep(pause.saturating_mul(count)).await;
        }
    }
}
