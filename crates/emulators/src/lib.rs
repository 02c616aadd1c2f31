//! Strict local stand-ins for identity products: for demos, rehearsals and tests.
//!
//! An emulator is stricter than the product where the documentation leaves room, keeps everything in memory, listens on
//! loopback only, and can be told to go wrong. It is written from the product's documentation alone and shares nothing
//! with the connectors but byte and HTTP plumbing, so that a mistake cannot hide by being made twice.
//!
//! One folder per product; [`EMULATORS`] lists them, and help and documentation are made from that list. The products
//! behind Microsoft Graph are in [`entra`].

pub(crate) mod clock;
mod emulator;
pub mod entra;
mod error;
mod launch;
mod outgoing;
mod registry;
pub mod scim;
mod strike;
pub(crate) mod window;
pub mod wso2;

pub(crate) use emulator::CaFile;
pub use emulator::{Emulator, Ready};
pub use error::EmulatorError;
pub use launch::{Launch, Pointer, PointsTo};
pub use registry::{EMULATORS, EmulatorKind, Starting, TESTED_WITH, find};
