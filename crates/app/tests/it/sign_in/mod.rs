//! Sign-ins as the target's users make them: emulator, `sterna serve`, old systems, each a process of its own.
//!
//! `world.rs` puts them together; `hashes.rs` makes the old passwords' hashes.

mod dialect;
mod everybody;
pub(crate) mod hashes;
mod mangled;
mod outage;
mod rotation;
mod secrets;
mod takeover;
mod world;
