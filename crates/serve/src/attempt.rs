//! One attempt, from a submitted password to a decision. `sterna_core::hook::decide` decides; this brings the facts, in
//! the order that keeps everybody safe: limits, account, old system and target side by side, the durable yes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sterna_core::{
    hook::{Decision, Facts, Freshness, HookDialect, Step, Strength, Submission, Wait, Who, decide},
    legacy::{Attempt, Outage, Tried, Verdict},
    port::Answer,
    secrecy::{ExposeSecret, SecretString},
    state::CredentialEvent,
};
use sterna_ledger::{
    LedgerError,
    sign_in::{AttemptRecord, Candidate},
    steps::Standing,
};
use tokio::time::{sleep_until, timeout_at};
use tracing::Instrument as _;

use crate::{
    address,
    asked::Whom,
    config::{Confirm, HookSpec},
    guard::{self, From, Limited, Outcome},
    service::Service,
};

/// What is kept of the time for recording a yes and sending the answer.
const RESERVE: Duration = Duration::from_millis(60);

/// What came of an attempt.
#[derive(Clone)]
pub(crate) struct Settled {
    pub(crate) decision: Decision,
    pub(crate) candidate: Option<Arc<Candidate>>,
}

impl Settled {
    pub(crate) fn without_person(decision: Decision) -> Self {
        Self { decision, candidate: None }
    }
}

/// An attempt that was counted; what it ended with is told when it goes, also when it is given up on the way.
struct Counted<'a> {
    guard: &'a guard::Guard,
    receipt: guard::Receipt,
    outcome: Outcome,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.guard.end(&self.receipt, self.outcome, Instant::now());
    }
}

/// What comes of a check.
struct Checked {
    decision: Decision,
    found: Option<Arc<Candidate>>,
    verdict: Option<Verdict>,
    outcome: Outcome,
}

impl Checked {
    fn plain(decision: Decision, found: Option<Arc<Candidate>>, verdict: Option<Verdict>) -> Self {
        let outcome = match decision {
            Decision::Wrong | Decision::Refuse(_) => Outcome::Wrong,
            Decision::Accept | Decision::AcceptAndChange => Outcome::Right,
            Decision::TryLater(_) => Outcome::Neither,
        };
        Self { decision, found, verdict, outcome }
    }
}

/// What an attempt is about, besides the password.
pub(crate) struct About<'a> {
    pub(crate) spec: &'a HookSpec,
    pub(crate) dialect: &'a dyn HookDialect,
    pub(crate) began: Instant,
    /// When an answer has to be ready.
    pub(crate) until: Instant,
}

impl Service {
    /// Checks a submission and decides, in time whatever happens.
    pub(crate) async fn attempt(&self, about: &About<'_>, submission: &Submission, meant: Whom) -> Settled {
        let joined = self.joins.begin(self.join_key(about.spec, "check", submission));
        let first = match joined {
            guard::Joined::First(first) => first,
            guard::Joined::After(under_way) => {
                metrics::counter!("sterna_attempts_joined_total").increment(1);
                let waited = timeout_at(about.until.into(), guard::outcome(under_way)).await;
                let later = Settled::without_person(Decision::TryLater(Wait::Overloaded));
                return waited.ok().flatten().unwrap_or(later);
            }
        };
        let settled = self.attempt_once(about, submission, meant).await;
        tell(about, settled.decision);
        first.tell(settled.clone());
        settled
    }

    async fn attempt_once(&self, about: &About<'_>, submission: &Submission, meant: Whom) -> Settled {
        let from = self.from(about.spec, submission);
        let known = self.guard.knows(from.address.as_ref());
        let receipt = match self.guard.begin(&from, about.began) {
            Ok(receipt) => receipt,
            // counted together and not each recorded: a flood must not fill the disk
            Err(limited) => return self.limited(about, limited),
        };
        let mut counted = Counted { guard: &self.guard, receipt, outcome: Outcome::Neither };
        let Some(_place) = self.places.take(known) else {
            self.refusals.add_word(&about.spec.name, "shed");
            return Settled::without_person(Decision::TryLater(Wait::Overloaded));
        };
        let check = self.check(about, submission, meant, &from, &mut counted.receipt);
        let checked = timeout_at(about.until.into(), check)
            .await
            .unwrap_or_else(|_elapsed| Ok(Checked::plain(Decision::TryLater(Wait::Overloaded), None, None)));
        let checked = match checked {
            Ok(checked) => checked,
            Err(limited) => return self.limited(about, limited),
        };
        counted.outcome = checked.outcome;
        drop(counted);
        if !checked.decision.is_yes() {
            let counts = checked.outcome == Outcome::Wrong;
            let record = self.record(about, &from, checked.found.as_deref(), checked.verdict, checked.decision);
            self.recorder.add(AttemptRecord { counted: counts, ..record });
        }
        Settled { decision: checked.decision, candidate: checked.found }
    }

    fn limited(&self, about: &About<'_>, limited: Limited) -> Settled {
        metrics::counter!("sterna_limited_total", "limit" => limited.name()).increment(1);
        self.refusals.add_word(&about.spec.name, "limited");
        Settled::without_person(Decision::TryLater(Wait::Limited))
    }

    async fn check(
        &self,
        about: &About<'_>,
        submission: &Submission,
        meant: Whom,
        from: &From,
        receipt: &mut guard::Receipt,
    ) -> Result<Checked, Limited> {
        let meant = match self.meant(submission, meant).await {
            Ok(meant) => meant,
            Err(error) => {
                tracing::error!(code = %error.code(), "The ledger does not tell who is meant: {error}");
                return Ok(Checked::plain(Decision::TryLater(Wait::Outage), None, None));
            }
        };
        let candidate = meant.candidate.map(Arc::new);
        if let Some(found) = &candidate {
            self.guard.meant(receipt, self.ledger.account_digest(found.ordinal), Instant::now())?;
        }
        let mut facts = Facts {
            standing: candidate.as_ref().map(|found| (found.standing.profile, found.standing.credential)),
            open_doubts: meant.open_doubts,
            limited: false,
            verdict: None,
            freshness: Freshness::NotAsked,
            strength: Strength::Enough,
            must_change: candidate.as_ref().is_some_and(|found| found.account.profile.must_change_password),
        };
        let (found, verdict) = match (decide(&facts), candidate) {
            (Step::Ask, Some(found)) => {
                let verdict = self.ask(about, submission, &found, &mut facts).await;
                (Some(found), Some(verdict))
            }
            (Step::Ask | Step::Answer(_), found) => (found, None),
        };
        let decision = match (decide(&facts), &found) {
            (Step::Answer(decision), _) => decision,
            // nobody is asked about nobody
            (Step::Ask, _) => Decision::Wrong,
        };
        if let (true, Some(person), Some(verdict)) = (decision.is_yes(), found.clone(), verdict) {
            let decision = self.say_yes(about, submission, from, &person, verdict, decision).await;
            let mut checked = Checked::plain(decision, found, Some(verdict));
            if decision.is_yes() && about.dialect.hands_over(decision) {
                checked.outcome = Outcome::Accepted;
            }
            return Ok(checked);
        }
        if decision == Decision::Wrong {
            if verdict.is_some() && is_usual(&submission.password) {
                self.timing.note(&about.spec.name, about.began.elapsed());
            }
            self.take_as_long_as_a_check(about).await;
        }
        let mut checked = Checked::plain(decision, found, verdict);
        if submission.may_be_damaged && verdict == Some(Verdict::Mismatch) {
            checked.outcome = Outcome::Neither;
        }
        Ok(checked)
    }

    /// Whom the caller means. An id that the ledger lacks may be one that we made and were not told of: the target is asked
    /// once whether it carries one of our keys.
    async fn meant(&self, submission: &Submission, meant: Whom) -> Whom {
        let meant = meant?;
        let Who::TargetId(id) = &submission.who else { return Ok(meant) };
        if meant.candidate.is_some() || !meant.open_doubts {
            return Ok(meant);
        }
        let Some(target) = self.seat.target().filter(|target| target.descriptor().reads_back) else { return Ok(meant) };
        // a phase that runs looks its doubts up itself, and an apply meets many ids that are nobody's
        if self.ledger.is_busy() {
            return Ok(meant);
        }
        let held = target.read_back(std::slice::from_ref(id)).await;
        let key = held.ok().and_then(|held| held.into_iter().next().flatten()?.key);
        let Some(key) = key else { return Ok(meant) };
        if self.ledger.resolve_doubt(key, id.clone(), self.now()).await? {
            return self.ledger.meant(submission.who.clone()).await;
        }
        Ok(meant)
    }

    /// Asks the old system, and the target beside it. Whether the target answers matters only after a positive verdict.
    async fn ask(&self, about: &About<'_>, submission: &Submission, found: &Candidate, facts: &mut Facts) -> Verdict {
        let deadline = about.until.checked_sub(RESERVE).unwrap_or(about.began);
        let attempt =
            Attempt { account: &found.account, source: &found.source, password: &submission.password, deadline };
        let began = Instant::now();
        let check = async {
            match timeout_at(deadline.into(), self.chain.check(&attempt)).await {
                Ok(checked) => {
                    for tried in &checked.tried {
                        let labels = [("check", tried.name.clone()), ("verdict", tried.verdict.name().to_owned())];
                        metrics::counter!("sterna_legacy_checks_total", &labels).increment(1);
                        log(tried);
                    }
                    checked.verdict
                }
                Err(_elapsed) => Verdict::Unavailable(Outage::TimedOut),
            }
        };
        let ask_target = self.confirm != Confirm::BySweep && self.seat.is_configured();
        let mut freshness = std::pin::pin!(async {
            if ask_target {
                self.seat.freshness(found.target.as_ref(), &self.sweep_rules.password, deadline.into()).await
            } else {
                Freshness::NotAsked
            }
        });
        let mut check = std::pin::pin!(check.instrument(tracing::info_span!("legacy check")));
        let mut early = None;
        let verdict = tokio::select! {
            verdict = &mut check => verdict,
            fresh = &mut freshness => {
                early = Some(fresh);
                check.await
            }
        };
        metrics::histogram!("sterna_legacy_check_seconds").record(began.elapsed().as_secs_f64());
        facts.verdict = Some(verdict);
        if matches!(verdict, Verdict::Match { .. } | Verdict::MatchButExpired) {
            let fresh = match early {
                Some(fresh) => fresh,
                None => freshness.await,
            };
            facts.freshness = match (fresh, self.confirm) {
                (Freshness::Unknown, Confirm::WhenReachable) => Freshness::NotAsked,
                (fresh, _) => fresh,
            };
            facts.strength = self.seat.strength(&submission.password);
        }
        verdict
    }

    /// Makes a yes durable, and writes the password to the target where the dialect leaves that to us. Only then it counts.
    async fn say_yes(
        &self,
        about: &About<'_>,
        submission: &Submission,
        from: &From,
        found: &Candidate,
        verdict: Verdict,
        decision: Decision,
    ) -> Decision {
        let hands_over = about.dialect.hands_over(decision);
        let event = hands_over.then_some(CredentialEvent::Answer);
        let record = self.record(about, from, Some(found), Some(verdict), decision);
        match self.ledger.answer_yes(found.ordinal, found.standing, event, record).await {
            Ok(Standing { .. }) => {}
            Err(LedgerError::Moved) => return Decision::TryLater(Wait::Unsettled),
            Err(error) => {
                tracing::error!(code = %error.code(), "A yes cannot be recorded, so it is not answered: {error}");
                return Decision::TryLater(Wait::Outage);
            }
        }
        if hands_over && about.dialect.writes_credential() && !self.write_credential(found, submission).await {
            return Decision::TryLater(Wait::Outage);
        }
        decision
    }

    /// Writes the password to the target, right after it was found to be right.
    pub(crate) async fn write_credential(&self, found: &Candidate, submission: &Submission) -> bool {
        let (Some(target), Some(id)) = (self.seat.target(), &found.target) else { return false };
        match target.set_credential(id, &submission.password).await {
            Answer::Holds(_) => true,
            answer => {
                let who = self.ledger.pseudonym(found.ordinal);
                tracing::warn!(account = %who, "The target did not take a password: {}", word(&answer));
                false
            }
        }
    }

    /// Every "wrong" is answered as slowly as a wrong password that was really computed or asked about: for an unknown account,
    /// one that nobody is asked about, and a password that no check takes long over.
    async fn take_as_long_as_a_check(&self, about: &About<'_>) {
        let mut chance = [0; 8];
        // without randomness the first kept time is as good as any
        let _ = self.context.entropy.fill(&mut chance);
        let wanted = about.began + self.timing.sample(&about.spec.name, u64::from_le_bytes(chance));
        let latest = about.until.checked_sub(RESERVE).unwrap_or(about.began);
        sleep_until(wanted.min(latest).into()).await;
    }

    fn record(
        &self,
        about: &About<'_>,
        from: &From,
        found: Option<&Candidate>,
        verdict: Option<Verdict>,
        decision: Decision,
    ) -> AttemptRecord {
        AttemptRecord {
            at: self.now(),
            hook: Arc::clone(&about.spec.name),
            ordinal: found.map(|found| found.ordinal),
            who: from.who,
            address: from.address,
            range: from.range,
            tenant: from.tenant,
            counted: false,
            verdict: verdict.map(Verdict::name),
            decision: decision.name(),
            took_ms: u64::try_from(about.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Where an attempt comes from, as limits know it.
    pub(crate) fn from(&self, spec: &HookSpec, submission: &Submission) -> From {
        self.origin(spec, &submission.who, submission.address, submission.tenant.as_deref())
    }

    /// The same for a look-up.
    pub(crate) fn origin(
        &self,
        spec: &HookSpec,
        who: &Who,
        person: Option<std::net::IpAddr>,
        tenant: Option<&str>,
    ) -> From {
        let person =
            person.filter(|person| !address::is_nobodys(*person) && !address::is_in(*person, &spec.shared_addresses));
        let tenant = format!("{}/{}", spec.name, tenant.unwrap_or_default());
        From {
            who: self.ledger.who_digest(who),
            address: person.map(|person| self.ledger.address_digest(&address::own(person))),
            range: person.map(|person| self.ledger.address_digest(&address::range(person))),
            tenant: self.ledger.address_digest(tenant.as_bytes()),
        }
    }
}

/// An old system that fails is told of. Its breaker keeps that from being a line for every attempt.
fn log(Tried { name, verdict }: &Tried) {
    match verdict {
        Verdict::Unavailable(why) if why.is_failure() => {
            tracing::warn!("The check {name} gave no answer: {}", why.words());
        }
        Verdict::Unavailable(why) => tracing::debug!("The check {name} gave no answer: {}", why.words()),
        _ => {}
    }
}

fn tell(about: &About<'_>, decision: Decision) {
    let labels = [("hook", about.spec.name.to_string()), ("decision", decision.name().to_owned())];
    metrics::counter!("sterna_decisions_total", &labels).increment(1);
    tracing::Span::current().record("decision", decision.name());
    tracing::info!(hook = %about.spec.name, decision = decision.name(), ms = about.began.elapsed().as_millis(), "Answered");
}

/// Whether a check takes its usual time over a password: some formats answer at once for a NUL or a very long one.
fn is_usual(password: &SecretString) -> bool {
    let text = password.expose_secret();
    !text.is_empty() && text.len() <= 72 && !text.contains('\0')
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Holds(_) => "it did",
        Answer::Lacks => "the account is not there",
        Answer::Clashes { .. } | Answer::Changed => "the account has changed",
        Answer::Throttled { .. } => "it is throttled",
        Answer::Refuses { .. } => "it refuses it",
        Answer::Stops { .. } => "it takes nothing more",
        Answer::Silence { .. } => "no answer came",
    }
}
