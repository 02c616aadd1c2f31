//! The registry: one line per kind of source and target. Help, schema, docs and `sterna init` walk it.

use sterna_core::registry::{SourceKind, TargetKind};

use crate::{delimited, json_lines};

/// Every kind of source.
pub static SOURCES: &[&dyn SourceKind] = &[&delimited::Kind, &json_lines::Kind];

/// Every kind of target.
pub static TARGETS: &[&dyn TargetKind] = &[];
