//! The one pure function from what is known of an attempt to what is answered.

use crate::{
    legacy::Verdict,
    state::{CredentialState, ProfileState},
};

/// What is answered, before each dialect says it in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It is the old password, and the target may take it.
    Accept,
    /// It is the old password, and the person has to choose a new one.
    AcceptAndChange,
    /// It is not: a wrong password, nobody we know, or somebody whose old password counts no more. All the same answer.
    Wrong,
    /// The old system does not let the person in, whatever the password.
    Refuse(Bar),
    /// Nothing can be said now. Never to be shown as a wrong password.
    TryLater(Wait),
}

/// Why a person is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Locked for a while.
    Locked,
    /// Disabled or expired.
    Disabled,
}

/// Why nothing can be said now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The old system, or ours, does not answer.
    Outage,
    /// More is asked than can be answered in time.
    Overloaded,
    /// Too many attempts.
    Limited,
    /// What we sent to the target about this account is not known to be done or not done yet.
    Unsettled,
}

/// What the target was found to hold of the account, just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Its password is still the one that we made it with.
    Untouched,
    /// It has another password by now, or awaits none: the old one counts no more.
    Changed,
    /// The target has no such account, or does not show it yet.
    NotThere,
    /// The target was asked and did not answer in time, and the settings make that count.
    Unknown,
    /// The settings say that the target is not asked.
    NotAsked,
}

/// Whether the target's policy takes the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// It does.
    Enough,
    /// It does not.
    TooWeak,
}

/// What is known of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Where the account stands in the ledger; `None` when the ledger has nobody of that name.
    pub standing: Option<(ProfileState, CredentialState)>,
    /// Whether a request about somebody we cannot name yet may be under way: an unknown id may be one of ours.
    pub open_doubts: bool,
    /// Whether limits on attempts are exceeded.
    pub limited: bool,
    /// What the old system said; `None` when it was not asked yet.
    pub verdict: Option<Verdict>,
    /// What the target was found to hold; looked at with a verdict only.
    pub freshness: Freshness,
    /// Whether the target takes the password.
    pub strength: Strength,
    /// Whether the old system wants a new password at the next sign-in.
    pub must_change: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Ask the old system.
    Ask,
    /// Answer.
    Answer(Decision),
}

/// Decides. Called with no verdict it says whether the old system is asked at all; with one, what is answered.
pub fn decide(facts: &Facts) -> Step {
    if facts.limited {
        return Step::Answer(Decision::TryLater(Wait::Limited));
    }
    let Some((profile, credential)) = facts.standing else {
        let unsettled = facts.open_doubts;
        return Step::Answer(if unsettled { Decision::TryLater(Wait::Unsettled) } else { Decision::Wrong });
    };
    if let Some(decision) = bars(profile, credential) {
        return Step::Answer(decision);
    }
    let Some(verdict) = facts.verdict else { return Step::Ask };
    Step::Answer(said(verdict, facts))
}

/// Whether the account's password can move at all. No setting reaches in here.
fn bars(profile: ProfileState, credential: CredentialState) -> Option<Decision> {
    use ProfileState as P;
    match profile {
        P::Applied | P::Verified | P::Differs => {}
        // a repair of an account that is there: it keeps its password's state
        P::Planned | P::Intended | P::InDoubt | P::Refused => {}
        P::Clash
        | P::Seen
        | P::Excluded
        | P::Held
        | P::Merged
        | P::Gone
        | P::Adopted
        | P::Linked
        | P::Left
        | P::Missing
        | P::Undone => return Some(Decision::Wrong),
    }
    match credential {
        CredentialState::AwaitingSignIn | CredentialState::Answered => None,
        // a create of ours that may or may not have happened
        CredentialState::Dormant if profile.is_open() => Some(Decision::TryLater(Wait::Unsettled)),
        CredentialState::Dormant
        | CredentialState::NotNeeded
        | CredentialState::Carried
        | CredentialState::Set
        | CredentialState::Moved
        | CredentialState::Superseded
        | CredentialState::ResetDue => Some(Decision::Wrong),
    }
}

fn said(verdict: Verdict, facts: &Facts) -> Decision {
    match verdict {
        Verdict::Match { .. } | Verdict::MatchButExpired => match facts.freshness {
            Freshness::Changed => Decision::Wrong,
            Freshness::NotThere => Decision::TryLater(Wait::Unsettled),
            Freshness::Unknown => Decision::TryLater(Wait::Outage),
            Freshness::Untouched | Freshness::NotAsked => accepted(verdict, facts),
        },
        Verdict::Mismatch | Verdict::Unknown => Decision::Wrong,
        Verdict::Locked => Decision::Refuse(Bar::Locked),
        Verdict::Disabled => Decision::Refuse(Bar::Disabled),
        Verdict::Unavailable(crate::legacy::Outage::Overloaded) => Decision::TryLater(Wait::Overloaded),
        Verdict::Unavailable(_) => Decision::TryLater(Wait::Outage),
    }
}

fn accepted(verdict: Verdict, facts: &Facts) -> Decision {
    let must_change = verdict == Verdict::MatchButExpired || facts.must_change || facts.strength == Strength::TooWeak;
    if must_change { Decision::AcceptAndChange } else { Decision::Accept }
}

impl Decision {
    /// Whether the password was right and counts.
    pub fn is_yes(self) -> bool {
        matches!(self, Self::Accept | Self::AcceptAndChange)
    }

    /// Every decision.
    pub const ALL: [Self; 9] = [
        Self::Accept,
        Self::AcceptAndChange,
        Self::Wrong,
        Self::Refuse(Bar::Locked),
        Self::Refuse(Bar::Disabled),
        Self::TryLater(Wait::Outage),
        Self::TryLater(Wait::Overloaded),
        Self::TryLater(Wait::Limited),
        Self::TryLater(Wait::Unsettled),
    ];

    /// The decision of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.name() == name)
    }

    /// A word for logs, metrics and the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::AcceptAndChange => "accept_and_change",
            Self::Wrong => "wrong",
            Self::Refuse(Bar::Locked) => "locked",
            Self::Refuse(Bar::Disabled) => "disabled",
            Self::TryLater(Wait::Outage) => "try_later_outage",
            Self::TryLater(Wait::Overloaded) => "try_later_overloaded",
            Self::TryLater(Wait::Limited) => "try_later_limited",
            Self::TryLater(Wait::Unsettled) => "try_later_unsettled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{legacy::Outage, state::may_stand_together};

    const YES: Verdict = Verdict::Match { upgrade: false };

    fn facts(profile: ProfileState, credential: CredentialState, verdict: Option<Verdict>) -> Facts {
        Facts {
            standing: Some((profile, credential)),
            open_doubts: false,
            limited: false,
            verdict,
            freshness: Freshness::Untouched,
            strength: Strength::Enough,
            must_change: false,
        }
    }

    fn awaiting(verdict: Verdict) -> Facts {
        facts(ProfileState::Applied, CredentialState::AwaitingSignIn, Some(verdict))
    }

    #[test]
    fn of_all_pairs_of_states_only_those_that_await_a_sign_in_at_the_target_ever_get_a_yes() {
        let mut accepted = Vec::new();
        for profile in ProfileState::ALL {
            for credential in CredentialState::ALL {
                let step = decide(&facts(*profile, *credential, Some(YES)));
                let Step::Answer(decision) = step else { panic!("a verdict is answered: {profile:?} {credential:?}") };
                if decision.is_yes() && may_stand_together(*profile, *credential) {
                    accepted.push((profile.name(), credential.name()));
                }
                let asks = decide(&facts(*profile, *credential, None)) == Step::Ask;
                assert_eq!(asks, decision.is_yes(), "nobody is asked in vain: {profile:?} {credential:?}");
            }
        }
        let mut expected = Vec::new();
        for profile in ["planned", "intended", "in_doubt", "refused", "applied", "verified", "differs"] {
            for credential in ["awaiting_sign_in", "answered"] {
                expected.push((profile, credential));
            }
        }
        accepted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(accepted, expected);
    }

    #[test]
    fn only_a_positive_verdict_is_a_yes_and_an_outage_is_never_a_wrong_password() {
        use Decision as D;
        let table = [
            (YES, D::Accept),
            (Verdict::Match { upgrade: true }, D::Accept),
            (Verdict::MatchButExpired, D::AcceptAndChange),
            (Verdict::Mismatch, D::Wrong),
            (Verdict::Unknown, D::Wrong),
            (Verdict::Locked, D::Refuse(Bar::Locked)),
            (Verdict::Disabled, D::Refuse(Bar::Disabled)),
            (Verdict::Unavailable(Outage::TimedOut), D::TryLater(Wait::Outage)),
            (Verdict::Unavailable(Outage::NoCheck), D::TryLater(Wait::Outage)),
            (Verdict::Unavailable(Outage::HashNotComputed), D::TryLater(Wait::Outage)),
            (Verdict::Unavailable(Outage::Overloaded), D::TryLater(Wait::Overloaded)),
        ];
        for (verdict, expected) in table {
            assert_eq!(decide(&awaiting(verdict)), Step::Answer(expected), "{verdict:?}");
        }
    }

    #[test]
    fn a_password_that_changed_at_the_target_since_is_never_undone_by_the_old_one() {
        for verdict in [YES, Verdict::MatchButExpired] {
            let changed = Facts { freshness: Freshness::Changed, ..awaiting(verdict) };
            assert_eq!(decide(&changed), Step::Answer(Decision::Wrong));
            let gone = Facts { freshness: Freshness::NotThere, ..awaiting(verdict) };
            assert_eq!(decide(&gone), Step::Answer(Decision::TryLater(Wait::Unsettled)));
            let unknown = Facts { freshness: Freshness::Unknown, ..awaiting(verdict) };
            assert_eq!(decide(&unknown), Step::Answer(Decision::TryLater(Wait::Outage)));
        }
        let wrong = Facts { freshness: Freshness::Unknown, ..awaiting(Verdict::Mismatch) };
        assert_eq!(decide(&wrong), Step::Answer(Decision::Wrong));
    }

    #[test]
    fn limits_and_doubts_say_later_and_a_stranger_is_answered_as_a_wrong_password_is() {
        let limited = Facts { limited: true, ..awaiting(YES) };
        assert_eq!(decide(&limited), Step::Answer(Decision::TryLater(Wait::Limited)));
        let stranger = Facts { standing: None, verdict: None, ..awaiting(YES) };
        assert_eq!(decide(&stranger), Step::Answer(Decision::Wrong));
        let doubt = Facts { open_doubts: true, ..stranger };
        assert_eq!(decide(&doubt), Step::Answer(Decision::TryLater(Wait::Unsettled)));
        let intended = facts(ProfileState::Intended, CredentialState::Dormant, None);
        assert_eq!(decide(&intended), Step::Answer(Decision::TryLater(Wait::Unsettled)));
    }

    #[test]
    fn a_right_password_that_is_weak_or_due_is_followed_by_a_new_one() {
        let weak = Facts { strength: Strength::TooWeak, ..awaiting(YES) };
        assert_eq!(decide(&weak), Step::Answer(Decision::AcceptAndChange));
        let due = Facts { must_change: true, ..awaiting(YES) };
        assert_eq!(decide(&due), Step::Answer(Decision::AcceptAndChange));
        let weak_and_wrong = Facts { strength: Strength::TooWeak, ..awaiting(Verdict::Mismatch) };
        assert_eq!(decide(&weak_and_wrong), Step::Answer(Decision::Wrong));
    }
}
