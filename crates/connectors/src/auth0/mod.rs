//! The hook `auth0-custom-database`: what the custom database scripts of Auth0 ask in import mode (jit-hooks.md 4). The
//! scripts are docs/hooks/auth0-login.js and docs/hooks/auth0-get-user.js; the contract between them and us is ours.
//!
//! Start at [`Dialect`]; `profile.rs` makes the profile.

mod profile;

use std::{sync::Arc, time::Duration};

use sterna_core::{
    hook::{Call, Decision, Found, HookAnswer, HookDialect, HookLimits, Next, Reply},
    settings::{Kind, Need, Setting, Values},
    support::{Asks, HookSupport},
};

use self::profile::Profiles;
use crate::hooks::{
    body::{Body, malformed, not_found},
    callers::{Callers, hook_settings},
    kind::CalledKind,
    profile::{ASSUME_VERIFIED, ATTRIBUTES},
    request::{check, credentials, look_up, method, settled},
};

const USER_ID: Setting = Setting {
    name: "user_id",
    kind: Kind::Choice(&["account-key", "source-key"]),
    need: Need::Default("\"account-key\""),
    doc: "What `user_id` is, for ever: our key of the account, or the source's own id of the record.",
};

const MFA_FACTORS: Setting = Setting {
    name: "mfa_factors",
    kind: Kind::Flag,
    need: Need::Default("false"),
    doc: "Whether second factors are handed over: secrets of authenticator apps and phone numbers. They are told at the look-up too, before any password: whoever has the hook's proof then gets the second factor of everybody who has not moved.",
};

const MUST_CHANGE: Setting = Setting {
    name: "must_change",
    kind: Kind::Choice(&["flag", "refuse"]),
    need: Need::Default("\"flag\""),
    doc: "What is answered to a right password that has to be changed: the profile with `app_metadata.must_change_password`, or 423.",
};

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "auth0-custom-database",
    title: "Auth0, by the scripts of a custom database in import mode",
    support: HookSupport { does: &[Asks::Profile, Asks::LookUp], tested_with: &[] },
    settings: hook_settings![USER_ID, MFA_FACTORS, MUST_CHANGE, ATTRIBUTES, ASSUME_VERIFIED],
    sample: "bearer_token = { env = \"AUTH0_HOOK_TOKEN\" }\n# attributes = { plan = \"attributes.plan\" }   # into app_metadata\n",
    open,
};

fn open(callers: Callers, values: &Values) -> Arc<dyn HookDialect> {
    let refuses_change = values.text("must_change") == Some("refuse");
    Arc::new(Dialect { callers, refuses_change, profiles: Profiles::new(values) })
}

struct Dialect {
    callers: Callers,
    refuses_change: bool,
    profiles: Profiles,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        // a script has about 20 s (jit-hooks.md 4); the person should not wait for so long
        HookLimits { deadline: Duration::from_millis(1_500), ..HookLimits::default() }
    }

    /// Auth0 stores every password that its script calls back with a profile for.
    fn hands_over(&self, decision: Decision) -> bool {
        decision == Decision::Accept || (decision == Decision::AcceptAndChange && !self.refuses_change)
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        match (reply.decision, reply.person) {
            (Decision::AcceptAndChange, _) if self.refuses_change => HookAnswer::empty(423),
            (Decision::Accept, Some(person)) => HookAnswer::json(200, &self.profiles.profile(&person, false)),
            (Decision::AcceptAndChange, Some(person)) => HookAnswer::json(200, &self.profiles.profile(&person, true)),
            // an unknown person too: who is there is nobody's business
            (Decision::Wrong, _) => HookAnswer::empty(401),
            (Decision::Refuse(_), _) => HookAnswer::empty(423),
            (Decision::TryLater(_) | Decision::Accept | Decision::AcceptAndChange, _) => HookAnswer::empty(503),
        }
    }

    fn looked_up(&self, found: &Found<'_>, _echo: &str) -> HookAnswer {
        match found {
            Found::There(person) => HookAnswer::json(200, &self.profiles.profile(person, false)),
            Found::NotThere => HookAnswer::empty(404),
            Found::TryLater => HookAnswer::empty(503),
        }
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        self.callers.admit(call)?;
        match call.path {
            "/login" => {
                method(call, "POST")?;
                Ok(check(credentials(&Body::read(call)?, &["identifier"], &["password"])?))
            }
            "/get-user" => {
                method(call, "POST")?;
                let body = Body::read(call)?;
                Ok(look_up(body.text(&["email"]).ok_or_else(malformed)?, String::new()))
            }
            _ => Err(not_found()),
        }
    }
}
