//! The ledger's contract as tests: one suite for every store.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod beside;
mod files;
mod late;
mod reading;
mod sending;
mod support;
