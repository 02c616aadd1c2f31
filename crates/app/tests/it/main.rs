//! Scenarios that drive the program as a user would, and the repository's rules as tests.
//!
//! One binary; each module is a subject. `support.rs` holds the one way to run the program.

mod config;
mod emulate;
mod explain;
mod init;
mod support;
mod tidy;
