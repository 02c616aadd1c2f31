//! A check behind its limits: a deadline, so many at once, so many waiting, and a breaker.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sterna_core::{
    code::Finding,
    legacy::{Attempt, Breaker, BreakerRules, Leave, LegacyCheck, Outage, Verdict},
    settings::Values,
};
use tokio::{sync::Semaphore, time::timeout_at};

use super::lockouts::{Lockouts, Says};

/// The limits of one check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The longest that one answer may take, also where the attempt's own deadline is later.
    pub timeout: Duration,
    /// How many attempts are under way at once; others wait until their deadline.
    pub concurrent: usize,
    /// How many may wait; one more is turned away at once.
    pub waiting: usize,
    /// When it is left alone.
    pub breaker: BreakerRules,
    /// Attempts a second at most.
    pub per_second: Option<f64>,
    /// So many different accounts locked in a row mean that it has locked us out; 0: never.
    pub locked_in_a_row: usize,
}

impl Default for Limits {
    fn default() -> Self {
        super::limits(&Values::default())
    }
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
    pace: Mutex<Option<Instant>>,
    lockouts: Mutex<Lockouts>,
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
            pace: Mutex::default(),
            lockouts: Mutex::new(Lockouts::new(limits.locked_in_a_row)),
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
        if !self.turn(deadline).await {
            return Verdict::Unavailable(Outage::Overloaded);
        }
        let now = Instant::now();
        let leave = self.with_breaker(|breaker| breaker.ask(now, self.limits.timeout));
        if leave == Leave::Rest {
            return Verdict::Unavailable(Outage::Resting);
        }
        // a caller that goes away in the middle must not leave the breaker half open
        let mut report = Report { guard: self, leave, verdict: None };
        let attempt = Attempt { deadline, ..*attempt };
        let asked = timeout_at(deadline.into(), self.inner.check(&attempt)).await;
        let (verdict, tells) = self.see(asked.unwrap_or(Verdict::Unavailable(Outage::TimedOut)), &attempt);
        // what a caller in a hurry did not wait for says nothing of the check
        let hurried =
            verdict == Verdict::Unavailable(Outage::TimedOut) && now.elapsed() < (self.limits.timeout / 2).min(HURRY);
        report.verdict = (tells && !hurried).then_some(verdict);
        verdict
    }
}

impl Guarded {
    /// Waits for the turn that the pace gives; false where that would be too late. A second's worth may go at once.
    async fn turn(&self, deadline: Instant) -> bool {
        let Some(per_second) = self.limits.per_second else { return true };
        let now = Instant::now();
        let turn = {
            let mut next = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            let burst = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
            let turn = next.map_or(burst, |next| next.max(burst));
            if turn >= deadline {
                return false;
            }
            *next = Some(turn + Duration::from_secs_f64(1.0 / per_second));
            turn
        };
        tokio::time::sleep_until(turn.into()).await;
        true
    }

    /// Notices when one account after the other is locked: then it is we who are, and nobody is told otherwise. Also says
    /// whether the verdict tells anything of the check.
    fn see(&self, verdict: Verdict, attempt: &Attempt<'_>) -> (Verdict, bool) {
        let mut lockouts = self.lockouts.lock().unwrap_or_else(PoisonError::into_inner);
        let (account, now) = (&attempt.account.key, Instant::now());
        match verdict {
            Verdict::Locked => match lockouts.locked(account, now) {
                Says::Nothing => return (verdict, false),
                Says::OneMore => {}
                Says::LockedOut => {
                    let accounts = self.limits.locked_in_a_row;
                    tracing::error!(accounts, "Every account is locked: the legacy system has locked us out");
                    self.with_breaker(|breaker| breaker.trip(now));
                    return (Verdict::Unavailable(Outage::Rejected), true);
                }
            },
            Verdict::Mismatch => lockouts.failed(account, now),
            Verdict::Match { .. } | Verdict::MatchButExpired | Verdict::Unknown | Verdict::Disabled => {
                lockouts.is_not_locked();
            }
            Verdict::Unavailable(_) => {}
        }
        (verdict, true)
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
        Limits { timeout: Duration::from_millis(200), concurrent: 1, waiting: 1, breaker, ..Limits::default() }
    }

    fn guarded(answers: &[Verdict], pause_ms: u64) -> Arc<Guarded> {
        let script = Script(answers.to_vec(), Duration::from_millis(pause_ms), AtomicUsize::new(0));
        Arc::new(Guarded::new(Arc::new(script), limits()))
    }

    async fn ask(guard: &Guarded) -> Verdict {
        ask_about(guard, "1").await
    }

    async fn ask_about(guard: &Guarded, key: &str) -> Verdict {
        let account = Account::new(SourceKey::new(key).unwrap());
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
    async fn one_account_after_the_other_locked_means_that_we_are_locked_out() {
        let guard = guarded(&[Verdict::Locked], 0);
        for _ in 0..10 {
            assert_eq!(ask_about(&guard, "1").await, Verdict::Locked, "one account, however often");
        }
        for key in ["2", "3", "4"] {
            assert_eq!(ask_about(&guard, key).await, Verdict::Locked);
        }
        assert_eq!(ask_about(&guard, "5").await, Verdict::Unavailable(Outage::Rejected));
        assert_eq!(ask_about(&guard, "6").await, RESTING);
        tokio::time::sleep(Duration::from_millis(320)).await;
        assert_eq!(ask_about(&guard, "7").await, Verdict::Unavailable(Outage::Rejected), "the probe is told the same");
        assert_eq!(ask_about(&guard, "8").await, RESTING);
        tokio::time::sleep(Duration::from_millis(640)).await;
        for _ in 0..3 {
            assert_eq!(ask_about(&guard, "7").await, Verdict::Locked, "known already: the next one probes");
        }
        assert_eq!(ask_about(&guard, "8").await, Verdict::Unavailable(Outage::Rejected));
        assert_eq!(ask_about(&guard, "7").await, RESTING);
        let guard = guarded(&[Verdict::Locked, Verdict::Mismatch, Verdict::Locked], 0);
        for key in ["1", "2", "3", "4", "5"] {
            assert_ne!(ask_about(&guard, key).await, Verdict::Unavailable(Outage::Rejected), "somebody was not locked");
        }
    }

    #[tokio::test]
    async fn who_locks_accounts_by_guessing_through_us_does_not_keep_everybody_out() {
        let mut answers = vec![Verdict::Mismatch; 8];
        answers.push(Verdict::Locked);
        let guard = guarded(&answers, 0);
        let guessed = ["1", "2", "3", "4", "5", "6", "7", "8"];
        for key in guessed {
            assert_eq!(ask_about(&guard, key).await, Verdict::Mismatch);
        }
        for key in guessed {
            assert_eq!(ask_about(&guard, key).await, Verdict::Locked);
        }
        assert!(!guard.is_resting());
        for key in ["11", "12", "13", "14"] {
            assert_eq!(ask_about(&guard, key).await, Verdict::Locked);
        }
        assert_eq!(ask_about(&guard, "15").await, Verdict::Unavailable(Outage::Rejected), "these did not fail before");
    }

    #[tokio::test]
    async fn a_pace_is_kept_and_who_would_come_too_late_is_shed() {
        let script = Script(vec![Verdict::Mismatch], Duration::ZERO, AtomicUsize::new(0));
        let limits = Limits { per_second: Some(10.0), timeout: Duration::from_secs(1), waiting: 100, ..limits() };
        let guard = Guarded::new(Arc::new(script), limits);
        let began = Instant::now();
        for _ in 0..14 {
            assert_eq!(ask(&guard).await, Verdict::Mismatch);
        }
        let took = began.elapsed();
        assert!((Duration::from_millis(250)..Duration::from_millis(900)).contains(&took), "{took:?}");
        let account = Account::new(SourceKey::new("1").unwrap());
        let password = "x".into();
        let soon = Instant::now() + Duration::from_millis(20);
        let attempt = Attempt { account: &account, source: "s", password: &password, deadline: soon };
        assert_eq!(guard.check(&attempt).await, Verdict::Unavailable(Outage::Overloaded));
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
