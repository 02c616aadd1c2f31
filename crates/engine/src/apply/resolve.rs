//! What an answer means for an account: pure, so that every case is a line of a table.

use std::time::Duration;

use sterna_core::{
    account::Identity,
    code::Code,
    ids::TargetId,
    plan::{Action, Planned},
    port::{Answer, Found},
    state::{CredentialEvent, CredentialState, ProfileEvent},
};
use sterna_ledger::sending::{Case, Outcome};

use crate::plan::{Matching, OnMatch, credential_of};

/// What to do about an account after an answer.
#[derive(Debug)]
pub enum Resolution {
    /// Write this; the account is done with.
    Settle(Outcome),
    /// Write this; send it again after so long.
    Again(Outcome, Duration),
    /// Write this; look it up once what was sent has settled. `clash`: the target said that somebody is there.
    LookUp {
        /// What to write.
        outcome: Outcome,
        /// Whether a conflict was reported, so that the first look-up need not wait.
        clash: bool,
    },
    /// Write this; nothing more can be sent, and why.
    Stop(Outcome, Code, String),
}

/// How often in one run a request without an answer is sent again before its account counts as refused.
const DOUBTS: u32 = 5;

/// Wait before something that was turned away without a time is sent again.
const DEFAULT_WAIT: Duration = Duration::from_secs(2);

/// Decides by the answer to a request.
pub fn answered(case: &Case, answer: Answer) -> Resolution {
    let step = |event| Outcome::step(case.ordinal, event);
    match answer {
        Answer::Holds(id) => Resolution::Settle(held(case, id)),
        Answer::Lacks => Resolution::Settle(Outcome {
            code: Some(Code::E2106),
            detail: Some("the account is no longer at the target".to_owned()),
            ..step(ProfileEvent::Refuse)
        }),
        Answer::Clashes { on } => Resolution::LookUp {
            outcome: Outcome {
                code: Some(Code::E2103),
                detail: Some(format!("the target names {on}")),
                ..step(ProfileEvent::Silence)
            },
            clash: true,
        },
        Answer::Throttled { wait, .. } => Resolution::Again(step(ProfileEvent::Return), wait.unwrap_or(DEFAULT_WAIT)),
        Answer::Changed => Resolution::Settle(Outcome {
            code: Some(Code::E2106),
            detail: Some("its identities changed since the plan was made".to_owned()),
            ..step(ProfileEvent::Refuse)
        }),
        Answer::Refuses { code, detail } => {
            Resolution::Settle(Outcome { code: Some(code), detail: Some(detail), ..step(ProfileEvent::Refuse) })
        }
        Answer::Stops { code, detail } => Resolution::Stop(step(ProfileEvent::Return), code, detail),
        Answer::Silence { why } => {
            Resolution::LookUp { outcome: Outcome { detail: Some(why), ..step(ProfileEvent::Silence) }, clash: false }
        }
    }
}

/// The account is there by our doing.
pub fn held(case: &Case, id: TargetId) -> Outcome {
    let (event, credential, origin) = match case.action {
        // a repair that gives back identities of an account that we made: it stays ours
        Some(Action::Link) if case.origin == Some(Action::Create) => (ProfileEvent::Holds, None, None),
        Some(Action::Link) => {
            (ProfileEvent::Link, first_credential(case, CredentialState::NotNeeded), Some(Action::Link))
        }
        Some(Action::Update) => (ProfileEvent::Holds, None, None),
        _ => (ProfileEvent::Holds, created_credential(case), Some(Action::Create)),
    };
    let step = Outcome::step(case.ordinal, event);
    Outcome { credential, target: Some(id), origin, ..step }
}

/// The account was there before, the same person.
pub fn adopted(case: &Case, id: TargetId) -> Outcome {
    let credential = first_credential(case, CredentialState::NotNeeded);
    let step = Outcome::step(case.ordinal, ProfileEvent::Adopt);
    Outcome { credential, target: Some(id), origin: Some(Action::Adopt), ..step }
}

fn first_credential(case: &Case, state: CredentialState) -> Option<CredentialEvent> {
    (case.standing.credential == CredentialState::Dormant).then_some(CredentialEvent::Created(state))
}

fn created_credential(case: &Case) -> Option<CredentialEvent> {
    let planned = case.planned.as_ref()?;
    // one that the plan found under its key was never gone: nothing is written, and its password is what it was
    let made_again = planned.again && planned.existing.is_none();
    if made_again && case.standing.credential != CredentialState::Dormant {
        return Some(CredentialEvent::Recreated);
    }
    first_credential(case, credential_of(planned))
}

/// Decides by a look-up. `None`: nothing conclusive was found, and what was sent may still settle.
pub fn looked_up(case: &Case, found: &Found, settled: bool, matching: Matching) -> Option<Resolution> {
    let again = || {
        Resolution::Again(Outcome { event: None, ..Outcome::step(case.ordinal, ProfileEvent::Intend) }, Duration::ZERO)
    };
    if matches!(case.action, Some(Action::Update | Action::Link)) {
        // a conflict says that an identity is somebody else's; to send it again would change nothing
        if case.code == Some(Code::E2103) {
            return Some(Resolution::Settle(clash(case, Code::E2105, "an identity belongs to another account")));
        }
        if case.doubts >= DOUBTS {
            return Some(Resolution::Settle(unanswered(case)));
        }
        // both set a state and read it first: sending them again does no harm
        return settled.then(again);
    }
    match found.by_key.as_slice() {
        [ours] => return Some(Resolution::Settle(held(case, ours.clone()))),
        [] => {}
        [_, _, ..] => return Some(Resolution::Settle(clash(case, Code::E2107, "two objects carry its key"))),
    }
    if !settled {
        return None;
    }
    let mut ids: Vec<&TargetId> = found.by_identity.iter().map(|(_, id)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids.as_slice() {
        [] if case.code == Some(Code::E2103) => {
            Some(Resolution::Settle(clash(case, Code::E2103, "the target says that it exists, but shows nobody")))
        }
        [] if case.doubts >= DOUBTS => Some(Resolution::Settle(unanswered(case))),
        // asked after the settling time, and not there: it never arrived
        [] => Some(again()),
        [other] => Some(Resolution::Settle(met(case, other, found, matching))),
        _ => Some(Resolution::Settle(clash(case, Code::E2105, "its identities belong to several accounts"))),
    }
}

/// Somebody without our key holds its identities.
fn met(case: &Case, other: &TargetId, found: &Found, matching: Matching) -> Outcome {
    let identities = found.by_identity.iter().map(|(identity, _)| identity);
    let by_social = identities.clone().any(|identity| !identity.is_local());
    let covers_all = case.planned.as_ref().is_some_and(|planned| covers(planned, found));
    let rule = if by_social { matching.same_identity } else { matching.same_sign_in_name };
    if rule == OnMatch::Adopt && covers_all {
        return adopted(case, other.clone());
    }
    clash(case, Code::L4002, "somebody is there with one of its sign-in names")
}

fn covers(planned: &Planned, found: &Found) -> bool {
    let has = |identity: &Identity| found.by_identity.iter().any(|(held, _)| held.canonical() == identity.canonical());
    planned.draft.identities.iter().all(has)
}

fn unanswered(case: &Case) -> Outcome {
    let step = Outcome::step(case.ordinal, ProfileEvent::Refuse);
    // the detail of the last try stays
    Outcome { code: Some(Code::E2108), ..step }
}

fn clash(case: &Case, code: Code, detail: &str) -> Outcome {
    let step = Outcome::step(case.ordinal, ProfileEvent::Clash);
    Outcome { code: Some(code), detail: Some(detail.to_owned()), ..step }
}
