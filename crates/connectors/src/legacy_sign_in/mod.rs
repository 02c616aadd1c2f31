//! The hook `legacy-sign-in`: an application that still signs people in with the old system hands over each password that
//! the old system has just accepted, so that the target has it before the application moves (harvesting).
//!
//! The contract is Sterna's own, the same for every old system; docs/hooks/legacy-sign-in.md has it.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use sterna_core::{
    hook::{Call, Harvested, HookAnswer, HookDialect, HookLimits, Next, Refusal, Reply, Who},
    settings::{Kind as Value, Need, Setting, Values},
    support::{Asks, HookSupport},
    time::Timestamp,
};

use crate::hooks::{
    body::{Body, malformed},
    callers::{Callers, hook_settings},
    kind::CalledKind,
    request::{posted, settled, submission},
};

/// Seconds that a caller is asked to wait where nothing can be written now.
const RETRY_AFTER: &str = "30";

/// Clocks of two machines differ by less than this.
const SKEW_MS: i64 = 5 * 60 * 1_000;

const MAX_AGE: Setting = Setting {
    name: "max_age_secs",
    kind: Value::Integer(1, 86_400),
    need: Need::Default("600"),
    doc: "A password that the old system accepted longer ago than this is not taken: the person may have another by now.",
};

/// The kind of hook.
pub static KIND: CalledKind = CalledKind {
    kind: "legacy-sign-in",
    title: "applications on the old system, which hand over passwords that it has just accepted",
    support: HookSupport { does: &[Asks::Writes, Asks::Harvests], tested_with: &[] },
    settings: hook_settings![MAX_AGE],
    sample: "bearer_token = { env = \"HARVEST_TOKEN\" }\n# max_age_secs = 600\n",
    open,
};

fn open(callers: Callers, values: &Values) -> Arc<dyn HookDialect> {
    let seconds = values.count("max_age_secs").and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(600);
    Arc::new(Dialect { callers, max_age_ms: seconds * 1_000 })
}

struct Dialect {
    callers: Callers,
    max_age_ms: i64,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        // nobody waits for this answer
        HookLimits { deadline: Duration::from_millis(1_500), ..HookLimits::default() }
    }

    fn writes_credential(&self) -> bool {
        true
    }

    fn next(&self, call: &Call<'_>) -> Next {
        settled(self.read(call))
    }

    /// Nothing is ever checked by this hook, so no decision comes here.
    fn answer(&self, _reply: &Reply<'_>) -> HookAnswer {
        HookAnswer::empty(404)
    }

    fn overloaded(&self) -> HookAnswer {
        self.harvested(Harvested::TryLater)
    }

    fn harvested(&self, outcome: Harvested) -> HookAnswer {
        let (status, word) = match outcome {
            Harvested::Stored => (200, "stored"),
            Harvested::AlreadyMoved => (200, "already_moved"),
            Harvested::NotThere => (404, "not_there"),
            Harvested::TooWeak => (422, "too_weak"),
            Harvested::TryLater => (503, "try_later"),
        };
        let answer = HookAnswer::json(status, &json!({ "status": word }));
        if outcome == Harvested::TryLater { answer.with("retry-after", RETRY_AFTER) } else { answer }
    }
}

impl Dialect {
    fn read(&self, call: &Call<'_>) -> Result<Next, Next> {
        let body = posted(call, &self.callers)?;
        let who = who(&body).ok_or_else(malformed)?;
        let password = body.password(&["password"]).ok_or_else(malformed)?;
        // a password without its hour might have been kept for days, and be one that somebody changed for a reason
        let accepted = body.text(&["accepted_at"]).and_then(Timestamp::parse).ok_or_else(malformed)?;
        let age = call.now.0.saturating_sub(accepted.0);
        if age < -SKEW_MS {
            return Err(malformed());
        }
        if age > self.max_age_ms {
            return Err(Next::Refuse(Refusal::Expired, HookAnswer::json(409, &json!({ "status": "too_old" }))));
        }
        Ok(Next::Harvest(Box::new(submission(who, password))))
    }
}

/// By exactly one of two names, so that they cannot contradict each other.
fn who(body: &Body) -> Option<Who> {
    match (body.get("user_name"), body.get("source_key")) {
        (Some(_), None) => body.text(&["user_name"]).map(|name| Who::SignInName(name.to_owned())),
        (None, Some(_)) => body.text(&["source_key"]).map(|key| Who::SourceKey(key.to_owned())),
        (None, None) | (Some(_), Some(_)) => None,
    }
}
