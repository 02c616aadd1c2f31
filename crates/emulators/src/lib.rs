//! Strict local stand-ins for identity products: for demos, rehearsals and tests.
//!
//! An emulator is stricter than the product where the documentation leaves room, keeps everything in memory, listens on
//! loopback only, and can be told to go wrong. It is written from the product's documentation alone and shares nothing
//! with the connectors but byte and HTTP plumbing, so that a mistake cannot hide by being made twice.
//!
//! One folder per product; [`EMULATORS`] lists them, and help and documentation are made from that list. The products
//! behind Microsoft Graph are in [`entra`].

mod emulator;
pub mod entra;
mod error;
mod registry;

pub(crate) use emulator::CaFile;
pub use emulator::{Emulator, Ready};
pub use entra::options::{Kind, Options};
pub use entra::scenario::Scenario;
pub use error::EmulatorError;
pub use registry::{EMULATORS, EmulatorKind, Starting, TESTED_WITH, find};
