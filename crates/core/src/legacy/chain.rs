//! Several checks, asked in turn, and what comes of their verdicts together.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{Attempt, LegacyCheck, Outage, Verdict};
use crate::cohort::Rule;

/// The verdicts after which the next check is asked as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoOn {
    /// No such account there.
    Unknown,
    /// No answer.
    Unavailable,
    /// Another password there: only where the next one may know a newer password.
    Mismatch,
}

/// One check of the chain, and for whom it is.
pub struct Link {
    /// Its name in `[checks.NAME]`.
    pub name: String,
    /// The sources whose accounts it is for; empty: of all.
    pub sources: Vec<String>,
    /// What an account has to be like; all of them must hold.
    pub rules: Vec<Rule>,
    /// When the next one is asked as well.
    pub go_on: Vec<GoOn>,
    /// The check.
    pub check: Arc<dyn LegacyCheck>,
}

/// The checks of a project, in the file's order.
#[derive(Default)]
pub struct Chain(pub Vec<Link>);

/// What one check of the chain said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// What it said.
    pub verdict: Verdict,
}

/// What came of asking the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The verdict of all of them together.
    pub verdict: Verdict,
    /// What each that was asked said, in order.
    pub tried: Vec<Tried>,
}

impl Link {
    fn is_for(&self, attempt: &Attempt<'_>) -> bool {
        let source = self.sources.is_empty() || self.sources.iter().any(|source| source == attempt.source);
        source && self.rules.iter().all(|rule| rule.holds(attempt.account))
    }

    fn goes_on_after(&self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Unavailable(Outage::NotForThis) => true,
            Verdict::Unavailable(_) => self.go_on.contains(&GoOn::Unavailable),
            Verdict::Unknown => self.go_on.contains(&GoOn::Unknown),
            Verdict::Mismatch => self.go_on.contains(&GoOn::Mismatch),
            Verdict::Match { .. } | Verdict::MatchButExpired | Verdict::Locked | Verdict::Disabled => false,
        }
    }
}

impl Chain {
    /// Asks the checks that are for the account, in turn, until one decides. An empty password is a mismatch that nobody
    /// is asked about: some directories take a bind without a password for an anonymous one.
    pub async fn check(&self, attempt: &Attempt<'_>) -> Checked {
        if attempt.password.expose_secret().is_empty() {
            return Checked { verdict: Verdict::Mismatch, tried: Vec::new() };
        }
        let mut tried: Vec<Tried> = Vec::new();
        for link in self.0.iter().filter(|link| link.is_for(attempt)) {
            let verdict = link.check.check(attempt).await;
            tried.push(Tried { name: link.name.clone(), verdict });
            if !link.goes_on_after(verdict) {
                break;
            }
        }
        Checked { verdict: together(tried.iter().map(|tried| tried.verdict)), tried }
    }
}

/// What several verdicts say together. The last one decides if it is sure; else an outage of any weighs more than a
/// mismatch, which weighs more than an account that is not there: who could not answer might have said yes.
fn together(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let mut sum = Verdict::Unavailable(Outage::NoCheck);
    for verdict in verdicts {
        sum = match (sum, verdict) {
            (_, sure @ (Verdict::Match { .. } | Verdict::MatchButExpired | Verdict::Locked | Verdict::Disabled)) => {
                return sure;
            }
            (before, Verdict::Unavailable(Outage::NotForThis)) => before,
            (Verdict::Unavailable(Outage::NoCheck), next) => next,
            (outage @ Verdict::Unavailable(_), _) | (_, outage @ Verdict::Unavailable(_)) => outage,
            (Verdict::Mismatch, _) | (_, Verdict::Mismatch) => Verdict::Mismatch,
            (before, Verdict::Unknown) => before,
        };
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Poll, Waker},
        time::Instant,
    };

    use async_trait::async_trait;

    use super::*;
    use crate::{account::Account, code::Finding, cohort::Test, ids::SourceKey};

    struct Says(Verdict, AtomicUsize);

    #[async_trait]
    impl LegacyCheck for Says {
        async fn preflight(&self) -> Vec<Finding> {
            Vec::new()
        }

        async fn check(&self, _: &Attempt<'_>) -> Verdict {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0
        }
    }

    fn link(verdict: Verdict, go_on: &[GoOn]) -> (Link, Arc<Says>) {
        let check = Arc::new(Says(verdict, AtomicUsize::new(0)));
        let link = Link {
            name: verdict.name().to_owned(),
            sources: Vec::new(),
            rules: Vec::new(),
            go_on: go_on.to_vec(),
            check: Arc::clone(&check) as Arc<dyn LegacyCheck>,
        };
        (link, check)
    }

    fn ask(chain: &Chain, password: &str, source: &str) -> Checked {
        let account = Account::new(SourceKey::new("1").unwrap());
        let password = password.into();
        let attempt = Attempt { account: &account, source, password: &password, deadline: Instant::now() };
        let mut future = pin!(chain.check(&attempt));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(checked) => checked,
            Poll::Pending => panic!("these checks answer at once"),
        }
    }

    const USUAL: &[GoOn] = &[GoOn::Unknown, GoOn::Unavailable];

    fn check(verdicts: &[Verdict], go_on: &[GoOn], expected: Verdict, asked: usize) {
        let links: Vec<_> = verdicts.iter().map(|verdict| link(*verdict, go_on)).collect();
        let (links, says): (Vec<_>, Vec<_>) = links.into_iter().unzip();
        let checked = ask(&Chain(links), "x", "s");
        assert_eq!(checked.verdict, expected, "{verdicts:?}");
        assert_eq!(checked.tried.len(), asked, "{verdicts:?}");
        assert_eq!(says.iter().map(|says| says.1.load(Ordering::Relaxed)).sum::<usize>(), asked);
    }

    #[test]
    fn the_first_that_is_sure_decides_and_an_outage_is_never_a_mismatch() {
        const YES: Verdict = Verdict::Match { upgrade: false };
        const NO: Verdict = Verdict::Mismatch;
        const DOWN: Verdict = Verdict::Unavailable(Outage::Unreachable);
        const NOT_HERE: Verdict = Verdict::Unavailable(Outage::NotForThis);
        check(&[YES, NO], USUAL, YES, 1);
        check(&[NO, YES], USUAL, NO, 1);
        check(&[NO, YES], &[GoOn::Mismatch], YES, 2);
        check(&[Verdict::Unknown, YES], USUAL, YES, 2);
        check(&[Verdict::Unknown, YES], &[], Verdict::Unknown, 1);
        check(&[DOWN, YES], USUAL, YES, 2);
        check(&[DOWN, NO], USUAL, DOWN, 2);
        check(&[DOWN, Verdict::Unknown], USUAL, DOWN, 2);
        check(&[NO, DOWN], &[GoOn::Mismatch], DOWN, 2);
        check(&[NO, Verdict::Unknown], &[GoOn::Mismatch], NO, 2);
        check(&[Verdict::Unknown, NO], USUAL, NO, 2);
        check(&[DOWN, Verdict::Locked], USUAL, Verdict::Locked, 2);
        check(&[NOT_HERE, NO], &[], NO, 2);
        check(&[NO, NOT_HERE], &[GoOn::Mismatch], NO, 2);
        check(&[NOT_HERE], USUAL, Verdict::Unavailable(Outage::NoCheck), 1);
        check(&[], USUAL, Verdict::Unavailable(Outage::NoCheck), 0);
    }

    #[test]
    fn an_empty_password_reaches_no_check() {
        let (link, says) = link(Verdict::Match { upgrade: false }, USUAL);
        let checked = ask(&Chain(vec![link]), "", "s");
        assert_eq!(checked, Checked { verdict: Verdict::Mismatch, tried: Vec::new() });
        assert_eq!(says.1.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_check_is_asked_only_for_its_own_accounts() {
        let (mut by_source, _) = link(Verdict::Mismatch, USUAL);
        by_source.sources = vec!["other".into()];
        let (mut by_rule, _) = link(Verdict::Mismatch, USUAL);
        by_rule.rules = vec![Rule { attribute: "email".into(), test: Test::Present(true) }];
        let (all, _) = link(Verdict::Disabled, USUAL);
        let checked = ask(&Chain(vec![by_source, by_rule, all]), "x", "s");
        assert_eq!(checked.verdict, Verdict::Disabled);
        assert_eq!(checked.tried.len(), 1);
    }
}
