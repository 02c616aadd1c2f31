//! What an account that was read back from the target says of its password: the only proof that it has moved. Pure.

use std::time::Duration;

use super::Freshness;
use crate::{
    port::Held,
    state::{CredentialEvent, CredentialState},
};

/// How a change of the password at the target is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// A password that changed so long after the account was made counts as changed by its owner; the target sets the
    /// first one within seconds.
    pub slack: Duration,
    /// Whether a change counts at all.
    pub judge_change: bool,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { slack: Duration::from_mins(2), judge_change: true }
    }
}

impl PasswordRules {
    /// Whether the password was changed after the account was made; `None` where the target does not say it. Both instants
    /// are the target's own.
    fn is_changed(&self, held: &Held) -> Option<bool> {
        if !self.judge_change {
            return Some(false);
        }
        let slack = i64::try_from(self.slack.as_millis()).unwrap_or(i64::MAX);
        let (changed, made) = held.password_changed.zip(held.created)?;
        Some(changed.0.saturating_sub(made.0) > slack)
    }

    /// Whether the account still has the password that it was made with, and awaits another.
    pub fn freshness(&self, held: &Held) -> Freshness {
        match (held.awaiting, self.is_changed(held)) {
            (Some(true), Some(false)) => Freshness::Untouched,
            // a target that does not tell when the password changed has not told that it did not
            (Some(true), None) => Freshness::Unknown,
            (Some(true), Some(true)) | (Some(false) | None, _) => Freshness::Changed,
        }
    }

    /// The credential's step that follows from what is held.
    ///
    /// A flag that was set to false is the password having moved, by us or without us (a reset, or the target's own
    /// password typed). A flag that stands beside a password that is not ours means that the owner, or somebody for them, has
    /// set another: the old one never counts again.
    pub fn step(&self, credential: CredentialState, held: &Held) -> Option<CredentialEvent> {
        let waits = matches!(credential, CredentialState::AwaitingSignIn | CredentialState::Answered);
        match held.awaiting {
            _ if !waits => None,
            Some(false) => Some(CredentialEvent::FlagCleared),
            Some(true) if self.is_changed(held) == Some(true) => Some(CredentialEvent::ChangedElsewhere),
            Some(true) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::TargetId, port::Activity, time::Timestamp};

    fn held(awaiting: Option<bool>, changed_after_secs: Option<i64>) -> Held {
        Held {
            id: TargetId("t".into()),
            key: None,
            attributes: std::collections::BTreeMap::new(),
            identities: Vec::new(),
            awaiting,
            signed_in: Activity::Never,
            password_changed: changed_after_secs.map(|secs| Timestamp(1_000_000 + secs * 1_000)),
            created: Some(Timestamp(1_000_000)),
        }
    }

    #[test]
    fn flag_and_change_of_the_password_decide_what_has_become_of_it() {
        use CredentialEvent::{ChangedElsewhere, FlagCleared};
        use CredentialState::{Answered, AwaitingSignIn, Moved, Superseded};
        let check = |credential, awaiting, changed, expected: Option<CredentialEvent>, fresh| {
            let (rules, held) = (PasswordRules::default(), held(awaiting, changed));
            assert_eq!(rules.step(credential, &held), expected, "{credential:?} {awaiting:?} {changed:?}");
            assert_eq!(rules.freshness(&held), fresh, "{awaiting:?} {changed:?}");
        };
        check(AwaitingSignIn, Some(true), Some(1), None, Freshness::Untouched);
        check(AwaitingSignIn, Some(true), None, None, Freshness::Unknown);
        check(AwaitingSignIn, Some(true), Some(3_600), Some(ChangedElsewhere), Freshness::Changed);
        check(Answered, Some(true), Some(3_600), Some(ChangedElsewhere), Freshness::Changed);
        check(Answered, Some(false), Some(3_600), Some(FlagCleared), Freshness::Changed);
        check(AwaitingSignIn, None, None, None, Freshness::Changed);
        check(Moved, Some(false), Some(1), None, Freshness::Changed);
        check(Superseded, Some(true), Some(3_600), None, Freshness::Changed);
        let lenient = PasswordRules { judge_change: false, ..PasswordRules::default() };
        assert_eq!(lenient.freshness(&held(Some(true), Some(3_600))), Freshness::Untouched);
    }
}
