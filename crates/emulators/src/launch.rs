//! How an emulator is started, whatever it stands for, and what of a target's settings leads to it.

use std::net::SocketAddr;
use std::path::PathBuf;

use sterna_wire::{Limits, Listener, ServerTls, TestAuthority};
use uuid::Uuid;

use crate::{CaFile, EmulatorError};

/// What is asked of every emulator. Each turns it into options of its own and reads the scenario in its own format.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Where to listen; loopback only, port 0 picks a free one.
    pub listen: SocketAddr,
    /// HTTPS instead of HTTP, with a certificate of a throwaway authority.
    pub tls: bool,
    /// Where the authority's certificate is written with `tls`. Default: a new file in the folder for temporary files,
    /// removed at shutdown.
    pub ca_file: Option<PathBuf>,
    /// The scenario file.
    pub scenario: Option<PathBuf>,
    /// Milliseconds until a change shows in reads; wins over the scenario's. Each kind has a default of its own.
    pub read_delay_ms: Option<u64>,
    /// Lets uniqueness checks lag by the read delay; wins over the scenario's. Default false.
    pub lagging_uniqueness: Option<bool>,
    /// Whether the state shows `_password`. False in a rehearsal, where real people's passwords arrive.
    pub show_passwords: bool,
    /// The tenant's name, where the kind has one and can use this one; wins over the scenario's.
    pub tenant: Option<String>,
    /// Writes per second of one client; wins over the scenario's.
    pub writes_per_second: Option<f64>,
}

impl Default for Launch {
    /// Plain HTTP on a free port of 127.0.0.1, the documented behaviour, an empty tenant.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: false,
            ca_file: None,
            scenario: None,
            read_delay_ms: None,
            lagging_uniqueness: None,
            show_passwords: true,
            tenant: None,
            writes_per_second: None,
        }
    }
}

/// A setting of a target and what it has to be so that the target's client talks to a running emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The setting's name.
    pub setting: &'static str,
    /// Its value.
    pub to: PointsTo,
}

/// The value of a [`Pointer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointsTo {
    /// This text.
    Text(String),
    /// This secret, which is given as a reference to a file.
    Secret(String),
    /// Nothing: the setting is left out.
    Nothing,
}

impl Pointer {
    /// To a text that the ready line has; left out when it has none.
    pub(crate) fn text(setting: &'static str, value: Option<&String>) -> Self {
        Self { setting, to: value.cloned().map_or(PointsTo::Nothing, PointsTo::Text) }
    }

    /// To a secret that the ready line has; left out when it has none.
    pub(crate) fn secret(setting: &'static str, value: Option<&String>) -> Self {
        Self { setting, to: value.cloned().map_or(PointsTo::Nothing, PointsTo::Secret) }
    }

    /// Left out.
    pub(crate) fn nothing(setting: &'static str) -> Self {
        Self { setting, to: PointsTo::Nothing }
    }
}

/// A bound port of an emulator that does not answer yet.
pub(crate) struct Port {
    pub(crate) listener: Listener,
    /// `http://127.0.0.1:port`.
    pub(crate) root: String,
    pub(crate) ca_file: Option<CaFile>,
}

impl Port {
    /// Binds a loopback address, with TLS when asked for.
    pub(crate) async fn bind(
        listen: SocketAddr,
        tls: bool,
        ca_file: Option<PathBuf>,
        limits: Limits,
    ) -> Result<Self, EmulatorError> {
        if !listen.ip().is_loopback() {
            return Err(EmulatorError::NotLoopback { address: listen });
        }
        let (server_tls, ca_file) = if tls { certificates(ca_file)? } else { (None, None) };
        let listener = Listener::bind(listen, server_tls, limits).await?;
        let scheme = if tls { "https" } else { "http" };
        let root = format!("{scheme}://{}", listener.address());
        Ok(Self { listener, root, ca_file })
    }
}

fn certificates(wanted: Option<PathBuf>) -> Result<(Option<ServerTls>, Option<CaFile>), EmulatorError> {
    let authority = TestAuthority::new("Sterna emulator test authority")?;
    let file = match wanted {
        Some(path) => CaFile::Kept(path),
        None => CaFile::Temporary(std::env::temp_dir().join(format!("sterna-emulator-{}.pem", Uuid::new_v4()))),
    };
    authority.write_certificate(file.path())?;
    Ok((Some(authority.server_tls()?), Some(file)))
}
