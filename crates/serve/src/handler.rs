//! HTTP in, HTTP out: which hook a call is for, what its dialect makes of it, and how the answer is written. A call is
//! answered within its hook's deadline, whatever happens behind it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use sterna_core::hook::{
    Collected, Decision, Facts, Found, Freshness, Harvested, HookAnswer, HookDialect, Next, Person, Progress, Query,
    Refusal, Reply, Step, Strength, Submission, Wait, decide,
};
use sterna_ledger::sign_in::{Candidate, Meant, Taken};
use sterna_wire::{Handler, Request};
use tracing::Instrument as _;

use crate::{
    asked::{Asked, Read, Whom},
    attempt::{About, Settled},
    guard::{Outcome, Seen},
    keys::Refreshed,
    service::{Hook, Service},
};

/// Where hooks are.
const HOOKS: &str = "/hooks/";
/// The longest deadline that settings can give.
pub(crate) const LONGEST_DEADLINE: Duration = Duration::from_millis(1_500);

/// Which listener a front belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Hooks and health.
    Hooks,
    /// Metrics and health.
    Observed,
}

/// What faces the network.
pub(crate) struct Front {
    pub(crate) service: Arc<Service>,
    pub(crate) side: Side,
}

impl Handler for Front {
    async fn handle(&self, request: Request, peer: SocketAddr) -> sterna_wire::Reply {
        let began = Instant::now();
        let path = request.uri().path();
        let answer = match (self.side, path) {
            (_, "/healthz") => text(200, "ok\n"),
            (side, "/readyz") => ready(&self.service, side),
            (Side::Observed, "/metrics") => metrics(&self.service),
            (Side::Hooks, path) => match named(&self.service, path) {
                Some((hook, rest)) => {
                    let rest = rest.to_owned();
                    self.hook(hook, rest, request, peer, began).await
                }
                None => HookAnswer::empty(404),
            },
            (Side::Observed, _) => HookAnswer::empty(404),
        };
        sterna_wire::Reply::Send(response(answer))
    }
}

impl Front {
    async fn hook(&self, hook: &Hook, rest: String, request: Request, peer: SocketAddr, began: Instant) -> HookAnswer {
        let service = &self.service;
        let Some(dialect) = hook.armed.dialect() else { return HookAnswer::empty(503) };
        let limits = dialect.limits();
        if request.body().len() > limits.body_bytes {
            service.refusals.add(&hook.spec.name, Refusal::TooLarge);
            return HookAnswer::empty(413);
        }
        let deadline = hook.spec.deadline.unwrap_or(limits.deadline).min(LONGEST_DEADLINE);
        let span = tracing::info_span!("hook call", hook = %hook.spec.name, decision = tracing::field::Empty);
        let asked = Asked::new(request, rest, peer, &service.trusted_proxies, service.now());
        let call = service.call(hook, dialect, Arc::new(asked), (began, service.lag.until(began, deadline)));
        let answer = call.instrument(span).await;
        let labels = [("hook", hook.spec.name.to_string()), ("status", answer.status.to_string())];
        metrics::counter!("sterna_calls_total", &labels).increment(1);
        metrics::histogram!("sterna_call_seconds", "hook" => hook.spec.name.to_string())
            .record(began.elapsed().as_secs_f64());
        answer
    }
}

impl Service {
    async fn call(
        self: &Arc<Self>,
        hook: &Hook,
        mut dialect: Arc<dyn HookDialect>,
        asked: Arc<Asked>,
        (began, until): (Instant, Instant),
    ) -> HookAnswer {
        let overloaded = |dialect: &dyn HookDialect| {
            metrics::counter!("sterna_overloaded_total", "hook" => hook.spec.name.to_string()).increment(1);
            dialect.overloaded()
        };
        let Some(read) = self.read(&asked, &dialect, until).await else { return overloaded(&*dialect) };
        let Read { mut next, mut meant } = read;
        if matches!(next, Next::FetchKeys) {
            let refreshed = tokio::time::timeout_at(until.into(), hook.armed.refresh(&hook.spec, began)).await;
            match (refreshed, hook.armed.dialect()) {
                (Ok(Refreshed::Yes), Some(fresh)) => {
                    dialect = fresh;
                    let read = self.read(&asked, &dialect, until).await;
                    let Some(read) = read else { return overloaded(&*dialect) };
                    Read { next, meant } = read;
                }
                (Ok(Refreshed::TooSoon), _) => {}
                // our own trouble, and no reason to call the caller a forger
                (Ok(Refreshed::Yes | Refreshed::None) | Err(_), _) => return dialect.overloaded(),
            }
        }
        let about = About { spec: &hook.spec, dialect: &*dialect, began, until };
        match (next, meant) {
            (Next::Answer(answer), _) => answer,
            (Next::Refuse(why, answer), _) => {
                self.refusals.add(&hook.spec.name, why);
                answer
            }
            (Next::FetchKeys, _) => {
                self.refusals.add(&hook.spec.name, Refusal::Unauthenticated);
                dialect.refused(Refusal::Unauthenticated)
            }
            (Next::Check(submission), Some(meant)) => self.check_once(&about, &submission, meant).await,
            (Next::Begin(submission), Some(meant)) => {
                self.begin(hook, Arc::clone(&dialect), (*submission, meant), until).await
            }
            (Next::Poll(context), _) => {
                let context = in_hook(&hook.spec.name, &context);
                let complete = self.ledger.context_is_complete(&context);
                let complete = tokio::time::timeout_at(until.into(), complete).await;
                let complete = matches!(complete, Ok(Ok(true)));
                dialect.polled(if complete { Progress::Complete } else { Progress::Pending }, &asked.call())
            }
            (Next::Collect { context, login }, _) => {
                let context = in_hook(&hook.spec.name, &context);
                self.collect(&about, &context, login.as_deref()).await
            }
            (Next::LookUp(query), Some(meant)) => self.look_up(&about, &query, meant),
            (Next::Harvest(submission), Some(meant)) => {
                let harvest = tokio::time::timeout_at(until.into(), self.harvest(&about, &submission, meant)).await;
                dialect.harvested(harvest.unwrap_or(Harvested::TryLater))
            }
            // reading looks up whoever a call is about
            (Next::Check(_) | Next::Begin(_) | Next::LookUp(_) | Next::Harvest(_), None) => dialect.overloaded(),
        }
    }

    /// Reads a call on a thread for that, where it can begin in a quarter of the time that is left; `None` where it cannot.
    async fn read(&self, asked: &Arc<Asked>, dialect: &Arc<dyn HookDialect>, until: Instant) -> Option<Read> {
        let now = Instant::now();
        let latest = now + until.saturating_duration_since(now) / 4;
        let (asked, dialect, ledger) = (Arc::clone(asked), Arc::clone(dialect), Arc::clone(&self.ledger));
        self.readers.read((latest, until), move || asked.read(&*dialect, &ledger)).await
    }

    /// Answers a message once: its repeats get the same answer for a while, and are refused then.
    async fn check_once(&self, about: &About<'_>, submission: &Submission, meant: Whom) -> HookAnswer {
        let once = submission.once.as_ref().map(|once| self.replay_key(about.spec, submission, once));
        let Some(once) = &once else {
            let settled = self.attempt(about, submission, meant).await;
            return answer(about.dialect, &settled, &submission.echo);
        };
        match self.replays.see(once, about.began, self.now()) {
            Seen::New | Seen::UnderWay => {}
            Seen::Answered(answer) => return answer,
            Seen::TooLate => {
                self.refusals.add(&about.spec.name, Refusal::Replayed);
                return about.dialect.refused(Refusal::Replayed);
            }
            Seen::Full => {
                let later = Settled::without_person(Decision::TryLater(Wait::Overloaded));
                return answer(about.dialect, &later, &submission.echo);
            }
        }
        let settled = self.attempt(about, submission, meant).await;
        let answer = answer(about.dialect, &settled, &submission.echo);
        self.replays.answered(once, &answer);
        answer
    }

    /// Begins a check that goes on behind its answer.
    async fn begin(
        self: &Arc<Self>,
        hook: &Hook,
        dialect: Arc<dyn HookDialect>,
        (submission, meant): (Submission, Whom),
        until: Instant,
    ) -> HookAnswer {
        let context = uuid::Uuid::new_v4().to_string();
        let kept = in_hook(&hook.spec.name, &context);
        let begun = self.ledger.begin_context(&kept, submission.login.as_deref(), self.now());
        match tokio::time::timeout_at(until.into(), begun).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(code = %error.code(), "An attempt cannot be begun: {error}");
                return dialect.overloaded();
            }
            Err(_elapsed) => return dialect.overloaded(),
        }
        let answer = dialect.begun(&context);
        let (service, name) = (Arc::clone(self), Arc::clone(&hook.spec.name));
        tokio::spawn(async move {
            let Some(hook) = service.hook(&name) else { return };
            let began = Instant::now();
            let until = began + dialect.limits().background;
            let about = About { spec: &hook.spec, dialect: &*dialect, began, until };
            let settled = service.attempt(&about, &submission, meant).await;
            if let Err(error) = service.ledger.end_context(&kept, settled.decision.name()).await {
                tracing::error!(code = %error.code(), "A decision cannot be kept: {error}");
            }
        });
        answer
    }

    async fn collect(&self, about: &About<'_>, context: &str, login: Option<&str>) -> HookAnswer {
        let later = Decision::TryLater(Wait::Outage);
        let decided = |decision| Collected::Decided(Reply { decision, echo: "", person: None });
        let taken = self.ledger.collect_context(context, login, self.now());
        let collected = match tokio::time::timeout_at(about.until.into(), taken).await {
            Ok(Ok(Taken::Decision(name))) => decided(Decision::named(&name).unwrap_or(later)),
            Ok(Ok(Taken::Pending)) | Err(_) => decided(later),
            Ok(Ok(Taken::OtherLogin)) => Collected::OtherLogin,
            Ok(Ok(Taken::Unknown)) => Collected::Unknown,
            Ok(Err(error)) => {
                tracing::error!(code = %error.code(), "A decision cannot be collected: {error}");
                decided(later)
            }
        };
        about.dialect.collected(&collected)
    }

    /// Tells who somebody is, if their password may still be moved. Limited as passwords are: names can be guessed too.
    fn look_up(&self, about: &About<'_>, query: &Query, meant: Whom) -> HookAnswer {
        let from = self.origin(about.spec, &query.who, query.address, None);
        let Ok(receipt) = self.look_ups.begin(&from, about.began) else {
            return about.dialect.looked_up(&Found::TryLater, &query.echo);
        };
        let Ok(Meant { candidate, open_doubts }) = meant else {
            self.look_ups.end(&receipt, Outcome::Neither, Instant::now());
            return about.dialect.looked_up(&Found::TryLater, &query.echo);
        };
        let facts = Facts {
            standing: candidate.as_ref().map(|found| (found.standing.profile, found.standing.credential)),
            open_doubts,
            limited: false,
            verdict: None,
            freshness: Freshness::NotAsked,
            strength: Strength::Enough,
            must_change: false,
        };
        let (found, outcome) = match (decide(&facts), &candidate) {
            (Step::Ask, Some(candidate)) => (Found::There(person(candidate)), Outcome::Neither),
            (Step::Answer(Decision::TryLater(_)), _) => (Found::TryLater, Outcome::Neither),
            (Step::Ask | Step::Answer(_), _) => (Found::NotThere, Outcome::Wrong),
        };
        self.look_ups.end(&receipt, outcome, Instant::now());
        about.dialect.looked_up(&found, &query.echo)
    }
}

fn answer(dialect: &dyn HookDialect, settled: &Settled, echo: &str) -> HookAnswer {
    let person = settled.candidate.as_deref().filter(|_| settled.decision.is_yes()).map(person);
    dialect.answer(&Reply { decision: settled.decision, echo, person })
}

fn person(candidate: &Candidate) -> Person<'_> {
    Person { account: &candidate.account, target: candidate.target.as_ref(), key: candidate.key }
}

/// The name of an attempt of several calls, bound to its hook: another one's callers have no business with it.
fn in_hook(hook: &str, context: &str) -> String {
    format!("{hook}/{context}")
}

/// The hook of a path, and what follows its own address.
fn named<'s, 'p>(service: &'s Service, path: &'p str) -> Option<(&'s Hook, &'p str)> {
    let rest = path.strip_prefix(HOOKS)?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    Some((service.hook(name)?, rest))
}

/// The reasons are told where operators look, not where the world may.
fn ready(service: &Service, side: Side) -> HookAnswer {
    let reasons = service.unready();
    let status = if reasons.is_empty() { 200 } else { 503 };
    let mut body = serde_json::json!({ "ready": reasons.is_empty() });
    if side == Side::Observed {
        body["reasons"] = reasons.into();
    }
    HookAnswer::json(status, &body)
}

fn metrics(service: &Service) -> HookAnswer {
    metrics::gauge!("sterna_places_taken").set(f64::from(u32::try_from(service.places.taken()).unwrap_or(u32::MAX)));
    metrics::gauge!("sterna_ready").set(f64::from(u8::from(service.unready().is_empty())));
    service.metrics.run_upkeep();
    let body = service.metrics.render().into_bytes();
    HookAnswer { status: 200, content_type: Some("text/plain; version=0.0.4"), headers: Vec::new(), body }
}

fn text(status: u16, body: &str) -> HookAnswer {
    HookAnswer { status, content_type: Some("text/plain"), headers: Vec::new(), body: body.as_bytes().to_vec() }
}

fn response(answer: HookAnswer) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(kind) = answer.content_type {
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            headers.append(name, value);
        }
    }
    response
}
