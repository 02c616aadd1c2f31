//! What a decision is in claims.

use serde_json::{Map, Value, json};
use sterna_core::{
    hook::{Bar, Decision, Found, HookAnswer, Person, Reply},
    settings::Values,
};

use crate::hooks::profile::{self, put};

/// Whose claims they are (entra.md 8.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Sample `seamless-account-migration`: `tokenSuccess`, `migrationRequired`.
    Seamless,
    /// Sample `jit-migration-v2`: `needToMigrate` and a profile.
    JitV2,
}

/// The answers, as the settings want them.
pub(super) struct Answers {
    pub(super) form: Form,
    must_change_claim: Option<String>,
    outage_is_error: bool,
    wrong: String,
    locked: String,
    disabled: String,
    change: String,
    later: String,
}

impl Answers {
    pub(super) fn new(values: &Values) -> Self {
        let text = |name: &str| values.text(name).unwrap_or_default().to_owned();
        Self {
            form: if values.text("answer") == Some("jit-v2") { Form::JitV2 } else { Form::Seamless },
            must_change_claim: values.text("must_change_claim").map(str::to_owned),
            outage_is_error: values.text("while_unavailable") == Some("error"),
            wrong: text("wrong_text"),
            locked: text("locked_text"),
            disabled: text("disabled_text"),
            change: text("change_text"),
            later: text("later_text"),
        }
    }

    pub(super) fn decided(&self, reply: &Reply<'_>) -> HookAnswer {
        let claim = self.must_change_claim.as_deref();
        match reply.decision {
            Decision::Accept => self.accepted(reply.person, claim.map(|claim| (claim, false))),
            Decision::AcceptAndChange => match claim {
                Some(claim) => self.accepted(reply.person, Some((claim, true))),
                None => refusal(&self.change),
            },
            Decision::Wrong if self.form == Form::JitV2 => nothing_to_migrate(),
            Decision::Wrong => refusal(&self.wrong),
            Decision::Refuse(Bar::Locked) => refusal(&self.locked),
            Decision::Refuse(Bar::Disabled) => refusal(&self.disabled),
            Decision::TryLater(_) => self.later(),
        }
    }

    pub(super) fn found(&self, found: &Found<'_>) -> HookAnswer {
        match found {
            Found::There(person) => self.accepted(Some(*person), None),
            Found::NotThere => nothing_to_migrate(),
            Found::TryLater => self.later(),
        }
    }

    /// Nothing can be said now. A policy shows its general text for a 503, which says less than ours.
    pub(super) fn later(&self) -> HookAnswer {
        if self.outage_is_error { HookAnswer::empty(503) } else { refusal(&self.later) }
    }

    /// A yes. The claim about a change is in every one of them, so that a policy never reads an older value.
    fn accepted(&self, person: Option<Person<'_>>, must_change: Option<(&str, bool)>) -> HookAnswer {
        let mut claims = match self.form {
            Form::Seamless => Map::from_iter([
                ("tokenSuccess".to_owned(), Value::from(true)),
                ("migrationRequired".to_owned(), Value::from(false)),
            ]),
            Form::JitV2 => jit_v2(Some("local")),
        };
        if self.form == Form::JitV2
            && let Some(Person { account, .. }) = person
        {
            put(&mut claims, "email", profile::email(account));
            put(&mut claims, "displayName", profile::display_name(account));
            put(&mut claims, "givenName", account.profile.given_name.clone());
            put(&mut claims, "surName", account.profile.family_name.clone());
        }
        if let Some((claim, flag)) = must_change {
            put(&mut claims, claim, Some(flag));
        }
        HookAnswer::json(200, &Value::Object(claims))
    }
}

/// The failure that a policy shows: 409 with a text (entra.md 8.1).
fn refusal(text: &str) -> HookAnswer {
    HookAnswer::json(409, &json!({ "version": "1.0.0", "status": 409, "userMessage": text }))
}

/// The policy goes on to the directory's own check of the password. People who have moved already come here too, so this is
/// no failure; whoever has not moved has a random password there, and fails by it.
fn nothing_to_migrate() -> HookAnswer {
    HookAnswer::json(200, &Value::Object(jit_v2(None)))
}

/// `newPassword` is left out: no answer of ours has a password in it, and the policy has the one that was typed.
fn jit_v2(need_to_migrate: Option<&str>) -> Map<String, Value> {
    Map::from_iter([
        ("version".to_owned(), Value::from("1.0.0")),
        ("status".to_owned(), Value::from(200)),
        ("userMessage".to_owned(), Value::from("")),
        ("needToMigrate".to_owned(), need_to_migrate.map_or(Value::Null, Value::from)),
    ])
}
