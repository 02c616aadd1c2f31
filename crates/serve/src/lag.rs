//! How late this process is served by its processors: by how much a task that slept is woken too late. In a flood, or
//! beside busy neighbours, a call has waited so long before its handler begins, and its answer waits so long again; what a
//! caller's deadline leaves for the work is less by both.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// From one look to the next.
const EVERY: Duration = Duration::from_millis(20);

/// The lateness of the last moments, in microseconds.
#[derive(Default)]
pub(crate) struct Lag(AtomicU64);

impl Lag {
    /// Looks again and again, until it is dropped.
    pub(crate) async fn watch(&self) {
        loop {
            let due = Instant::now() + EVERY;
            tokio::time::sleep_until(due.into()).await;
            self.note(due.elapsed());
        }
    }

    /// When an answer has to be ready to be sent so that it arrives within `deadline`; a quarter of it is always left.
    pub(crate) fn until(&self, began: Instant, deadline: Duration) -> Instant {
        let lost = Duration::from_micros(self.0.load(Ordering::Relaxed)).saturating_mul(2);
        began + deadline.saturating_sub(lost).max(deadline / 4)
    }

    /// Rises at once and falls within some looks.
    fn note(&self, late: Duration) {
        let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(late.max(before - before / 4), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_on_both_ways_is_taken_off_and_a_quarter_is_left() {
        let (lag, began, deadline) = (Lag::default(), Instant::now(), Duration::from_millis(800));
        let left = |lag: &Lag| lag.until(began, deadline).duration_since(began).as_millis();
        assert_eq!(left(&lag), 800);
        lag.note(Duration::from_millis(100));
        assert_eq!(left(&lag), 600);
        lag.note(Duration::from_secs(5));
        assert_eq!(left(&lag), 200);
        (0..40).for_each(|_| lag.note(Duration::ZERO));
        assert_eq!(left(&lag), 799, "it is forgotten but for microseconds");
    }
}
