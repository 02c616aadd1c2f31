//! The three calls of on-demand silent migration (wso2-scim.md 1.2.3 to 1.2.6) and the one that replaces them all (1.2.9).
//!
//! The script and the server behind it call START and RESULT, and prove who they are; the person's browser calls POLL,
//! and proves nothing: it learns one of two words and, for an id that nobody knows, the first of them.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sterna_core::{
    hook::{
        Call, Collected, Decision, HookAnswer, HookDialect, HookLimits, Next, Progress, Refusal, Reply, Submission, Who,
    },
    ids::TargetId,
};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::settings::{Config, Encoding, Weak};
use crate::hooks::{
    body::{self, Body, NAME_BYTES},
    callers::Callers,
};

/// START, below the hook's own address (wso2-scim.md 1.2.3).
pub(super) const START: &str = "/start-authentication";

/// POLL by GET and RESULT by POST (wso2-scim.md 1.2.4, 1.2.5).
pub(super) const STATUS: &str = "/authentication-status";

/// The whole check in one call (wso2-scim.md 1.2.9, last point).
pub(super) const CHECK: &str = "/check";

/// What the script compares with, letter by letter (wso2-scim.md 1.2.3).
pub(super) const RECEIVED: &str = "Received";

/// The published message of a yes (wso2-scim.md 1.2.5).
const AUTHENTICATED: &str = "Authenticated successful";

/// The published message of a wrong password (wso2-scim.md 1.2.5); also for somebody we do not know.
pub(super) const WRONG: &str = "Invalid credentials";

/// What a person reads whose right password is not taken over.
const RESET: &str = "Please reset your password.";

/// Seconds that a browser may remember the answer to a preflight.
const PREFLIGHT_SECS: &str = "600";

/// The hook.
pub(super) struct Hook {
    pub(super) callers: Callers,
    pub(super) config: Config,
}

impl HookDialect for Hook {
    /// `callChoreo` gives up after 1 s and the wait page after 10 s, if the script does not say otherwise (wso2-scim.md 1.2.7).
    fn limits(&self) -> HookLimits {
        HookLimits { deadline: Duration::from_millis(800), background: Duration::from_secs(8), ..HookLimits::default() }
    }

    /// The script writes the typed password wherever it is told SUCCESS.
    fn hands_over(&self, decision: Decision) -> bool {
        self.is_success(decision)
    }

    fn next(&self, call: &Call<'_>) -> Next {
        let next = match (call.method, call.path) {
            ("POST", START) => self.submitted(call).map(Next::Begin),
            ("GET", STATUS) => self.asked(call),
            ("POST", STATUS) => self.fetched(call),
            ("OPTIONS", STATUS) => Ok(Next::Answer(self.preflight(call))),
            ("POST", CHECK) if self.config.one_call => self.submitted(call).map(Next::Check),
            _ => Ok(body::not_found()),
        };
        next.unwrap_or_else(|refusal| refusal)
    }

    /// The answer of the one call. START gets it only where a check cannot even be begun: the script then reads a message
    /// that is not the expected one, and ends.
    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        self.said(reply.decision)
    }

    fn begun(&self, context: &str) -> HookAnswer {
        document(200, &json!({ "message": RECEIVED, "contextId": context }))
    }

    fn polled(&self, progress: Progress, call: &Call<'_>) -> HookAnswer {
        let status = match progress {
            Progress::Pending => "PENDING",
            Progress::Complete => "COMPLETE",
        };
        self.shared(call, document(200, &json!({ "status": status })))
    }

    fn collected(&self, collected: &Collected<'_>) -> HookAnswer {
        match collected {
            Collected::Decided(reply) => self.said(reply.decision),
            Collected::OtherLogin => fail("Invalid request"),
            Collected::Unknown => document(400, &json!({ "message": "Invalid context id" })),
        }
    }
}

impl Hook {
    /// START and the one call: `{"id", "username", "password"}`.
    fn submitted(&self, call: &Call<'_>) -> Result<Box<Submission>, Next> {
        self.callers.admit(call)?;
        let body = read(call)?;
        let members = (body.text(&["id"]), body.text(&["username"]), body.password(&["password"]));
        let (Some(id), Some(login), Some(password)) = members else { return Err(body::malformed()) };
        Ok(Box::new(Submission {
            who: Who::TargetId(TargetId(id.to_owned())),
            may_be_damaged: self.may_be_damaged(&password),
            password,
            address: None,
            tenant: None,
            // retries of the server name nothing of their own (1.2.7); equal attempts in flight are joined
            correlation: None,
            once: None,
            login: Some(login.to_owned()),
            echo: String::new(),
        }))
    }

    /// POLL: `?contextId=C`.
    fn asked(&self, call: &Call<'_>) -> Result<Next, Next> {
        let query = call.query.unwrap_or_default();
        let mut contexts = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "contextId");
        match (contexts.next(), contexts.next()) {
            (Some((_, context)), None) if (1..=NAME_BYTES).contains(&context.len()) => {
                Ok(Next::Poll(context.into_owned()))
            }
            _ => Err(Next::Refuse(Refusal::Malformed, self.shared(call, HookAnswer::empty(400)))),
        }
    }

    /// RESULT: `{"contextId", "username"}`.
    fn fetched(&self, call: &Call<'_>) -> Result<Next, Next> {
        self.callers.admit(call)?;
        let body = read(call)?;
        match (body.text(&["contextId"]), body.text(&["username"])) {
            (Some(context), Some(login)) => {
                Ok(Next::Collect { context: context.to_owned(), login: Some(login.to_owned()) })
            }
            _ => Err(body::malformed()),
        }
    }

    /// Whether what arrived may be another password than the one that was typed (wso2-scim.md 1.2.6).
    ///
    /// `callChoreo` writes ISO-8859-1: what that lacks arrives as `?`, and two of its letters may read as one of UTF-8.
    /// Callers that write UTF-8 damage nothing; for them a `?` is one, and its failure counts as any other, for else
    /// guesses with a `?` in them would be free.
    fn may_be_damaged(&self, password: &SecretString) -> bool {
        let text = password.expose_secret();
        self.config.encoding == Encoding::MayDamage && (text.contains('?') || !text.is_ascii())
    }

    fn is_success(&self, decision: Decision) -> bool {
        match decision {
            Decision::Accept => true,
            Decision::AcceptAndChange => self.config.weak == Weak::Accept,
            Decision::Wrong | Decision::Refuse(_) | Decision::TryLater(_) => false,
        }
    }

    /// The dialect has two words and one text for the person, so an outage is told by the text alone (1.2.5).
    fn said(&self, decision: Decision) -> HookAnswer {
        match decision {
            yes if self.is_success(yes) => document(200, &json!({ "status": "SUCCESS", "message": AUTHENTICATED })),
            Decision::Accept | Decision::AcceptAndChange => fail(RESET),
            Decision::Wrong => fail(WRONG),
            Decision::Refuse(_) => fail(&self.config.refused),
            Decision::TryLater(_) => fail(&self.config.try_later),
        }
    }

    /// Lets a page of a listed origin read the answer (Fetch standard, CORS protocol). Caches are told that it depends.
    fn shared(&self, call: &Call<'_>, answer: HookAnswer) -> HookAnswer {
        if self.config.origins.is_empty() {
            return answer;
        }
        let answer = answer.with("Vary", "Origin");
        match self.listed(call) {
            Some(origin) => answer.with("Access-Control-Allow-Origin", origin),
            None => answer,
        }
    }

    /// A wait page with a content type of its own asks first.
    fn preflight(&self, call: &Call<'_>) -> HookAnswer {
        let answer = self.shared(call, HookAnswer::empty(204));
        if self.listed(call).is_none() {
            return answer;
        }
        answer
            .with("Access-Control-Allow-Methods", "GET")
            .with("Access-Control-Allow-Headers", "Content-Type")
            .with("Access-Control-Max-Age", PREFLIGHT_SECS)
    }

    fn listed(&self, call: &Call<'_>) -> Option<&str> {
        let origin = call.headers.text("origin")?;
        self.config.origins.iter().map(String::as_str).find(|listed| *listed == origin)
    }
}

/// The body as UTF-8 or, where it is none, as ISO-8859-1, in which every byte is the character of that number (1.2.6).
fn read(call: &Call<'_>) -> Result<Body, Next> {
    if !call.headers.says_json() {
        return Err(body::malformed());
    }
    if std::str::from_utf8(call.body).is_ok() {
        return Body::from_slice(call.body);
    }
    Body::from_slice(latin1(call.body).as_bytes())
}

/// As large as it can become, so that nothing of a password is left behind by growing.
fn latin1(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    text.extend(bytes.iter().map(|byte| char::from(*byte)));
    text
}

fn fail(message: &str) -> HookAnswer {
    document(200, &json!({ "status": "FAIL", "message": message }))
}

/// Nothing of a sign-in is for a cache.
fn document(status: u16, value: &serde_json::Value) -> HookAnswer {
    HookAnswer::json(status, value).with("Cache-Control", "no-store")
}
