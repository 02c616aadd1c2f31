//! What a source over SCIM runs on.

use std::{path::PathBuf, time::Duration};

use sterna_core::{code::Finding, settings::Values};

use crate::{
    http::access::{AccessConfig, Known},
    scim::{Product, Totals, places},
};

/// What a source runs on.
#[derive(Clone, Debug)]
pub(crate) struct SourceConfig {
    /// What `/Users` is added to; no slash at the end.
    pub(crate) base: String,
    /// How to get in.
    pub(crate) access: AccessConfig,
    /// More authorities to trust.
    pub(crate) ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// People to ask for at once.
    pub(crate) page_size: u64,
    /// Which people.
    pub(crate) filter: Option<String>,
    /// Which attributes; empty: all.
    pub(crate) attributes: Vec<String>,
    /// The user store, where the product has several (WSO2's parameter `domain`).
    pub(crate) domain: Option<String>,
    /// Whether names may stand behind a store and a slash.
    pub(crate) strips_store: bool,
    /// Where memberships are read.
    pub(crate) groups: MembersFrom,
    /// The member of a user that is the key.
    pub(crate) key: &'static str,
    /// Most memberships that are held.
    pub(crate) max_memberships: usize,
    /// Whether everybody has come when fewer came than the service says that there are.
    pub(crate) totals: Totals,
    /// Where each person's identities at other providers are read.
    pub(crate) federated: Federated,
}

/// Where memberships are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MembersFrom {
    /// In users.
    Users,
    /// In the members of groups.
    Groups,
    /// Nowhere.
    Nowhere,
}

/// Where each person's identities at other providers are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Federated {
    /// Nowhere.
    Nowhere,
    /// Below this address, one request for each person (wso2-scim.md 6.1).
    Below(String),
}

impl SourceConfig {
    /// The configuration of a plain service.
    ///
    /// # Errors
    /// Every finding about values that do not fit together.
    pub(crate) fn plain(values: &Values) -> Result<Self, Vec<Finding>> {
        let base = places(Product::Scim, values)?.base;
        Self::at(values, base, Known::default())
    }

    /// The configuration of a service whose base is known.
    ///
    /// # Errors
    /// Every finding about values that do not fit together.
    pub(crate) fn at(values: &Values, base: String, known: Known<'_>) -> Result<Self, Vec<Finding>> {
        let count = |name: &str, default: u64| values.count(name).unwrap_or(default);
        Ok(Self {
            base,
            access: AccessConfig::new(values, known)?,
            ca_file: values.text("ca_file").map(PathBuf::from),
            timeout: Duration::from_secs(count("request_timeout_secs", 60)),
            page_size: count("page_size", 100),
            filter: values.text("filter").map(str::to_owned),
            attributes: values.texts("attributes"),
            domain: None,
            strips_store: false,
            groups: match values.text("groups") {
                Some("from-groups") => MembersFrom::Groups,
                Some("leave-out") => MembersFrom::Nowhere,
                _ => MembersFrom::Users,
            },
            key: match values.text("key") {
                Some("externalId") => "externalId",
                Some("userName") => "userName",
                _ => "id",
            },
            max_memberships: usize::try_from(count("max_memberships", 5_000_000)).unwrap_or(usize::MAX),
            totals: if values.text("totals") == Some("ignored") { Totals::Doubted } else { Totals::Believed },
            federated: Federated::Nowhere,
        })
    }
}
