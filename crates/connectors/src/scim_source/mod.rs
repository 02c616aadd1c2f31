//! Every SCIM 2.0 service as a source (RFC 7643, RFC 7644, RFC 9865), and what `wso2-is` shares with it.
//!
//! Start at `source.rs`: it walks over `/Users` page by page and never trusts what a service says of its pages. `record.rs`
//! makes an account of a user (pure), `names.rs` says under which name an extension's attribute is kept, `members.rs` reads
//! groups by their members, `walk.rs` is where a walk stands. The connection, pages and what servers write in many ways
//! are those of the target (`crate::scim`).

mod config;
mod failure;
mod members;
mod names;
pub mod outside;
mod record;
mod source;
mod walk;

use sterna_core::{
    code::Finding,
    port::Source,
    registry::{self, Context},
    settings::{Kind as Takes, Need, Setting, Values},
    support::{Gives, SourceSupport},
};

pub(crate) use config::{Federated, SourceConfig};
pub(crate) use source::ScimSource;

use crate::http::access::access_settings;

macro_rules! shared {
    ($constant:ident, $name:literal, $kind:expr, $need:expr, $doc:literal) => {
        #[doc = concat!("`", $name, "`.")]
        pub(crate) const $constant: Setting = Setting { name: $name, kind: $kind, need: $need, doc: $doc };
    };
}

shared!(
    FILTER,
    "filter",
    Takes::Text,
    Need::Optional,
    "A filter in SCIM's own words: only those people are read. Whether it is kept to is the service's matter."
);
shared!(
    ATTRIBUTES,
    "attributes",
    Takes::Texts,
    Need::Optional,
    "The only attributes to ask for, besides id and userName; left out, everything that the service gives."
);
shared!(
    GROUPS,
    "groups",
    Takes::Choice(&["from-users", "from-groups", "leave-out"]),
    Need::Default("\"from-users\""),
    "Where memberships are read: in users, or in the members of /Groups, groups within groups included; or not at all."
);
shared!(
    KEY,
    "key",
    Takes::Choice(&["id", "externalId", "userName"]),
    Need::Default("\"id\""),
    "What of a user is the record's own immutable id."
);
shared!(
    REQUEST_TIMEOUT,
    "request_timeout_secs",
    Takes::Integer(1, 3_600),
    Need::Default("60"),
    "How long one request may take."
);
shared!(
    MAX_MEMBERSHIPS,
    "max_memberships",
    Takes::Integer(1, 100_000_000),
    Need::Default("5000000"),
    "Most memberships that are held in memory with groups = \"from-groups\"."
);

shared!(
    TOTALS,
    "totals",
    Takes::Choice(&["kept-to", "ignored"]),
    Need::Default("\"kept-to\""),
    "What it means when fewer people come than the service says that it has: that somebody is missing, or nothing."
);

/// The settings of `connector = "scim"`.
const SETTINGS: &[Setting] = access_settings![
    Setting {
        name: "url",
        kind: Takes::Url,
        need: Need::Required,
        doc: "The base of the service, to which /Users is added: https://host/scim/v2.",
    },
    Setting {
        name: "page_size",
        kind: Takes::Integer(1, 1_000),
        need: Need::Default("100"),
        doc: "People to ask for at once; services may give fewer.",
    },
    FILTER,
    ATTRIBUTES,
    GROUPS,
    KEY,
    MAX_MEMBERSHIPS,
    TOTALS,
    REQUEST_TIMEOUT,
];

/// The kind in the registry.
pub struct Kind;

impl registry::SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "scim"
    }

    fn title(&self) -> &'static str {
        "any SCIM 2.0 service"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "url = \"https://id.example.org/scim/v2\"\n\
         token = { env = \"SCIM_TOKEN\" }              # or username and password, or client_id, client_secret and token_url\n\
         # groups = \"from-groups\"                   # where users do not name their groups\n\
         # filter = \"active eq true\"\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport { gives: &[Gives::Groups, Gives::Roles], tested_with: &["scim2-server", "SCIMMY"] })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        Ok(Box::new(ScimSource::new(SourceConfig::plain(values)?, context.clone())))
    }
}
