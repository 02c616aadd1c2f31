//! What distinguishes one SCIM product from another: the data of a product. What is not data is in [`Product`].

use std::time::Duration;

use super::product::Product;
use super::quirk::Quirk;
use super::resource::incoming::Leniency;
use super::schema::Catalogue;
use super::throttle::Rule;

/// Numbers that the service announces and keeps (RFC 7643 5, RFC 9865 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Operations in one bulk request.
    pub(crate) max_operations: usize,
    /// Bytes of the body of a bulk request.
    pub(crate) max_payload_bytes: usize,
    /// Whether these are kept, beside being announced.
    pub(crate) payload_is_kept: bool,
    /// Resources of one page.
    pub(crate) max_results: usize,
    /// Resources of a page when the client does not say.
    pub(crate) default_page: usize,
    /// For how long a cursor is good.
    pub(crate) cursor_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_operations: 1_000,
            max_payload_bytes: 1_048_576,
            payload_is_kept: true,
            max_results: 200,
            default_page: 100,
            cursor_timeout: Duration::from_hours(1),
        }
    }
}

/// What the service can do (RFC 7643 5); what it cannot is answered as the RFC says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one announcement of the service")]
pub(crate) struct Features {
    pub(crate) patch: bool,
    pub(crate) bulk: bool,
    pub(crate) filter: bool,
    pub(crate) sort: bool,
    pub(crate) etag: bool,
    pub(crate) change_password: bool,
    /// Paging by `startIndex`.
    pub(crate) index_paging: bool,
    /// Paging by `cursor` (RFC 9865).
    pub(crate) cursor_paging: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            patch: true,
            bulk: true,
            filter: true,
            sort: true,
            etag: true,
            change_password: true,
            index_paging: true,
            cursor_paging: true,
        }
    }
}

/// A product as data. [`strict`](super::strict::profile) is the one of the RFCs.
pub(crate) struct Profile {
    /// Paths under which the service answers, without a slash at the end. The first is the one of the ready line.
    pub(crate) bases: Vec<String>,
    /// Paths of the token endpoint. The first is the one of the ready line.
    pub(crate) token_paths: Vec<String>,
    /// Where users are linked to identities elsewhere, if the product has that; for the ready line only.
    pub(crate) association_path: Option<String>,
    /// The organisation's name or handle, for the ready line only.
    pub(crate) organization: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) features: Features,
    pub(crate) catalogue: Catalogue,
    /// How many requests are let through, before a scenario changes it.
    pub(crate) quota: Vec<Rule>,
    /// Everything that a token may be asked for. A token request without `scope` gets all of them.
    pub(crate) scopes: Vec<String>,
    /// The quirks that a scenario may turn on.
    pub(crate) quirks: Vec<&'static Quirk>,
    /// Milliseconds until a change shows in reads when nobody says.
    pub(crate) read_delay_ms: u64,
    /// How strictly bodies are taken.
    pub(crate) leniency: Leniency,
    pub(crate) product: Box<dyn Product>,
}
