//! The heart of Sterna: the model of an account, its states, mapping, passwords, pacing and the traits of sources and
//! targets.
//!
//! Nothing here does I/O, reads a clock or needs a runtime; time and randomness come in as arguments. Start at
//! [`account::Account`] and [`port`]. Not here: SQL (`sterna-ledger`), products (`sterna-connectors`), the order of
//! things (`sterna-engine`).

pub mod account;
pub mod code;
pub mod codec;
pub mod cohort;
pub mod hook;
pub mod ids;
pub mod legacy;
pub mod mapping;
pub mod pace;
pub mod password;
pub mod plan;
pub mod port;
pub mod registry;
pub mod settings;
pub mod state;
pub mod support;
pub mod time;

pub use secrecy;
