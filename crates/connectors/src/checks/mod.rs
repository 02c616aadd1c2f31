//! What all legacy checks share: the limits and the breaker that stand before each ([`Guarded`]), the threads that hash
//! ([`HashPool`]), and their settings.
//!
//! The checks themselves are with their products (`legacy.rs` in each folder). Not here: which check is asked for whom
//! (`sterna_core::legacy::Chain`).

mod guarded;
mod hashing;
mod lockouts;
mod settings;
pub(crate) mod web;

pub use guarded::{Guarded, Limits};
pub use hashing::{HashPool, Named};
pub use settings::{COMMON, limits, stated};
