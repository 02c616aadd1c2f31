//! Everything Sterna knows of each product it reads from or writes to: one folder per product.
//!
//! Start at [`registry`], where every kind of source and target stands in one line. The file sources are
//! [`b2c_users_file`], [`delimited`] and [`json_lines`]; they share [`text`] (encodings, bounded reading, cursors).
//! Products that ask at a sign-in have their dialect in their folder; [`hooks`] is what dialects share.
//! Not here: the order of things (`sterna-engine`), the ledger, and the service that answers calls (`sterna-serve`).

pub mod auth0;
pub mod b2c_seamless;
pub mod b2c_users_file;
pub mod checks;
pub mod cognito;
pub mod delimited;
pub mod directory;
pub mod entra;
pub mod fusionauth;
pub mod hooks;
mod http;
pub mod http_check;
pub mod json_lines;
pub mod keycloak;
pub mod kratos;
pub mod ldap;
pub mod ldap_bind;
pub mod ldif;
pub mod legacy_sign_in;
pub mod oauth;
pub mod okta;
pub mod on_demand;
pub mod registry;
pub mod scim;
pub mod scim_source;
pub mod sql;
pub mod stored_hash;
pub mod text;
mod tls;
pub mod wso2;
