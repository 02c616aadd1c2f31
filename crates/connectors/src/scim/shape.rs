//! What drafting depends on: settings and what the server says of itself, together.

use std::collections::BTreeMap;

use sterna_core::password::policy::PasswordPolicy;

use super::{
    config::{GroupUse, ResetUse, TargetConfig},
    dialect::{Dialect, UserNames},
    schema::{Schemas, WSO2_CUSTOM},
};

/// The draft's attribute with the names of groups.
pub(super) const GROUPS: &str = "groups";
/// The draft's attribute with the names of roles.
pub(super) const ROLES: &str = "roles";
/// Types of e-mail addresses after the main one (RFC 7643 4.1.2; WSO2 keeps one of each).
pub(super) const ADDRESS_TYPES: &[&str] = &["home", "work", "other"];
/// The user names of people who sign in elsewhere only end with this where they have to be addresses: no mail goes there (RFC
/// 2606 2).
pub(super) const NO_MAIL: &str = "@federated.invalid";

/// What drafting depends on.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// What the product makes of the protocol.
    pub(super) dialect: Dialect,
    /// What a user can hold.
    pub(super) schemas: Schemas,
    /// What user names have to look like.
    pub(super) user_names: UserNames,
    /// The user store that goes before user names.
    pub(super) user_store: Option<String>,
    /// The password policy.
    pub(super) policy: PasswordPolicy,
    /// What becomes of groups.
    pub(super) groups: GroupUse,
    /// Whether roles are given.
    pub(super) roles: bool,
    /// Whether nobody can have signed in yet.
    pub(super) nobody_signs_in: bool,
    /// Full path of the flag attribute, where one is there.
    pub(super) flag: Option<String>,
    /// What becomes of people without a password.
    pub(super) reset: ResetUse,
    /// Whether identities of other providers are written.
    pub(super) federated: bool,
    /// Connections that are there.
    pub(super) providers: Option<Vec<String>>,
}

impl Shape {
    /// Brings both together.
    pub(super) fn new(config: &TargetConfig, schemas: Schemas) -> Self {
        let mut dialect = config.product.dialect();
        dialect.longest = config.value_length.or(dialect.longest);
        let flag = config.flag.as_ref().and_then(|name| flag_path(config, &schemas, name));
        Self {
            dialect,
            schemas,
            user_names: config.user_names,
            user_store: config.user_store.clone(),
            policy: config.policy.clone(),
            groups: config.groups,
            roles: config.roles,
            nobody_signs_in: config.nobody_signs_in,
            flag,
            reset: config.reset,
            federated: config.associations.is_some(),
            providers: config.providers.clone(),
        }
    }

    /// The user name as it is sent: with the store before it where that is not the main one (wso2-scim.md 2.5).
    pub(super) fn sent_user_name(&self, name: &str) -> String {
        self.user_store.as_ref().map_or_else(|| name.to_owned(), |store| format!("{store}/{name}"))
    }

    /// The user name without the store that a product puts before it.
    pub(super) fn bare_user_name<'n>(&self, name: &'n str) -> &'n str {
        let known = |store: &str| {
            let chosen = self.user_store.as_deref().or(self.dialect.store);
            self.dialect.store.is_some()
                && (chosen.is_some_and(|known| known.eq_ignore_ascii_case(store)) || is_store(store))
        };
        name.split_once('/').filter(|(store, _)| known(store)).map_or(name, |(_, bare)| bare)
    }

    /// What drafts go by, for the plan.
    pub(super) fn fingerprint(&self) -> BTreeMap<String, String> {
        let parts = [
            ("user_names", format!("{:?}", self.user_names)),
            ("user_store", self.user_store.clone().unwrap_or_default()),
            ("groups", format!("{:?}", self.groups)),
            ("roles", self.roles.to_string()),
            ("flag_attribute", self.flag.clone().unwrap_or_default()),
            ("reset", format!("{:?}", self.reset)),
            ("federated", self.federated.to_string()),
            ("value_length", format!("{:?}", self.dialect.longest)),
            ("extensions", self.schemas.extensions().join(", ")),
        ];
        parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Stores are written in capitals (wso2-scim.md 2.5), which no part of an ordinary user name before a slash is.
fn is_store(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_.".contains(c))
}

fn flag_path(config: &TargetConfig, schemas: &Schemas, name: &str) -> Option<String> {
    if let Some(urn) = &config.custom_schema {
        return Some(format!("{urn}:{name}"));
    }
    if let Some((urn, attribute)) = schemas.find(name) {
        return Some(format!("{urn}:{}", attribute.name));
    }
    // where the server describes nothing the shipped default is the best that can be had
    (!schemas.are_known()).then(|| format!("{WSO2_CUSTOM}:{name}"))
}
