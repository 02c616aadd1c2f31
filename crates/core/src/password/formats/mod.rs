//! Stored password hashes: what they are, whether a password belongs to one, what that costs.
//!
//! [`recognise()`] proposes formats for a text, [`find`] gives one by name, [`Stored::parse`] reads a hash and refuses a
//! hostile one before any work, [`Stored::verify`] checks a password. A format is one line in its family's file
//! (`bcrypt.rs`, `digests.rs` …): how it looks and how it is read into a [`recipe`], which is a small tree of the steps
//! from a password to the bytes to compare. So bounds, cost, checking and re-encoding are written once, for all.
//!
//! Facts are from password-hashes.md; digests, ciphers and key derivations from other crates. Hash texts and passwords
//! never print: not in errors, not in `Debug`.

mod algorithm;
mod argon2;
mod bcrypt;
pub mod bounds;
mod clue;
mod crypt;
mod describe;
mod digests;
mod encoding;
mod fields;
mod firebase;
mod format;
mod forums;
mod keycloak;
mod ldap;
mod pbkdf2;
mod phpass;
mod products;
mod recipe;
mod recognise;
mod reencode;
mod scrypt;
mod spring;
mod stored;

pub use bounds::Bounds;
pub use describe::Known;
pub use format::{Family, Format, FormatTable, all, find};
pub use recognise::{Recognised, recognise};
pub use reencode::NotLossless;
pub use stored::{Refusal, Stored, Upgrade, Verdict};
