//! The service that a target asks at a sign-in: "is this the old password?"
//!
//! Start at [`start`]; the way of one attempt is `attempt.rs`, the way of a call `handler.rs` and, on threads of its own,
//! `reading.rs`. Limits on guessing are in
//! [`guard`], keys of callers in `keys.rs`, reading back what has moved in `sweep.rs`, the other direction (passwords that
//! applications hand over) in `harvest.rs`. Not here: wire dialects (`sterna-connectors`), the decision itself
//! (`sterna_core::hook::decide`), old systems (`sterna_core::legacy`).

mod address;
mod asked;
mod attempt;
mod config;
pub mod guard;
mod handler;
mod harvest;
mod keys;
mod lag;
mod reading;
mod record;
mod seat;
mod service;
mod sweep;
mod tally;
mod timing;
mod tls;

pub use config::{Config, Confirm, HookSpec, SweepRules, TlsFiles};
pub use keys::preflight;
pub use seat::Connect;
pub use service::{Parts, Running, ServeError, start};
