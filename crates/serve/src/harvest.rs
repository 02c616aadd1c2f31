//! The other direction: an application that still uses the old system hands over the password that it has just accepted,
//! and it is written to the target. The caller has proved who it is; the target is asked that the password there is still
//! the one that the account was made with, so that nobody's newer one is undone.

use std::time::Instant;

use sterna_core::{
    hook::{Decision, Facts, Freshness, Harvested, Step, Strength, Submission, decide},
    secrecy::ExposeSecret,
    state::{CredentialEvent, CredentialState},
};
use sterna_ledger::sign_in::{AttemptRecord, Candidate};
use tokio::time::timeout_at;

use crate::{asked::Whom, attempt::About, attempt::Settled, guard, guard::Joined, service::Service};

impl Service {
    /// Writes a harvested password, once: repeats wait for the first, and find it done.
    pub(crate) async fn harvest(&self, about: &About<'_>, submission: &Submission, meant: Whom) -> Harvested {
        if submission.password.expose_secret().is_empty() {
            return Harvested::NotThere;
        }
        let first = match self.joins.begin(self.join_key(about.spec, "harvest", submission)) {
            Joined::First(first) => first,
            Joined::After(under_way) => {
                let waited = timeout_at(about.until.into(), guard::outcome(under_way)).await.ok().flatten();
                return match waited {
                    Some(Settled { decision: Decision::Accept, .. }) => Harvested::Stored,
                    _ => Harvested::TryLater,
                };
            }
        };
        // written to its end also when the caller's time is over: half a write helps nobody
        let outcome = self.write_harvested(about, submission, meant).await;
        let decision = match outcome {
            Harvested::Stored => Decision::Accept,
            Harvested::AlreadyMoved | Harvested::NotThere | Harvested::TooWeak | Harvested::TryLater => Decision::Wrong,
        };
        first.tell(Settled::without_person(decision));
        metrics::counter!("sterna_harvested_total", "outcome" => word(outcome)).increment(1);
        outcome
    }

    async fn write_harvested(&self, about: &About<'_>, submission: &Submission, meant: Whom) -> Harvested {
        let Ok(meant) = meant else { return Harvested::TryLater };
        let Some(found) = meant.candidate else { return Harvested::NotThere };
        let facts = Facts {
            standing: Some((found.standing.profile, found.standing.credential)),
            open_doubts: meant.open_doubts,
            limited: false,
            verdict: None,
            freshness: Freshness::NotAsked,
            strength: Strength::Enough,
            must_change: false,
        };
        match decide(&facts) {
            Step::Ask => {}
            Step::Answer(Decision::TryLater(_)) => return Harvested::TryLater,
            Step::Answer(_) => return refusal(found.standing.credential),
        }
        match self.seat.freshness(found.target.as_ref(), &self.sweep_rules.password, about.until.into()).await {
            Freshness::Untouched => {}
            Freshness::Changed => return Harvested::AlreadyMoved,
            Freshness::Unknown | Freshness::NotThere | Freshness::NotAsked => return Harvested::TryLater,
        }
        if self.seat.strength(&submission.password) == Strength::TooWeak {
            return Harvested::TooWeak;
        }
        self.intend_and_write(about, submission, &found).await
    }

    /// The step is durable before the request leaves; what came of it, the sweep reads back.
    async fn intend_and_write(&self, about: &About<'_>, submission: &Submission, found: &Candidate) -> Harvested {
        let from = self.from(about.spec, submission);
        let record = AttemptRecord {
            at: self.now(),
            hook: std::sync::Arc::clone(&about.spec.name),
            ordinal: Some(found.ordinal),
            who: from.who,
            address: from.address,
            range: from.range,
            tenant: from.tenant,
            counted: false,
            verdict: Some("harvested"),
            decision: Decision::Accept.name(),
            took_ms: u64::try_from(Instant::now().duration_since(about.began).as_millis()).unwrap_or(u64::MAX),
        };
        let answered = self.ledger.answer_yes(found.ordinal, found.standing, Some(CredentialEvent::Answer), record);
        if let Err(error) = answered.await {
            tracing::error!(code = %error.code(), "A harvested password is not written: {error}");
            return Harvested::TryLater;
        }
        if self.write_credential(found, submission).await { Harvested::Stored } else { Harvested::TryLater }
    }
}

fn refusal(credential: CredentialState) -> Harvested {
    match credential {
        CredentialState::Moved | CredentialState::Superseded | CredentialState::Set | CredentialState::Carried => {
            Harvested::AlreadyMoved
        }
        CredentialState::Dormant
        | CredentialState::NotNeeded
        | CredentialState::AwaitingSignIn
        | CredentialState::Answered
        | CredentialState::ResetDue => Harvested::NotThere,
    }
}

fn word(outcome: Harvested) -> &'static str {
    match outcome {
        Harvested::Stored => "stored",
        Harvested::AlreadyMoved => "already_moved",
        Harvested::NotThere => "not_there",
        Harvested::TooWeak => "too_weak",
        Harvested::TryLater => "try_later",
    }
}
