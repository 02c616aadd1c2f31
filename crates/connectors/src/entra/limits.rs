//! Numbers of Microsoft Graph and of the directory behind it, each with its unit, its source and its date.
//!
//! "entra.md N" is the section of the protocol reference that quotes the page named there.

use std::time::Duration;

/// Writes one application may send to one tenant: 3,000 in any 150 s, so 20 a second in the long run.
///
/// Unit: write requests; a create counts one, a read none, and a batch as many as it holds.
/// Source: Graph throttling limits, "Identity and access", read 2026-08-20 (entra.md 5). Reply headers win over it.
pub(super) const APP_WRITES_PER_SECOND: f64 = 20.0;

/// Writes all applications together may send to one tenant: 18,000 in any 300 s (entra.md 5, read 2026-08-20).
pub(super) const TENANT_WRITES_PER_SECOND: f64 = 60.0;

/// The window over which an application's writes are counted (entra.md 5, read 2026-08-20).
pub(super) const APP_WINDOW_SECS: u64 = 150;

/// Most requests in one `$batch` (entra.md 5, "Batch", read 2026-08-20).
pub(super) const BATCH: usize = 20;

/// Most entries on one page of users (entra.md 4.8, read 2026-08-20).
pub(super) const PAGE: u64 = 999;

/// Most entries on a page that selects `signInActivity`; larger pages are refused.
///
/// Not in the reference: the Graph page "List users" gave 120 when `signInActivity` came; smaller pages are always
/// allowed, so this can only cost requests.
pub(super) const PAGE_WITH_ACTIVITY: u64 = 120;

/// Longest answer that is read, in bytes, after decompression. A page of 999 users with 100 extension values of 256
/// characters would be larger; ordinary ones take about 1 MiB.
pub(super) const BODY_BYTES: usize = 16 * 1024 * 1024;

/// How long a client assertion is valid (entra.md 6: five to ten minutes).
pub(super) const ASSERTION_VALID: Duration = Duration::from_mins(9);

/// How long an attribute that was just made may be "not available" on writes (entra.md 3.1: seconds to minutes).
pub(super) const PROPAGATION: Duration = Duration::from_mins(10);

/// How long to wait before a write that an attribute held up is sent again.
pub(super) const PROPAGATION_WAIT: Duration = Duration::from_secs(5);

/// Most pages of a small list (applications, extension properties, role members) that are read.
pub(super) const LIST_PAGES: usize = 50;

/// Most identities of an account (entra.md 4.2; stated for Azure AD B2C, applied to both kinds).
pub(super) const IDENTITIES: usize = 10;

/// Longest issuer of an identity, in characters (entra.md 4.2).
pub(super) const ISSUER: usize = 512;

/// Longest user name, in characters (entra.md 4.2).
pub(super) const USER_NAME: usize = 64;

/// Longest domain part of a user principal name, in characters (entra.md 4.4).
pub(super) const UPN_DOMAIN: usize = 48;

/// Longest e-mail address, in characters: RFC 5321 4.5.3.1.3 leaves 254 for an address in a path of 256.
pub(super) const EMAIL: usize = 254;

/// Longest text of an extension attribute, in characters: entra.md 4.4 gives 256 for Graph, 250 for External ID's
/// own page (1.7). The smaller one holds for both.
pub(super) const EXTENSION_TEXT: usize = 250;

/// Most extension attributes on one object, over all applications (entra.md 4.4).
pub(super) const EXTENSIONS: usize = 100;

/// How far this machine's clock may differ from the service's before it is told.
pub(super) const CLOCK_SKEW: Duration = Duration::from_mins(1);
