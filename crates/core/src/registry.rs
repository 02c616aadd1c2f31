//! What the registry of connectors knows of each kind: help, schema, docs and `sterna init` walk it.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;

use crate::{
    code::Finding,
    legacy::LegacyCheck,
    port::{Source, Target, TargetError},
    settings::{Secrets, Setting, Values},
    support::{CheckSupport, SourceSupport, TargetSupport},
    time::{Clock, Entropy},
};

/// What connectors may use of the world besides their own network or file.
#[derive(Clone)]
pub struct Context {
    /// The project folder: relative paths are taken from it.
    pub project: PathBuf,
    /// Gives secrets by reference.
    pub secrets: Arc<dyn Secrets>,
    /// Gives the time.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// A kind of source.
pub trait SourceKind: Send + Sync {
    /// Its name in `connector = "…"`.
    fn kind(&self) -> &'static str;
    /// What it reads, in a sentence.
    fn title(&self) -> &'static str;
    /// Its settings, besides `connector` and `formerly`.
    fn settings(&self) -> &'static [Setting];
    /// The lines that `sterna init` writes into its table, with comments.
    fn sample(&self) -> &'static str;
    /// What it can do, for the support matrix; `None` claims nothing.
    fn support(&self) -> Option<SourceSupport> {
        None
    }
    /// Makes the source from checked values; nothing is opened yet.
    ///
    /// # Errors
    /// Findings about values that do not fit together.
    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>>;
}

/// A kind of target.
#[async_trait]
pub trait TargetKind: Send + Sync {
    /// Its name in `connector = "…"`.
    fn kind(&self) -> &'static str;
    /// What it writes to, in a sentence.
    fn title(&self) -> &'static str;
    /// Its settings, besides `connector`.
    fn settings(&self) -> &'static [Setting];
    /// The lines that `sterna init` writes into its table, with comments.
    fn sample(&self) -> &'static str;
    /// What it can do, for the support matrix; `None` claims nothing.
    fn support(&self) -> Option<TargetSupport> {
        None
    }
    /// Findings about values that do not fit together; nothing is connected to.
    fn check(&self, values: &Values) -> Vec<Finding>;
    /// Connects and learns what the target says about itself.
    ///
    /// # Errors
    /// [`TargetError`] when it cannot be reached, or gives no token, or its answer is not understood.
    async fn connect(&self, values: &Values, context: &Context) -> Result<Arc<dyn Target>, TargetError>;
}

/// A kind of legacy check.
pub trait CheckKind: Send + Sync {
    /// Its name in `connector = "…"`.
    fn kind(&self) -> &'static str;
    /// What it asks, in a sentence.
    fn title(&self) -> &'static str;
    /// Its settings, besides those that every check has.
    fn settings(&self) -> &'static [Setting];
    /// The lines that `sterna init` writes into its table, with comments.
    fn sample(&self) -> &'static str;
    /// What it can do, for the support matrix; `None` claims nothing.
    fn support(&self) -> Option<CheckSupport> {
        None
    }
    /// Makes the check from checked values; nothing is connected to and no secret is read yet.
    ///
    /// # Errors
    /// Findings about values that do not fit together.
    fn open(&self, values: &Values, context: &Context) -> Result<Arc<dyn LegacyCheck>, Vec<Finding>>;
}
