//! Entra External ID and Azure AD B2C against the emulator, over HTTP.

mod apply;
mod certificate;
mod connect;
mod inventory;
mod link;
mod settings;
mod source;
pub(crate) mod world;
