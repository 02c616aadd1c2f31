//! How many passwords may be tried: per account, per address and range, per tenant and in all (`limits.rs`), each message
//! once (`replay.rs`), and a caller's retries joined to the call under way (`join.rs`).
//!
//! Everything here is in memory and bounded, knows people as keyed digests, and takes the present as an argument.

mod join;
mod limits;
mod places;
mod replay;
mod window;

pub use join::{First, Joined, Joins, outcome};
pub(crate) use limits::KNOWN_FOR;
pub use limits::{From, Guard, Limited, Limits, Outcome, Receipt};
pub use places::{Place, Places};
pub use replay::{Replays, Seen};
pub(crate) use window::QUIET;
