//! The settings of the sign-in side, as `POST {state_url}/silent-migration` takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::outgoing;
use crate::wso2::script::{Engine, Flow, Script, Sender};

/// Milliseconds of one call of `httpPost` (wso2-scim.md 1.2.7).
const HTTP_POST_MS: u64 = 5_000;

/// Milliseconds of one call of `callChoreo` (wso2-scim.md 1.2.7).
const CALL_CHOREO_MS: u64 = 1_000;

/// The body of `POST {state_url}/silent-migration`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The text that `sterna export script` prints.
    script: String,
    /// The secrets that are stored in the console, by their names.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    /// An authority that the service's certificate may come from, as PEM.
    ca: Option<String>,
    /// Domains that the script may call: the label before the last of a host is compared (1.2.7). All without it.
    allowed_domains: Option<Vec<String>>,
    /// Milliseconds of one call; 5,000 for `httpPost` and 1,000 for `callChoreo` without it.
    call_timeout_ms: Option<u64>,
    /// Milliseconds that a second of the wait page lasts, so that tests need not wait. 1,000 without it.
    #[serde(default = "second_ms")]
    second_ms: u64,
    /// Whether the browser keeps an answer of another origin from the page that does not allow it.
    #[serde(default = "yes")]
    check_cors: bool,
}

fn second_ms() -> u64 {
    1_000
}

fn yes() -> bool {
    true
}

/// Settings that are right.
#[derive(Debug, Clone)]
pub(crate) struct SilentMigration {
    pub(super) script: Script,
    pub(super) client: Client,
    pub(super) allowed_domains: Option<Vec<String>>,
    call_timeout: Option<Duration>,
    pub(super) second: Duration,
    pub(super) check_cors: bool,
}

impl SilentMigration {
    /// Reads the script and makes the client.
    ///
    /// # Errors
    /// A sentence for whoever sent the settings.
    pub(crate) fn new(settings: Settings, engine: Engine) -> Result<Self, String> {
        let script = Script::read(&settings.script, &settings.secrets, engine)?;
        Ok(Self {
            script,
            // redirects are not followed (1.2.7)
            client: outgoing::client(settings.ca.as_deref(), "ca")?,
            allowed_domains: settings.allowed_domains,
            call_timeout: settings.call_timeout_ms.map(Duration::from_millis),
            second: Duration::from_millis(settings.second_ms.max(1)),
            check_cors: settings.check_cors,
        })
    }

    /// What was read of the script, without its secrets.
    pub(crate) fn report(&self) -> Value {
        let script = &self.script;
        let (flow, urls) = match &script.flow {
            Flow::OneCall { check_url } => ("one-call", vec![check_url]),
            Flow::Wait { start_url, poll_url, result_url, .. } => ("wait", vec![start_url, poll_url, result_url]),
        };
        let function = match &script.sender {
            Sender::HttpPost { .. } => "httpPost",
            Sender::CallChoreo { .. } => "callChoreo",
        };
        json!({
            "flow": flow, "urls": urls, "function": function, "store": script.store, "flag": script.flag,
            "skips_rules": script.skips_rules, "resolves": script.resolves,
        })
    }

    /// Longest time of one call of `httpPost`.
    pub(super) fn http_post_timeout(&self) -> Duration {
        self.call_timeout.unwrap_or(Duration::from_millis(HTTP_POST_MS))
    }

    /// Longest time of one call of `callChoreo`.
    pub(super) fn choreo_timeout(&self) -> Duration {
        self.call_timeout.unwrap_or(Duration::from_millis(CALL_CHOREO_MS))
    }
}
