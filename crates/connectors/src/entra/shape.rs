//! What drafts are made by: the tenant's names and rules, learnt when it was connected to.

use std::collections::BTreeMap;

use sterna_core::password::policy::PasswordPolicy;

use super::config::{EmailSignIn, Product};

/// The tenant's names and rules.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Which product.
    pub(super) product: Product,
    /// Domain of user principal names.
    pub(super) upn_domain: String,
    /// `extension_{app id without hyphens}_`.
    pub(super) prefix: String,
    /// Bare name of the flag.
    pub(super) flag: String,
    /// Bare name of the attribute that holds our key.
    pub(super) legacy_id: String,
    /// Extension attributes that are there or will be made: bare name and data type.
    pub(super) extensions: BTreeMap<String, String>,
    /// Identity providers, where known.
    pub(super) providers: Option<Vec<String>>,
    /// Issuers whose people must link again.
    pub(super) relink_issuers: Vec<String>,
    /// When an address becomes a sign-in name.
    pub(super) email_sign_in: EmailSignIn,
    /// What a password must be.
    pub(super) policy: PasswordPolicy,
    /// Whether accounts are made with `DisableStrongPassword`.
    pub(super) disable_strong_password: bool,
}

impl Shape {
    /// The full name of an extension attribute.
    pub(super) fn full_name(&self, bare: &str) -> String {
        format!("{}{bare}", self.prefix)
    }

    /// The bare name of an extension attribute of the tenant's application.
    pub(super) fn bare_name<'n>(&self, full: &'n str) -> Option<&'n str> {
        full.strip_prefix(self.prefix.as_str())
    }

    /// Whether the full name is that of an attribute that this connector itself gives.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.bare_name(name).is_some_and(|bare| bare == self.flag || bare == self.legacy_id)
    }

    /// `passwordPolicies` of accounts with a password (entra.md 4.1).
    pub(super) fn password_policies(&self) -> &'static str {
        if self.disable_strong_password {
            "DisablePasswordExpiration, DisableStrongPassword"
        } else {
            "DisablePasswordExpiration"
        }
    }
}
