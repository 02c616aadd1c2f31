//! Every SCIM 2.0 service as a target (RFC 7643, RFC 7644), and on top of it WSO2 Identity Server and Asgardeo.
//!
//! Start at [`target::ScimTarget`]. `dialect.rs` has what the products make of the protocol, as data. Pure, and so tables in
//! tests: `draft.rs` with `identities.rs` and `fit.rs` (account to what is sent, and what is lost), `write.rs` (bodies),
//! `record.rs` (what servers give), `compare.rs`, `schema.rs` (what a server says of itself), `answer.rs` (what a reply
//! means), `ids.rs`, `bulk.rs`, `paging.rs`, `joining.rs`. The wire: `service.rs` (one request), `sending.rs` (by Bulk or one by one),
//! `bulking.rs` (smaller Bulk requests where larger ones go unanswered), `again.rs` (a second try for groups and links),
//! `apply.rs`, `lookup.rs`, `references.rs` (whether people may be named before they are made), `memberships.rs` and `members.rs` (groups and roles), `associations.rs` (sign-ins at other providers).

mod again;
mod answer;
mod apply;
mod associations;
mod bulk;
mod bulking;
mod calls;
mod compare;
mod config;
mod dialect;
mod discovery;
mod draft;
mod failure;
mod fit;
mod gathering;
mod identities;
mod ids;
mod joining;
mod kind;
mod lookup;
mod members;
mod memberships;
pub mod outside;
mod paging;
mod preflight;
mod record;
mod references;
mod schema;
mod sending;
mod service;
mod settings;
mod shape;
mod target;
#[cfg(test)]
mod testing;
mod write;

pub(crate) use config::{Places, places};
pub use dialect::Product;
pub(crate) use failure::ReadError;
pub use kind::TargetKind;
pub(crate) use paging::{Page, Step, Totals, Trail};
pub(crate) use schema::{CORE, ENTERPRISE, WSO2_SYSTEM, flag};
pub(crate) use service::{Line, Service};
pub use target::ScimTarget;
