//! The list of emulators.

use std::future::Future;
use std::pin::Pin;

use crate::entra::{self, Kind};
use crate::{Emulator, EmulatorError, Launch, Pointer, Ready, scim, wso2};

/// A started emulator, or why it did not start.
pub type Starting = Pin<Box<dyn Future<Output = Result<Emulator, EmulatorError>> + Send>>;

/// One product that can be emulated.
pub struct EmulatorKind {
    /// Its name on the command line; the same as the connector's.
    pub name: &'static str,
    /// What it stands for, in half a sentence.
    pub stands_for: &'static str,
    /// Starts it.
    pub start: fn(Launch) -> Starting,
    /// Which settings of a target of this kind lead to the running emulator: what a rehearsal replaces.
    pub pointers: fn(&Ready) -> Vec<Pointer>,
}

/// Every emulator. Help, documentation and tests walk this list.
pub static EMULATORS: &[EmulatorKind] = &[
    EmulatorKind {
        name: "entra-external-id",
        stands_for: "Microsoft Entra External ID (an external tenant) behind Microsoft Graph v1.0",
        start: |launch| Box::pin(entra::launch(Kind::EntraExternalId, launch)),
        pointers: entra::pointers,
    },
    EmulatorKind {
        name: "azure-ad-b2c",
        stands_for: "Azure AD B2C behind Microsoft Graph v1.0",
        start: |launch| Box::pin(entra::launch(Kind::AzureAdB2c, launch)),
        pointers: entra::pointers,
    },
    EmulatorKind {
        name: "scim",
        stands_for: "any SCIM 2.0 service (RFC 7643, RFC 7644, RFC 9865)",
        start: |launch| Box::pin(scim::launch(launch)),
        pointers: scim::pointers,
    },
    EmulatorKind {
        name: "wso2-is",
        stands_for: "WSO2 Identity Server 7 with its SCIM 2.0 interface",
        start: |launch| Box::pin(wso2::launch_identity_server(launch)),
        pointers: wso2::pointers_identity_server,
    },
    EmulatorKind {
        name: "asgardeo",
        stands_for: "Asgardeo (WSO2 Identity Platform) with its SCIM 2.0 interface",
        start: |launch| Box::pin(wso2::launch_asgardeo(launch)),
        pointers: wso2::pointers_asgardeo,
    },
];

/// Clients that nobody here wrote and that an emulator is tested with, by the emulator's name.
pub static TESTED_WITH: &[(&str, &[&str])] =
    &[("entra-external-id", &["@microsoft/microsoft-graph-client"]), ("scim", &["scim2-tester", "scim2-cli"])];

/// The emulator of this name.
pub fn find(name: &str) -> Option<&'static EmulatorKind> {
    EMULATORS.iter().find(|kind| kind.name == name)
}
