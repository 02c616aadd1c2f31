//! Stored password hashes.

mod vectors;
