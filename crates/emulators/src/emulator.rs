//! A running emulator, whatever it stands for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use sterna_wire::Server;

/// Time that running requests have when an emulator is shut down; well under the 2 s that a caller may count on.
const GRACE: Duration = Duration::from_millis(1_500);

/// Where an emulator can be reached and as whom: the one line of JSON that is printed once connections are accepted.
/// URLs have no slash at the end; those of Microsoft Graph are roots, without version and tenant. Absent values are left out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ready {
    /// Microsoft Graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_url: Option<String>,
    /// The token endpoint's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_url: Option<String>,
    /// The page where people sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_url: Option<String>,
    /// The keys that tokens are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// The state and the control side, with their key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_url: Option<String>,
    /// The certificate of the authority that signed the server's, with TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The tenant's initial domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The tenant's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The application to sign in as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Its secret; absent when it has a certificate instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Application id of the app that stands for an endpoint asked at sign-ins: the audience of its tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_app_id: Option<String>,
    /// The base of a SCIM service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_url: Option<String>,
    /// The token endpoint itself, where `client_id` and `client_secret` are exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// A bearer token that is good until the emulator ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The base of the interface that links users to identities elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association_url: Option<String>,
    /// The organisation's name or handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// The file with the authority's certificate.
#[derive(Debug)]
pub(crate) enum CaFile {
    /// Asked for by the user: stays.
    Kept(PathBuf),
    /// Our own: removed with the emulator.
    Temporary(PathBuf),
}

impl CaFile {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // Nobody is harmed by a public certificate that stays behind.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A running emulator. Dropping it stops it at once.
pub struct Emulator {
    ready: Ready,
    server: Server,
    ca_file: Option<CaFile>,
}

impl Emulator {
    pub(crate) fn new(ready: Ready, server: Server, ca_file: Option<CaFile>) -> Self {
        Self { ready, server, ca_file }
    }

    /// Where it can be reached and as whom.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Ends it: accepts nothing more, and gives running requests 1.5 s.
    pub async fn shutdown(self) {
        let Self { ready: _, server, ca_file } = self;
        server.shutdown(GRACE).await;
        drop(ca_file);
    }
}
