//! WSO2 Identity Server and Asgardeo, as stand-ins of their SCIM side and of their sign-in side.
//!
//! Written from the protocol reference only, never from the client (wso2-scim.md 1.2, 2, 3 and 6).

mod account;
mod bulk;
mod catalogue;
mod filter;
mod incoming;
mod launch;
mod links;
mod lists;
mod names;
mod people;
mod policy;
mod product;
mod quirk;
mod scopes;
mod script;
mod settings;
mod sign_in;
mod tokens;
mod words;

pub use launch::{launch_asgardeo, launch_identity_server, pointers_asgardeo, pointers_identity_server};
pub use policy::PasswordRules;
pub use quirk::QUIRKS;
pub use settings::{Settings, UserNames, Version};
