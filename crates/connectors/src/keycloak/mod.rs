//! The hook `keycloak-user-migration`: the user-storage provider daniel-frak/keycloak-user-migration (jit-hooks.md 5), which
//! looks people up as soon as their name is typed, and verifies the password by a second call.
//!
//! Start at [`Dialect`]; `user.rs` makes the user.

mod user;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use sterna_core::{
    hook::{Call, Decision, Found, HookAnswer, HookDialect, HookLimits, Next, Reply, Who},
    settings::{Kind, Need, Setting, Values},
    support::{Asks, HookSupport},
};

use self::user::Users;
use crate::hooks::{
    body::{Body, NAME_BYTES, malformed, not_found},
    callers::{Callers, hook_settings},
    kind::CalledKind,
    profile,
    request::{check, look_up, settled, submission},
};

const USE_USER_ID: Setting = Setting {
    name: "use_user_id",
    kind: Kind::Flag,
    need: Need::Default("false"),
    doc: "Whether the plugin verifies by user id (USE_USER_ID_FOR_CREDENTIAL_VERIFICATION); the id is then the source's own, of at most 36 characters, else our key of the account.",
};

const TOTPS: Setting = Setting {
    name: "totps",
    kind: Kind::Flag,
    need: Need::Default("false"),
    doc: "Whether secrets of authenticator apps are handed over. They are told at the look-up, before any password: whoever has the hook's proof then gets the second factor of everybody who has not moved.",
};

const MUST_CHANGE: Setting = Setting {
    name: "must_change",
    kind: Kind::Choice(&["accept", "refuse"]),
    need: Need::Default("\"accept\""),
    doc: "What is answered to a right password that has to be changed: 200, which keeps it until a required action changes it, or 401.",
};

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "keycloak-user-migration",
    title: "Keycloak, by the plugin keycloak-user-migration",
    support: HookSupport { does: &[Asks::Profile, Asks::LookUp], tested_with: &[] },
    settings: hook_settings![USE_USER_ID, TOTPS, MUST_CHANGE, profile::ATTRIBUTES, profile::ASSUME_VERIFIED],
    sample: "bearer_token = { env = \"KEYCLOAK_HOOK_TOKEN\" }\n# attributes = { legacy_id = \"key\", phone = \"phone\" }\n",
    open,
};

fn open(callers: Callers, values: &Values) -> Arc<dyn HookDialect> {
    Arc::new(Dialect {
        callers,
        by_id: values.flag("use_user_id").unwrap_or_default(),
        refuses_change: values.text("must_change") == Some("refuse"),
        users: Users::new(values),
    })
}

struct Dialect {
    callers: Callers,
    by_id: bool,
    refuses_change: bool,
    users: Users,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        // the plugin has no time-out: each call that hangs holds a thread of Keycloak (jit-hooks.md 5.3)
        HookLimits { deadline: Duration::from_millis(1_500), ..HookLimits::default() }
    }

    /// Keycloak stores every password that it gets a 200 for.
    fn hands_over(&self, decision: Decision) -> bool {
        decision == Decision::Accept || (decision == Decision::AcceptAndChange && !self.refuses_change)
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    /// Exactly 200 is a yes, its body is not read. All else shows as a wrong password (jit-hooks.md 5.2), so statuses tell
    /// apart only in logs.
    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        match reply.decision {
            Decision::Accept => HookAnswer::json(200, &json!({})),
            // where the source says so, the look-up gave the user the action UPDATE_PASSWORD; what is too weak for the realm
            // gets it from the plugin
            Decision::AcceptAndChange if !self.refuses_change => HookAnswer::json(200, &json!({})),
            Decision::AcceptAndChange | Decision::Wrong | Decision::Refuse(_) => HookAnswer::empty(401),
            Decision::TryLater(_) => HookAnswer::empty(503),
        }
    }

    fn looked_up(&self, found: &Found<'_>, echo: &str) -> HookAnswer {
        match found {
            Found::There(person) => match self.users.user(person, echo) {
                Some(user) => HookAnswer::json(200, &user),
                None => HookAnswer::empty(404),
            },
            Found::NotThere => HookAnswer::empty(404),
            Found::TryLater => HookAnswer::empty(503),
        }
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        self.callers.admit(call)?;
        let segment = call.path.strip_prefix('/').filter(|rest| !rest.is_empty() && !rest.contains('/'));
        let id = decoded(segment.ok_or_else(not_found)?).ok_or_else(malformed)?;
        match call.method {
            "GET" => Ok(look_up(&id, id.clone())),
            "POST" => {
                let password = Body::read(call)?.password(&["password"]).ok_or_else(malformed)?;
                let who = if self.by_id { Who::SourceKey(id) } else { Who::SignInName(id) };
                Ok(check(submission(who, password)))
            }
            _ => Err(Next::Answer(HookAnswer::empty(405).with("allow", "GET, POST"))),
        }
    }
}

/// A name as forms are encoded, where a space is a plus (jit-hooks.md 5.1). What is not encoded rightly is nobody's name.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => 16 * hex(rest.next()?)? + hex(rest.next()?)?,
            other => other,
        });
    }
    let name = String::from_utf8(bytes).ok()?;
    (name.len() <= NAME_BYTES && !name.contains('\0')).then_some(name)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
