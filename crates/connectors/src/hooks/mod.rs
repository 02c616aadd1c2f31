//! What the hook dialects of several products share: how their callers prove who they are, and reading a JSON body.
//!
//! Start at [`callers::Callers`], [`kind::CalledKind`] and [`request::posted`]; `profile.rs` has what an answer may tell of a
//! person. Each dialect is in its product's folder; `registry.rs` lists them.

pub mod body;
pub mod callers;
pub mod kind;
pub mod profile;
pub mod request;
