//! Scenarios that drive the program as a user would, and the repository's rules as tests.
//!
//! One binary; each module is a subject. `support.rs` holds the one way to run the program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod bad_input;
mod check_account;
mod cognito;
mod commands;
mod config;
mod demo;
mod emulate;
mod explain;
mod export_script;
mod handover;
mod init;
mod password;
mod readme;
mod scenario;
mod scim;
#[path = "../../../connectors/tests/it/servers/mod.rs"] // the throwaway servers are shared with the connectors' tests
mod servers;
mod serving;
mod sign_in;
mod support;
mod tidy;
