//! A dialect for tests, as plain as can be: JSON in, the decision's name out.

use std::sync::Arc;

use serde_json::{Value, json};
use sterna_core::{
    code::{Code, Finding},
    hook::{
        Call, Collected, Decision, Found, Harvested, HookAnswer, HookDialect, HookKind, HookLimits, KeySetAddress,
        Material, Needs, Next, Once, Progress, Query, Refusal, Reply, Submission, Who,
    },
    ids::TargetId,
    secrecy::{ExposeSecret, SecretString},
    settings::{Kind, Need, SecretRef, Setting, Values},
    time::Timestamp,
};

/// The kind; its one secret is the caller's token.
pub(crate) struct Plain;

const SETTINGS: &[Setting] = &[
    Setting { name: "writes", kind: Kind::Flag, need: Need::Optional, doc: "Whether the service writes." },
    Setting {
        name: "key_set_url",
        kind: Kind::Url,
        need: Need::Optional,
        doc: "Where keys are; calls then name theirs.",
    },
];

impl HookKind for Plain {
    fn kind(&self) -> &'static str {
        "plain"
    }

    fn title(&self) -> &'static str {
        "tests"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        ""
    }

    fn needs(&self, values: &Values) -> Result<Needs, Vec<Finding>> {
        let secrets = [("token".to_owned(), SecretRef::File("token".into()))].into();
        let key_set = values.text("key_set_url").map(|url| KeySetAddress { url: url.to_owned(), ca_file: None });
        Ok(Needs { secrets, key_set, ..Needs::default() })
    }

    fn open(&self, values: &Values, material: &Material) -> Result<Arc<dyn HookDialect>, Vec<Finding>> {
        let token = material.secrets["token"].clone();
        let bad = |_| vec![Finding::error(Code::E1005, "this is no key set")];
        let keys = material.key_set.as_ref().map(|bytes| serde_json::from_slice(bytes).map_err(bad)).transpose()?;
        let wants_key = values.text("key_set_url").is_some();
        Ok(Arc::new(Dialect { token, keys, wants_key, writes: values.flag("writes").unwrap_or(false) }))
    }
}

struct Dialect {
    token: SecretString,
    keys: Option<Vec<String>>,
    wants_key: bool,
    writes: bool,
}

impl HookDialect for Dialect {
    fn limits(&self) -> HookLimits {
        HookLimits { body_bytes: 8 * 1024, ..HookLimits::default() }
    }

    fn writes_credential(&self) -> bool {
        self.writes
    }

    fn next(&self, call: &Call<'_>) -> Next {
        if call.path == "/poll" {
            return Next::Poll(call.query.unwrap_or_default().to_owned());
        }
        if call.headers.text("authorization") != Some(self.token.expose_secret()) {
            return Next::Refuse(Refusal::Unauthenticated, HookAnswer::empty(401));
        }
        let kid = call.headers.text("kid").unwrap_or_default();
        if self.wants_key && !self.keys.as_ref().is_some_and(|keys| keys.iter().any(|key| key == kid)) {
            return Next::FetchKeys;
        }
        let Ok(body) = serde_json::from_slice::<Value>(call.body) else {
            return Next::Refuse(Refusal::Malformed, HookAnswer::empty(400));
        };
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let who = match (text("id"), text("name")) {
            (Some(id), _) => Who::TargetId(TargetId(id)),
            (None, name) => Who::SignInName(name.unwrap_or_default()),
        };
        let address = text("ip").and_then(|ip| ip.parse().ok());
        if call.path == "/look" {
            return Next::LookUp(Box::new(Query { who, address, echo: String::new() }));
        }
        let once = body["once"].as_u64().map(|number| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            Once { digest, until: Timestamp(call.now.0 + 600_000) }
        });
        let submission = Box::new(Submission {
            who,
            password: text("password").unwrap_or_default().into(),
            address,
            tenant: None,
            correlation: text("correlation"),
            once,
            login: text("login"),
            may_be_damaged: body["damaged"] == true,
            echo: text("echo").unwrap_or_default(),
        });
        match call.path {
            "" => Next::Check(submission),
            "/begin" => Next::Begin(submission),
            "/collect" => Next::Collect { context: text("context").unwrap_or_default(), login: text("login") },
            "/harvest" => Next::Harvest(submission),
            _ => Next::Answer(HookAnswer::empty(404)),
        }
    }

    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        let name = reply.person.and_then(|person| person.account.profile.display_name.clone());
        HookAnswer::json(200, &json!({"decision": reply.decision.name(), "echo": reply.echo, "person": name}))
    }

    fn hands_over(&self, decision: Decision) -> bool {
        decision == Decision::Accept
    }

    fn begun(&self, context: &str) -> HookAnswer {
        HookAnswer::json(200, &json!({ "context": context }))
    }

    fn polled(&self, progress: Progress, _call: &Call<'_>) -> HookAnswer {
        HookAnswer::json(200, &json!({ "complete": progress == Progress::Complete }))
    }

    fn collected(&self, collected: &Collected<'_>) -> HookAnswer {
        let word = match collected {
            Collected::Decided(reply) => reply.decision.name(),
            Collected::OtherLogin => "other_login",
            Collected::Unknown => "unknown",
        };
        HookAnswer::json(200, &json!({ "decision": word }))
    }

    fn looked_up(&self, found: &Found<'_>, _echo: &str) -> HookAnswer {
        let word = match found {
            Found::There(person) => person.account.profile.display_name.clone().unwrap_or_default(),
            Found::NotThere => "not_there".to_owned(),
            Found::TryLater => "try_later".to_owned(),
        };
        HookAnswer::json(200, &json!({ "found": word }))
    }

    fn harvested(&self, outcome: Harvested) -> HookAnswer {
        HookAnswer::json(200, &json!({ "harvested": format!("{outcome:?}") }))
    }
}
