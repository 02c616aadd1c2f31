//! The points that the reference calls unverified, and a few on which it is silent: one switch each.

use serde::Deserialize;

/// `[switches]` in a scenario file. The default is what the documentation says, or the stricter reading where it says
/// nothing: a client that passes here passes there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent question to the real product")]
pub struct Switches {
    /// The whole batch is answered 424 when one of its items is throttled; default: 200 (`entra.md` 5, both are
    /// documented).
    pub throttled_batch_is_424: bool,
    /// Creating a user costs 4 more resource units in an external tenant too; documented for B2C only.
    pub costly_creates_in_external_id: bool,
    /// `DisableStrongPassword` has an effect in an external tenant; documented for B2C only.
    pub weak_passwords_in_external_id: bool,
    /// `creationType` may be written, as one Microsoft page does; default: read-only, as the reference page says.
    pub writable_creation_type: bool,
    /// A deleted user's names and identities are free at once (`entra.md` 4.9). Default true.
    pub deleted_names_are_free: bool,
    /// An application may delete a user for good; older text says it may not. Default true.
    pub permanent_delete: bool,
    /// A duplicate federated identity is answered "Property netId is invalid"; default: `ObjectConflict`.
    pub duplicate_federated_is_net_id: bool,
    /// `mail` must differ from every other user's `mail` and e-mail identity. Default false: the reference says this of
    /// identities only.
    pub unique_mail: bool,
    /// The sign-in identifiers policy allows user names (`entra.md` 4.3). Default true.
    pub user_names: bool,
    /// Whose domain a local identity's issuer may be. Default: the tenant's default domain only (`entra.md` 4.2);
    /// with true, any verified domain of the tenant.
    pub any_verified_issuer: bool,
    /// A 429 counts against the quota too. Default false.
    pub throttled_requests_count: bool,
    /// How `Retry-After` is written. Default: decimal seconds.
    pub retry_after: RetryAfterForm,
    /// Whether sign-in activity can be read. Default: it can.
    pub sign_in_activity: SignInActivity,
    /// Comparisons joined by `or` in one `$filter`, and values of one `in`. Default 15.
    pub max_or_clauses: usize,
}

/// How `Retry-After` is written in answers to throttled requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfterForm {
    /// `2.128`
    #[default]
    Decimal,
    /// Whole seconds, rounded up.
    Seconds,
    /// An HTTP date, rounded up.
    HttpDate,
    /// Not sent.
    Absent,
}

/// Whether `$select=signInActivity` works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInActivity {
    /// With the permission `AuditLog.Read.All`.
    #[default]
    Available,
    /// Answered 403: the tenant has no licence for it.
    Forbidden,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            throttled_batch_is_424: false,
            costly_creates_in_external_id: false,
            weak_passwords_in_external_id: false,
            writable_creation_type: false,
            deleted_names_are_free: true,
            permanent_delete: true,
            duplicate_federated_is_net_id: false,
            unique_mail: false,
            user_names: true,
            any_verified_issuer: false,
            throttled_requests_count: false,
            retry_after: RetryAfterForm::default(),
            sign_in_activity: SignInActivity::default(),
            max_or_clauses: 15,
        }
    }
}
