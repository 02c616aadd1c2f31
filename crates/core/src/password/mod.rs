//! Passwords: how they are stored and checked ([`formats`]), what a target accepts ([`policy`]), and random ones that nobody
//! knows ([`random`]).

pub mod formats;
pub mod policy;
pub mod random;
