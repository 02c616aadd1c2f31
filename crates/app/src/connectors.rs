//! The registry of connectors, as the rest of the program sees it.

use sterna_core::{
    hook::HookKind,
    registry::{CheckKind, SourceKind, TargetKind},
};

/// The kinds of source.
pub(crate) fn sources() -> Vec<&'static dyn SourceKind> {
    sterna_connectors::registry::SOURCES.to_vec()
}

/// The kinds of target.
pub(crate) fn targets() -> Vec<&'static dyn TargetKind> {
    sterna_connectors::registry::TARGETS.to_vec()
}

/// The kinds of legacy check.
pub(crate) fn checks() -> Vec<&'static dyn CheckKind> {
    sterna_connectors::registry::CHECKS.to_vec()
}

/// The kinds of hook.
pub(crate) fn hooks() -> Vec<&'static dyn HookKind> {
    sterna_connectors::registry::HOOKS.to_vec()
}

/// What has a name in `connector = "…"`.
pub(crate) trait Named {
    /// The name.
    fn name(&self) -> &'static str;
}

impl Named for dyn SourceKind {
    fn name(&self) -> &'static str {
        self.kind()
    }
}

impl Named for dyn CheckKind {
    fn name(&self) -> &'static str {
        self.kind()
    }
}

impl Named for dyn HookKind {
    fn name(&self) -> &'static str {
        self.kind()
    }
}

impl Named for dyn TargetKind {
    fn name(&self) -> &'static str {
        self.kind()
    }
}
