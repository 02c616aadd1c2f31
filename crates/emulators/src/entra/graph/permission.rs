//! Application permissions: which of them allow what.

use crate::entra::login::Caller;
use crate::entra::refusal::Refusal;

/// Reading users.
pub(super) const READ_USERS: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
/// Creating, changing, deleting and restoring users.
pub(super) const WRITE_USERS: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];
/// Changing `identities` of a user (`entra.md` 4.7).
pub(super) const MANAGE_IDENTITIES: &[&str] = &["User.ManageIdentities.All"];
/// Changing a password by PATCH (`entra.md` 4.7).
pub(super) const WRITE_PASSWORDS: &[&str] = &["User-PasswordProfile.ReadWrite.All"];
/// Reading `signInActivity`.
pub(super) const READ_SIGN_INS: &[&str] = &["AuditLog.Read.All"];
pub(super) const READ_DOMAINS: &[&str] =
    &["Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub(super) const READ_ORGANIZATION: &[&str] =
    &["Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub(super) const READ_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
pub(super) const WRITE_APPLICATIONS: &[&str] = &["Application.ReadWrite.All"];
pub(super) const READ_EXTENSIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
];
pub(super) const READ_PROVIDERS: &[&str] = &["IdentityProvider.Read.All", "IdentityProvider.ReadWrite.All"];
pub(super) const READ_ROLES: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Every permission that some request here can need; what an application has when the scenario does not say.
pub(crate) const ALL_ROLES: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "Directory.Read.All",
    "Domain.Read.All",
    "IdentityProvider.Read.All",
    "Organization.Read.All",
    "RoleManagement.Read.Directory",
    "User-PasswordProfile.ReadWrite.All",
    "User.ManageIdentities.All",
    "User.Read.All",
    "User.ReadWrite.All",
];

impl Caller {
    /// Refuses a caller that has none of the permissions.
    pub(super) fn needs(&self, any_of: &[&str]) -> Result<(), Refusal> {
        if self.roles.iter().any(|role| any_of.contains(&role.as_str())) { Ok(()) } else { Err(Refusal::denied()) }
    }
}
