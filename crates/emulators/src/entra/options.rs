//! How an emulator is started.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::scenario::Scenario;
use crate::{EmulatorError, Launch};

/// The two products behind Microsoft Graph that are emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Microsoft Entra External ID: an external tenant.
    EntraExternalId,
    /// Azure AD B2C.
    AzureAdB2c,
}

impl Kind {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::EntraExternalId => "entra-external-id",
            Self::AzureAdB2c => "azure-ad-b2c",
        }
    }

    /// Objects a tenant may hold (`entra.md` 4.10).
    pub(crate) fn object_quota(self) -> u64 {
        match self {
            Self::EntraExternalId => 300_000,
            Self::AzureAdB2c => 1_250_000,
        }
    }
}

/// The options of an emulator. [`Options::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct Options {
    /// The product.
    pub kind: Kind,
    /// Where to listen; loopback only, port 0 picks a free one.
    pub listen: SocketAddr,
    /// HTTPS instead of HTTP, with a certificate of a throwaway authority.
    pub tls: bool,
    /// Where the authority's certificate is written with `tls`. Default: a new file in the folder for temporary files,
    /// removed at shutdown.
    pub ca_file: Option<PathBuf>,
    /// What the tenant holds, how it is throttled, and what goes wrong.
    pub scenario: Scenario,
    /// Milliseconds until a change shows in reads; wins over the scenario's. Default 2,000.
    pub read_delay_ms: Option<u64>,
    /// Lets uniqueness checks lag by the read delay; wins over the scenario's. Default false.
    pub lagging_uniqueness: Option<bool>,
    /// Whether the state shows `_password`. False in a rehearsal, where real people's passwords arrive.
    pub show_passwords: bool,
}

impl Options {
    /// Plain HTTP on a free port of 127.0.0.1, the documented behaviour, an empty tenant.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: false,
            ca_file: None,
            scenario: Scenario::default(),
            read_delay_ms: None,
            lagging_uniqueness: None,
            show_passwords: true,
        }
    }

    /// What is asked of this kind, with its scenario read.
    pub(crate) fn of(kind: Kind, launch: Launch) -> Result<Self, EmulatorError> {
        let Launch {
            listen,
            tls,
            ca_file,
            scenario,
            read_delay_ms,
            lagging_uniqueness,
            show_passwords,
            tenant,
            writes_per_second,
        } = launch;
        let mut scenario = scenario.map_or_else(|| Ok(Scenario::default()), |path| Scenario::load(&path))?;
        // a directory that is not named by a domain keeps the made-up name
        if let Some(name) = tenant.filter(|name| name.contains('.')) {
            scenario.tenant.name = Some(name);
        }
        scenario.quota.writes_per_second = writes_per_second.or(scenario.quota.writes_per_second);
        Ok(Self { kind, listen, tls, ca_file, scenario, read_delay_ms, lagging_uniqueness, show_passwords })
    }
}
