//! Asking the old system "is this the password?": the question, the verdicts, the trait that every way of asking has.
//!
//! Start at [`LegacyCheck`] and [`Chain`], which asks several in turn. [`Breaker`] decides when a check that fails is
//! left alone for a while. Nothing here does I/O: deadlines and limits are kept by the connectors' guard.

mod breaker;
mod chain;

use std::{fmt, time::Instant};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::{
    account::{Account, Identity},
    code::Finding,
    mapping,
};

pub use breaker::{Breaker, BreakerRules, Leave};
pub use chain::{Chain, Checked, GoOn, Link, Tried};

/// One question: whose password, the password, and until when an answer is of use.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The account as the ledger holds it: names come from here, never from what was typed.
    pub account: &'a Account,
    /// The name of the source that the account was read from.
    pub source: &'a str,
    /// The password that was typed; never empty ([`Chain`] answers for an empty one itself).
    pub password: &'a SecretString,
    /// When an answer is of no more use.
    pub deadline: Instant,
}

/// A way to ask whether a password is the old one. The conformance tests of the connectors are this contract.
#[async_trait]
pub trait LegacyCheck: Send + Sync {
    /// Checks that it can answer: reachability, rights, settings. Sends nobody's password.
    async fn preflight(&self) -> Vec<Finding>;

    /// Answers for one password. What cannot be answered is [`Verdict::Unavailable`], never a mismatch.
    async fn check(&self, attempt: &Attempt<'_>) -> Verdict;
}

/// What the old system says to one password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is the password.
    Match {
        /// Whether the hash that it was checked against should be replaced.
        upgrade: bool,
    },
    /// It is the password, and it has expired or must be changed.
    MatchButExpired,
    /// It is another password.
    Mismatch,
    /// There is no such account.
    Unknown,
    /// The account is locked for now; whether the password is right is not said.
    Locked,
    /// The account is disabled or has expired.
    Disabled,
    /// There is no answer. Never to be read as a mismatch, never counted as an attempt.
    Unavailable(Outage),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outage {
    /// No check of the project is for this account.
    NoCheck,
    /// This check has nothing to go by for this account: no stored hash, no name there.
    NotForThis,
    /// A hash is stored and is not computed: refused, unsupported, or of a format that is not fixed.
    HashNotComputed,
    /// No connection.
    Unreachable,
    /// TLS failed: a certificate that is not trusted, a broken handshake.
    Untrusted,
    /// No answer in time.
    TimedOut,
    /// Too many attempts wait already, here or there.
    Overloaded,
    /// It failed too often of late and is left alone for a while.
    Resting,
    /// It turns our own client or service account away.
    Rejected,
    /// An answer that is not understood.
    NotUnderstood,
    /// What the old system holds of this one account allows no answer: two entries with one name, a state that is no state.
    Unclear,
    /// Checking the stored hash takes longer than the limits allow.
    TooCostly,
    /// The password is probably right, but a second factor is wanted, and the settings do not let that count.
    SecondFactor,
    /// Settings or secrets that it needs cannot be had.
    Misconfigured,
}

impl Outage {
    /// Whether the check itself is at fault, so that it counts against it ([`Breaker`]).
    pub fn is_failure(self) -> bool {
        match self {
            Self::Unreachable | Self::Untrusted | Self::TimedOut | Self::Rejected | Self::NotUnderstood => true,
            Self::NoCheck
            | Self::NotForThis
            | Self::HashNotComputed
            | Self::Overloaded
            | Self::Resting
            | Self::Unclear
            | Self::TooCostly
            | Self::SecondFactor
            | Self::Misconfigured => false,
        }
    }

    /// The reason in words, for the operator.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoCheck => "no check is for this account",
            Self::NotForThis => "it has nothing to go by for this account",
            Self::HashNotComputed => "the stored hash is not computed",
            Self::Unreachable => "it cannot be reached",
            Self::Untrusted => "its TLS certificate or handshake is not accepted",
            Self::TimedOut => "it did not answer in time",
            Self::Overloaded => "too many attempts are waiting",
            Self::Resting => "it failed too often and is left alone for a while",
            Self::Rejected => "it turns our client or service account away",
            Self::NotUnderstood => "its answer is not understood",
            Self::Unclear => "what it holds of this account allows no answer",
            Self::TooCostly => "checking the stored hash takes longer than `timeout_ms` allows",
            Self::SecondFactor => "it wants a second factor",
            Self::Misconfigured => "a setting or secret that it needs cannot be had",
        }
    }
}

impl Verdict {
    /// A word for tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Match { .. } => "match",
            Self::MatchButExpired => "match_but_expired",
            Self::Mismatch => "mismatch",
            Self::Unknown => "unknown",
            Self::Locked => "locked",
            Self::Disabled => "disabled",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match { upgrade: false } => f.write_str("match"),
            Self::Match { upgrade: true } => f.write_str("match, and the hash should be replaced"),
            Self::MatchButExpired => f.write_str("match, but the password has expired"),
            Self::Mismatch => f.write_str("mismatch"),
            Self::Unknown => f.write_str("no such account"),
            Self::Locked => f.write_str("locked"),
            Self::Disabled => f.write_str("disabled"),
            Self::Unavailable(outage) => write!(f, "unavailable: {}", outage.words()),
        }
    }
}

/// The name that the old system knows the account by: the attribute of that name in mapping rules (`user_name`, `email`,
/// `key`, `attributes.dn`), or, without one, its first local sign-in name.
pub fn login_name(account: &Account, attribute: Option<&str>) -> Option<String> {
    let Some(path) = attribute else {
        return account.identities.iter().find_map(|identity| match identity {
            Identity::Local { value, .. } => Some(value.clone()),
            Identity::Federated { .. } => None,
        });
    };
    let text = match mapping::lookup(account, path)? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::Array(list) => list.first()?.as_str()?.to_owned(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}
