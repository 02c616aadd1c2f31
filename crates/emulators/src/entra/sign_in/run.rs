//! The state machine of a sign-in (`entra.md` 1.1).

use serde_json::{Value, json};
use uuid::Uuid;

use super::account;
use super::answer::{Action, Words};
use super::call::{self, Called};
use super::code::{self, Code};
use super::lock;
use super::log::{Entry, extension_value};
use super::setup::Setup;
use crate::entra::directory::index::Slot;
use crate::entra::directory::text::is_password;
use crate::entra::directory::user::{Name, User};
use crate::entra::service::Service;

/// What somebody entered, and from where. Not printable: it holds a password.
pub(super) struct Attempt {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) ip: String,
    pub(super) client_app_id: Option<String>,
    pub(super) correlation_id: String,
}

impl Attempt {
    pub(super) fn new(username: String, password: String, ip: String, client_app_id: Option<String>) -> Self {
        Self { username, password, ip, client_app_id, correlation_id: Uuid::new_v4().to_string() }
    }
}

/// What became of a sign-in.
#[derive(Debug)]
pub(super) enum Outcome {
    SignedIn,
    /// The name is unknown or the password wrong, by the tenant's own check.
    WrongPassword(Code),
    /// The endpoint says that the password is wrong.
    Retry(Words),
    /// A new password is wanted; the flow goes on with it. True when one was given and is too weak.
    UpdatePassword {
        flow: String,
        refused: bool,
    },
    Blocked(Words),
    Error(Code),
}

/// A sign-in that is over, or waits for a new password.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) outcome: Outcome,
    user_id: Option<Name>,
    correlation_id: String,
    called_extension: bool,
}

/// Signs somebody in.
pub(super) async fn sign_in(service: &Service, attempt: &Attempt) -> Done {
    let setup = service.sign_ins.setup();
    let flag = setup.as_deref().map(|setup| &setup.flag);
    let found = account::find(&service.lock_directory(), &attempt.username);
    let Some((slot, user)) = found else {
        return finish(service, attempt, None, Outcome::WrongPassword(code::NO_SUCH_USER), None);
    };
    let (outcome, called) = match &setup {
        Some(setup) if must_ask(&user, flag, &attempt.password) => {
            let called = call::ask(service, setup, attempt, &user).await;
            (answered(service, setup, attempt, slot, &called), Some(called))
        }
        _ => (own_check(service, attempt, slot, flag), None),
    };
    finish(service, attempt, Some(user.id.clone()), outcome, called)
}

/// Whether only the endpoint can tell. An empty password is wrong without being asked about.
fn must_ask(user: &User, flag: Option<&Name>, password: &str) -> bool {
    let waiting = account::is_waiting(user, flag) && !account::is_disabled(user);
    waiting && !password.is_empty() && !account::has_password(user, password)
}

/// The tenant's own check of a password. A waiting user who enters the stored one has moved by that.
fn own_check(service: &Service, attempt: &Attempt, slot: Slot, flag: Option<&Name>) -> Outcome {
    let now = service.clock.now();
    let mut directory = service.lock_directory();
    let Some(user) = account::live(&directory, slot) else { return Outcome::WrongPassword(code::NO_SUCH_USER) };
    if account::is_disabled(&user) {
        return Outcome::Error(code::DISABLED);
    }
    if !account::has_password(&user, &attempt.password) {
        return Outcome::WrongPassword(code::WRONG_PASSWORD);
    }
    directory.replace(slot, account::came_in(&user, now.wall, flag, None), now.micros);
    Outcome::SignedIn
}

/// Carries out what the endpoint wants.
fn answered(service: &Service, setup: &Setup, attempt: &Attempt, slot: Slot, called: &Called) -> Outcome {
    match &called.result {
        Ok(Action::MigratePassword) if is_password(&attempt.password, setup.settings.strong_passwords) => {
            migrate(service, setup, attempt, slot)
        }
        Ok(Action::MigratePassword | Action::UpdatePassword) => ask_for_new(service, attempt, slot),
        Ok(Action::Retry(words)) => Outcome::Retry(words.clone()),
        Ok(Action::Block(words)) => Outcome::Blocked(words.clone()),
        Err(code) => Outcome::Error(*code),
    }
}

/// Stores the password. A user who has moved meanwhile, by another sign-in or a reset, keeps the password of then.
fn migrate(service: &Service, setup: &Setup, attempt: &Attempt, slot: Slot) -> Outcome {
    let now = service.clock.now();
    let mut directory = service.lock_directory();
    let waiting = account::live(&directory, slot)
        .filter(|user| account::is_waiting(user, Some(&setup.flag)) && !account::is_disabled(user));
    let Some(user) = waiting else {
        drop(directory);
        return own_check(service, attempt, slot, Some(&setup.flag));
    };
    let life = account::came_in(&user, now.wall, Some(&setup.flag), Some(&attempt.password));
    directory.replace(slot, life, now.micros);
    Outcome::SignedIn
}

fn ask_for_new(service: &Service, attempt: &Attempt, slot: Slot) -> Outcome {
    let now = service.clock.now().micros;
    let (app, ip) = (attempt.client_app_id.clone(), attempt.ip.clone());
    let flow = lock(&service.sign_ins.flows).begin(slot, app, ip, now);
    Outcome::UpdatePassword { flow, refused: false }
}

/// Takes the new password of somebody who was asked for one; nothing when nobody was, or too long ago.
pub(super) fn new_password(service: &Service, flow_id: &str, password: &str) -> Option<Done> {
    let now = service.clock.now();
    let flow = lock(&service.sign_ins.flows).find(flow_id, now.micros)?;
    let setup = service.sign_ins.setup();
    let flag = setup.as_deref().map(|setup| &setup.flag);
    let mut directory = service.lock_directory();
    let user = account::live(&directory, flow.slot)?;
    let policies = user.text("passwordPolicies");
    let outcome = if account::is_disabled(&user) {
        Outcome::Error(code::DISABLED)
    } else if directory.rules(now.micros).check_password(password, policies).is_err() {
        Outcome::UpdatePassword { flow: flow_id.to_owned(), refused: true }
    } else {
        directory.replace(flow.slot, account::came_in(&user, now.wall, flag, Some(password)), now.micros);
        lock(&service.sign_ins.flows).end(flow_id);
        Outcome::SignedIn
    };
    drop(directory);
    let attempt = Attempt::new(String::new(), String::new(), flow.ip, flow.client_app_id);
    Some(finish(service, &attempt, Some(user.id.clone()), outcome, None))
}

/// Writes the log and sums up.
fn finish(
    service: &Service,
    attempt: &Attempt,
    user_id: Option<Name>,
    outcome: Outcome,
    called: Option<Called>,
) -> Done {
    let setup = service.sign_ins.setup();
    let default_client = setup.as_deref().map_or(service.sign_ins.ids().client_app_id(), |setup| &setup.client_app_id);
    let entry = Entry {
        at: service.clock.now().wall,
        correlation_id: attempt.correlation_id.clone(),
        user_id: user_id.as_deref().map(ToOwned::to_owned),
        client_app_id: attempt.client_app_id.clone().unwrap_or_else(|| default_client.to_owned()),
        ip: attempt.ip.clone(),
        outcome: outcome.name(),
        code: outcome.code(),
        extension: called.as_ref().map(extension_value),
    };
    lock(&service.sign_ins.log).add(entry);
    let called_extension = called.is_some_and(|called| called.attempts > 0);
    Done { outcome, user_id, correlation_id: attempt.correlation_id.clone(), called_extension }
}

impl Outcome {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::WrongPassword(_) => "wrong_password",
            Self::Retry(_) => "retry",
            Self::UpdatePassword { .. } => "update_password",
            Self::Blocked(_) => "blocked",
            Self::Error(_) => "error",
        }
    }

    fn code(&self) -> Option<Code> {
        match self {
            Self::WrongPassword(code) | Self::Error(code) => Some(*code),
            Self::SignedIn | Self::Retry(_) | Self::UpdatePassword { .. } | Self::Blocked(_) => None,
        }
    }
}

impl Done {
    /// The answer for machines; members without a value are left out.
    pub(super) fn value(&self) -> Value {
        let Self { outcome, user_id, correlation_id, called_extension } = self;
        let mut value = json!({
            "outcome": outcome.name(), "called_extension": called_extension, "correlation_id": correlation_id,
        });
        let mut put = |name: &str, member: Option<Value>| {
            if let Some(member) = member {
                value[name] = member;
            }
        };
        put("user_id", user_id.as_deref().map(Value::from));
        put("code", outcome.code().map(|code| Value::from(code.number)));
        put("name", outcome.code().map(|code| Value::from(code.name)));
        match outcome {
            Outcome::Retry(words) | Outcome::Blocked(words) => {
                put("title", words.title.clone().map(Value::from));
                put("message", words.message.clone().map(Value::from));
            }
            Outcome::UpdatePassword { flow, refused } => {
                put("flow", Some(Value::from(flow.as_str())));
                put("message", refused.then(|| Value::from(super::levers::WEAK)));
            }
            Outcome::SignedIn | Outcome::WrongPassword(_) | Outcome::Error(_) => {}
        }
        value
    }
}
