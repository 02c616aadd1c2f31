//! The emulators through their network side, as a client sees them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod batch;
mod create;
mod faults;
mod foreign;
mod login;
mod quota;
mod reads;
mod samples;
mod scim;
mod sign_in;
mod sign_in_context;
mod sign_in_errors;
mod sign_in_page;
mod sign_in_stub;
mod speed;
mod state;
mod support;
mod tenant;
mod tidy;
mod update;
mod wso2;
