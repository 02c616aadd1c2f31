//! Asking the endpoint: the limit of the tenant, the time limit, maybe one repeat (`entra.md` 1.7).

use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use serde_json::Value;
use uuid::Uuid;

use super::answer::{self, Action, Answer, Expected};
use super::code::{self, Code};
use super::context::Claims;
use super::jwe::{self, Form};
use super::request;
use super::run::Attempt;
use super::setup::{Setup, Target};
use crate::entra::directory::user::User;
use crate::entra::scenario::{JustInTime, RetryContext};
use crate::entra::service::Service;

/// What became of a call, repeats included.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) listener_id: String,
    pub(super) extension_id: String,
    /// Of the last answer.
    pub(super) http_status: Option<u16>,
    pub(super) duration: Duration,
    /// Requests that were sent.
    pub(super) attempts: u32,
    pub(super) result: Result<Action, Code>,
}

/// A sealed context with the nonce inside.
struct Context {
    sealed: String,
    nonce: String,
}

/// How one request ended.
struct Ended {
    status: Option<u16>,
    result: Result<Action, Code>,
}

impl Ended {
    fn without_answer(code: Code) -> Self {
        Self { status: None, result: Err(code) }
    }

    /// Timeouts, broken connections and 5xx are repeated: an assumption, no page says which are.
    fn may_be_repeated(&self) -> bool {
        let gone = matches!(self.result, Err(code::TIMED_OUT | code::CONNECTION));
        gone || self.status.is_some_and(|status| status >= 500)
    }
}

/// Asks the endpoint about one attempt.
pub(super) async fn ask(service: &Service, setup: &Setup, attempt: &Attempt, user: &User) -> Called {
    let started = Instant::now();
    let mut called = Called {
        listener_id: setup.listener_id.clone(),
        extension_id: setup.extension_id.clone(),
        http_status: None,
        duration: Duration::ZERO,
        attempts: 0,
        result: Err(code::UNEXPECTED),
    };
    match &setup.target {
        Err(code) => called.result = Err(*code),
        Ok(target) => try_all(service, setup, target, attempt, user, &mut called).await,
    }
    called.duration = started.elapsed();
    called
}

async fn try_all(
    service: &Service,
    setup: &Setup,
    target: &Target,
    attempt: &Attempt,
    user: &User,
    called: &mut Called,
) {
    let JustInTime { retries, retry_context, calls_per_second, .. } = setup.settings;
    let mut kept: Option<Context> = None;
    for _ in 0..=retries {
        let fresh = || context(service, setup, target, attempt);
        let reused = kept.take().filter(|_| retry_context == RetryContext::Same);
        let Some(context) = reused.or_else(fresh) else { return };
        let Some(token) = bearer(service, setup) else { return };
        if !service.sign_ins.admit(service.clock.now().micros, calls_per_second) {
            // a repeat that finds no room leaves the failure before it standing
            if called.attempts == 0 {
                called.result = Err(code::THROTTLED);
            }
            return;
        }
        called.attempts += 1;
        let body = request::body(service, setup, attempt, user, &context.sealed);
        let ended = once(setup, target, &token, &body, &context.nonce).await;
        let again = ended.may_be_repeated();
        (called.http_status, called.result) = (ended.status, ended.result);
        if !again {
            return;
        }
        kept = Some(context);
    }
}

fn context(service: &Service, setup: &Setup, target: &Target, attempt: &Attempt) -> Option<Context> {
    let nonce = Uuid::new_v4().to_string();
    let claims = Claims {
        username: &attempt.username,
        password: &attempt.password,
        nonce: &nonce,
        audience: &setup.app_id,
        issuer: &target.resource_id,
        at: service.clock.now().wall,
    };
    let text = claims.text(setup.settings.claims);
    let sealed = jwe::seal(&setup.recipient, setup.form(), text.as_bytes()).ok()?;
    Some(Context { sealed, nonce })
}

fn bearer(service: &Service, setup: &Setup) -> Option<String> {
    let principal = &service.sign_ins.ids().caller_principal;
    let token = service.sign_ins.key()?.issue(setup, &service.names.id, principal, service.clock.now().wall)?;
    if !setup.settings.encrypted_bearer {
        return Some(token);
    }
    // RFC 7519 5.2 wants a JWT in a JWE to be declared
    let form = Form { zip: false, is_jwt: true, ..setup.form() };
    jwe::seal(&setup.recipient, form, token.as_bytes()).ok()
}

/// One request and its answer, within the time limit.
async fn once(setup: &Setup, target: &Target, token: &str, body: &Value, nonce: &str) -> Ended {
    let limit = Duration::from_millis(setup.settings.timeout_ms);
    let request = setup.client.post(target.url.clone()).bearer_auth(token).json(body);
    let exchange = async {
        let Ok(response) = request.send().await else { return Ended::without_answer(code::CONNECTION) };
        let status = response.status().as_u16();
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(ToOwned::to_owned);
        // the body of a refusal is not looked at, however long it is
        let body =
            if status == 200 { bounded(response, setup.settings.answer_limit_bytes).await } else { Ok(Vec::new()) };
        let result = match body {
            Err(code) => Err(code),
            Ok(body) => {
                let answer = Answer { status, content_type: content_type.as_deref(), body: &body };
                let settings = &setup.settings;
                let nonce = settings.check_nonce.then_some(nonce);
                answer::read(&answer, &Expected { nonce, actions: settings.actions })
            }
        };
        Ended { status: Some(status), result }
    };
    tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_elapsed| Ended::without_answer(code::TIMED_OUT))
}

async fn bounded(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, Code> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_broken| code::CONNECTION)? {
        if body.len() + chunk.len() > limit {
            return Err(code::TOO_LARGE);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
