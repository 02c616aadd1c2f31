//! The service as its callers see it: a real listener and a real ledger, with a dialect, an old system and a target of
//! the tests' own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod abuse;
mod calls;
mod keys;
mod old;
mod outages;
mod takeover;
mod target;
mod wire;
mod world;
