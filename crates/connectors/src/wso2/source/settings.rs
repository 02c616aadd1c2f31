//! The settings of the source `wso2-is`, read.

use serde_json::Value;
use sterna_core::{
    code::{Code, Finding},
    registry::Context,
    settings::{Kind, Need, Setting, Values},
};

use super::{reading::SUPER_TENANT_NAME, tables::Case};
use crate::{
    http::access::{self, Known},
    scim::{Places, Product, places},
    scim_source::{self, Federated, SourceConfig},
    sql::{CONNECTION, Connection, Engine},
    text::COLUMN_RULES,
};

/// The primary user store.
pub(super) const PRIMARY: &str = "PRIMARY";

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Setting {
    Setting { name, kind, need: Need::Optional, doc }
}

/// The settings of `connector = "wso2-is"`.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "via",
        kind: Kind::Choice(&["database", "scim"]),
        need: Need::Required,
        doc: "database: the product's own tables, which hold password hashes; scim: its interface, without them.",
    },
    Setting {
        name: "url",
        kind: Kind::Text,
        need: Need::Required,
        doc: "database: the user store's, postgres://USER@HOST:PORT/DATABASE or mysql://USER@HOST:PORT/DATABASE, without \
              the password. scim: the server's root, https://HOST:9443.",
    },
    optional("password", Kind::Secret, "The password of the database user, or with `username` that of HTTP Basic."),
    CONNECTION[4],
    Setting {
        name: "tenant",
        kind: Kind::Text,
        need: Need::Default("\"carbon.super\""),
        doc: "The tenant's domain name; the default is the super tenant.",
    },
    optional(
        "user_store",
        Kind::Text,
        "The domain of the user store that is read; one source for each store. Left out: database: PRIMARY; scim: all.",
    ),
    optional("page_size", Kind::Integer(1, 1_000), "People of one page. Left out: database: 500; scim: 100."),
    // via = "database"
    CONNECTION[3],
    CONNECTION[5],
    optional("tenant_id", Kind::Integer(-1_234, 2_147_483_647), "The tenant's number, where UM_TENANT cannot be read."),
    optional(
        "shared_url",
        Kind::Text,
        "The shared database (UM_TENANT, UM_DOMAIN, UM_HYBRID_*), where that is another one than `url`.",
    ),
    optional("shared_password", Kind::Secret, "Its password, where that is another one than `password`."),
    optional(
        "identity_url",
        Kind::Text,
        "The identity database (IDN_IDENTITY_USER_DATA, IDN_ASSOCIATED_ID, IDP), where that is another one than `url`.",
    ),
    optional("identity_password", Kind::Secret, "Its password, where that is another one than `password`."),
    optional(
        "password_digest",
        Kind::Text,
        "As in deployment.toml: a digest's name, PBKDF2, BCRYPT or PLAIN_TEXT. Left out: SHA-256.",
    ),
    optional(
        "store_salted_password",
        Kind::Flag,
        "As in the store's properties (StoreSaltedPassword); for digests only. Left out: true.",
    ),
    optional(
        "hash_algorithm_properties",
        Kind::Text,
        "As in deployment.toml, for PBKDF2: \"{pbkdf2.iteration.count:10000,pbkdf2.dkLength:256,\
         pbkdf2.prf:PBKDF2WithHmacSHA256}\", which is also the default.",
    ),
    optional(
        "earlier_digests",
        Kind::Texts,
        "What `password_digest` was set to before, where rows of that time are still there: \"SHA-1\", \"SHA-256 unsalted\", \
         \"PBKDF2 {pbkdf2.iteration.count:5000}\". They are tried in this order.",
    ),
    optional(
        "columns",
        Kind::TextTable,
        "Account attribute = attribute of the user store, or identity claim by its last name; wins over what the product's \
         claim dialect says (docs/wso2-source.md).",
    ),
    COLUMN_RULES[0],
    COLUMN_RULES[1],
    optional(
        "multi_attribute_separator",
        Kind::Text,
        "As in the store's properties (MultiAttributeSeparator): what stands between several values in one. Left out: a comma.",
    ),
    optional(
        "case_sensitive_names",
        Kind::Flag,
        "Whether user names that differ in case only are different people (CaseInsensitiveUsername = false). Left out: false.",
    ),
    // via = "scim"
    optional(
        "child_organization",
        Kind::Flag,
        "scim: the users of the organisation that the token was made for, below /o.",
    ),
    optional(
        "federated",
        Kind::Flag,
        "scim: read identities at other providers too, one request for each person. Left out: false.",
    ),
    scim_source::FILTER,
    scim_source::ATTRIBUTES,
    scim_source::GROUPS,
    scim_source::MAX_MEMBERSHIPS,
    scim_source::TOTALS,
    scim_source::REQUEST_TIMEOUT,
    access::TOKEN,
    access::USERNAME,
    access::CLIENT_ID,
    access::CLIENT_SECRET,
    access::TOKEN_URL,
    access::CLIENT_AUTH,
    access::SCOPE,
];

/// Settings of the tables alone that have no default.
const OF_TABLES: &[&str] = &[
    "tenant_id",
    "shared_url",
    "shared_password",
    "identity_url",
    "identity_password",
    "password_digest",
    "store_salted_password",
    "hash_algorithm_properties",
    "earlier_digests",
    "columns",
    "sign_in",
    "ignore",
    "multi_attribute_separator",
    "case_sensitive_names",
];

/// Settings of the interface alone that have no default.
const OF_SCIM: &[&str] = &[
    "child_organization",
    "federated",
    "filter",
    "attributes",
    "token",
    "username",
    "client_id",
    "client_secret",
    "token_url",
    "scope",
];

/// A finding for each setting that belongs to the other way.
pub(super) fn strangers(values: &Values, via_scim: bool) -> Vec<Finding> {
    let (strange, own) = if via_scim { (OF_TABLES, "scim") } else { (OF_SCIM, "database") };
    let given = strange.iter().filter(|name| values.get(name).is_some());
    given
        .map(|name| {
            let finding = Finding::error(Code::E1005, format!("`{name}` means nothing with via = \"{own}\""));
            finding.hint("take it out, or set `via` to the other way")
        })
        .collect()
}

/// The scopes that reading needs (wso2-scim.md 2.2).
const SCOPES: &str = "internal_user_mgt_list internal_user_mgt_view internal_group_mgt_view internal_role_mgt_view \
                      internal_user_association_view";

/// The same in an organisation.
const ORG_SCOPES: &str = "internal_org_user_mgt_list internal_org_user_mgt_view internal_org_group_mgt_view \
                          internal_org_role_mgt_view internal_org_user_association_view";

/// The configuration over SCIM.
///
/// # Errors
/// Every finding about values that do not fit together.
pub(super) fn over_scim(values: &Values) -> Result<SourceConfig, Vec<Finding>> {
    let Places { base, associations, token_url, .. } = places(Product::Wso2Is, values)?;
    let scope = if values.flag("child_organization") == Some(true) { ORG_SCOPES } else { SCOPES };
    let known = Known { token_url: token_url.as_deref(), scope: Some(scope) };
    let mut config = SourceConfig::at(values, base, known)?;
    config.domain = values.text("user_store").map(str::to_owned);
    config.strips_store = true;
    if let Some(base) = associations.filter(|_| values.flag("federated") == Some(true)) {
        config.federated = Federated::Below(base);
    }
    Ok(config)
}

/// Where in the product's tables the people are.
#[derive(Clone, Debug)]
pub(super) struct Where {
    pub(super) tenant: String,
    pub(super) tenant_id: Option<i64>,
    /// The store's domain.
    pub(super) store: String,
    pub(super) case: Case,
}

impl Where {
    /// Reads the settings.
    pub(super) fn new(values: &Values) -> Self {
        let case = if values.flag("case_sensitive_names") == Some(true) { Case::Sensitive } else { Case::Insensitive };
        Self {
            tenant: values.text("tenant").unwrap_or(SUPER_TENANT_NAME).to_owned(),
            tenant_id: values.get("tenant_id").and_then(Value::as_i64),
            store: values.text("user_store").unwrap_or(PRIMARY).to_owned(),
            case,
        }
    }

    /// Whether it is the primary store.
    pub(super) fn is_primary(&self) -> bool {
        self.store.eq_ignore_ascii_case(PRIMARY)
    }
}

/// The product's databases.
pub(super) struct Databases {
    pub(super) users: Connection,
    pub(super) shared: Option<Connection>,
    pub(super) identity: Option<Connection>,
}

impl Databases {
    /// Reads the settings.
    ///
    /// # Errors
    /// Findings about the URLs.
    pub(super) fn new(values: &Values, context: &Context) -> Result<Self, Vec<Finding>> {
        let other = |home: &str| {
            let url = values.get(&format!("{home}_url"))?;
            let with = values.clone().with("url", url.clone());
            Some(match values.get(&format!("{home}_password")) {
                Some(password) => with.with("password", password.clone()),
                None => with,
            })
        };
        let connect = |values: &Values, setting: &str| {
            let connection = Connection::new(values, context)?;
            if connection.engine == Engine::Sqlite {
                let text = format!("`{setting}` must begin with postgres:// or mysql://");
                return Err(vec![Finding::error(Code::E1005, text)]);
            }
            Ok(connection)
        };
        let connect_other = |home: &str| other(home).map(|values| connect(&values, &format!("{home}_url"))).transpose();
        match (connect(values, "url"), connect_other("shared"), connect_other("identity")) {
            (Ok(users), Ok(shared), Ok(identity)) => Ok(Self { users, shared, identity }),
            (users, shared, identity) => {
                Err([users.err(), shared.err(), identity.err()].into_iter().flatten().flatten().collect())
            }
        }
    }

    /// A warning for each open line to another machine.
    pub(super) fn open_lines(&self) -> Vec<Finding> {
        let others = [&self.shared, &self.identity].into_iter().flatten();
        std::iter::once(&self.users).chain(others).filter_map(Connection::open_line).collect()
    }
}
