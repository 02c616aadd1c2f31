//! Passwords: how they are stored and checked ([`formats`]), what a target accepts ([`policy`]), and random ones that nobody
//! knows ([`random`]).

pub mod formats;
mod judge;
pub mod policy;
pub mod random;

pub use judge::{Group, MAX_LINE, NotJudged, Sum, Tally, judge_line};
