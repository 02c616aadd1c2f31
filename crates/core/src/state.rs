//! The two state machines of an account, and the one table of which pairs of states may stand together (design.md 3).
//!
//! Bulk phases move the profile, sign-ins move the credential; both live in one ledger row, so they can't lose each
//! other's steps. Every step is made by [`ProfileState::after`] or [`CredentialState::after`]; there is no other way.

use serde::{Deserialize, Serialize};

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $number,)* }

        impl $name {
            /// Every state, in the order in which reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The state's name in `status --json`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the number that the ledger stores.
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The number that the ledger stores.
            pub fn number(self) -> u8 { self as u8 }
        }
    };
}
pub(crate) use states;

states! {
    /// Where an account's profile stands.
    ProfileState {
        /// Read from the source; nothing is decided.
        Seen = 0 "seen",
        /// Left out by rule: a guest, an administrator, an excluded issuer.
        Excluded = 1 "excluded",
        /// Cannot be moved until somebody decides or mends something.
        Held = 2 "held",
        /// Part of another account now.
        Merged = 3 "merged",
        /// The source no longer has it.
        Gone = 4 "gone",
        /// An action is decided; nothing is sent.
        Planned = 5 "planned",
        /// The intent to send is durable; the request may have left.
        Intended = 6 "intended",
        /// No answer came: looked up before anything is sent again.
        InDoubt = 7 "in_doubt",
        /// Somebody is there already: compared, never counted as done.
        Clash = 8 "clash",
        /// The target said no.
        Refused = 9 "refused",
        /// Made by us.
        Applied = 10 "applied",
        /// It was there already, the same person; undo never deletes it.
        Adopted = 11 "adopted",
        /// It was there already and got identities from us.
        Linked = 12 "linked",
        /// It was there already and is left as it is.
        Left = 13 "left",
        /// Read back and equal.
        Verified = 14 "verified",
        /// Read back and different.
        Differs = 15 "differs",
        /// The target no longer has it.
        Missing = 16 "missing",
        /// Removed or restored by undo.
        Undone = 17 "undone",
    }
}

states! {
    /// Where an account's password stands.
    CredentialState {
        /// Known or not, nothing is to be done with it: the account is not, or no longer, at the target.
        Dormant = 0 "dormant",
        /// The account has no password at the target.
        NotNeeded = 1 "not_needed",
        /// The hash went along.
        Carried = 2 "carried",
        /// The password itself was set.
        Set = 3 "set",
        /// It moves at the first sign-in; the flag is set at the target.
        AwaitingSignIn = 4 "awaiting_sign_in",
        /// We said yes to the target; whether it kept the password is not read back yet.
        Answered = 5 "answered",
        /// Read back from the target: moved.
        Moved = 6 "moved",
        /// The target's password was changed by other than our answer; the old one is never accepted again.
        Superseded = 7 "superseded",
        /// The person has to choose a new one.
        ResetDue = 8 "reset_due",
    }
}

/// What may happen to an account's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileEvent {
    /// Read again from the source, and changed.
    ReadAgain,
    /// The plan leaves it out.
    Exclude,
    /// The plan holds it.
    Hold,
    /// The plan makes it part of another.
    Merge,
    /// The source no longer has it.
    Vanish,
    /// The plan decided on an action.
    Plan,
    /// The plan leaves what is there as it is.
    Leave,
    /// The intent is durable.
    Intend,
    /// The request was not sent, or was turned away before anything happened (throttled, quota full).
    Return,
    /// No answer came, or the worker is gone.
    Silence,
    /// The target holds what the create made.
    Holds,
    /// The target held the same person already.
    Adopt,
    /// The target holds the identities that the link added.
    Link,
    /// Somebody else is there.
    Clash,
    /// The target said no.
    Refuse,
    /// Read back: equal.
    Equal,
    /// Read back: different.
    Differ,
    /// Read back: not there.
    Miss,
    /// Removed or restored.
    Undo,
}

/// A step that the state machine does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account that is {from} cannot take the step {step}")]
pub struct NoSuchStep {
    /// The state's name.
    pub from: &'static str,
    /// The step's name.
    pub step: &'static str,
}

impl ProfileState {
    /// Whether the target holds something for this account by our doing or knowledge.
    pub fn is_at_target(self) -> bool {
        use ProfileState::{Adopted, Applied, Differs, Left, Linked, Verified};
        matches!(self, Applied | Adopted | Linked | Left | Verified | Differs)
    }

    /// Whether a request may have left without its answer being known.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::InDoubt)
    }

    /// Whether a new plan may decide anew on it: nothing has been sent, or what was sent came to nothing.
    pub fn is_plannable(self) -> bool {
        use ProfileState::{Clash, Excluded, Gone, Held, Merged, Planned, Refused, Seen, Undone};
        matches!(self, Seen | Excluded | Held | Merged | Gone | Planned | Clash | Refused | Undone)
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`NoSuchStep`] when the machine has no such step; a new state or event has to be decided here.
    pub fn after(self, event: ProfileEvent) -> Result<Self, NoSuchStep> {
        use ProfileEvent as E;
        use ProfileState as S;
        let next = match (self, event) {
            (state, E::ReadAgain) if state.is_plannable() => S::Seen,
            (state, E::Exclude) if state.is_plannable() => S::Excluded,
            (state, E::Hold) if state.is_plannable() => S::Held,
            (state, E::Merge) if state.is_plannable() => S::Merged,
            (state, E::Vanish) if state.is_plannable() => S::Gone,
            (state, E::Plan) if state.is_plannable() => S::Planned,
            (state, E::Leave) if state.is_plannable() => S::Left,
            // a repair or retry decides on an account that is, or was, at the target
            (S::Differs | S::Missing, E::Plan) => S::Planned,
            (S::Planned | S::InDoubt, E::Intend) => S::Intended,
            (S::Intended, E::Return) => S::Planned,
            (S::Intended | S::InDoubt, E::Silence) => S::InDoubt,
            (S::Intended | S::InDoubt, E::Holds) => S::Applied,
            (S::Planned | S::Intended | S::InDoubt | S::Clash, E::Adopt) => S::Adopted,
            (S::Intended | S::InDoubt, E::Link) => S::Linked,
            // known to a plan already, or told by the target
            (state, E::Clash) if state.is_plannable() || state.is_open() => S::Clash,
            (S::Intended | S::InDoubt, E::Refuse) => S::Refused,
            (state, E::Equal) if state.is_at_target() || state == S::Missing => S::Verified,
            (state, E::Differ) if state.is_at_target() || state == S::Missing => S::Differs,
            (state, E::Miss) if state.is_at_target() || state == S::Missing => S::Missing,
            (state, E::Undo) if state.is_at_target() || state == S::Missing => S::Undone,
            (from, event) => {
                return Err(NoSuchStep { from: from.name(), step: event.name() });
            }
        };
        Ok(next)
    }
}

impl ProfileEvent {
    fn name(self) -> &'static str {
        match self {
            Self::ReadAgain => "read again",
            Self::Exclude => "exclude",
            Self::Hold => "hold",
            Self::Merge => "merge",
            Self::Vanish => "vanish",
            Self::Plan => "plan",
            Self::Leave => "leave",
            Self::Intend => "intend",
            Self::Return => "return",
            Self::Silence => "silence",
            Self::Holds => "holds",
            Self::Adopt => "adopt",
            Self::Link => "link",
            Self::Clash => "clash",
            Self::Refuse => "refuse",
            Self::Equal => "equal",
            Self::Differ => "differ",
            Self::Miss => "miss",
            Self::Undo => "undo",
        }
    }
}

/// What may happen to an account's credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialEvent {
    /// The account was created, and this is how its password was written.
    Created(CredentialState),
    /// We answered "migrate" to the target.
    Answer,
    /// The flag read back from the target has gone: the password moved, by us or without us.
    FlagCleared,
    /// The target's password was changed by other than our answer.
    ChangedElsewhere,
    /// A reset is demanded.
    DemandReset,
    /// The account was lost at the target and made again with a password nobody knows: the old one never comes back.
    Recreated,
    /// The account is no longer at the target.
    Removed,
}

impl CredentialState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`NoSuchStep`]: above all there is no way back to [`CredentialState::AwaitingSignIn`] from a moved or changed
    /// password.
    pub fn after(self, event: CredentialEvent) -> Result<Self, NoSuchStep> {
        use CredentialEvent as E;
        use CredentialState as S;
        let next = match (self, event) {
            (S::Dormant, E::Created(state)) => state,
            // a request of ours that was not answered turns out to have succeeded twice over: nothing new
            (state, E::Created(again)) if state == again => state,
            (S::AwaitingSignIn | S::Answered, E::Answer) => S::Answered,
            (S::AwaitingSignIn | S::Answered | S::Moved, E::FlagCleared) => S::Moved,
            (
                S::AwaitingSignIn | S::Answered | S::Set | S::Carried | S::Superseded | S::ResetDue,
                E::ChangedElsewhere,
            ) => S::Superseded,
            (S::AwaitingSignIn | S::Answered | S::Set | S::Carried | S::ResetDue, E::DemandReset) => S::ResetDue,
            (S::NotNeeded, E::Recreated) => S::NotNeeded,
            (state, E::Recreated) if state != S::Dormant => S::ResetDue,
            // whoever had a password of their own there gets no older one back, however the account comes again
            (S::Answered | S::Moved | S::Superseded, E::Removed) => S::Superseded,
            (_, E::Removed) => S::Dormant,
            (from, event) => {
                return Err(NoSuchStep { from: from.name(), step: event.name() });
            }
        };
        Ok(next)
    }
}

impl CredentialEvent {
    fn name(self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Answer => "answer",
            Self::FlagCleared => "flag cleared",
            Self::ChangedElsewhere => "changed elsewhere",
            Self::DemandReset => "demand reset",
            Self::Recreated => "recreated",
            Self::Removed => "removed",
        }
    }
}

/// Which pairs of states may stand together: the one table, enforced by the ledger at every step.
///
/// Before anything is at the target, and after undo, a credential is dormant, or superseded where its owner had signed
/// in before the account went away. At the target it is never dormant.
/// In between (a repair is planned, on its way, in doubt, refused) it keeps what it was.
pub fn may_stand_together(profile: ProfileState, credential: CredentialState) -> bool {
    use CredentialState as C;
    use ProfileState as P;
    match profile {
        P::Seen | P::Excluded | P::Held | P::Merged | P::Gone | P::Undone => {
            matches!(credential, C::Dormant | C::Superseded)
        }
        P::Applied | P::Verified | P::Differs => credential != C::Dormant,
        P::Adopted | P::Linked | P::Left => matches!(credential, C::NotNeeded | C::Superseded),
        P::Planned | P::Intended | P::InDoubt | P::Clash | P::Refused | P::Missing => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_read_back() {
        for (at, state) in ProfileState::ALL.iter().enumerate() {
            assert_eq!(usize::from(state.number()), at);
            assert_eq!(ProfileState::from_number(state.number()), Some(*state));
        }
        for state in CredentialState::ALL {
            assert_eq!(CredentialState::from_number(state.number()), Some(*state));
        }
        assert_eq!(ProfileState::InDoubt.name(), "in_doubt");
        assert_eq!(CredentialState::AwaitingSignIn.name(), "awaiting_sign_in");
    }

    #[test]
    fn nothing_is_sent_again_from_doubt_without_a_new_intent() {
        use ProfileEvent as E;
        let doubt = ProfileState::Intended.after(E::Silence).unwrap();
        assert_eq!(doubt, ProfileState::InDoubt);
        assert!(doubt.after(E::Plan).is_err() && doubt.after(E::Return).is_err());
        assert_eq!(doubt.after(E::Intend), Ok(ProfileState::Intended));
        assert_eq!(doubt.after(E::Holds), Ok(ProfileState::Applied));
    }

    #[test]
    fn a_clash_is_never_counted_as_done() {
        let clash = ProfileState::Intended.after(ProfileEvent::Clash).unwrap();
        assert!(clash.after(ProfileEvent::Holds).is_err());
        assert!(!clash.is_at_target());
    }

    #[test]
    fn no_event_brings_a_moved_or_changed_password_back_to_awaiting() {
        use CredentialEvent as E;
        use CredentialState as S;
        let events = [
            E::Created(S::AwaitingSignIn),
            E::Created(S::Set),
            E::Answer,
            E::FlagCleared,
            E::ChangedElsewhere,
            E::DemandReset,
            E::Recreated,
        ];
        for from in [S::Moved, S::Superseded, S::ResetDue] {
            for event in events {
                let next = from.after(event);
                assert!(!matches!(next, Ok(S::AwaitingSignIn | S::Set | S::Answered)), "{from:?} {event:?} {next:?}");
            }
        }
    }

    #[test]
    fn an_account_that_went_away_after_its_sign_in_never_starts_over() {
        use CredentialState as S;
        for from in [S::Answered, S::Moved, S::Superseded] {
            let gone = from.after(CredentialEvent::Removed).unwrap();
            assert_eq!(gone, S::Superseded);
            assert!(gone.after(CredentialEvent::Created(S::AwaitingSignIn)).is_err());
            assert_eq!(gone.after(CredentialEvent::Recreated), Ok(S::ResetDue));
        }
        assert_eq!(S::AwaitingSignIn.after(CredentialEvent::Removed), Ok(S::Dormant));
    }

    #[test]
    fn every_profile_state_has_a_credential_state_it_may_stand_with() {
        for profile in ProfileState::ALL {
            assert!(CredentialState::ALL.iter().any(|credential| may_stand_together(*profile, *credential)));
        }
        assert!(!may_stand_together(ProfileState::Seen, CredentialState::AwaitingSignIn));
        assert!(!may_stand_together(ProfileState::Applied, CredentialState::Dormant));
        assert!(!may_stand_together(ProfileState::Adopted, CredentialState::Set));
    }
}
