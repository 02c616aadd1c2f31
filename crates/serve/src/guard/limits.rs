//! The limits on attempts. An attempt is counted as a failure when it begins and given back when it was none, so that
//! many at once cannot slip through between counting and failing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::window::{Allowance, Tallies};

/// A keyed digest of what it stands for.
type Digest = [u8; 16];

/// Accounts and addresses that are remembered at once; each costs about 100 bytes.
const MOST_KEYS: usize = 200_000;
/// Weight that a success takes off its address: somebody with a valid account and its password is there.
const RELIEF: f64 = 5.0;

/// Where an attempt comes from and whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct From {
    /// What the account was named by.
    pub who: Digest,
    /// The person's address, where the caller tells it and it is one person's or household's.
    pub address: Option<Digest>,
    /// The range that the address is in.
    pub range: Option<Digest>,
    /// The tenant or hook that asks.
    pub tenant: Digest,
}

/// How much is let through. Everything but the waits of an account has bounds that no setting can pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Wrong passwords for one account within `window`.
    pub account: u32,
    /// The first wait of an account; doubles with each wrong password from then on, for a day after the last.
    pub account_wait: Duration,
    /// The longest wait of an account.
    pub longest_wait: Duration,
    /// Wrong passwords from one address within `window`.
    pub address: u32,
    /// Wrong passwords from one range of addresses (IPv4 /24, IPv6 /48) within `window`.
    pub range: u32,
    /// Wrong passwords in one tenant within `window`, after which strangers are turned away.
    pub tenant: u32,
    /// Wrong passwords in all within `window`, after which strangers are turned away.
    pub service: u32,
    /// Attempts a minute from addresses never seen before that are let through even then.
    pub fresh_per_minute: u32,
    /// The time over which is counted.
    pub window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            account: 10,
            account_wait: Duration::from_mins(1),
            longest_wait: Duration::from_mins(30),
            address: 30,
            range: 300,
            tenant: 2_000,
            service: 5_000,
            fresh_per_minute: 60,
            window: Duration::from_mins(15),
        }
    }
}

/// Which limit is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// The account's.
    Account,
    /// The address's.
    Address,
    /// The range's.
    Range,
    /// The tenant's or the service's, and this is a stranger.
    Flood,
}

impl Limited {
    /// A word for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Range => "range",
            Self::Flood => "flood",
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A wrong password: counts.
    Wrong,
    /// The right one.
    Accepted,
    /// Nothing that says anything of the person: an outage, a locked account.
    Neither,
}

/// Counts attempts.
pub struct Guard {
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    /// Per account; attempts from addresses that have signed in before are counted apart, so that a stranger's guesses do
    /// not lock the person out at home.
    accounts: Tallies<(Digest, bool)>,
    addresses: Tallies<Digest>,
    ranges: Tallies<Digest>,
    tenants: Tallies<Digest>,
    service: Tallies<()>,
    fresh: Tallies<()>,
    known: HashMap<Digest, Instant>,
}

impl Guard {
    /// A guard that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        let state = State {
            accounts: Tallies::new(MOST_KEYS),
            addresses: Tallies::new(MOST_KEYS),
            ranges: Tallies::new(MOST_KEYS),
            tenants: Tallies::new(1_000),
            service: Tallies::new(1),
            fresh: Tallies::new(1),
            known: HashMap::new(),
        };
        Self { limits, state: Mutex::new(state) }
    }

    /// Whether somebody has signed in from this address before.
    pub fn knows(&self, address: Option<&Digest>) -> bool {
        address.is_some_and(|address| self.lock().known.contains_key(address))
    }

    /// Lets an attempt begin, which counts it, or says which limit is exceeded, which does not.
    ///
    /// # Errors
    /// The limit.
    pub fn begin(&self, from: &From, now: Instant) -> Result<(), Limited> {
        let mut state = self.lock();
        let known = from.address.is_some_and(|address| state.known.contains_key(&address));
        state.check(&self.limits, from, known, now)?;
        state.count(&self.limits, from, known, now);
        Ok(())
    }

    /// Tells how an attempt that was let through ended.
    pub fn end(&self, from: &From, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::Wrong => {}
            Outcome::Neither => self.lock().give_back(&self.limits, from, 1.0, now),
            Outcome::Accepted => {
                let mut state = self.lock();
                state.give_back(&self.limits, from, 1.0, now);
                if let Some(address) = &from.address {
                    state.addresses.relieve(address, RELIEF, &self.limits.address(), now);
                    state.learn(*address, now);
                }
                for known in [false, true] {
                    state.accounts.forget(&(from.who, known));
                }
            }
        }
    }

    /// Takes in an attempt of the past, from before a restart.
    pub fn recall(&self, from: &From, accepted: bool, at: Instant) {
        let mut state = self.lock();
        if accepted {
            if let Some(address) = from.address {
                state.learn(address, at);
            }
            return;
        }
        let known = from.address.is_some_and(|address| state.known.contains_key(&address));
        state.count(&self.limits, from, known, at);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits {
    fn account(&self) -> Allowance {
        Allowance {
            failures: self.account,
            window: self.window,
            first_wait: self.account_wait,
            longest_wait: self.longest_wait,
        }
    }

    fn address(&self) -> Allowance {
        self.plain(self.address)
    }

    fn plain(&self, failures: u32) -> Allowance {
        Allowance { failures, window: self.window, first_wait: Duration::ZERO, longest_wait: Duration::ZERO }
    }

    fn fresh(&self) -> Allowance {
        Allowance { window: Duration::from_mins(1), ..self.plain(self.fresh_per_minute) }
    }
}

impl State {
    fn check(&self, limits: &Limits, from: &From, known: bool, now: Instant) -> Result<(), Limited> {
        if self.accounts.must_wait(&(from.who, known), &limits.account(), now) {
            return Err(Limited::Account);
        }
        let address = limits.address();
        if from.address.is_some_and(|key| self.addresses.must_wait(&key, &address, now)) {
            return Err(Limited::Address);
        }
        if known {
            return Ok(());
        }
        if from.range.is_some_and(|key| self.ranges.must_wait(&key, &limits.plain(limits.range), now)) {
            return Err(Limited::Range);
        }
        let flood = self.tenants.must_wait(&from.tenant, &limits.plain(limits.tenant), now)
            || self.service.must_wait(&(), &limits.plain(limits.service), now);
        let has_failed = from.address.is_some_and(|key| self.addresses.has_failed(&key, &address, now));
        if flood && (has_failed || self.fresh.must_wait(&(), &limits.fresh(), now)) {
            return Err(Limited::Flood);
        }
        Ok(())
    }

    fn count(&mut self, limits: &Limits, from: &From, known: bool, now: Instant) {
        self.accounts.failed((from.who, known), &limits.account(), now);
        if let Some(address) = from.address {
            self.addresses.failed(address, &limits.address(), now);
        }
        if let Some(range) = from.range {
            self.ranges.failed(range, &limits.plain(limits.range), now);
        }
        self.tenants.failed(from.tenant, &limits.plain(limits.tenant), now);
        self.service.failed((), &limits.plain(limits.service), now);
        if !known {
            self.fresh.failed((), &limits.fresh(), now);
        }
    }

    fn give_back(&mut self, limits: &Limits, from: &From, by: f64, now: Instant) {
        for known in [false, true] {
            self.accounts.relieve(&(from.who, known), by, &limits.account(), now);
        }
        if let Some(address) = &from.address {
            self.addresses.relieve(address, by, &limits.address(), now);
        }
        if let Some(range) = &from.range {
            self.ranges.relieve(range, by, &limits.plain(limits.range), now);
        }
        self.tenants.relieve(&from.tenant, by, &limits.plain(limits.tenant), now);
        self.service.relieve(&(), by, &limits.plain(limits.service), now);
        self.fresh.relieve(&(), by, &limits.fresh(), now);
    }

    fn learn(&mut self, address: Digest, now: Instant) {
        if self.known.len() >= MOST_KEYS {
            let mut all: Vec<Instant> = self.known.values().copied().collect();
            let middle = all.len() / 2;
            let (_, median, _) = all.select_nth_unstable(middle);
            let median = *median;
            self.known.retain(|_, at| *at > median);
        }
        self.known.insert(address, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u32) -> Digest {
        let mut digest = [0; 16];
        digest[..4].copy_from_slice(&number.to_be_bytes());
        digest
    }

    fn from(who: u32, address: u32) -> From {
        From { who: digest(who), address: Some(digest(address)), range: Some(digest(address / 256)), tenant: digest(0) }
    }

    /// Wrong passwords that get through when `attempts` are made at one instant.
    fn through(guard: &Guard, attempts: impl Iterator<Item = From>, now: Instant) -> usize {
        attempts.filter(|from| guard.begin(from, now).map(|()| guard.end(from, Outcome::Wrong, now)).is_ok()).count()
    }

    #[test]
    fn ten_thousand_guesses_at_one_account_end_after_ten_from_wherever_they_come() {
        let (guard, now) = (Guard::new(Limits::default()), Instant::now());
        assert_eq!(through(&guard, (0..10_000).map(|n| from(1, n)), now), 10);
        assert_eq!(guard.begin(&from(1, 99_999), now), Err(Limited::Account));
        assert_eq!(guard.begin(&from(2, 99_999), now), Ok(()), "another account from elsewhere goes on");
    }

    #[test]
    fn over_a_day_the_wait_grows_so_that_guessing_stays_hopeless() {
        let (guard, start) = (Guard::new(Limits::default()), Instant::now());
        let tries: usize = (0..24 * 60)
            .map(|minute| through(&guard, (0..10).map(|n| from(1, n * 256)), start + Duration::from_mins(minute)))
            .sum();
        assert!((40..80).contains(&tries), "{tries} guesses in a day");
    }

    #[test]
    fn a_thousand_accounts_from_one_address_end_at_the_addresses_limit() {
        let (guard, now) = (Guard::new(Limits::default()), Instant::now());
        assert_eq!(through(&guard, (0..1_000).map(|n| from(n, 7)), now), 30);
        assert_eq!(guard.begin(&from(1, 7), now), Err(Limited::Address));
        assert_eq!(guard.begin(&from(1, 8), now), Ok(()));
    }

    #[test]
    fn a_spray_from_a_thousand_addresses_ends_at_the_tenants_limit_and_known_addresses_go_on() {
        let (guard, now) = (Guard::new(Limits::default()), Instant::now());
        let honest = from(1_000_000, 5_000_000);
        guard.begin(&honest, now).unwrap();
        guard.end(&honest, Outcome::Accepted, now);
        let spray = (0..10_000).map(|n| From { range: Some(digest(n % 1_000)), ..from(n, n % 1_000 + 1) });
        let got = through(&guard, spray, now);
        assert!((2_000..=2_060).contains(&got), "{got}");
        assert_eq!(guard.begin(&from(20_000, 1), now), Err(Limited::Flood));
        assert_eq!(guard.begin(&From { who: digest(1_000_001), ..honest }, now), Ok(()));
        assert_eq!(guard.begin(&from(30_000, 6_000_000), now + Duration::from_secs(5)), Ok(()), "a fresh address");
    }

    #[test]
    fn attempts_at_once_are_counted_before_they_end_and_outages_are_given_back() {
        let (guard, now) = (Guard::new(Limits::default()), Instant::now());
        let one = from(1, 1);
        let begun = (0..50).filter(|_| guard.begin(&one, now).is_ok()).count();
        assert_eq!(begun, 10);
        (0..begun).for_each(|_| guard.end(&one, Outcome::Neither, now));
        assert_eq!(guard.begin(&one, now), Ok(()), "an outage never counts");
    }

    #[test]
    fn a_stranger_who_guesses_does_not_lock_the_person_out_at_home() {
        let (guard, now) = (Guard::new(Limits::default()), Instant::now());
        let home = from(2, 77);
        guard.begin(&home, now).unwrap();
        guard.end(&home, Outcome::Accepted, now);
        through(&guard, (0..100).map(|n| from(1, n * 256)), now);
        assert_eq!(guard.begin(&from(1, 1), now), Err(Limited::Account));
        assert_eq!(guard.begin(&from(1, 77), now), Ok(()));
    }

    #[test]
    fn a_restart_forgets_nothing() {
        let (guard, now) = (Guard::new(Limits::default()), Instant::now());
        (0..10).for_each(|_| guard.recall(&from(1, 1), false, now));
        assert_eq!(guard.begin(&from(1, 2), now), Err(Limited::Account));
        guard.recall(&from(5, 9), true, now);
        assert!(guard.knows(Some(&digest(9))));
    }
}
