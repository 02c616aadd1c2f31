//! The hook `kratos-password-migration`: the password migration hook of Ory Kratos and Ory Network (jit-hooks.md 6).

use std::{sync::Arc, time::Duration};

use serde_json::json;
use sterna_core::hook::{Call, Decision, HookAnswer, HookDialect, HookLimits, Next, Reply};
use sterna_core::support::HookSupport;

use crate::hooks::{
    callers::{Callers, hook_settings},
    kind::CalledKind,
    request::{check, credentials, posted, settled},
};

/// What is answered when nothing can be said. Kratos repeats 429 and every 5xx but this one up to twice, after 1 to 30 s
/// each, while the person waits and the old system, which is slow already, is asked again (jit-hooks.md 6). This one ends
/// the sign-in at once with an error that is none about the password; and being a 5xx, monitors count it as an outage.
const LATER: u16 = 501;

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "kratos-password-migration",
    title: "Ory Kratos and Ory Network, by their password migration hook",
    support: HookSupport { does: &[], tested_with: &[] },
    settings: hook_settings![],
    sample: "api_key = { env = \"KRATOS_HOOK_KEY\" }\n# api_key_header = \"x-api-key\"\n",
    open: |callers, _| Arc::new(Dialect { callers }),
};

struct Dialect {
    callers: Callers,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        // Kratos waits 30 s (jit-hooks.md 6); the person should not
        HookLimits { deadline: Duration::from_millis(1_500), ..HookLimits::default() }
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        match reply.decision {
            Decision::Accept => HookAnswer::json(200, &json!({ "status": "password_match" })),
            // there is no answer for a password that has to be changed, and a yes would keep it for good
            Decision::AcceptAndChange | Decision::Wrong | Decision::Refuse(_) => HookAnswer::empty(403),
            Decision::TryLater(_) => HookAnswer::empty(LATER),
        }
    }

    fn overloaded(&self) -> HookAnswer {
        HookAnswer::empty(LATER)
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        let body = posted(call, &self.callers)?;
        Ok(check(credentials(&body, &["identifier"], &["password"])?))
    }
}
