//! The target, which may not be reachable when the service starts, and what it is asked at a sign-in.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use sterna_core::{
    hook::{Freshness, Strength},
    ids::TargetId,
    port::{Held, Target, TargetError},
    secrecy::{ExposeSecret, SecretString},
    state::{CredentialEvent, CredentialState},
};
use tokio::time::{Instant, timeout_at};

use crate::config::SweepRules;

/// Connects to the target; the program's.
#[async_trait]
pub trait Connect: Send + Sync {
    /// Connects and learns what the target says about itself.
    async fn connect(&self) -> Result<Arc<dyn Target>, TargetError>;
}

/// The target, once it is connected to.
pub(crate) struct Seat {
    connect: Option<Box<dyn Connect>>,
    target: OnceLock<Arc<dyn Target>>,
}

impl Seat {
    pub(crate) fn new(connect: Option<Box<dyn Connect>>) -> Self {
        Self { connect, target: OnceLock::new() }
    }

    /// Whether the project has a target at all.
    pub(crate) fn is_configured(&self) -> bool {
        self.connect.is_some()
    }

    /// The target, if it was reached.
    pub(crate) fn target(&self) -> Option<&Arc<dyn Target>> {
        self.target.get()
    }

    /// Connects, again and again until it succeeds.
    pub(crate) async fn fill(&self) {
        let Some(connect) = &self.connect else { return };
        let mut pause = Duration::from_secs(1);
        loop {
            match connect.connect().await {
                Ok(target) => {
                    // nobody else fills it
                    drop(self.target.set(target));
                    return;
                }
                Err(error) => {
                    tracing::warn!(code = %error.code, "The target cannot be connected to: {error}");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_mins(1));
                }
            }
        }
    }

    /// Asks the target whether the account's password is still the one that it was made with.
    pub(crate) async fn freshness(&self, id: Option<&TargetId>, rules: &SweepRules, until: Instant) -> Freshness {
        let (Some(target), Some(id)) = (self.target(), id) else { return Freshness::Unknown };
        if !target.descriptor().reads_back {
            return Freshness::NotAsked;
        }
        match timeout_at(until, target.read_back(std::slice::from_ref(id))).await {
            Ok(Ok(held)) => held.into_iter().next().flatten().map_or(Freshness::Unknown, |held| fresh(&held, rules)),
            Ok(Err(error)) => {
                tracing::warn!(code = %error.code, "The target does not tell whether a password is untouched: {error}");
                Freshness::Unknown
            }
            Err(_elapsed) => Freshness::Unknown,
        }
    }

    /// Whether the target's policy takes the password. Where the policy is not known, the target itself decides.
    pub(crate) fn strength(&self, password: &SecretString) -> Strength {
        let weak = self
            .target()
            .is_some_and(|target| target.descriptor().password_policy.check(password.expose_secret()).is_err());
        if weak { Strength::TooWeak } else { Strength::Enough }
    }
}

/// What is held of an account, as the question whether its password is untouched.
fn fresh(held: &Held, rules: &SweepRules) -> Freshness {
    if held.awaiting != Some(true) || changed_since(held, rules) { Freshness::Changed } else { Freshness::Untouched }
}

/// Whether the password was changed after the account was made. Both instants are the target's own.
fn changed_since(held: &Held, rules: &SweepRules) -> bool {
    let slack = i64::try_from(rules.password_slack.as_millis()).unwrap_or(i64::MAX);
    let changed = held.password_changed.zip(held.created);
    rules.judge_password_change && changed.is_some_and(|(changed, made)| changed.0 - made.0 > slack)
}

/// The credential's step that follows from what is held of an account.
pub(crate) fn step_of(credential: CredentialState, held: &Held, rules: &SweepRules) -> Option<CredentialEvent> {
    let waits = matches!(credential, CredentialState::AwaitingSignIn | CredentialState::Answered);
    match held.awaiting {
        _ if !waits => None,
        Some(false) => Some(CredentialEvent::FlagCleared),
        // the flag is there and the password is not ours: its owner, or somebody for them, has set another
        Some(true) if changed_since(held, rules) => Some(CredentialEvent::ChangedElsewhere),
        Some(true) | None => None,
    }
}
