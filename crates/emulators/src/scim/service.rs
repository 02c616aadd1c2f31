//! The running emulator: its state, and the way of a request through it.
//!
//! `Front` receives HTTP requests and sends them to the token, SCIM or control side. A SCIM request takes the way of
//! [`Service::run`]: faults, then the quota, then its handler. An operation of a bulk request takes the way of
//! [`Call::operate`]: faults, then its handler.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::access::{Access, Caller};
use super::answer::Answer;
use super::call::{Call, Effects, Item};
use super::counters::Counters;
use super::dispatch::dispatch;
use super::fault::{End, Faults, Plan};
use super::list::Cursors;
use super::profile::{Features, Limits, Profile};
use super::quirk::{self, Quirks};
use super::refusal::Refusal;
use super::scenario::{RetryAfterForm, Route};
use super::schema::Catalogue;
use super::store::Store;
use super::throttle::{Cost, Throttle};
use crate::clock::{Clock, Micros, Now};

/// Everything the emulator knows.
pub(crate) struct Service {
    pub(crate) profile: Profile,
    pub(crate) limits: Limits,
    pub(crate) features: Features,
    pub(crate) clock: Clock,
    pub(crate) store: Mutex<Store>,
    /// The catalogue for [`quirk::CASE_SENSITIVE_USER_NAMES`].
    pub(crate) exact_names: Catalogue,
    pub(crate) cursors: Mutex<Cursors>,
    pub(crate) quirks: RwLock<Arc<Quirks>>,
    pub(crate) faults: RwLock<Arc<Faults>>,
    pub(crate) throttle: Mutex<Throttle>,
    pub(crate) retry_after: RetryAfterForm,
    pub(crate) access: Access,
    pub(crate) counters: Counters,
    pub(crate) state_key: String,
    pub(crate) show_passwords: bool,
    /// `http://127.0.0.1:port`, known once the address is bound.
    pub(crate) root: OnceLock<String>,
}

/// What becomes of a request.
pub(crate) enum Ending {
    Answer(Answer),
    /// No reply; with true the connection is reset.
    Silence(bool),
}

/// What the faults of the operations of a bulk request add up to.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Wait so long before answering.
    delay: Micros,
    /// The answer is lost; with true by a reset.
    silence: Option<bool>,
    /// Operations that are carried out later.
    later: Vec<(Micros, Item)>,
}

impl Service {
    /// The base of every URL that the emulator hands out.
    pub(crate) fn root(&self) -> &str {
        self.root.get().map_or("", String::as_str)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn quirks(&self) -> Arc<Quirks> {
        Arc::clone(&self.quirks.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A refusal as an answer.
    pub(crate) fn refused(&self, refusal: &Refusal) -> Answer {
        // a product that does not do what was asked, and does not say so
        if refusal.status < 400 {
            return Answer::empty(refusal.status);
        }
        let mut body = self.profile.product.error_body(self, refusal);
        if self.quirks().has(&quirk::STATUS_AS_NUMBER) {
            body["status"] = Value::from(refusal.status);
        }
        let mut answer = Answer::json(refusal.status, body);
        answer.headers.clone_from(&refusal.headers);
        answer
    }

    /// Runs one HTTP request under its faults.
    pub(crate) async fn run(self: &Arc<Self>, caller: &Arc<Caller>, item: Item, route: Route, from: IpAddr) -> Ending {
        let Plan { delay, effects, end } = self.faults().plan(route, |text| item.contains(text));
        pause(delay).await;
        match end {
            None => self.carry_out(caller, &item, route, effects, from).await,
            Some(End::Silence { carry_out, reset }) => {
                if carry_out {
                    self.carry_out(caller, &item, route, effects, from).await;
                }
                Ending::Silence(reset)
            }
            Some(End::LateCommit(later)) => {
                let (service, caller) = (Arc::clone(self), Arc::clone(caller));
                tokio::spawn(async move {
                    pause(later).await;
                    service.carry_out(&caller, &item, route, effects, from).await;
                });
                Ending::Silence(false)
            }
            Some(End::Error { carry_out, status, retry_after }) => {
                if carry_out {
                    self.carry_out(caller, &item, route, effects, from).await;
                }
                Ending::Answer(self.injected(status, retry_after.as_deref()))
            }
        }
    }

    /// The answer of a fault that answers with an error.
    pub(crate) fn injected(&self, status: u16, retry_after: Option<&str>) -> Answer {
        self.counters.throttled.add(u64::from(status == 429));
        let answer = self.refused(&Refusal::new(status, "The service is not available for the moment."));
        match retry_after {
            Some(text) => answer.with("Retry-After", text),
            None => answer,
        }
    }

    async fn carry_out(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        item: &Item,
        route: Route,
        effects: Effects,
        from: IpAddr,
    ) -> Ending {
        let now = self.clock.now();
        if let Some(refused) = self.throttled(caller, item, route, from, now) {
            return Ending::Answer(refused);
        }
        let mut trouble = Trouble::default();
        let call = Call { service: self, caller, item, now, effects };
        let answer = self.answered(&call, &mut trouble);
        let Trouble { delay, silence, later } = trouble;
        for (wait, item) in later {
            let (service, caller) = (Arc::clone(self), Arc::clone(caller));
            tokio::spawn(async move {
                pause(wait).await;
                let call = Call { now: service.clock.now(), service: &service, caller: &caller, item: &item, effects };
                service.answered(&call, &mut Trouble::default());
            });
        }
        pause(delay).await;
        silence.map_or(Ending::Answer(answer), Ending::Silence)
    }

    fn answered(&self, call: &Call<'_>, trouble: &mut Trouble) -> Answer {
        match dispatch(call, trouble) {
            Ok(answer) => answer,
            Err(refusal) => self.refused(&refusal),
        }
    }

    /// Counts a request; an answer refuses it for its quota.
    fn throttled(&self, caller: &Caller, item: &Item, route: Route, from: IpAddr, now: Now) -> Option<Answer> {
        let writes = writes(item, route);
        let cost = Cost { route, writes, client: caller.name.clone(), address: from.to_string() };
        let admitted = self.throttle.lock().unwrap_or_else(PoisonError::into_inner).admit(&cost, now.micros);
        if route == Route::Bulk {
            self.counters.bulks.add(1);
        } else {
            self.counters.requests.add(1);
        }
        match admitted {
            Ok(()) => {
                self.counters.writes.add(writes);
                None
            }
            Err(wait) => {
                self.counters.throttled.add(1);
                let answer = self.refused(&Refusal::new(429, "There were too many requests; come back later."));
                Some(match retry_after(self.retry_after, wait, now) {
                    Some(text) => answer.with("Retry-After", text),
                    None => answer,
                })
            }
        }
    }
}

impl Call<'_> {
    /// Carries out one operation of a bulk request. Faults that end it without a reply are left in `trouble`, for the
    /// request as a whole; what comes back then is never seen.
    pub(crate) fn operate(&self, item: Item, trouble: &mut Trouble) -> Answer {
        let service = self.service;
        service.counters.requests.add(1);
        let route = Route::of(&item.method, &item.segments());
        let Plan { delay, effects, end } = service.faults().plan(route, |text| item.contains(text));
        trouble.delay += delay;
        let run = || {
            let call = Call { item: &item, effects, now: service.clock.now(), ..*self };
            service.answered(&call, &mut Trouble::default())
        };
        match end {
            None => run(),
            Some(End::Silence { carry_out, reset }) => {
                trouble.silence = trouble.silence.max(Some(reset));
                if carry_out { run() } else { service.injected(503, None) }
            }
            Some(End::LateCommit(wait)) => {
                trouble.silence = trouble.silence.max(Some(false));
                trouble.later.push((wait, item));
                service.injected(503, None)
            }
            Some(End::Error { carry_out, status, .. }) => {
                if carry_out {
                    run();
                }
                service.injected(status, None)
            }
        }
    }
}

async fn pause(time: Micros) {
    if time > 0 {
        tokio::time::sleep(Duration::from_micros(time)).await;
    }
}

#[derive(Deserialize)]
struct Operations {
    #[serde(alias = "operations", rename = "Operations")]
    operations: Vec<IgnoredAny>,
}

/// How many changes a request asks for.
fn writes(item: &Item, route: Route) -> u64 {
    match route {
        Route::Bulk | Route::Associations if item.path.ends_with("ulk") => {
            serde_json::from_slice::<Operations>(&item.body).map_or(0, |body| body.operations.len() as u64)
        }
        Route::List | Route::Read | Route::Discovery | Route::Token => 0,
        _ if item.method == Method::GET => 0,
        _ => 1,
    }
}

fn retry_after(form: RetryAfterForm, wait: Micros, now: Now) -> Option<String> {
    // Rounded up, so that who waits exactly so long finds room.
    let secs = wait.div_ceil(1_000_000);
    match form {
        RetryAfterForm::Seconds => Some(secs.to_string()),
        RetryAfterForm::HttpDate => {
            let later = jiff::SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX).saturating_add(1));
            let at = now.wall.checked_add(later).unwrap_or(now.wall);
            Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
        RetryAfterForm::Absent => None,
    }
}
