//! The hook `okta-password-import`: Okta's password import inline hook (jit-hooks.md 2). Pure: bytes in, a step or bytes out.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use sterna_core::hook::{Call, Decision, HookAnswer, HookDialect, HookLimits, Next, Reply, Submission};
use sterna_core::support::HookSupport;

use crate::hooks::{
    body::malformed,
    callers::{Callers, hook_settings},
    kind::CalledKind,
    request::{check, credentials, posted, settled},
};

/// The one event that this hook is for.
const EVENT: &str = "com.okta.user.credential.password.import";

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "okta-password-import",
    title: "Okta, by its password import inline hook",
    support: HookSupport { does: &[], tested_with: &[] },
    settings: hook_settings![],
    sample: "bearer_token = { env = \"OKTA_HOOK_TOKEN\" }   # in Okta the value is \"Bearer \" and the token\n",
    open: |callers, _| Arc::new(Dialect { callers }),
};

struct Dialect {
    callers: Callers,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        // Okta waits 3 s and tries once more (jit-hooks.md 2)
        HookLimits { deadline: Duration::from_millis(1_500), ..HookLimits::default() }
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    /// The dialect has a yes and a no. A password that has to be changed is a no: a yes would keep it for good.
    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        let word = match reply.decision {
            Decision::Accept => "VERIFIED",
            Decision::AcceptAndChange | Decision::Wrong | Decision::Refuse(_) => "UNVERIFIED",
            // not a 2xx: the sign-in fails, and Okta asks again at the next one
            Decision::TryLater(_) => return HookAnswer::empty(503),
        };
        let command = json!({ "type": "com.okta.action.update", "value": { "credential": word } });
        HookAnswer::json(200, &json!({ "commands": [command] }))
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        let body = posted(call, &self.callers)?;
        if body.get("eventType").is_some_and(|event| event.as_str() != Some(EVENT)) {
            return Err(malformed());
        }
        // the guide's text says `data.credential`; schema and samples say this (jit-hooks.md 2)
        let path = |member| ["data", "context", "credential", member];
        let asked = credentials(&body, &path("username"), &path("password"))?;
        // a retry has the same event id
        let correlation = body.text(&["eventId"]).or_else(|| body.text(&["data", "context", "request", "id"]));
        Ok(check(Submission {
            address: body.address(&["data", "context", "request", "ipAddress"]),
            correlation: correlation.map(str::to_owned),
            ..asked
        }))
    }
}
