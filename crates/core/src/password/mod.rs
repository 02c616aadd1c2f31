//! Passwords: what a target accepts ([`policy`]), and random ones that nobody knows ([`random`]).

pub mod policy;
pub mod random;
