//! A check behind its limits: a deadline, so many at once, so many waiting, and a breaker.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sterna_core::{
    code::Finding,
    legacy::{Attempt, Breaker, BreakerRules, Leave, LegacyCheck, Outage, Verdict},
};
use tokio::{sync::Semaphore, time::timeout_at};

/// The limits of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest that one answer may take, also where the attempt's own deadline is later.
    pub timeout: Duration,
    /// How many attempts are under way at once; others wait until their deadline.
    pub concurrent: usize,
    /// How many may wait; one more is turned away at once.
    pub waiting: usize,
    /// When it is left alone.
    pub breaker: BreakerRules,
}

/// A caller that gives up sooner than this says nothing of the check.
const HURRY: Duration = Duration::from_millis(500);

/// A check behind its limits.
pub struct Guarded {
    inner: Arc<dyn LegacyCheck>,
    limits: Limits,
    slots: Semaphore,
    places: Semaphore,
    breaker: Mutex<Breaker>,
}

impl Guarded {
    /// Puts `inner` behind `limits`.
    pub fn new(inner: Arc<dyn LegacyCheck>, limits: Limits) -> Self {
        Self {
            inner,
            limits,
            slots: Semaphore::new(limits.concurrent),
            places: Semaphore::new(limits.concurrent + limits.waiting),
            breaker: Mutex::new(Breaker::new(limits.breaker)),
        }
    }

    /// Whether the breaker turns attempts away now.
    pub fn is_resting(&self) -> bool {
        self.with_breaker(|breaker| breaker.is_open(Instant::now()))
    }

    fn with_breaker<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask(&self, attempt: &Attempt<'_>) -> Verdict {
        let Ok(_place) = self.places.try_acquire() else {
            return Verdict::Unavailable(Outage::Overloaded);
        };
        let deadline = attempt.deadline.min(Instant::now() + self.limits.timeout);
        let Ok(Ok(_slot)) = timeout_at(deadline.into(), self.slots.acquire()).await else {
            return Verdict::Unavailable(Outage::Overloaded);
        };
        let now = Instant::now();
        let leave = self.with_breaker(|breaker| breaker.ask(now, self.limits.timeout));
        if leave == Leave::Rest {
            return Verdict::Unavailable(Outage::Resting);
        }
        // a caller that goes away in the middle must not leave the breaker half open
        let mut report = Report { guard: self, leave, verdict: None };
        let attempt = Attempt { deadline, ..*attempt };
        let asked = timeout_at(deadline.into(), self.inner.check(&attempt)).await;
        let verdict = asked.unwrap_or(Verdict::Unavailable(Outage::TimedOut));
        // what a caller in a hurry did not wait for says nothing of the check
        let hurried =
            verdict == Verdict::Unavailable(Outage::TimedOut) && now.elapsed() < (self.limits.timeout / 2).min(HURRY);
        report.verdict = (!hurried).then_some(verdict);
        verdict
    }
}

/// Tells the breaker how an attempt ended, when it ends.
struct Report<'g> {
    guard: &'g Guarded,
    leave: Leave,
    verdict: Option<Verdict>,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        self.guard.with_breaker(|breaker| match self.verdict {
            Some(Verdict::Unavailable(outage)) if outage.is_failure() => breaker.failed(self.leave, now),
            Some(Verdict::Unavailable(_)) | None => breaker.undecided(self.leave, now),
            Some(_) => breaker.answered(),
        });
    }
}

#[async_trait]
impl LegacyCheck for Guarded {
    async fn preflight(&self) -> Vec<Finding> {
        self.inner.preflight().await
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        self.ask(attempt).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sterna_core::{account::Account, ids::SourceKey};

    use super::*;

    /// Answers from a list, after a pause.
    struct Script(Vec<Verdict>, Duration, AtomicUsize);

    #[async_trait]
    impl LegacyCheck for Script {
        async fn preflight(&self) -> Vec<Finding> {
            Vec::new()
        }

        async fn check(&self, _: &Attempt<'_>) -> Verdict {
            let at = self.2.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.1).await;
            self.0[at.min(self.0.len() - 1)]
        }
    }

    fn limits() -> Limits {
        let breaker =
            BreakerRules { failures: 2, rest: Duration::from_millis(300), longest: Duration::from_millis(600) };
        Limits { timeout: Duration::from_millis(200), concurrent: 1, waiting: 1, breaker }
    }

    fn guarded(answers: &[Verdict], pause_ms: u64) -> Arc<Guarded> {
        let script = Script(answers.to_vec(), Duration::from_millis(pause_ms), AtomicUsize::new(0));
        Arc::new(Guarded::new(Arc::new(script), limits()))
    }

    async fn ask(guard: &Guarded) -> Verdict {
        let account = Account::new(SourceKey::new("1").unwrap());
        let password = "x".into();
        let deadline = Instant::now() + Duration::from_secs(2);
        guard.check(&Attempt { account: &account, source: "s", password: &password, deadline }).await
    }

    const DOWN: Verdict = Verdict::Unavailable(Outage::Unreachable);
    const RESTING: Verdict = Verdict::Unavailable(Outage::Resting);

    #[tokio::test]
    async fn the_breaker_opens_is_probed_and_closes() {
        let guard = guarded(&[DOWN, DOWN, DOWN, Verdict::Mismatch, Verdict::Mismatch], 0);
        assert_eq!([ask(&guard).await, ask(&guard).await, ask(&guard).await], [DOWN, DOWN, RESTING]);
        tokio::time::sleep(Duration::from_millis(320)).await;
        assert_eq!([ask(&guard).await, ask(&guard).await], [DOWN, RESTING]);
        tokio::time::sleep(Duration::from_millis(640)).await;
        assert_eq!([ask(&guard).await, ask(&guard).await], [Verdict::Mismatch, Verdict::Mismatch]);
        assert!(!guard.is_resting());
    }

    #[tokio::test]
    async fn what_is_no_fault_of_the_check_does_not_open_it() {
        let guard = guarded(&[Verdict::Unavailable(Outage::HashNotComputed)], 0);
        for _ in 0..10 {
            assert_eq!(ask(&guard).await, Verdict::Unavailable(Outage::HashNotComputed));
        }
    }

    #[tokio::test]
    async fn a_check_that_hangs_is_given_up_and_those_behind_it_are_shed() {
        let guard = guarded(&[Verdict::Mismatch], 10_000);
        let asks: Vec<_> = (0..4)
            .map(|_| {
                let guard = Arc::clone(&guard);
                tokio::spawn(async move { ask(&guard).await })
            })
            .collect();
        let mut verdicts = Vec::new();
        for ask in asks {
            verdicts.push(ask.await.unwrap());
        }
        let count = |outage| verdicts.iter().filter(|verdict| **verdict == Verdict::Unavailable(outage)).count();
        assert_eq!(count(Outage::TimedOut) + count(Outage::Overloaded), 4, "{verdicts:?}");
        assert!(count(Outage::TimedOut) >= 1 && count(Outage::Overloaded) >= 2, "{verdicts:?}");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_no_half_open_breaker() {
        let guard = guarded(&[DOWN, DOWN, Verdict::Mismatch, Verdict::Mismatch], 20);
        assert_eq!([ask(&guard).await, ask(&guard).await], [DOWN, DOWN]);
        tokio::time::sleep(Duration::from_millis(320)).await;
        drop(tokio::time::timeout(Duration::from_millis(5), ask(&guard)).await);
        assert_eq!(ask(&guard).await, Verdict::Mismatch);
    }
}
