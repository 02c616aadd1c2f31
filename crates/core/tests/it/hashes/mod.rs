//! Stored password hashes.

mod documents;
mod hostile;
mod judging;
mod properties;
mod steps;
mod vectors;
