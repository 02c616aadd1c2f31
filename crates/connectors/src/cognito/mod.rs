//! The hook `cognito-user-migration`: the migrate user trigger of Amazon Cognito (jit-hooks.md 3). Cognito calls only Lambda
//! functions, so a thin one forwards the event (docs/hooks/cognito-lambda.mjs) and gets the event's `response` back.
//!
//! Start at [`Dialect`]. `response.rs` makes the response, `lambda.rs` is the Lambda service's own form, which emulators of
//! Cognito speak.

mod lambda;
mod response;

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sterna_core::{
    hook::{Call, Decision, Found, HookAnswer, HookDialect, HookLimits, Next, Person, Reply, Submission},
    settings::{Kind, Need, Setting, Values},
    support::{Asks, HookSupport},
};

use self::response::Responses;
use crate::hooks::{
    body::{Body, malformed},
    callers::{Callers, hook_settings},
    kind::CalledKind,
    profile,
    request::{check, credentials, look_up, posted, settled},
};

const USERNAME: Setting = Setting {
    name: "username",
    kind: Kind::Text,
    need: Need::Optional,
    doc: "The account's attribute that becomes Cognito's user name where the person typed an alias of it (`user_name`, `key`). Without it the user name is what was typed.",
};

const LAMBDA_EMULATION: Setting = Setting {
    name: "lambda_emulation",
    kind: Kind::Flag,
    need: Need::Default("false"),
    doc: "Whether callers on this machine may invoke the hook as a Lambda function, without proving who they are: for local emulators of Cognito only.",
};

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "cognito-user-migration",
    title: "Amazon Cognito, by its migrate user trigger and a function that forwards",
    support: HookSupport { does: &[Asks::Profile, Asks::LookUp], tested_with: &["cognito-local"] },
    settings: hook_settings![USERNAME, LAMBDA_EMULATION, profile::ATTRIBUTES, profile::ASSUME_VERIFIED],
    sample: "bearer_token = { env = \"COGNITO_HOOK_TOKEN\" }\n# attributes = { \"custom:legacy_id\" = \"key\", locale = \"preferred_language\" }\n",
    open,
};

fn open(callers: Callers, values: &Values) -> Arc<dyn HookDialect> {
    let lambda_emulation = values.flag("lambda_emulation").unwrap_or_default();
    Arc::new(Dialect { callers, lambda_emulation, responses: Responses::new(values) })
}

struct Dialect {
    callers: Callers,
    lambda_emulation: bool,
    responses: Responses,
}

/// What an answer needs again of its request.
#[derive(Default, Serialize, Deserialize)]
struct Echo {
    /// What the person typed as user name.
    typed: String,
    /// The event without its password, where a Lambda function is invoked: it answers with the whole event.
    event: Option<Map<String, Value>>,
}

impl Echo {
    fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// What is answered, before it is known who asked in which form.
enum Outcome {
    /// The response of the event.
    Filled(Value),
    /// The user cannot be migrated.
    Refused(Why),
}

/// Why not; the function throws the same text for the first two.
#[derive(Clone, Copy)]
enum Why {
    Wrong,
    NotThere,
    TryLater,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        // Cognito waits 5 s and calls up to three times; the function gives each call 1.4 s (jit-hooks.md 3)
        HookLimits { deadline: Duration::from_millis(1_200), ..HookLimits::default() }
    }

    /// The password is stored with the user; a person who must change it signs in by a reset.
    fn hands_over(&self, decision: Decision) -> bool {
        decision.is_yes()
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        let outcome = match reply.decision {
            Decision::Accept => self.fill(reply, "CONFIRMED"),
            Decision::AcceptAndChange => self.fill(reply, "RESET_REQUIRED"),
            Decision::Wrong | Decision::Refuse(_) => Outcome::Refused(Why::Wrong),
            Decision::TryLater(_) => Outcome::Refused(Why::TryLater),
        };
        said(outcome, Echo::read(reply.echo))
    }

    fn looked_up(&self, found: &Found<'_>, echo: &str) -> HookAnswer {
        let echo = Echo::read(echo);
        let outcome = match found {
            // without an address or number that is verified the code of the reset cannot be sent (jit-hooks.md 3)
            Found::There(Person { account, .. }) if self.responses.can_be_sent_a_code(account) => {
                Outcome::Filled(self.responses.response(account, &echo.typed, "RESET_REQUIRED"))
            }
            Found::There(_) | Found::NotThere => Outcome::Refused(Why::NotThere),
            Found::TryLater => Outcome::Refused(Why::TryLater),
        };
        said(outcome, echo)
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        if self.lambda_emulation && lambda::is_invoked_here(call) {
            let body = Body::from_slice(call.body)?;
            let event = lambda::without_password(&body);
            return event_of(&body, Some(event));
        }
        event_of(&posted(call, &self.callers)?, None)
    }

    fn fill(&self, reply: &Reply<'_>, status: &str) -> Outcome {
        match reply.person {
            Some(person) => {
                let typed = Echo::read(reply.echo).typed;
                Outcome::Filled(self.responses.response(person.account, &typed, status))
            }
            None => Outcome::Refused(Why::TryLater),
        }
    }
}

fn event_of(body: &Body, event: Option<Map<String, Value>>) -> Result<Next, Next> {
    let typed = body.text(&["userName"]).ok_or_else(malformed)?;
    let echo = Echo { typed: typed.to_owned(), event }.write();
    match body.text(&["triggerSource"]) {
        Some("UserMigration_Authentication") => {
            let asked = credentials(body, &["userName"], &["request", "password"])?;
            Ok(check(Submission { echo, ..asked }))
        }
        Some("UserMigration_ForgotPassword") => Ok(look_up(typed, echo)),
        _ => Err(malformed()),
    }
}

fn said(outcome: Outcome, echo: Echo) -> HookAnswer {
    if let Some(event) = echo.event {
        return lambda::said(outcome, event);
    }
    match outcome {
        Outcome::Filled(response) => HookAnswer::json(200, &response),
        Outcome::Refused(Why::Wrong) => HookAnswer::empty(401),
        Outcome::Refused(Why::NotThere) => HookAnswer::empty(404),
        Outcome::Refused(Why::TryLater) => HookAnswer::empty(503),
    }
}
