//! Why an emulator does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// An emulator that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Emulators hold passwords in clear text and have no real protection, so they never listen to the outside.
    #[error("an emulator listens on loopback only, not on {address}")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// A scenario file, or a certificate that it names, could not be read.
    #[error("cannot read {path}")]
    ReadScenario {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The scenario is not of the documented form; the source shows the line.
    #[error("the scenario is not valid")]
    ParseScenario {
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// The scenario is well-formed but cannot be meant.
    #[error("the scenario is not valid: {0}")]
    Scenario(String),
    /// The random source of the cryptography library failed, or it could not make a key.
    #[error("cannot make the keys of the emulator")]
    Keys,
    /// The listener or its certificates could not be set up.
    #[error("cannot start the emulator")]
    Wire(#[from] sterna_wire::WireError),
}
