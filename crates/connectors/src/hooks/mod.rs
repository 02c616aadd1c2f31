//! What the hook dialects of several products share: how their callers prove who they are, and reading a JSON body.
//!
//! Start at [`callers::Callers`]. Each dialect is in its product's folder; `registry.rs` lists them.

pub mod body;
pub mod callers;
