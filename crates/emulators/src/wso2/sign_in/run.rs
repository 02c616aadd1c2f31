//! One sign-in: step 1, and what the script does when it fails (wso2-scim.md 1.2.2).

use serde_json::{Map, Value, json};

use super::People;
use super::call::{Called, post};
use super::page::{Page, Waited};
use super::settings::SilentMigration;
use super::token::Tokens;
use crate::wso2::script::Flow;

/// What people read who come from a page of the product, not from the script.
const OWN_PAGE: &str = "Something went wrong during the authentication process. Please try signing in again.";

/// What people read at a login without a script.
const OWN_REFUSAL: &str = "Login failed! Please recheck the username and password and try again.";

/// Somebody signs in.
pub(crate) struct SignIn<'a> {
    pub(crate) people: &'a dyn People,
    /// The script that is attached to the application.
    pub(crate) setup: Option<&'a SilentMigration>,
    pub(crate) tokens: &'a Tokens,
    /// The product's own origin.
    pub(crate) origin: &'a str,
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    kind: Kind,
    /// What the person reads.
    message: String,
    /// What happened, for whoever looks into it. Holds nothing of the person.
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SignedIn,
    Moved,
    Refused,
    Error,
}

impl Outcome {
    fn new(kind: Kind, message: &str, detail: impl Into<String>) -> Self {
        Self { kind, message: message.to_owned(), detail: detail.into() }
    }

    /// As the control side answers it.
    pub(crate) fn value(&self) -> Value {
        let outcome = match self.kind {
            Kind::SignedIn => "signed-in",
            Kind::Moved => "moved",
            Kind::Refused => "refused",
            Kind::Error => "error",
        };
        json!({ "outcome": outcome, "message": self.message, "detail": self.detail })
    }
}

/// The user whose password is asked about.
struct Asked<'a> {
    id: String,
    /// Without its store.
    username: String,
    typed: &'a str,
    password: &'a str,
}

impl SignIn<'_> {
    /// Signs in with what was typed.
    pub(crate) async fn run(&self, typed: &str, password: &str) -> Outcome {
        let filled = !typed.is_empty() && !password.is_empty();
        if filled && self.people.check(typed, password) {
            return Outcome::new(Kind::SignedIn, "", "step 1 succeeds");
        }
        let Some(setup) = self.setup else { return Outcome::new(Kind::Refused, OWN_REFUSAL, "step 1 fails") };
        let wrong = |detail: &str| Outcome::new(Kind::Refused, &setup.script.messages.wrong, detail);
        if !filled {
            return wrong("no name or no password was typed");
        }
        let resolved = if setup.script.resolves { self.people.resolve(typed) } else { Some(typed.to_owned()) };
        let Some(username) = resolved else { return wrong("nobody is meant by what was typed") };
        let Some(id) = self.people.find(&format!("{}/{username}", setup.script.store)) else {
            return wrong("the user store has no such user");
        };
        if !setup.script.may_move(|claim| self.people.claim(&id, claim)) {
            return wrong("the user is migrated, locked or disabled");
        }
        self.ask(setup, &Asked { id, username, typed, password }).await
    }

    async fn ask(&self, setup: &SilentMigration, asked: &Asked<'_>) -> Outcome {
        let question = json!({ "id": asked.id, "username": asked.username, "password": asked.password });
        let later = |detail: String| Outcome::new(Kind::Error, &setup.script.messages.later, detail);
        match &setup.script.flow {
            Flow::OneCall { check_url } => match post(setup, self.tokens, check_url, &question).await {
                Called::Success(answer) => self.settle(setup, asked, &answer),
                Called::Failed(detail) | Called::TimedOut(detail) => later(format!("check: {detail}")),
            },
            Flow::Wait { start_url, received, .. } => match post(setup, self.tokens, start_url, &question).await {
                Called::Success(answer) => match context_of(&answer, received) {
                    Some(context_id) => self.wait(setup, asked, context_id).await,
                    None => self.settle(setup, asked, &answer),
                },
                Called::Failed(detail) | Called::TimedOut(detail) => later(format!("START: {detail}")),
            },
        }
    }

    /// The wait page, then RESULT.
    async fn wait(&self, setup: &SilentMigration, asked: &Asked<'_>, context_id: &str) -> Outcome {
        let Flow::Wait { result_url, poll_url, timeout_secs, interval_secs, callback, .. } = &setup.script.flow else {
            return Outcome::new(Kind::Error, OWN_PAGE, "a script with one call shows no page");
        };
        let (timeout_secs, interval_secs) = (*timeout_secs, *interval_secs);
        let page = Page { poll_url, context_id, timeout_secs, interval_secs, origin: self.origin };
        let failure = match page.wait(setup).await {
            Waited::Complete => None,
            Waited::Failed(detail) => Some(detail),
            Waited::TimedOut => Some("not done in time".to_owned()),
        };
        let later = &setup.script.messages.later;
        if let Some(detail) = failure {
            // without the callback the browser goes to the product's own page (1.2.4)
            let message = if *callback { later } else { OWN_PAGE };
            return Outcome::new(Kind::Error, message, format!("POLL: {detail}"));
        }
        let question = json!({ "contextId": context_id, "username": asked.username });
        match post(setup, self.tokens, result_url, &question).await {
            Called::Success(answer) => self.settle(setup, asked, &answer),
            Called::Failed(detail) | Called::TimedOut(detail) => {
                Outcome::new(Kind::Error, later, format!("RESULT: {detail}"))
            }
        }
    }

    /// Goes by what the service decided. Only `status` is tested (1.2.5).
    fn settle(&self, setup: &SilentMigration, asked: &Asked<'_>, answer: &Map<String, Value>) -> Outcome {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let messages = &setup.script.messages;
        match (text("status"), text("message").filter(|message| !message.is_empty())) {
            (Some("SUCCESS"), _) => self.store(setup, asked),
            (Some("FAIL"), Some(message)) if message != setup.script.wrong => {
                Outcome::new(Kind::Refused, message, "the service refuses")
            }
            (Some("FAIL"), _) => Outcome::new(Kind::Refused, &messages.wrong, "the service knows another password"),
            _ => Outcome::new(Kind::Error, &messages.later, "the service gives an answer that is not understood"),
        }
    }

    /// Stores the password, sets the claim, and signs in again with what was typed.
    fn store(&self, setup: &SilentMigration, asked: &Asked<'_>) -> Outcome {
        let messages = &setup.script.messages;
        if let Err(detail) = self.people.update_password(&asked.id, asked.password, setup.script.skips_rules) {
            return Outcome::new(Kind::Error, &messages.weak, format!("updateUserPassword: {detail}"));
        }
        self.people.set_claim(&asked.id, &setup.script.flag, "true");
        if self.people.check(asked.typed, asked.password) {
            return Outcome::new(Kind::Moved, "", "the password is stored");
        }
        Outcome::new(Kind::Error, &messages.again, "the password is stored, but the login fails")
    }
}

/// The context of an answer to START whose message is right, to the letter.
fn context_of<'a>(answer: &'a Map<String, Value>, received: &str) -> Option<&'a str> {
    let is_received = answer.get("message").and_then(Value::as_str) == Some(received);
    answer.get("contextId").and_then(Value::as_str).filter(|id| is_received && !id.is_empty())
}
