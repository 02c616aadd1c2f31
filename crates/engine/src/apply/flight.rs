//! One batch on its way: secrets filled in, intent made durable, sent, answers written. And one look-up of doubts.

use std::{sync::Arc, time::Duration};

use sterna_core::{
    ids::Ordinal,
    password::random,
    plan::{Action, Password, Planned},
    port::{Answer, Operation, Probe, Target, TargetError, Write},
    secrecy::SecretString,
    time::Moment,
};
use sterna_ledger::{
    LedgerError,
    sending::{Case, Outcome},
};

use super::resolve::{self, Resolution};
use crate::{error::PhaseError, plan::Matching, run::Run};

/// What every flight needs.
pub(super) struct Crew {
    pub(super) run: Run,
    pub(super) target: Arc<dyn Target>,
    pub(super) matching: Matching,
    pub(super) worker: i64,
}

/// A batch that came back, its answers written.
pub(super) struct Landed {
    pub(super) lane: usize,
    pub(super) results: Vec<(Case, Resolution)>,
    pub(super) throttled: u32,
    pub(super) wait: Option<Duration>,
    pub(super) reason: Option<String>,
    pub(super) pressure: Option<f64>,
}

/// A look-up that came back, its conclusions written.
pub(super) struct LookedUp {
    pub(super) results: Vec<(Case, Option<Resolution>)>,
    pub(super) failed: Option<TargetError>,
}

impl Crew {
    /// Sends one batch.
    pub(super) async fn send(&self, lane: usize, cases: Vec<Case>) -> Result<Landed, PhaseError> {
        let writes = self.writes(&cases).await?;
        let ordinals = cases.iter().map(|case| case.ordinal).collect();
        let until = later(self.run.moment(), self.target.descriptor().request_timeout);
        self.run.ledger.intend(self.worker, ordinals, until, self.run.now()).await?;
        let sent = self.target.apply(lane, &writes).await;
        drop(writes); // and the passwords with them
        let ended = self.run.moment();
        let mut landed =
            Landed { lane, results: Vec::new(), throttled: 0, wait: None, reason: None, pressure: sent.pressure };
        let mut answers = sent.answers.into_iter();
        for case in cases {
            let answer = answers.next().unwrap_or(Answer::Silence { why: "no answer for it in the batch".to_owned() });
            if let Answer::Throttled { wait, reason } = &answer {
                landed.throttled += 1;
                landed.wait = landed.wait.max(*wait);
                landed.reason = Some(reason.clone());
            }
            let resolution = since(resolve::answered(&case, answer), until, ended);
            landed.results.push((case, resolution));
        }
        let outcomes = landed.results.iter().map(|(_, resolution)| outcome(resolution)).collect();
        self.run.ledger.settle(outcomes, self.run.now()).await?;
        for (case, resolution) in &landed.results {
            self.log(case, resolution);
        }
        Ok(landed)
    }

    /// Looks doubts up; `true` beside a case: it has settled.
    pub(super) async fn look_up(&self, due: Vec<(bool, Case)>) -> Result<LookedUp, PhaseError> {
        let probes: Vec<Probe> = due.iter().filter_map(|(_, case)| case.planned.as_ref().map(probe)).collect();
        let found = match self.target.find(&probes).await {
            Ok(found) if found.len() == due.len() => found,
            Ok(_) => Vec::new(),
            Err(error) => {
                let results = due.into_iter().map(|(_, case)| (case, None)).collect();
                return Ok(LookedUp { results, failed: Some(error) });
            }
        };
        let mut found = found.into_iter();
        let mut results = Vec::with_capacity(due.len());
        for (settled, case) in due {
            let resolution = found.next().and_then(|found| resolve::looked_up(&case, &found, settled, self.matching));
            results.push((case, resolution));
        }
        let outcomes = results.iter().filter_map(|(_, resolution)| resolution.as_ref().map(outcome)).collect();
        self.run.ledger.settle(outcomes, self.run.now()).await?;
        Ok(LookedUp { results, failed: None })
    }

    async fn writes(&self, cases: &[Case]) -> Result<Vec<Write>, PhaseError> {
        let wanted: Vec<Ordinal> = cases
            .iter()
            .filter(|case| password_of(case) == Some(&Password::FromRecord))
            .map(|case| case.ordinal)
            .collect();
        let mut plaintexts = self.run.ledger.plaintexts(wanted).await?.into_iter();
        let mut writes = Vec::with_capacity(cases.len());
        for case in cases {
            let password = match password_of(case) {
                Some(Password::FromRecord) => plaintexts.next().flatten(),
                Some(Password::AtSignIn | Password::Reset) => Some(self.random()?),
                Some(Password::None) | None => None,
            };
            let operation = operation(case, password).ok_or(LedgerError::Stored { what: "plan" })?;
            writes.push(Write { ordinal: case.ordinal, operation });
        }
        Ok(writes)
    }

    fn random(&self) -> Result<SecretString, PhaseError> {
        Ok(random::password(&self.target.descriptor().password_policy, self.run.entropy.as_ref())?)
    }

    /// An account's refusal is logged once, under its pseudonym.
    fn log(&self, case: &Case, resolution: &Resolution) {
        let outcome = outcome(resolution);
        let subject = self.run.ledger.pseudonym(case.ordinal);
        match resolution {
            Resolution::Settle(_) if outcome.code.is_none() => tracing::trace!(%subject, "Target holds the account"),
            Resolution::Settle(_) => tracing::info!(%subject, code = ?outcome.code, "Target refused the account"),
            Resolution::Again(..) => tracing::debug!(%subject, "Target turned the request away for now"),
            Resolution::LookUp { .. } => tracing::info!(%subject, "The outcome is unknown; it will be looked up"),
            Resolution::Stop(_, code, _) => tracing::warn!(%subject, %code, "Target takes no more"),
        }
    }
}

fn password_of(case: &Case) -> Option<&Password> {
    let planned = case.planned.as_ref()?;
    matches!(case.action, Some(Action::Create) | None).then_some(&planned.draft.password)
}

/// The request that a case's action is.
fn operation(case: &Case, password: Option<SecretString>) -> Option<Operation> {
    let planned = case.planned.as_ref()?;
    let existing = || case.target.clone().or(planned.existing.clone());
    Some(match case.action {
        Some(Action::Update) => Operation::Update { id: existing()?, changes: planned.changes.clone() },
        Some(Action::Link) => {
            Operation::Link { id: existing()?, before: planned.had.clone(), add: planned.add.clone() }
        }
        _ => Operation::Create { draft: planned.draft.clone(), password },
    })
}

fn probe(planned: &Planned) -> Probe {
    Probe { key: planned.draft.key, identities: planned.draft.identities.clone() }
}

fn later(moment: Moment, by: Duration) -> Moment {
    let ms = u64::try_from(by.as_millis()).unwrap_or_default();
    Moment {
        wall: sterna_core::time::Timestamp(moment.wall.0.saturating_add_unsigned(ms)),
        since_boot_ms: moment.since_boot_ms.saturating_add(ms),
        ..moment
    }
}

/// A doubt counts from its request's last possible end: a lost connection says nothing about when the target is done
/// with the request, an answer does.
fn since(resolution: Resolution, until: Moment, ended: Moment) -> Resolution {
    match resolution {
        Resolution::LookUp { outcome, clash } => {
            let end = if clash { ended } else { until };
            Resolution::LookUp { outcome: Outcome { until: Some(end), ..outcome }, clash }
        }
        other => other,
    }
}

fn outcome(resolution: &Resolution) -> Outcome {
    match resolution {
        Resolution::Settle(outcome)
        | Resolution::Again(outcome, _)
        | Resolution::LookUp { outcome, .. }
        | Resolution::Stop(outcome, ..) => outcome.clone(),
    }
}
