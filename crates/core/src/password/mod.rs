//! Passwords: how they are stored and checked ([`formats`]), what a target accepts ([`policy`]), what a source's text
//! of one becomes in an account ([`held`]), and random ones that nobody
//! knows ([`random`]).

pub mod formats;
pub mod held;
mod judge;
pub mod policy;
pub mod random;

pub use judge::{Group, MAX_LINE, NotJudged, Sum, Tally, judge_line};
