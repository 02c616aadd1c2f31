//! What is under way: cases that are ready, turned away for a while, in the air, or in doubt. All of it is bounded.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use sterna_core::{
    code::Code,
    ids::Ordinal,
    pace::Wait,
    plan::Action,
    state::ProfileState,
    time::{Moment, Timestamp},
};
use sterna_ledger::sending::{Case, Outcome, Selection};
use tokio::task::JoinHandle;

use super::{
    ApplyInput,
    abort::Recent,
    lanes::Lanes,
    report::{ApplyReport, Stopped},
    resolve::{self, Resolution},
};
use crate::{
    apply::flight::{Crew, Landed, LookedUp},
    error::PhaseError,
    run::Run,
};

/// How many cases are read ahead.
const AHEAD: usize = 2_000;
/// How many doubts one look-up carries.
const LOOK_UP: usize = 60;
/// How many doubts are kept in memory; the rest waits in the ledger.
const DOUBTS: usize = 20_000;
/// With so many doubts nothing more is sent until some are looked up: a target that takes requests and never answers
/// must not get everybody.
const DOUBTS_AT_ONCE: usize = 1_000;
/// How often in a row the target may be unreachable until the run ends.
const UNREACHABLE: u32 = 30;

enum Flight {
    Landed(Landed),
    LookedUp(LookedUp),
}

struct Doubt {
    case: Case,
    due: Instant,
    /// A conflict was reported, so that the first look-up need not wait.
    at_once: bool,
}

/// Sends everything that is planned.
pub(super) struct Sender<'s> {
    run: &'s Run,
    input: &'s ApplyInput,
    crew: Arc<Crew>,
    lanes: Lanes,
    ready: VecDeque<Case>,
    later: Vec<(Instant, Case)>,
    doubts: Vec<Doubt>,
    flights: FuturesUnordered<JoinHandle<Result<Flight, PhaseError>>>,
    sending: usize,
    looking: bool,
    last: Option<Ordinal>,
    exhausted: bool,
    room: u64,
    /// Only these accounts, where a repair or retry decided on them alone.
    only: Option<HashSet<Ordinal>>,
    recent: Recent,
    report: ApplyReport,
    failures_in_a_row: u32,
}

impl<'s> Sender<'s> {
    pub(super) async fn new(
        run: &'s Run,
        input: &'s ApplyInput,
        worker: i64,
        only: Option<HashSet<Ordinal>>,
    ) -> Result<Self, PhaseError> {
        let descriptor = input.target.descriptor();
        let window = i64::try_from(descriptor.quota.window.as_millis()).unwrap_or(i64::MAX / 2);
        let earlier = run.ledger.sent_since(Timestamp(run.now().0.saturating_sub(window))).await?;
        let lanes = Lanes::new(&descriptor.quota, run.now(), &earlier);
        let crew = Crew { run: run.clone(), target: Arc::clone(&input.target), matching: input.matching, worker };
        let mut sender = Self {
            run,
            input,
            crew: Arc::new(crew),
            lanes,
            ready: VecDeque::new(),
            later: Vec::new(),
            doubts: Vec::new(),
            flights: FuturesUnordered::new(),
            sending: 0,
            looking: false,
            last: None,
            exhausted: false,
            room: input.limit.unwrap_or(u64::MAX),
            only,
            recent: Recent::new(input.abort),
            report: ApplyReport::default(),
            failures_in_a_row: 0,
        };
        sender.load_doubts().await?;
        Ok(sender)
    }

    /// Sends until nothing is planned or in doubt, or something stops it.
    pub(super) async fn send_all(mut self) -> (ApplyReport, Result<(), PhaseError>) {
        let mut result = self.work().await;
        // requests in the air are waited for: their answers must not be lost
        while let Some(flight) = self.flights.next().await {
            if let Err(error) = self.land(flight) {
                result = result.and(Err(error));
            }
        }
        (self.report, result)
    }

    async fn work(&mut self) -> Result<(), PhaseError> {
        loop {
            self.run.check_stop()?;
            self.refill().await?;
            self.promote();
            self.look_up();
            let wait = self.send();
            if self.is_done() {
                return Ok(());
            }
            self.pause(wait).await?;
        }
    }

    fn is_done(&self) -> bool {
        let idle = self.flights.is_empty() && self.doubts.is_empty();
        idle && (self.report.stopped.is_some() || (self.exhausted && self.ready.is_empty() && self.later.is_empty()))
    }

    /// Reads more cases; what needs no request is settled at once.
    async fn refill(&mut self) -> Result<(), PhaseError> {
        if self.exhausted || self.ready.len() + self.later.len() >= AHEAD / 2 || self.report.stopped.is_some() {
            return Ok(());
        }
        let limit = AHEAD.min(usize::try_from(self.room).unwrap_or(AHEAD));
        let (states, cohort, after) = (vec![ProfileState::Planned], self.input.cohort, self.last);
        let mut cases = self.run.ledger.cases(Selection { states, cohort, after, limit }).await?;
        self.exhausted = cases.len() < limit || limit == 0;
        self.last = cases.last().map(|case| case.ordinal).or(self.last);
        cases.retain(|case| self.only.as_ref().is_none_or(|only| only.contains(&case.ordinal)));
        self.room = self.room.saturating_sub(cases.len() as u64);
        self.exhausted |= self.room == 0;
        let (known, fresh): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| {
            let existing = case.planned.as_ref().is_some_and(|planned| planned.existing.is_some());
            existing && matches!(case.action, Some(Action::Adopt | Action::Create))
        });
        self.ready.extend(fresh);
        self.settle_known(known).await
    }

    /// Accounts that the plan found at the target: nothing is sent for them.
    async fn settle_known(&mut self, known: Vec<Case>) -> Result<(), PhaseError> {
        for chunk in known.chunks(200) {
            let ours: Vec<_> = chunk.iter().filter(|case| case.action == Some(Action::Create)).collect();
            let ordinals = ours.iter().map(|case| case.ordinal).collect();
            self.run.ledger.intend(self.crew.worker, ordinals, self.run.moment(), self.run.now()).await?;
            let outcomes: Vec<Outcome> = chunk
                .iter()
                .filter_map(|case| {
                    let id = case.planned.as_ref()?.existing.clone()?;
                    let made = case.action == Some(Action::Create);
                    Some(if made { resolve::held(case, id) } else { resolve::adopted(case, id) })
                })
                .collect();
            for outcome in &outcomes {
                self.report.count(outcome, false);
                self.run.progress.add(1);
            }
            self.run.ledger.settle(outcomes, self.run.now()).await?;
        }
        Ok(())
    }

    /// Takes what was turned away and whose time has come.
    fn promote(&mut self) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = later;
        let due: Vec<(Instant, Case)> = due;
        // first come, first served: what was turned away goes before what was never sent
        due.into_iter().rev().for_each(|(_, case)| self.ready.push_front(case));
    }

    /// Sends one look-up for the doubts that are due.
    fn look_up(&mut self) {
        if self.looking || self.doubts.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut due = Vec::new();
        let mut rest = Vec::with_capacity(self.doubts.len());
        for doubt in self.doubts.drain(..) {
            if due.len() < LOOK_UP && (doubt.at_once || doubt.due <= now) {
                due.push((doubt.due <= now, doubt.case));
            } else {
                rest.push(doubt);
            }
        }
        self.doubts = rest;
        if due.is_empty() {
            return;
        }
        self.looking = true;
        let crew = Arc::clone(&self.crew);
        self.flights.push(tokio::spawn(async move { Ok(Flight::LookedUp(crew.look_up(due).await?)) }));
    }

    /// Sends as many batches as the quota and the concurrency allow; how long to wait for the next.
    fn send(&mut self) -> Option<(Duration, Wait)> {
        let descriptor = self.input.target.descriptor();
        let may_send = self.report.stopped.is_none() && self.doubts.len() < DOUBTS_AT_ONCE;
        while may_send && !self.ready.is_empty() && self.sending < descriptor.concurrency {
            let want = self.ready.len().min(descriptor.batch);
            let leave = match self.lanes.take(want) {
                Ok(leave) => leave,
                Err(wait) => return Some(wait),
            };
            let batch: Vec<Case> = self.ready.drain(..(leave.writes as usize).min(want)).collect();
            self.report.sent += batch.len() as u64;
            self.sending += 1;
            let crew = Arc::clone(&self.crew);
            self.flights.push(tokio::spawn(async move { Ok(Flight::Landed(crew.send(leave.lane, batch).await?)) }));
        }
        None
    }

    /// Waits for the first thing that happens.
    async fn pause(&mut self, wait: Option<(Duration, Wait)>) -> Result<(), PhaseError> {
        let now = Instant::now();
        let due = self.later.iter().map(|(at, _)| *at).chain(self.doubts.iter().map(|doubt| doubt.due)).min();
        let by_quota = wait.map(|(how_long, _)| now + how_long);
        let until = due.into_iter().chain(by_quota).min().unwrap_or(now + Duration::from_secs(1));
        self.run.progress.waits(self.reason(wait).as_deref());
        tokio::select! {
            Some(flight) = self.flights.next(), if !self.flights.is_empty() => self.land(flight)?,
            () = tokio::time::sleep_until(until.max(now).into()) => {}
            () = self.run.stop.wanted() => {}
        }
        Ok(())
    }

    /// Why nothing leaves at present, for the progress line.
    fn reason(&self, wait: Option<(Duration, Wait)>) -> Option<String> {
        match wait {
            Some((how_long, Wait::Asked(_))) => Some(format!("the target asked to wait {} s", how_long.as_secs() + 1)),
            Some((_, Wait::Share(_))) => Some(format!("our share of the quota is {:.1} writes/s", self.lanes.rate())),
            None if self.ready.is_empty() && self.sending == 0 && !self.doubts.is_empty() => {
                Some(format!("{} lost answers settle before they are looked up", self.doubts.len()))
            }
            None => None,
        }
    }

    fn land(&mut self, flight: Result<Result<Flight, PhaseError>, tokio::task::JoinError>) -> Result<(), PhaseError> {
        match flight?? {
            Flight::Landed(landed) => {
                self.sending -= 1;
                let sent = u32::try_from(landed.results.len()).unwrap_or(u32::MAX);
                self.lanes.note(landed.lane, sent, landed.throttled, landed.wait, landed.pressure);
                self.report.throttled += u64::from(landed.throttled);
                self.note_reachability(&landed, sent);
                for (case, resolution) in landed.results {
                    self.take(case, resolution, false);
                }
            }
            Flight::LookedUp(looked) => {
                self.looking = false;
                if let Some(error) = looked.failed {
                    self.note_failure(&error.to_string());
                }
                for (case, resolution) in looked.results {
                    match resolution {
                        Some(resolution) => self.take(case, resolution, true),
                        None => self.doubt(case, false),
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, case: Case, resolution: Resolution, after_doubt: bool) {
        match resolution {
            Resolution::Settle(outcome) => {
                self.report.count(&outcome, after_doubt);
                self.run.progress.add(1);
                let failed = outcome.code.is_some();
                if self.recent.note(failed) && self.report.stopped.is_none() {
                    let message = "too many of the last accounts failed; see `sterna export failures`".to_owned();
                    self.report.stopped = Some(Stopped { code: Code::E5005, message });
                }
            }
            Resolution::Again(outcome, wait) => {
                let state = if outcome.event.is_some() { ProfileState::Planned } else { case.standing.profile };
                let mut case = case;
                case.standing.profile = state;
                self.later.push((Instant::now() + wait, case));
            }
            Resolution::LookUp { outcome, clash } => {
                self.report.doubts += 1;
                let mut case = case;
                case.until = outcome.until;
                case.code = outcome.code;
                case.standing.profile = ProfileState::InDoubt;
                self.doubt(case, clash);
            }
            Resolution::Stop(_, code, detail) => {
                if self.report.stopped.is_none() {
                    self.report.stopped = Some(Stopped { code, message: detail });
                }
            }
        }
    }

    fn doubt(&mut self, case: Case, at_once: bool) {
        if self.doubts.len() < DOUBTS {
            let wait = self.settles_in(case.until.as_ref());
            self.doubts.push(Doubt { case, due: Instant::now() + wait, at_once });
        }
    }

    /// How long until what a request did is certainly visible.
    fn settles_in(&self, until: Option<&Moment>) -> Duration {
        let descriptor = self.input.target.descriptor();
        let most = descriptor.settling + descriptor.request_timeout;
        until.map_or(most, |until| settles_in(until, &self.run.moment(), descriptor.settling).min(most))
    }

    fn note_reachability(&mut self, landed: &Landed, sent: u32) {
        let silent =
            landed.results.iter().filter(|(_, result)| matches!(result, Resolution::LookUp { clash: false, .. }));
        if silent.count() == landed.results.len() {
            self.note_failure("requests get no answer");
        } else if landed.throttled < sent {
            self.failures_in_a_row = 0;
        } else if landed.wait.is_none() {
            self.note_failure(landed.reason.as_deref().unwrap_or("the target turns everything away"));
        }
    }

    fn note_failure(&mut self, why: &str) {
        self.failures_in_a_row += 1;
        if self.failures_in_a_row >= UNREACHABLE && self.report.stopped.is_none() {
            let message = format!("the target could not be used {UNREACHABLE} times in a row: {why}");
            self.report.stopped = Some(Stopped { code: Code::E5016, message });
            self.doubts.clear(); // they stay in doubt in the ledger, for the next run
        }
    }

    async fn load_doubts(&mut self) -> Result<(), PhaseError> {
        let (states, cohort) = (vec![ProfileState::InDoubt], None);
        let cases = self.run.ledger.cases(Selection { states, cohort, after: None, limit: DOUBTS }).await?;
        for case in cases {
            self.doubt(case, false);
        }
        Ok(())
    }
}

/// How long after `now` a request that ended at `until` at the latest has settled.
///
/// Within one boot no clock step matters. After a reboot the wall clock counts; where it went back behind the intent,
/// the whole time is waited.
fn settles_in(until: &Moment, now: &Moment, settling: Duration) -> Duration {
    if until.boot == now.boot {
        let ahead = Duration::from_millis(until.since_boot_ms.saturating_sub(now.since_boot_ms));
        let ago = Duration::from_millis(now.since_boot_ms.saturating_sub(until.since_boot_ms));
        return (settling + ahead).saturating_sub(ago);
    }
    match until.elapsed(now) {
        Some(ago) => settling.saturating_sub(ago),
        None => settling + Duration::from_millis(u64::try_from(until.wall.0 - now.wall.0).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(wall: i64, boot: u64, since_boot_ms: u64) -> Moment {
        Moment { wall: Timestamp(wall), boot, since_boot_ms }
    }

    #[test]
    fn settling_counts_from_the_requests_last_possible_end_whatever_the_clock_does() {
        let settling = Duration::from_secs(30);
        let until = moment(1_000_000, 1, 100_000);
        let check = |now: Moment, secs: u64| {
            assert_eq!(settles_in(&until, &now, settling), Duration::from_secs(secs), "{now:?}");
        };
        check(moment(1_000_000, 1, 100_000), 30);
        check(moment(9_999_999, 1, 110_000), 20); // the wall clock jumped ahead
        check(moment(0, 1, 140_000), 0); // and back
        check(moment(0, 1, 95_000), 35); // the request may still be under way
        check(moment(1_010_000, 2, 5), 20); // rebooted
        check(moment(995_000, 2, 5), 35); // rebooted, clock went back
    }
}
