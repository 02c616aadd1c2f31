//! The tables of a scenario file but its faults.

use std::time::Duration;

use serde::Deserialize;

use crate::scim::profile::{Features, Limits};

/// `[access]`: who may come in. What is left out is made up at the start and stands in the ready line, but for the
/// password: without one nobody comes in by name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessSettings {
    /// A bearer token that is good until the end.
    pub token: Option<String>,
    /// Client of the token endpoint.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// What the client may ask for. Default: everything that the product knows.
    pub scopes: Option<Vec<String>>,
    /// Seconds for which a token is good, and its `expires_in`. Default 3,600.
    pub token_lifetime_secs: Option<u64>,
    /// Name for HTTP Basic.
    pub username: Option<String>,
    /// Password for HTTP Basic.
    pub password: Option<String>,
}

/// How `Retry-After` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfterForm {
    /// Whole seconds.
    #[default]
    Seconds,
    /// A date, as HTTP allows too.
    HttpDate,
    /// Not at all.
    Absent,
}

/// `[limits]`: what is left out stays as the product has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitChange {
    /// `bulk.maxOperations`. Default 1,000.
    pub max_operations: Option<usize>,
    /// `bulk.maxPayloadSize`, in bytes. Default 1,048,576.
    pub max_payload_bytes: Option<usize>,
    /// Whether a larger payload is refused, or only announced to be. Default true.
    pub payload_is_kept: Option<bool>,
    /// `filter.maxResults`, and the largest page. Default 200.
    pub max_results: Option<usize>,
    /// Resources of a page when the client does not say. Default 100.
    pub default_page: Option<usize>,
    /// `pagination.cursorTimeout`. Default 3,600.
    pub cursor_timeout_secs: Option<u64>,
}

impl LimitChange {
    pub(crate) fn apply(&self, limits: Limits) -> Limits {
        Limits {
            max_operations: self.max_operations.unwrap_or(limits.max_operations),
            max_payload_bytes: self.max_payload_bytes.unwrap_or(limits.max_payload_bytes),
            payload_is_kept: self.payload_is_kept.unwrap_or(limits.payload_is_kept),
            max_results: self.max_results.unwrap_or(limits.max_results),
            default_page: self.default_page.unwrap_or(limits.default_page),
            cursor_timeout: self.cursor_timeout_secs.map_or(limits.cursor_timeout, Duration::from_secs),
        }
    }
}

/// `[features]`: what is left out stays as the product has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureChange {
    /// `PATCH`
    pub patch: Option<bool>,
    /// `POST /Bulk`
    pub bulk: Option<bool>,
    /// `filter`
    pub filter: Option<bool>,
    /// `sortBy`
    pub sort: Option<bool>,
    /// Entity tags.
    pub etag: Option<bool>,
    /// Whether a password can be set.
    pub change_password: Option<bool>,
    /// Paging by `startIndex`.
    pub index_paging: Option<bool>,
    /// Paging by `cursor`.
    pub cursor_paging: Option<bool>,
}

impl FeatureChange {
    pub(crate) fn apply(&self, features: Features) -> Features {
        Features {
            patch: self.patch.unwrap_or(features.patch),
            bulk: self.bulk.unwrap_or(features.bulk),
            filter: self.filter.unwrap_or(features.filter),
            sort: self.sort.unwrap_or(features.sort),
            etag: self.etag.unwrap_or(features.etag),
            change_password: self.change_password.unwrap_or(features.change_password),
            index_paging: self.index_paging.unwrap_or(features.index_paging),
            cursor_paging: self.cursor_paging.unwrap_or(features.cursor_paging),
        }
    }
}

/// `[[user]]`: a user that is there from the start. It may break the product's rules (old services hold such users): only
/// types and names of attributes are checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSeed {
    /// Its id. Default: made up.
    #[serde(default)]
    pub id: Option<String>,
    /// The attributes, `password` included, as SCIM names them.
    pub attributes: toml::Table,
}

/// `[[group]]`: a group that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSeed {
    /// Its id. Default: made up.
    #[serde(default)]
    pub id: Option<String>,
    /// `displayName`
    pub name: String,
    /// User names of users and names of groups before it.
    #[serde(default)]
    pub members: Vec<String>,
}
