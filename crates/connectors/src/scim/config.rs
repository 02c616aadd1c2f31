//! The values that these targets run on, made from checked settings (`settings.rs`).

use std::{path::PathBuf, time::Duration};

use sterna_core::{
    code::{Code, Finding},
    pace::Quota,
    password::policy::PasswordPolicy,
    settings::Values,
};

use super::dialect::{Product, UserNames};
use crate::http::access::{AccessConfig, Known};

/// What a target runs on.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    /// Which product.
    pub(crate) product: Product,
    /// What the tenant or service is called in findings and plans.
    pub(crate) name: String,
    /// What `/Users`, `/Groups` and `/Bulk` are added to; no slash at the end.
    pub(crate) base: String,
    /// What `/{user}/federated-associations` is added to (wso2-scim.md 6).
    pub(crate) associations: Option<String>,
    /// How to get in.
    pub(crate) access: AccessConfig,
    /// More authorities to trust.
    pub(crate) ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// How long a look-up may miss things.
    pub(crate) settling: Duration,
    /// Whether accounts go by Bulk.
    pub(crate) bulk: BulkUse,
    /// Accounts in one batch.
    pub(crate) batch: usize,
    /// Most bytes in one Bulk request.
    pub(crate) max_payload: Option<usize>,
    /// Batches under way at once.
    pub(crate) concurrency: usize,
    /// How much may be written.
    pub(crate) quota: Quota,
    /// What user names have to look like.
    pub(crate) user_names: UserNames,
    /// The user store to write to, where it is not the main one.
    pub(crate) user_store: Option<String>,
    /// The password policy.
    pub(crate) policy: PasswordPolicy,
    /// What becomes of groups.
    pub(crate) groups: GroupUse,
    /// Whether roles are given.
    pub(crate) roles: bool,
    /// Whether nobody can have signed in yet.
    pub(crate) nobody_signs_in: bool,
    /// Longest value in characters, where it is not the product's own.
    pub(crate) value_length: Option<usize>,
    /// Bare name of the flag attribute.
    pub(crate) flag: Option<String>,
    /// The schema of custom attributes, where it is not asked for.
    pub(crate) custom_schema: Option<String>,
    /// What becomes of people without a password.
    pub(crate) reset: ResetUse,
    /// How identities of other providers are written.
    pub(crate) federated: FederatedUse,
    /// Connections that are there; `None` when the settings say nothing of it.
    pub(crate) providers: Option<Vec<String>>,
}

/// Whether accounts go by Bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BulkUse {
    /// Where it is announced.
    Auto,
    /// Whatever is announced.
    On,
    /// Never.
    Off,
}

/// What becomes of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupUse {
    /// They are left out and named.
    LeaveOut,
    /// Memberships in groups that are there.
    Existing,
    /// Missing ones are made.
    Create,
}

/// What becomes of people without a password (wso2-scim.md 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetUse {
    /// A random password, and nothing more.
    Random,
    /// `askPassword`.
    Invite,
    /// `forcePasswordReset`, after the account was made.
    Force,
}

/// How identities of other providers are written (wso2-scim.md 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FederatedUse {
    /// By the bulk call; one by one where there is none.
    Auto,
    /// By the bulk call.
    Bulk,
    /// One by one.
    Single,
    /// Not at all.
    None,
}

/// Where the endpoints of a product are.
pub(crate) struct Places {
    /// What the tenant or service is called.
    pub(crate) name: String,
    /// What `/Users` is added to.
    pub(crate) base: String,
    /// What `/{user}/federated-associations` is added to.
    pub(crate) associations: Option<String>,
    /// Its token endpoint.
    pub(crate) token_url: Option<String>,
}

impl TargetConfig {
    /// Makes the configuration from checked values.
    ///
    /// # Errors
    /// Every finding about values that do not fit together.
    pub fn new(product: Product, values: &Values) -> Result<Self, Vec<Finding>> {
        let dialect = product.dialect();
        let places = places(product, values)?;
        let federated = federated(values, dialect.has_federated);
        let known = Known { token_url: places.token_url.as_deref(), scope: scopes(product, values) };
        let access = AccessConfig::new(values, known)?;
        let seconds = |name: &str, default: Duration| values.count(name).map_or(default, Duration::from_secs);
        let per_second = values.number("writes_per_second").unwrap_or(dialect.writes_per_second);
        let quota = Quota {
            lanes: 1,
            per_lane: per_second,
            overall: per_second,
            share: values.number("write_share").unwrap_or(1.0),
            window: seconds("quota_window_secs", Duration::from_mins(1)),
        };
        Ok(Self {
            product,
            name: places.name,
            base: places.base,
            associations: places.associations.filter(|_| federated != FederatedUse::None),
            access,
            ca_file: values.text("ca_file").map(PathBuf::from),
            timeout: seconds("request_timeout_secs", Duration::from_mins(1)),
            settling: seconds("settling_secs", dialect.settling),
            bulk: match values.text("bulk") {
                Some("on") => BulkUse::On,
                Some("off") => BulkUse::Off,
                _ => BulkUse::Auto,
            },
            batch: size(values, "batch_size").unwrap_or(dialect.batch),
            max_payload: size(values, "max_payload"),
            concurrency: size(values, "concurrency").unwrap_or(dialect.concurrency),
            quota,
            user_names: match values.text("user_names") {
                Some("store") => UserNames::Store,
                Some("email") => UserNames::Email,
                Some("any") => UserNames::Any,
                _ => dialect.user_names,
            },
            user_store: values.text("user_store").map(str::to_owned),
            policy: policy(values, dialect.policy)?,
            groups: match values.text("groups") {
                Some("existing") => GroupUse::Existing,
                Some("create") => GroupUse::Create,
                _ => GroupUse::LeaveOut,
            },
            roles: dialect.has_roles && values.text("roles") == Some("existing"),
            nobody_signs_in: values.text("sign_ins") == Some("none"),
            value_length: size(values, "value_length"),
            flag: dialect.flag.map(|default| values.text("flag_attribute").unwrap_or(default).to_owned()),
            custom_schema: values.text("custom_schema").map(str::to_owned),
            reset: match values.text("reset") {
                Some("invite") => ResetUse::Invite,
                Some("force") => ResetUse::Force,
                _ => ResetUse::Random,
            },
            federated,
            providers: values.get("providers").map(|_| values.texts("providers")),
        })
    }
}

fn size(values: &Values, name: &str) -> Option<usize> {
    values.count(name).and_then(|count| usize::try_from(count).ok())
}

fn federated(values: &Values, has: bool) -> FederatedUse {
    match values.text("federated") {
        _ if !has => FederatedUse::None,
        Some("bulk") => FederatedUse::Bulk,
        Some("single") => FederatedUse::Single,
        Some("none") => FederatedUse::None,
        _ => FederatedUse::Auto,
    }
}

fn policy(values: &Values, default: fn() -> PasswordPolicy) -> Result<PasswordPolicy, Vec<Finding>> {
    let policy = values.text("password_policy").and_then(PasswordPolicy::named).unwrap_or_else(default);
    let Some(pattern) = values.text("password_pattern") else { return Ok(policy) };
    let refuse = |_| vec![Finding::error(Code::E1005, "`password_pattern` is no regular expression, or too long")];
    policy.with_pattern(pattern).map_err(refuse)
}

/// Where things are (wso2-scim.md 2.1, 2.2, 6).
///
/// # Errors
/// Findings about the address and the tenant.
pub(crate) fn places(product: Product, values: &Values) -> Result<Places, Vec<Finding>> {
    let url = values.text("url").unwrap_or("https://api.asgardeo.io");
    let parsed = url::Url::parse(url).map_err(|_| vec![Finding::error(Code::E1005, "`url` is no address")])?;
    if !matches!(parsed.scheme(), "https" | "http") {
        let message = format!("`url` starts with {}:, and a service's address with https:", parsed.scheme());
        return Err(vec![Finding::error(Code::E1005, message)]);
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        let finding = Finding::error(Code::E1005, "`url` ends with a path, without ? and #");
        return Err(vec![finding.hint("paths such as /Users are added to it")]);
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let finding = Finding::error(Code::E1007, "`url` holds a name or a password");
        return Err(vec![finding.hint("use `username` and `password = { env = \"NAME\" }`")]);
    }
    if let Some(open) = crate::checks::web::open_line(&parsed) {
        return Err(vec![open]);
    }
    let root = url.trim_end_matches('/');
    let tenant = match product {
        Product::Scim => {
            let name = root.split_once("://").map_or(root, |(_, rest)| rest).to_owned();
            return Ok(Places { name, base: root.to_owned(), associations: None, token_url: None });
        }
        Product::Wso2Is => values.text("tenant").filter(|tenant| *tenant != "carbon.super"),
        Product::Asgardeo => values.text("organization"),
    };
    if let Some(tenant) =
        tenant.filter(|tenant| tenant.contains(['/', '?', '#', '%']) || tenant.contains(char::is_whitespace))
    {
        let message = format!("\"{}\" is no name of a tenant", tenant.escape_debug());
        return Err(vec![Finding::error(Code::E1005, message).hint("give what stands after /t/ in its addresses")]);
    }
    let tenanted = tenant.map_or_else(|| root.to_owned(), |tenant| format!("{root}/t/{tenant}"));
    let below =
        if values.flag("child_organization") == Some(true) { format!("{tenanted}/o") } else { tenanted.clone() };
    let associations = match (product, tenant) {
        // the reference gives the address with a tenant only; the super tenant has one too (wso2-scim.md 6)
        (Product::Wso2Is, None) if below == tenanted => format!("{root}/t/carbon.super/api/users/v1"),
        _ => format!("{below}/api/users/v1"),
    };
    Ok(Places {
        name: tenant.unwrap_or("carbon.super").to_owned(),
        base: format!("{below}/scim2"),
        associations: Some(associations),
        token_url: Some(format!("{tenanted}/oauth2/token")),
    })
}

/// The scopes that a migration needs (wso2-scim.md 2.2).
fn scopes(product: Product, values: &Values) -> Option<&'static str> {
    match product {
        Product::Scim => None,
        Product::Wso2Is | Product::Asgardeo if values.flag("child_organization") == Some(true) => Some(ORG_SCOPES),
        Product::Wso2Is | Product::Asgardeo => Some(SCOPES),
    }
}

const SCOPES: &str = "internal_user_mgt_list internal_user_mgt_view internal_user_mgt_create internal_user_mgt_update internal_user_mgt_delete internal_group_mgt_view internal_group_mgt_create internal_group_mgt_update internal_group_mgt_delete internal_role_mgt_view internal_role_mgt_update internal_bulk_resource_create internal_user_association_view internal_user_association_create internal_user_association_delete internal_user_fed_association_bulk";

const ORG_SCOPES: &str = "internal_org_user_mgt_list internal_org_user_mgt_view internal_org_user_mgt_create internal_org_user_mgt_update internal_org_user_mgt_delete internal_org_group_mgt_view internal_org_group_mgt_create internal_org_group_mgt_update internal_org_group_mgt_delete internal_org_role_mgt_view internal_org_role_mgt_update internal_org_bulk_resource_create internal_org_user_association_view internal_org_user_association_create internal_org_user_association_delete internal_org_user_fed_association_bulk";

#[cfg(test)]
mod tests;
