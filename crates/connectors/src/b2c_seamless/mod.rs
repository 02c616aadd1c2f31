//! The hook `b2c-seamless`: a RESTful technical profile of an Azure AD B2C custom policy asks at a sign-in (jit-hooks.md 9,
//! entra.md 8). What its claims are called is the policy's choice, so it is ours too.
//!
//! Start at [`Dialect`]; `answer.rs` makes the answers, `settings.rs` has the settings.

mod answer;
mod settings;

use std::{sync::Arc, time::Duration};

use sterna_core::{
    hook::{Call, Found, HookAnswer, HookDialect, HookLimits, Next, Query, Reply, Who},
    ids::TargetId,
    settings::Values,
    support::{Asks, HookSupport},
};

use self::answer::{Answers, Form};
use crate::hooks::{
    body::{Body, malformed},
    callers::Callers,
    kind::CalledKind,
    request::{check, posted, settled, submission},
};

/// The claim that says that a password is being reset, so that there is none to be checked (entra.md 8.2).
const RESET: &str = "useInputPassword";

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "b2c-seamless",
    title: "a custom policy of Azure AD B2C, by a RESTful technical profile",
    support: HookSupport { does: &[Asks::Profile, Asks::LookUp, Asks::Writes], tested_with: &[] },
    settings: settings::SETTINGS,
    sample: "basic_user = \"policy\"\nbasic_password = { env = \"B2C_HOOK_PASSWORD\" }\n# writes = \"service\"   # the policy does not write the password: Sterna does\n",
    open,
};

fn open(callers: Callers, values: &Values) -> Arc<dyn HookDialect> {
    let name = |setting: &str, default: &str| values.text(setting).unwrap_or(default).to_owned();
    let logins = match values.text("login_claim") {
        Some(claim) => vec![claim.to_owned()],
        None => vec!["signInName".to_owned(), "email".to_owned()],
    };
    Arc::new(Dialect {
        callers,
        object_id: name("object_id_claim", "objectId"),
        requires_object_id: values.flag("require_object_id").unwrap_or_default(),
        logins,
        password: name("password_claim", "password"),
        service_writes: values.text("writes") == Some("service"),
        answers: Answers::new(values),
    })
}

struct Dialect {
    callers: Callers,
    object_id: String,
    requires_object_id: bool,
    logins: Vec<String>,
    password: String,
    service_writes: bool,
    answers: Answers,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        // a policy waits for seconds; the person should not
        HookLimits { deadline: Duration::from_millis(1_500), ..HookLimits::default() }
    }

    fn writes_credential(&self) -> bool {
        self.service_writes
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        self.answers.decided(reply)
    }

    fn overloaded(&self) -> HookAnswer {
        self.answers.later()
    }

    fn looked_up(&self, found: &Found<'_>, _echo: &str) -> HookAnswer {
        self.answers.found(found)
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        let body = posted(call, &self.callers)?;
        let who = self.who(&body).ok_or_else(malformed)?;
        if self.answers.form == Form::JitV2 && body.get(&self.password).is_none() && body.flag(&[RESET]) == Some(true) {
            return Ok(Next::LookUp(Box::new(Query { who, address: None, echo: String::new() })));
        }
        let password = body.password(&[&self.password]).ok_or_else(malformed)?;
        Ok(check(submission(who, password)))
    }

    /// The object id where there is one: names change. One that cannot be used is a mistake, never a reason to go by the name:
    /// who can spoil the claim must not choose whose password is asked about.
    fn who(&self, body: &Body) -> Option<Who> {
        if body.get(&self.object_id).is_some() {
            return body.text(&[&self.object_id]).map(|id| Who::TargetId(TargetId(id.to_owned())));
        }
        if self.requires_object_id {
            return None;
        }
        // a policy may send claims that it does not have as empty texts
        let name = self.logins.iter().find_map(|claim| body.text(&[claim]))?;
        Some(Who::SignInName(name.to_owned()))
    }
}
