//! Kinds of hooks whose callers prove who they are by [`Callers`], which is all of them but those whose product signs its
//! own calls.

use std::sync::Arc;

use sterna_core::{
    code::Finding,
    hook::{HookDialect, HookKind, Material, Needs},
    settings::{Setting, Values},
    support::HookSupport,
};

use super::callers::Callers;

/// Such a kind as data.
pub struct CalledKind {
    /// Its name in `connector = "…"`.
    pub kind: &'static str,
    /// Who asks by it.
    pub title: &'static str,
    /// What it can do.
    pub support: HookSupport,
    /// Its settings, with those of [`Callers`] at their end.
    pub settings: &'static [Setting],
    /// How it is written in `sterna.toml`.
    pub sample: &'static str,
    /// Makes the dialect for these callers.
    pub open: fn(Callers, &Values) -> Arc<dyn HookDialect>,
}

impl HookKind for CalledKind {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn settings(&self) -> &'static [Setting] {
        self.settings
    }

    fn sample(&self) -> &'static str {
        self.sample
    }

    fn support(&self) -> Option<HookSupport> {
        Some(self.support)
    }

    fn needs(&self, values: &Values) -> Result<Needs, Vec<Finding>> {
        let mut needs = Needs::default();
        Callers::needs(values, &mut needs)?;
        Ok(needs)
    }

    fn open(&self, values: &Values, material: &Material) -> Result<Arc<dyn HookDialect>, Vec<Finding>> {
        Ok((self.open)(Callers::new(values, material)?, values))
    }
}
