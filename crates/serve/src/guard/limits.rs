//! The limits on attempts. An attempt is counted as a failure when it begins and given back when it was none, so that
//! many at once cannot slip through between counting and failing. What was counted is on a [`Receipt`], and exactly that is
//! given back.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::window::{Allowance, Recent, Tallies};

/// A keyed digest of what it stands for.
type Digest = [u8; 16];

/// Accounts and addresses that are remembered at once; each costs about 100 bytes.
const MOST_KEYS: usize = 200_000;
/// Tenants that are remembered at once.
const MOST_TENANTS: usize = 1_000;
/// So many wrong passwords are more than typos.
const TYPOS: u32 = 3;
/// Weight that a success takes off its address: somebody with a valid account and its password is there.
const RELIEF: f64 = 5.0;
/// For so long an address is known from which somebody has signed in.
pub(crate) const KNOWN_FOR: Duration = Duration::from_hours(24 * 30);

/// Where an attempt comes from and whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct From {
    /// What the account was named by.
    pub who: Digest,
    /// The person's address, where the caller tells it and it is one person's or household's.
    pub address: Option<Digest>,
    /// The range that the address is in.
    pub range: Option<Digest>,
    /// The tenant and hook that ask.
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
    /// Wrong passwords in one tenant within 15 minutes, after which strangers are rationed where the wrong ones are more than
    /// half as many as the accepted.
    pub tenant: u32,
    /// The same in all.
    pub service: u32,
    /// Attempts a minute of strangers who have not failed that are let through even then; twice as many as were accepted of
    /// late where that is more.
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
    /// A wrong password, or an account that the old system does not let in: counts.
    Wrong,
    /// The right one, and it was handed over.
    Accepted,
    /// The right one, and nothing was handed over: it can be shown again and again, so it earns nothing.
    Right,
    /// Nothing that says anything of the person: an outage.
    Neither,
}

/// What was counted for an attempt.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Receipt {
    from: From,
    known: bool,
    /// The account itself, once it is known which one is meant.
    account: Option<Digest>,
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
    fresh: Tallies<()>,
    tenants: HashMap<Digest, Recent>,
    service: Recent,
    known: HashMap<Digest, Instant>,
    /// Accounts that have earned relief for an address: each does once.
    earned: HashMap<Digest, Instant>,
}

impl Guard {
    /// A guard that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        let state = State {
            accounts: Tallies::new(MOST_KEYS),
            addresses: Tallies::new(MOST_KEYS),
            ranges: Tallies::new(MOST_KEYS),
            fresh: Tallies::new(1),
            tenants: HashMap::new(),
            service: Recent::new(Instant::now()),
            known: HashMap::new(),
            earned: HashMap::new(),
        };
        Self { limits, state: Mutex::new(state) }
    }

    /// Whether somebody has signed in from this address before.
    pub fn knows(&self, address: Option<&Digest>) -> bool {
        self.lock().knows(address, Instant::now())
    }

    /// Lets an attempt begin, which counts it, or says which limit is exceeded, which does not.
    ///
    /// # Errors
    /// The limit.
    pub fn begin(&self, from: &From, now: Instant) -> Result<Receipt, Limited> {
        let mut state = self.lock();
        let known = state.knows(from.address.as_ref(), now);
        state.check(&self.limits, from, known, now)?;
        state.count(&self.limits, from, known, now);
        Ok(Receipt { from: *from, known, account: None })
    }

    /// Counts the attempt on the account itself as well: it may be named in several ways.
    ///
    /// # Errors
    /// The account's limit; what was counted before stays on the receipt.
    pub fn meant(&self, receipt: &mut Receipt, account: Digest, now: Instant) -> Result<(), Limited> {
        let mut state = self.lock();
        let key = (account, receipt.known);
        if state.accounts.must_wait(&key, &self.limits.account(), now) {
            return Err(Limited::Account);
        }
        state.accounts.failed(key, &self.limits.account(), now);
        receipt.account = Some(account);
        Ok(())
    }

    /// Tells how an attempt that was let through ended.
    pub fn end(&self, receipt: &Receipt, outcome: Outcome, now: Instant) {
        if outcome == Outcome::Wrong {
            return;
        }
        let mut state = self.lock();
        state.give_back(&self.limits, receipt, now);
        if outcome == Outcome::Accepted {
            state.accepted(&self.limits, receipt, now);
        }
    }

    /// Takes in an attempt of the past, from before a restart; `account` where it was known which one was meant.
    pub fn recall(&self, from: &From, account: Option<Digest>, accepted: bool, at: Instant) {
        let mut state = self.lock();
        let known = state.knows(from.address.as_ref(), at);
        let receipt = Receipt { from: *from, known, account };
        if accepted {
            state.accepted(&self.limits, &receipt, at);
            return;
        }
        state.count(&self.limits, from, known, at);
        if let Some(account) = account {
            state.accounts.failed((account, known), &self.limits.account(), at);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
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

    fn fresh(&self, accepted_per_minute: u32) -> Allowance {
        let a_minute = self.fresh_per_minute.max(accepted_per_minute.saturating_mul(2));
        Allowance { window: Duration::from_mins(1), ..self.plain(a_minute) }
    }
}

impl State {
    fn knows(&self, address: Option<&Digest>, now: Instant) -> bool {
        let seen = address.and_then(|address| self.known.get(address));
        seen.is_some_and(|at| now.saturating_duration_since(*at) < KNOWN_FOR)
    }

    fn check(&mut self, limits: &Limits, from: &From, known: bool, now: Instant) -> Result<(), Limited> {
        let account = limits.account();
        if self.accounts.must_wait(&(from.who, known), &account, now) {
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
        if !self.is_flooded(limits, from, now) {
            return Ok(());
        }
        // strangers who have failed go first; without an address it is the account that has
        let has_failed = match from.address {
            Some(key) => self.addresses.has_failed(&key, TYPOS, &address, now),
            None => self.accounts.has_failed(&(from.who, known), TYPOS, &account, now),
        };
        let fresh = limits.fresh(self.service.accepted_per_minute(now));
        if has_failed || self.fresh.must_wait(&(), &fresh, now) {
            return Err(Limited::Flood);
        }
        Ok(())
    }

    /// Whether there are too many wrong passwords, in number and beside the accepted ones: honest people mistype as well.
    fn is_flooded(&mut self, limits: &Limits, from: &From, now: Instant) -> bool {
        let over = |(wrong, accepted): (u32, u32), limit: u32| wrong >= limit && wrong > accepted / 2;
        let tenant = self.tenants.get_mut(&from.tenant).map_or((0, 0), |recent| recent.sums(now));
        over(tenant, limits.tenant) || over(self.service.sums(now), limits.service)
    }

    fn count(&mut self, limits: &Limits, from: &From, known: bool, now: Instant) {
        self.accounts.failed((from.who, known), &limits.account(), now);
        if let Some(address) = from.address {
            self.addresses.failed(address, &limits.address(), now);
        }
        if let Some(range) = from.range {
            self.ranges.failed(range, &limits.plain(limits.range), now);
        }
        self.tenant(from.tenant, now).add(1, 0, now);
        self.service.add(1, 0, now);
        if !known {
            let fresh = limits.fresh(self.service.accepted_per_minute(now));
            self.fresh.failed((), &fresh, now);
        }
    }

    fn tenant(&mut self, tenant: Digest, now: Instant) -> &mut Recent {
        if self.tenants.len() >= MOST_TENANTS && !self.tenants.contains_key(&tenant) {
            // callers have proved who they are, so tenants are few; a made-up one costs itself
            self.tenants.retain(|_, recent| recent.sums(now) != (0, 0));
        }
        self.tenants.entry(tenant).or_insert_with(|| Recent::new(now))
    }

    /// Exactly what was counted. The ration of strangers is not given back: the attempt was made.
    fn give_back(&mut self, limits: &Limits, receipt: &Receipt, now: Instant) {
        let Receipt { from, known, account } = receipt;
        for who in [Some(from.who), *account].into_iter().flatten() {
            self.accounts.relieve(&(who, *known), 1.0, &limits.account(), now);
        }
        if let Some(address) = &from.address {
            self.addresses.relieve(address, 1.0, &limits.address(), now);
        }
        if let Some(range) = &from.range {
            self.ranges.relieve(range, 1.0, &limits.plain(limits.range), now);
        }
        self.tenant(from.tenant, now).take_back(now);
        self.service.take_back(now);
    }

    fn accepted(&mut self, limits: &Limits, receipt: &Receipt, now: Instant) {
        let Receipt { from, account, .. } = receipt;
        self.tenant(from.tenant, now).add(0, 1, now);
        self.service.add(0, 1, now);
        for who in [Some(from.who), *account].into_iter().flatten() {
            for known in [false, true] {
                self.accounts.forget(&(who, known));
            }
        }
        // one account vouches for one address once: its owner cannot buy guesses at others with it
        let who = account.unwrap_or(from.who);
        let Some(address) = from.address else { return };
        if remember(&mut self.earned, who, now) {
            self.addresses.relieve(&address, RELIEF, &limits.address(), now);
            remember(&mut self.known, address, now);
        }
    }
}

/// Remembers a key; whether it is new. Where there are too many, the older half goes.
fn remember(known: &mut HashMap<Digest, Instant>, key: Digest, now: Instant) -> bool {
    if known.len() >= MOST_KEYS {
        let mut all: Vec<Instant> = known.values().copied().collect();
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        let median = *median;
        known.retain(|_, at| *at > median);
    }
    known.insert(key, now).is_none_or(|before| now.saturating_duration_since(before) > KNOWN_FOR)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
