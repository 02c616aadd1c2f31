//! The scenario file: what the tenant holds at the start, how it is throttled, and what goes wrong.
//!
//! TOML; every table may be left out, unknown keys are errors. The fields of [`Scenario`] and of the types it holds
//! are the format, their comments its documentation; [`EXAMPLE`] uses all of them. A small one:
//!
//! ```toml
//! seed = 7
//! read_delay_ms = 500
//!
//! [quota]
//! writes_per_second = 60      # one application; the tenant's and all other limits grow alike
//!
//! [[fault]]
//! kind = "lose_reply"
//! on = "create"
//! match = "Ana"
//! times = 1
//! ```

/// A scenario that uses every key, with comments: the format by example. It parses, and a test says so.
pub const EXAMPLE: &str = include_str!("example.toml");

mod fault;
mod just_in_time;
mod quota;
mod switches;
mod tenant;

use std::path::Path;

use serde::Deserialize;

pub use fault::{Fault, FaultKind, FaultScope, Operation};
pub use just_in_time::{
    ActionSpelling, ClaimsForm, ContentEncryption, JustInTime, KeyEncryption, KeyName, RetryContext, TokenVersion,
    V1Audience,
};
pub use quota::{Quota, QuotaChange, WindowLimit};
pub use switches::{RetryAfterForm, SignInActivity, Switches};
pub use tenant::{App, ExtensionSeed, Provider, Tenant, TenantSize, UserSeed};

use crate::EmulatorError;

/// A scenario, as read from its file. [`Scenario::default`] is the documented product with an empty tenant.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Decides every random choice of the emulator: probabilities of faults, ids, secrets that are not given. Without
    /// it ids and secrets are new at every start, and the faults use 0.
    pub seed: Option<u64>,
    /// Milliseconds until a change shows in reads. Default 2,000. The option of the same name wins over it.
    pub read_delay_ms: Option<u64>,
    /// Lets uniqueness checks lag by the read delay too, so that doubles become possible. Default false.
    pub lagging_uniqueness: Option<bool>,
    /// Milliseconds until a new extension property can be written and shows as available (`entra.md` 3.1: seconds to
    /// minutes). Default: the read delay.
    pub extension_delay_ms: Option<u64>,
    /// Seconds for which a token is good, and its `expires_in`. Default 3,599 (`entra.md` 6).
    pub token_lifetime_secs: Option<u64>,
    /// The tenant's names and size.
    pub tenant: Tenant,
    /// Where the throttling differs from the documented one.
    pub quota: QuotaChange,
    /// The points that the reference calls unverified.
    pub switches: Switches,
    /// Passwords that move at the sign-in. Without it no sign-in asks anybody. External ID only.
    pub just_in_time: Option<JustInTime>,
    /// Application registrations; without any there is one with every permission. The first is the one that the ready
    /// line names.
    #[serde(rename = "app")]
    pub apps: Vec<App>,
    /// Identity providers of the tenant, as `GET /identity/identityProviders` lists them. Without any: Google,
    /// Facebook and the built-in local ones.
    #[serde(rename = "provider")]
    pub providers: Vec<Provider>,
    /// Extension properties that are registered and available from the start, on `b2c-extensions-app`.
    #[serde(rename = "extension")]
    pub extensions: Vec<ExtensionSeed>,
    /// Users that the tenant holds at the start.
    #[serde(rename = "user")]
    pub users: Vec<UserSeed>,
    /// What goes wrong, in the order in which it is tried.
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
}

impl Scenario {
    /// Reads a scenario file. Certificate files it names are looked up beside it.
    pub fn load(path: &Path) -> Result<Self, EmulatorError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| EmulatorError::ReadScenario { path: path.to_owned(), source })?;
        let mut scenario = Self::parse(&text)?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        for app in &mut scenario.apps {
            app.read_certificate(folder)?;
        }
        if let Some(settings) = &mut scenario.just_in_time {
            settings.read_files(folder)?;
        }
        Ok(scenario)
    }

    /// Reads a scenario from its text.
    pub fn parse(text: &str) -> Result<Self, EmulatorError> {
        let scenario: Self =
            toml::from_str(text).map_err(|source| EmulatorError::ParseScenario { source: Box::new(source) })?;
        for fault in &scenario.faults {
            fault.check().map_err(EmulatorError::Scenario)?;
        }
        Ok(scenario)
    }
}
