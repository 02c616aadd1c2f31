//! The registry: one line per kind of source and target. Help, schema, docs and `sterna init` walk it.

use sterna_core::registry::{SourceKind, TargetKind};

/// Every kind of source.
pub static SOURCES: &[&dyn SourceKind] = &[];

/// Every kind of target.
pub static TARGETS: &[&dyn TargetKind] = &[];
