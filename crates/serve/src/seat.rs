//! The target, which may not be reachable when the service starts, and what it is asked at a sign-in.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use sterna_core::{
    hook::{Freshness, PasswordRules, Strength},
    ids::TargetId,
    port::{Target, TargetError},
    secrecy::{ExposeSecret, SecretString},
};
use tokio::time::{Instant, timeout_at};

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
    pub(crate) async fn freshness(&self, id: Option<&TargetId>, rules: &PasswordRules, until: Instant) -> Freshness {
        let (Some(target), Some(id)) = (self.target(), id) else { return Freshness::Unknown };
        if !target.descriptor().reads_back {
            return Freshness::NotAsked;
        }
        match timeout_at(until, target.read_back(std::slice::from_ref(id))).await {
            Ok(Ok(held)) => {
                held.into_iter().next().flatten().map_or(Freshness::NotThere, |held| rules.freshness(&held))
            }
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
