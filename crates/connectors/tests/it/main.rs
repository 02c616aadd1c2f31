//! The connectors as the engine sees them: one binary, one module per product.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

mod conformance;
mod entra;
mod entra_hook;
mod files;
mod fuzz_smoke;
mod hooks;
mod http_check;
mod ldap;
mod ldap_bind;
mod oauth;
mod scim;
mod scim_source;
mod servers;
mod sql;
mod wso2;
