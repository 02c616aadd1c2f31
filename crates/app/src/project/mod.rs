//! A migration's project folder: what `sterna.toml` says, checked as a whole.
//!
//! Start at [`Project::load`]. `settings.rs` is the tables as data, `load.rs` reads and checks, `caret.rs` decides what
//! of the file may be shown. A [`Project`] can only be had from a file that is right.

pub(crate) mod caret;
mod checks;
mod cohorts;
mod load;
pub(crate) mod serve;
pub(crate) mod settings;
mod social;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use sterna_core::{
    cohort::Cohort,
    mapping::Rules,
    plan::Strategy,
    registry::{SourceKind, TargetKind},
    settings::{SecretRef, Values},
};
use sterna_engine::{apply::AbortRule, plan::Matching};

pub(crate) use checks::CheckConfig;
pub(crate) use serve::ServeConfig;

/// The file's name in a project folder.
pub(crate) const FILE: &str = "sterna.toml";

/// Everything that `sterna.toml` says.
pub(crate) struct Project {
    /// The folder; relative paths of settings are taken from it.
    pub(crate) folder: PathBuf,
    /// `[migration] name`.
    pub(crate) name: String,
    /// `[sources.*]`, in the file's order; at least one.
    pub(crate) sources: Vec<SourceConfig>,
    /// `[target]`; a project without one can only extract.
    pub(crate) target: Option<TargetConfig>,
    /// `[passwords] strategy`.
    pub(crate) strategy: Strategy,
    /// `[social.issuers]`: an issuer as sources name it, in lower case → as the target names it.
    pub(crate) issuers: BTreeMap<String, String>,
    /// `[social] exclude`, in lower case.
    pub(crate) excluded_issuers: BTreeSet<String>,
    /// `[mapping]`.
    pub(crate) mapping: Rules,
    /// `[cohorts.*]`, in the file's order.
    pub(crate) cohorts: Vec<Cohort>,
    /// `[ledger] key`; a relative file is taken from the folder.
    pub(crate) key: SecretRef,
    /// `[checks.*]`, in the file's order.
    pub(crate) checks: Vec<CheckConfig>,
    /// `[serve]` and `[hooks.*]`.
    pub(crate) serve: ServeConfig,
    /// `[apply]`: when a run stops by itself.
    pub(crate) abort: AbortRule,
    /// `[apply] canary`: how many accounts a canary without a number has.
    pub(crate) canary: u64,
    /// `[matching]`: what happens when somebody is there already.
    pub(crate) matching: Matching,
}

/// One `[sources.NAME]`.
pub(crate) struct SourceConfig {
    /// NAME.
    pub(crate) name: String,
    /// Its name before it was renamed in the file.
    pub(crate) formerly: Option<String>,
    /// The connector.
    pub(crate) kind: &'static dyn SourceKind,
    /// The connector's settings.
    pub(crate) values: Values,
}

/// `[target]`.
pub(crate) struct TargetConfig {
    /// The connector.
    pub(crate) kind: &'static dyn TargetKind,
    /// The connector's settings.
    pub(crate) values: Values,
}
