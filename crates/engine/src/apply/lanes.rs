//! The lanes (application registrations) and their pacers, in the engine's own monotonic time.

use std::time::{Duration, Instant};

use sterna_core::{
    pace::{Millis, Pacer, Quota, Wait},
    time::Timestamp,
};

use crate::{error::PhaseError, run::Run};

/// Paces all lanes of a target.
pub(crate) struct Lanes {
    began: Instant,
    offset: Millis,
    pacers: Vec<Pacer>,
    next: usize,
}

/// A leave to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leave {
    /// Over which lane.
    pub(crate) lane: usize,
    /// How many writes.
    pub(crate) writes: u32,
}

impl Lanes {
    /// Lanes of `quota`, with the writes that earlier runs on this ledger sent within its window.
    pub(crate) async fn after_earlier(run: &Run, quota: &Quota) -> Result<Self, PhaseError> {
        let window = i64::try_from(quota.window.as_millis()).unwrap_or(i64::MAX / 2);
        let now = run.now();
        let earlier = run.ledger.sent_since(Timestamp(now.0.saturating_sub(window))).await?;
        Ok(Self::new(quota, now, &earlier))
    }

    /// Lanes of `quota`, with the writes that earlier runs sent.
    fn new(quota: &Quota, now: Timestamp, earlier: &[(Timestamp, u32)]) -> Self {
        let window = u64::try_from(quota.window.as_millis()).unwrap_or(u64::MAX / 4);
        let offset = window.saturating_mul(2);
        let mut pacers: Vec<Pacer> = (0..quota.lanes.max(1)).map(|_| Pacer::new(quota, offset)).collect();
        let lanes = u32::try_from(pacers.len()).unwrap_or(1);
        for (at, writes) in earlier {
            let ago = u64::try_from(now.0 - at.0).unwrap_or_default();
            for pacer in &mut pacers {
                pacer.remember(offset, ago, writes.div_ceil(lanes));
            }
        }
        Self { began: Instant::now(), offset, pacers, next: 0 }
    }

    /// Asks for leave to send up to `want` writes over any lane.
    ///
    /// # Errors
    /// How long to wait, and whether the target asked for it.
    pub(crate) fn take(&mut self, want: usize) -> Result<Leave, (Duration, Wait)> {
        let now = self.now();
        let want = u32::try_from(want).unwrap_or(u32::MAX);
        let mut soonest: Option<Wait> = None;
        for step in 0..self.pacers.len() {
            let lane = (self.next + step) % self.pacers.len();
            match self.pacers[lane].take(now, want) {
                Ok(writes) => {
                    self.next = (lane + 1) % self.pacers.len();
                    return Ok(Leave { lane, writes });
                }
                Err(wait) if soonest.is_none_or(|known| wait.until() < known.until()) => soonest = Some(wait),
                Err(_) => {}
            }
        }
        let wait = soonest.unwrap_or(Wait::Share(now + 1_000));
        Err((Duration::from_millis(wait.until().saturating_sub(now).max(1)), wait))
    }

    /// Takes note of how a batch went.
    pub(crate) fn note(
        &mut self,
        lane: usize,
        sent: u32,
        throttled: u32,
        wait: Option<Duration>,
        pressure: Option<f64>,
    ) {
        let now = self.now();
        let Some(pacer) = self.pacers.get_mut(lane) else { return };
        if throttled == 0 {
            return pacer.answered(now, pressure);
        }
        pacer.give_back(now, throttled.min(sent));
        pacer.refused(now, wait.unwrap_or(Duration::from_secs(2)), pressure);
    }

    /// Writes per second that are sent at present.
    pub(crate) fn rate(&self) -> f64 {
        self.pacers.iter().map(Pacer::rate).sum()
    }

    fn now(&self) -> Millis {
        self.offset + u64::try_from(self.began.elapsed().as_millis()).unwrap_or_default()
    }
}
