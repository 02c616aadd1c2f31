//! What the tenant is and what it holds at the start.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::EmulatorError;

/// `[tenant]` in a scenario file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tenant {
    /// The initial domain. Default `contoso.onmicrosoft.com`.
    pub name: Option<String>,
    /// The organisation's name. Default: the first label of `name`.
    pub display_name: Option<String>,
    /// The tenant id, a GUID. Default: made from the seed.
    pub id: Option<String>,
    /// Further verified domains.
    pub domains: Vec<String>,
    /// Domains that were added but not verified.
    pub unverified_domains: Vec<String>,
    /// Which verified domain is the default one. Default: `name`.
    pub default_domain: Option<String>,
    /// The size that decides the limit of resource units. Default: by the number of users.
    pub size: Option<TenantSize>,
    /// Objects that the directory may hold, soft-deleted ones included. Default: 300,000 for External ID, 1,250,000
    /// for B2C (`entra.md` 4.10).
    pub object_quota: Option<u64>,
    /// So many plausible users made up at the start, beside the listed ones: local, social and combined in turn.
    pub generated_users: u32,
}

/// Under 50 users, 50 to 500, above 500 (`entra.md` 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantSize {
    /// Under 50 users.
    S,
    /// 50 to 500 users.
    M,
    /// Above 500 users.
    L,
}

impl TenantSize {
    pub(crate) fn of(users: u64) -> Self {
        match users {
            0..50 => Self::S,
            50..=500 => Self::M,
            _ => Self::L,
        }
    }

    pub(crate) fn step(self) -> usize {
        match self {
            Self::S => 0,
            Self::M => 1,
            Self::L => 2,
        }
    }
}

/// `[[app]]`: an application registration that may ask for tokens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct App {
    /// Display name. Default `app-1` and so on.
    pub name: Option<String>,
    /// Application (client) id, a GUID. Default: made from the seed.
    pub client_id: Option<String>,
    /// Its secret. Default: made up, unless a certificate is given.
    pub client_secret: Option<String>,
    /// A PEM file with its certificate (X.509 v3, RSA), relative to the scenario file.
    pub certificate_file: Option<PathBuf>,
    /// The certificate's PEM text itself.
    pub certificate_pem: Option<String>,
    /// Application permissions. Default: every one that the emulator knows.
    pub roles: Option<Vec<String>>,
}

impl App {
    pub(super) fn read_certificate(&mut self, folder: &Path) -> Result<(), EmulatorError> {
        let Some(file) = &self.certificate_file else { return Ok(()) };
        let path = folder.join(file);
        let pem = std::fs::read_to_string(&path)
            .map_err(|source| EmulatorError::ReadScenario { path: path.clone(), source })?;
        self.certificate_pem = Some(pem);
        Ok(())
    }
}

/// `[[provider]]`: an identity provider that users of this tenant can sign in with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its id, for example `Google-OAUTH`.
    pub id: String,
    /// Display name.
    pub name: String,
    /// `Google`, `Facebook`, `Apple`, and so on. Default: the name.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// `[[extension]]`: an extension property on `b2c-extensions-app`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionSeed {
    /// The short name, without `extension_` and the application id.
    pub name: String,
    /// `Binary`, `Boolean`, `DateTime`, `Integer`, `LargeInteger` or `String`. Default `String`.
    #[serde(default)]
    pub data_type: Option<String>,
}

/// `[[user]]`: a user that is there from the start. Seeds may break rules that hold for creates (old tenants do): only
/// the names of properties are checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSeed {
    /// Properties as Graph names them, `identities` included. `{extension}` in a name stands for the prefix
    /// `extension_{app id}`. `id`, `userPrincipalName` and `createdDateTime` are made up when left out.
    pub properties: toml::Table,
    /// The password.
    #[serde(default)]
    pub password: Option<String>,
    /// Directory roles by display name (`Global Administrator`): makes the user an administrator.
    #[serde(default)]
    pub roles: Vec<String>,
    /// When the user last signed in, for example `2026-05-01T10:00:00Z`.
    #[serde(default)]
    pub last_sign_in: Option<String>,
}
