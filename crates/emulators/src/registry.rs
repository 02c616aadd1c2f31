//! The list of emulators.

use std::future::Future;
use std::pin::Pin;

use crate::{Emulator, EmulatorError, Kind, Options, entra};

/// A started emulator, or why it did not start.
pub type Starting = Pin<Box<dyn Future<Output = Result<Emulator, EmulatorError>> + Send>>;

/// One product that can be emulated.
pub struct EmulatorKind {
    /// Its name on the command line; the same as the connector's.
    pub name: &'static str,
    /// What it stands for, in half a sentence.
    pub stands_for: &'static str,
    /// The default options.
    pub options: fn() -> Options,
    /// Starts it.
    pub start: fn(Options) -> Starting,
}

/// Every emulator. Help, documentation and tests walk this list.
pub static EMULATORS: &[EmulatorKind] = &[
    EmulatorKind {
        name: "entra-external-id",
        stands_for: "Microsoft Entra External ID (an external tenant) behind Microsoft Graph v1.0",
        options: || Options::new(Kind::EntraExternalId),
        start: |options| Box::pin(entra::start(options)),
    },
    EmulatorKind {
        name: "azure-ad-b2c",
        stands_for: "Azure AD B2C behind Microsoft Graph v1.0",
        options: || Options::new(Kind::AzureAdB2c),
        start: |options| Box::pin(entra::start(options)),
    },
];

/// Clients that nobody here wrote and that an emulator is tested with, by the emulator's name.
pub static TESTED_WITH: &[(&str, &[&str])] = &[("entra-external-id", &["@microsoft/microsoft-graph-client"])];

/// The emulator of this name.
pub fn find(name: &str) -> Option<&'static EmulatorKind> {
    EMULATORS.iter().find(|kind| kind.name == name)
}
