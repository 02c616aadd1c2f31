//! The scenario file: what the service holds at the start, what it can do, how it is throttled, and what goes wrong.
//!
//! TOML; everything may be left out, unknown keys are errors. The fields of [`Scenario`] and of the types it holds are the
//! format, their comments its documentation; [`EXAMPLE`] uses all of them.

/// A scenario that uses every key, with comments: the format by example. It parses, and a test says so.
pub const EXAMPLE: &str = include_str!("example.toml");

mod fault;
mod settings;

use std::path::Path;

use serde::Deserialize;

pub use super::throttle::{Rule, Unit};
pub use fault::{Fault, FaultKind, Route};
pub use settings::{AccessSettings, FeatureChange, GroupSeed, LimitChange, RetryAfterForm, UserSeed};

use crate::EmulatorError;

/// A scenario, as read from its file. [`Scenario::default`] is the documented service, empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Decides which requests faults with a probability strike. Default 0.
    pub seed: u64,
    /// Milliseconds until a change shows in reads. Default 0. The option of the same name wins over it.
    pub read_delay_ms: Option<u64>,
    /// Lets uniqueness checks lag by the read delay too, so that doubles become possible. Default false.
    pub lagging_uniqueness: Option<bool>,
    /// Names of quirks that are on from the start.
    pub quirks: Vec<String>,
    /// Users that are made up, beside the `[[user]]` entries.
    pub generated_users: u32,
    /// How a refusal by the quota says when to come back. Default `seconds`.
    pub retry_after: RetryAfterForm,
    /// Who may come in.
    pub access: AccessSettings,
    /// The numbers that the service announces and keeps.
    pub limits: LimitChange,
    /// What the service can do.
    pub features: FeatureChange,
    /// How many requests are let through; replaces what the product has by itself. Without any there is no limit, unless
    /// the product has one.
    pub quota: Vec<Rule>,
    /// Users that are there from the start.
    #[serde(rename = "user")]
    pub users: Vec<UserSeed>,
    /// Groups that are there from the start, made after the users in the order of the file.
    #[serde(rename = "group")]
    pub groups: Vec<GroupSeed>,
    /// What goes wrong, in the order in which it is tried.
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
    /// What only the product understands.
    pub product: toml::Table,
}

impl Scenario {
    /// Reads a scenario file.
    pub fn load(path: &Path) -> Result<Self, EmulatorError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| EmulatorError::ReadScenario { path: path.to_owned(), source })?;
        Self::parse(&text)
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
