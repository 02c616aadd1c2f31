//! Entra External ID and Azure AD B2C through Microsoft Graph v1.0: as targets, and B2C as a source.
//!
//! Start at [`target::EntraTarget`] (creates, links, reads back and removes users) and [`source::B2cSource`]. Pure,
//! and so tables in tests: `draft.rs` with `identities.rs` and `attributes.rs` (account to what is sent, and what is
//! lost), `write.rs` (request bodies), `answer.rs` (what a reply means), `compare.rs`, `batch.rs`,
//! `paging.rs`. `limits.rs` holds the numbers with their sources. Not here: the sign-in dialect, pacing, and the order
//! of things.

mod answer;
mod apply;
mod assertion;
mod attributes;
mod batch;
mod compare;
pub mod config;
mod draft;
mod dto;
mod failure;
mod graph;
pub mod hook;
mod identities;
mod kind;
mod limits;
mod lookup;
pub mod outside;
mod paging;
mod preflight;
mod prepare;
mod record;
mod settings;
mod shape;
mod source;
mod target;
mod tenant;
mod token;
mod write;

pub use kind::{SourceKind, TargetKind};
pub use source::B2cSource;
pub use target::EntraTarget;
