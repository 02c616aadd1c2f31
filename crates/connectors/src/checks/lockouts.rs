//! Tells locked accounts apart from a system that has locked us out. Pure: the present comes in.
//!
//! One account after the other is locked when it is we who are. But somebody who guesses at five accounts through us locks
//! those five too, and could so keep everybody else out; accounts that failed here a while ago therefore say nothing.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use sterna_core::ids::SourceKey;

/// Whoever failed through us less than this ago may be locked for that.
const FAILED: Duration = Duration::from_hours(1);

/// Failed accounts that are remembered; beyond that the oldest are forgotten.
const MOST_FAILED: usize = 10_000;

/// A locked account counts for so long.
const LOCKED: Duration = Duration::from_mins(10);

/// What a locked account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing: it failed through us before, or has been counted already.
    Nothing,
    /// It is one more in a row.
    OneMore,
    /// So many in a row that it is we who are locked out.
    LockedOut,
}

/// The accounts that were locked in a row, and those that failed.
pub(super) struct Lockouts {
    in_a_row: usize,
    locked: VecDeque<(Instant, SourceKey)>,
    failed: HashMap<SourceKey, Instant>,
    /// When each of the failed came in, the oldest first; those that failed again since come in anew.
    order: VecDeque<(Instant, SourceKey)>,
}

impl Lockouts {
    /// So many in a row mean that we are locked out; 0: never.
    pub(super) fn new(in_a_row: usize) -> Self {
        Self { in_a_row, locked: VecDeque::new(), failed: HashMap::new(), order: VecDeque::new() }
    }

    /// An account was answered as one that is not locked: then we are not locked out.
    pub(super) fn is_not_locked(&mut self) {
        self.locked.clear();
    }

    /// A password of the account was wrong.
    pub(super) fn failed(&mut self, account: &SourceKey, now: Instant) {
        self.locked.clear();
        if self.in_a_row == 0 {
            return;
        }
        if self.failed.insert(account.clone(), now).is_none() {
            self.order.push_back((now, account.clone()));
        }
        while let Some((came, _)) = self.order.front() {
            if self.order.len() <= MOST_FAILED && now.duration_since(*came) < FAILED {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((came, account)) = self.order.pop_front() else { return };
        match self.failed.get(&account) {
            Some(last) if *last > came => self.order.push_back((*last, account)),
            _ => drop(self.failed.remove(&account)),
        }
    }

    /// An account is locked.
    pub(super) fn locked(&mut self, account: &SourceKey, now: Instant) -> Says {
        let is_recent = |at: &Instant, limit: Duration| now.duration_since(*at) < limit;
        if self.in_a_row == 0 {
            return Says::OneMore;
        }
        if self.failed.get(account).is_some_and(|at| is_recent(at, FAILED)) {
            return Says::Nothing;
        }
        self.locked.retain(|(at, _)| is_recent(at, LOCKED));
        if self.locked.iter().any(|(_, known)| known == account) {
            return Says::Nothing;
        }
        self.locked.push_back((now, account.clone()));
        if self.locked.len() < self.in_a_row {
            return Says::OneMore;
        }
        // the newest stay: one more account that is locked says so again
        while self.locked.len() > self.in_a_row {
            self.locked.pop_front();
        }
        Says::LockedOut
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Says::{LockedOut, Nothing, OneMore},
        *,
    };

    const MINUTE: Duration = Duration::from_mins(1);

    fn account(number: usize) -> SourceKey {
        SourceKey::new(number.to_string()).unwrap()
    }

    #[test]
    fn accounts_that_failed_through_us_within_the_hour_do_not_count() {
        let (mut lockouts, now) = (Lockouts::new(2), Instant::now());
        (0..5).for_each(|number| lockouts.failed(&account(number), now));
        for number in 0..5 {
            assert_eq!(lockouts.locked(&account(number), now + 59 * MINUTE), Nothing);
        }
        assert_eq!(lockouts.locked(&account(0), now + 60 * MINUTE), OneMore);
        assert_eq!(lockouts.locked(&account(9), now + 60 * MINUTE), LockedOut);
    }

    #[test]
    fn who_fails_again_is_remembered_for_longer_than_who_did_not() {
        let (mut lockouts, now) = (Lockouts::new(2), Instant::now());
        (0..MOST_FAILED).for_each(|number| lockouts.failed(&account(number), now));
        lockouts.failed(&account(0), now + MINUTE);
        for number in MOST_FAILED..MOST_FAILED + 100 {
            lockouts.failed(&account(number), now + 2 * MINUTE);
        }
        assert_eq!((lockouts.failed.len(), lockouts.order.len()), (MOST_FAILED, MOST_FAILED));
        assert_eq!(lockouts.locked(&account(0), now + 2 * MINUTE), Nothing);
        assert_eq!(lockouts.locked(&account(1), now + 2 * MINUTE), OneMore, "forgotten");
        lockouts.failed(&account(7), now + 3 * 60 * MINUTE);
        assert_eq!((lockouts.failed.len(), lockouts.order.len()), (1, 1), "an hour later nobody else is kept");
    }

    #[test]
    fn locked_accounts_count_for_ten_minutes() {
        let (mut lockouts, now) = (Lockouts::new(3), Instant::now());
        assert_eq!(lockouts.locked(&account(1), now), OneMore);
        assert_eq!(lockouts.locked(&account(2), now + 9 * MINUTE), OneMore);
        assert_eq!(lockouts.locked(&account(3), now + 10 * MINUTE), OneMore, "the first has expired");
        assert_eq!(lockouts.locked(&account(1), now + 11 * MINUTE), LockedOut);
    }

    #[test]
    fn the_same_account_says_it_once() {
        let (mut lockouts, now) = (Lockouts::new(2), Instant::now());
        assert_eq!(
            [1, 1, 2, 2, 1, 3, 3].map(|number| lockouts.locked(&account(number), now)),
            [OneMore, Nothing, LockedOut, Nothing, Nothing, LockedOut, Nothing]
        );
        lockouts.is_not_locked();
        assert_eq!(lockouts.locked(&account(3), now), OneMore);
        let mut never = Lockouts::new(0);
        assert_eq!([1, 2, 3].map(|number| never.locked(&account(number), now)), [OneMore; 3]);
    }
}
