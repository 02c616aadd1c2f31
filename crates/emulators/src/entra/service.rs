//! The running emulator: its state, and the way of a request through it.
//!
//! `Front` receives HTTP requests and sends them to the login, Graph or control side. A Graph request, alone or in a
//! batch, takes the way of [`Service::run`]: faults, then the quota, then its handler.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};

use super::apps::RegisteredApp;
use super::counters::Counters;
use super::directory::Directory;
use super::fault::{End, Faults, Plan};
use super::graph::answer::{Answer, Content};
use super::graph::item::Item;
use super::graph::{Call, dispatch};
use super::login::{Caller, TokenKey, Tokens};
use super::options::Kind;
use super::refusal::{Refusal, RequestIds};
use super::scenario::{FaultScope, Provider, RetryAfterForm, Switches, TenantSize};
use super::sign_in::SignIns;
use super::tenant::TenantNames;
use super::throttle::cost::{cost, creates_are_costly};
use super::throttle::{Throttle, Throttled};
use crate::clock::{Clock, Micros, Now, error_time};

/// Everything the emulator knows.
pub(crate) struct Service {
    pub(crate) kind: Kind,
    pub(crate) clock: Clock,
    pub(crate) names: Arc<TenantNames>,
    pub(crate) switches: Arc<Switches>,
    pub(crate) apps: Vec<RegisteredApp>,
    pub(crate) providers: Vec<Provider>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) throttle: Mutex<Throttle>,
    pub(crate) faults: RwLock<Arc<Faults>>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) token_key: TokenKey,
    pub(crate) token_lifetime: Duration,
    pub(crate) counters: Counters,
    pub(crate) sign_ins: SignIns,
    pub(crate) extension_delay: Micros,
    pub(crate) size: Option<TenantSize>,
    pub(crate) state_key: String,
    pub(crate) show_passwords: bool,
    /// `http://127.0.0.1:port`, known once the address is bound.
    pub(crate) root: OnceLock<String>,
}

/// What becomes of a request to Graph.
pub(crate) enum Outcome {
    Answer(Answer),
    /// No reply; with true the connection is reset.
    Silence(bool),
}

impl Service {
    /// The base of every URL that the emulator hands out.
    pub(crate) fn root(&self) -> &str {
        self.root.get().map_or("", String::as_str)
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Application id of `b2c-extensions-app`, the last of the applications: it owns the flag.
    pub(crate) fn flag_owner(&self) -> &str {
        self.apps.last().map_or("", |app| app.app_id.as_str())
    }

    /// Application id of the extension app: the configured one, or the one it would have.
    pub(crate) fn extension_app_id(&self) -> String {
        self.sign_ins.setup().map_or_else(|| self.sign_ins.ids().app_id.clone(), |setup| setup.app_id().to_owned())
    }

    /// Who asks; the refusal is ready to be sent.
    pub(crate) fn authenticate(&self, headers: &HeaderMap, now: Now) -> Result<Arc<Caller>, Refusal> {
        let value = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        self.tokens().caller(value, now)
    }

    /// The faults of one request. `scopes` is what it is.
    pub(crate) fn plan(&self, item: &Item, scopes: &[FaultScope]) -> Plan {
        self.faults().plan(scopes, &[item.operation()], |text| item.contains(text))
    }

    /// Runs one request under its faults.
    pub(crate) async fn run(self: &Arc<Self>, caller: &Arc<Caller>, item: Item, scopes: &[FaultScope]) -> Outcome {
        let Plan { delay, stale, repeat_link, end } = self.plan(&item, scopes);
        if delay > 0 {
            tokio::time::sleep(Duration::from_micros(delay)).await;
        }
        match end {
            None => Outcome::Answer(self.execute(caller, &item, stale, repeat_link)),
            Some(End::Silence { carry_out, reset }) => {
                if carry_out {
                    self.execute(caller, &item, stale, repeat_link);
                }
                Outcome::Silence(reset)
            }
            Some(End::LateCommit(later)) => {
                let (service, caller) = (Arc::clone(self), Arc::clone(caller));
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_micros(later)).await;
                    service.execute(&caller, &item, stale, repeat_link);
                });
                Outcome::Silence(false)
            }
            Some(End::Error { carry_out, status, code, retry_after }) => {
                if carry_out {
                    self.execute(caller, &item, stale, repeat_link);
                } else {
                    self.counters.arrived(status == 429);
                }
                Outcome::Answer(self.injected(&item, status, &code, retry_after.as_deref()))
            }
        }
    }

    /// The answer of a fault that answers with an error.
    pub(crate) fn injected(&self, item: &Item, status: u16, code: &str, retry_after: Option<&str>) -> Answer {
        let now = self.clock.now();
        let ids = RequestIds::new(item.header("client-request-id"));
        let answer = if status == 429 {
            Answer::json(429, throttled_body(now, &ids))
        } else {
            Answer::json(
                status,
                Refusal::new(status, code, "The service is temporarily unavailable.").body(now.wall, &ids),
            )
        };
        match retry_after {
            Some(text) => answer.with(self.retry_after_name(), text),
            None => answer,
        }
    }

    /// Carries one request out: quota, handler, headers.
    pub(crate) fn execute(&self, caller: &Caller, item: &Item, stale: Micros, repeat_link: bool) -> Answer {
        let now = self.clock.now();
        let ids = RequestIds::new(item.header("client-request-id"));
        let costly = creates_are_costly(self.kind, self.switches.costly_creates_in_external_id);
        let cost = cost(&item.method, &item.path(), &item.query, costly);
        let size = self.size.unwrap_or_else(|| TenantSize::of(self.lock_directory().counts.live));
        let admitted =
            self.throttle.lock().unwrap_or_else(PoisonError::into_inner).admit(caller.app, cost, size, now.micros);
        let share = match admitted {
            Ok(share) => share,
            Err(throttled) => {
                self.counters.arrived(true);
                return self.throttled(caller, throttled, now, &ids).with("x-ms-resource-unit", cost.units.to_string());
            }
        };
        self.counters.arrived(false);
        self.counters.admitted(cost.writes);
        let call = Call { service: self, caller, item, now, seen_at: now.micros.saturating_sub(stale), repeat_link };
        let mut answer = match dispatch(&call) {
            Ok(answer) => answer,
            Err(refusal) => self.refused(&refusal, now, &ids),
        };
        answer.headers.push(("x-ms-resource-unit", cost.units.to_string()));
        if share > 0.8 {
            answer.headers.push(("x-ms-throttle-limit-percentage", format!("{:.2}", share.min(1.8))));
        }
        answer.headers.push(("request-id", ids.request));
        answer.headers.push(("client-request-id", ids.client));
        answer
    }

    fn refused(&self, refusal: &Refusal, now: Now, ids: &RequestIds) -> Answer {
        if refusal.is_conflict() {
            self.counters.conflicted();
        }
        refusal_answer(refusal, now, ids)
    }

    fn throttled(&self, caller: &Caller, throttled: Throttled, now: Now, ids: &RequestIds) -> Answer {
        let mut answer = Answer::json(429, throttled_body(now, ids));
        if let Some(text) = retry_after(self.switches.retry_after, throttled.wait, now) {
            answer.headers.push((self.retry_after_name(), text));
        }
        let scope = format!("{}/{}/{}", throttled.scope, caller.app_id, self.names.id);
        answer
            .with("x-ms-throttle-scope", scope)
            .with("x-ms-throttle-information", throttled.information)
            .with("x-ms-throttle-limit-percentage", "1.00")
            .with("request-id", ids.request.as_str())
            .with("client-request-id", ids.client.as_str())
    }

    /// The case of a header's name varies in batches (`entra.md` 5).
    fn retry_after_name(&self) -> &'static str {
        ["Retry-After", "retry-after", "Retry-after"][self.counters.turn() % 3]
    }
}

/// A refusal as an answer.
pub(crate) fn refusal_answer(refusal: &Refusal, now: Now, ids: &RequestIds) -> Answer {
    let mut answer = Answer::json(refusal.status, refusal.body(now.wall, ids));
    if let Some(location) = &refusal.location {
        answer.headers.push(("Location", location.clone()));
    }
    answer
}

/// The body of `data/graph-throttling.json`.
fn throttled_body(now: Now, ids: &RequestIds) -> Value {
    json!({
        "error": {
            "code": "TooManyRequests",
            "innerError": {
                "code": "429",
                "date": error_time(now.wall),
                "message": "Please retry after",
                "request-id": ids.request,
                "status": "429",
            },
            "message": "Please retry again later.",
        }
    })
}

fn retry_after(form: RetryAfterForm, wait: Micros, now: Now) -> Option<String> {
    // Rounded up, so that who waits exactly so long finds room.
    let millis = wait.div_ceil(1_000);
    let secs = millis.div_ceil(1_000);
    match form {
        RetryAfterForm::Decimal => Some(format!("{}.{:03}", millis / 1_000, millis % 1_000)),
        RetryAfterForm::Seconds => Some(secs.to_string()),
        RetryAfterForm::HttpDate => {
            let later = jiff::SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX).saturating_add(1));
            let at = now.wall.checked_add(later).unwrap_or(now.wall);
            Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
        RetryAfterForm::Absent => None,
    }
}

impl Answer {
    /// The content as the body of an HTTP response, with its type.
    pub(crate) fn body(&self) -> (Option<&'static str>, Vec<u8>) {
        match &self.content {
            Content::None => (None, Vec::new()),
            Content::Json(value) => (Some(JSON), serde_json::to_vec(value).unwrap_or_default()),
            Content::Text(text) => (Some("text/plain"), text.clone().into_bytes()),
        }
    }
}

/// The content type of Graph's JSON.
pub(crate) const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
