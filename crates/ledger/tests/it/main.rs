//! The ledger's contract as tests: one suite for every store.

mod beside;
mod files;
mod reading;
mod sending;
mod support;
