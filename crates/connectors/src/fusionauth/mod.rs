//! The hook `fusionauth-connector`: FusionAuth's generic connector (jit-hooks.md 7).

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use sterna_core::{
    hook::{Call, Decision, HookAnswer, HookDialect, HookLimits, Next, Person, Reply, Submission},
    settings::{Kind, Need, Setting, Values},
    support::{Asks, HookSupport},
};
use uuid::Uuid;

use crate::hooks::{
    callers::{Callers, hook_settings},
    kind::CalledKind,
    profile::{self, Telling, put},
    request::{check, credentials, posted, settled},
};

const REGISTER: Setting = Setting {
    name: "register",
    kind: Kind::Flag,
    need: Need::Default("false"),
    doc: "Whether the person is registered, with the account's roles, for the application that they sign in to; it has to have roles of these names.",
};

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "fusionauth-connector",
    title: "FusionAuth, by a generic connector",
    support: HookSupport { does: &[Asks::Profile], tested_with: &[] },
    settings: hook_settings![REGISTER, profile::ATTRIBUTES, profile::ASSUME_VERIFIED],
    sample: "basic_user = \"fusionauth\"\nbasic_password = { env = \"FUSIONAUTH_HOOK_PASSWORD\" }\n# attributes = { legacyId = \"key\" }   # into the user's data\n",
    open,
};

fn open(callers: Callers, values: &Values) -> Arc<dyn HookDialect> {
    let registers = values.flag("register").unwrap_or_default();
    Arc::new(Dialect { callers, registers, telling: Telling::new(values) })
}

struct Dialect {
    callers: Callers,
    registers: bool,
    telling: Telling,
}

impl HookDialect for Dialect {
    /// FusionAuth's own advice is to answer within 1 s (jit-hooks.md 7), which the default keeps.
    fn limits(&self) -> HookLimits {
        HookLimits { deadline: Duration::from_millis(800), ..HookLimits::default() }
    }

    /// The password is stored with the user; who must change it is asked to at once.
    fn hands_over(&self, decision: Decision) -> bool {
        decision.is_yes()
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    /// FusionAuth takes every status but 200 for a 404 (jit-hooks.md 7), so a person sees a wrong password in an outage. It
    /// is a 503 all the same: nobody's status of a user changes by either, and it shows in logs and monitors what happened.
    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        match (reply.decision, reply.person) {
            (Decision::Accept | Decision::AcceptAndChange, Some(person)) => {
                let must_change = reply.decision == Decision::AcceptAndChange;
                HookAnswer::json(200, &json!({ "user": self.user(&person, must_change, reply.echo) }))
            }
            (Decision::Wrong | Decision::Refuse(_), _) => HookAnswer::empty(404),
            (Decision::TryLater(_) | Decision::Accept | Decision::AcceptAndChange, _) => HookAnswer::empty(503),
        }
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        let body = posted(call, &self.callers)?;
        let asked = credentials(&body, &["loginId"], &["password"])?;
        let application = body.text(&["applicationId"]).and_then(|id| Uuid::try_parse(id).ok());
        Ok(check(Submission {
            address: body.address(&["eventInfo", "ipAddress"]),
            echo: application.map(|id| id.to_string()).unwrap_or_default(),
            ..asked
        }))
    }

    /// The user; `application` is the id of the one that is signed in to, or empty.
    fn user(&self, person: &Person<'_>, must_change: bool, application: &str) -> Value {
        let account = person.account;
        let mut user = Map::from_iter([
            ("id".to_owned(), Value::from(person.key.to_string())),
            ("active".to_owned(), profile::is_active(account).into()),
            ("verified".to_owned(), self.telling.email_verified(account).into()),
        ]);
        put(&mut user, "email", profile::email(account));
        put(&mut user, "username", profile::user_name(account));
        put(&mut user, "mobilePhone", profile::phone(account));
        put(&mut user, "firstName", account.profile.given_name.clone());
        put(&mut user, "lastName", account.profile.family_name.clone());
        put(&mut user, "fullName", profile::display_name(account));
        put(&mut user, "preferredLanguages", account.profile.preferred_language.clone().map(|language| vec![language]));
        let data = self.telling.attributes(account).map(|(name, value)| (name.to_owned(), value));
        let data: Map<_, _> = data.collect();
        put(&mut user, "data", (!data.is_empty()).then_some(data));
        put(&mut user, "passwordChangeRequired", must_change.then_some(true));
        if self.registers && !application.is_empty() {
            let registration = json!({ "applicationId": application, "roles": account.profile.roles });
            user.insert("registrations".to_owned(), json!([registration]));
        }
        Value::Object(user)
    }
}
