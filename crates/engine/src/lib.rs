//! The phases: one file or folder each. Every phase reads the ledger, does one thing, writes the ledger, and can be
//! killed at any instant and run again.
//!
//! [`extract`] sources → ledger · [`plan`] decides, sends nothing · [`apply`] sends · [`verify`] reads back ·
//! [`retry`] plans failures anew and sends them · [`undo`] takes back · [`purge`] destroys the data key · [`export`]
//! names accounts for the operator · [`handover`] packs accounts for somebody who loads them. All of them are given a [`run::Run`]. Not here: SQL, products, printing.

pub mod apply;
mod error;
pub mod export;
pub mod extract;
pub mod handover;
mod held;
pub mod leftovers;
pub mod plan;
pub mod purge;
pub mod retry;
pub mod run;
pub mod undo;
pub mod verify;
pub mod words;

pub use error::PhaseError;
pub use run::{Progress, Run, Stop};
