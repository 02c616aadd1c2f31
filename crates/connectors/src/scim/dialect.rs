//! What products make of SCIM 2.0, as data: nothing else in this folder asks which product it talks to.

use std::time::Duration;

use sterna_core::password::policy::PasswordPolicy;

/// Which product is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Any SCIM 2.0 service.
    Scim,
    /// WSO2 Identity Server.
    Wso2Is,
    /// Asgardeo, WSO2's service.
    Asgardeo,
}

/// What a product makes of the protocol.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a product")]
pub(super) struct Dialect {
    /// Its kind in `connector = "…"`.
    pub(super) kind: &'static str,
    /// The name of its main user store, which it may put before user names (wso2-scim.md 2.5).
    pub(super) store: Option<&'static str>,
    /// The rule for user names where the settings do not say.
    pub(super) user_names: UserNames,
    /// The policy for passwords where the settings do not say.
    pub(super) policy: fn() -> PasswordPolicy,
    /// Most operations in one Bulk request, whatever it announces (wso2-scim.md 2.3).
    pub(super) most_operations: usize,
    /// Users in one Bulk request where the settings do not say.
    pub(super) batch: usize,
    /// Requests under way at once where the settings do not say.
    pub(super) concurrency: usize,
    /// Writes per second where the settings do not say.
    pub(super) writes_per_second: f64,
    /// Calls that it takes in any [`Budget::window`], where it has such a limit.
    pub(super) budget: Option<Budget>,
    /// Whether filters may have `or` (wso2-scim.md 2.8).
    pub(super) has_or: bool,
    /// Longest text of an attribute, in characters (wso2-scim.md 2.4).
    pub(super) longest: Option<usize>,
    /// Whether texts, passwords too, lose blanks at their ends (wso2-scim.md 2.4).
    pub(super) trims: bool,
    /// What splits the values of a multi-valued custom attribute where it is stored (wso2-scim.md 2.4).
    pub(super) separator: Option<char>,
    /// Most phone numbers it holds, by their types in order.
    pub(super) phone_types: &'static [&'static str],
    /// The type that postal addresses and further e-mail addresses are written with.
    pub(super) address_type: &'static str,
    /// Whether identities of other providers can be written (wso2-scim.md 6).
    pub(super) has_federated: bool,
    /// Whether roles can be written (wso2-scim.md 2.10).
    pub(super) has_roles: bool,
    /// The attribute that says whose password was moved, where the settings do not say (wso2-scim.md 1.2.1).
    pub(super) flag: Option<&'static str>,
    /// Whether it has the attributes for invitations and forced resets (wso2-scim.md 1.1).
    pub(super) has_resets: bool,
    /// Whether every account has to be made with a password, also one that nobody signs in with by password.
    pub(super) wants_passwords: bool,
    /// Whether changes of extension attributes are written without a path, their schema as a member of the value.
    pub(super) patches_by_value: bool,
    /// Attributes of the product's own that keep somebody from signing in, besides `active`.
    pub(super) locks: &'static [&'static str],
    /// How long after a request's end a look-up may still miss what it did.
    pub(super) settling: Duration,
}

/// A limit on calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Bulk requests.
    pub(super) bulk: u32,
    /// All other requests of SCIM.
    pub(super) others: u32,
    /// The time that both are counted over.
    pub(super) window: Duration,
}

/// What user names have to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserNames {
    /// `^[^\s*?%]{3,50}$`, the rule of WSO2's JDBC stores (wso2-scim.md 2.5).
    Store,
    /// An e-mail address.
    Email,
    /// Anything that is not empty.
    Any,
}

const SCIM: Dialect = Dialect {
    kind: "scim",
    store: None,
    user_names: UserNames::Any,
    policy: PasswordPolicy::generic,
    most_operations: usize::MAX,
    // large: servers take long for each change of a group, the longer the more members it has
    batch: 500,
    concurrency: 4,
    writes_per_second: 100.0,
    budget: None,
    has_or: true,
    longest: None,
    trims: false,
    separator: None,
    phone_types: &["mobile", "work", "home", "other"],
    address_type: "home",
    has_federated: false,
    has_roles: false,
    flag: None,
    has_resets: false,
    wants_passwords: false,
    patches_by_value: false,
    locks: &[],
    settling: Duration::from_secs(10),
};

const WSO2_IS: Dialect = Dialect {
    kind: "wso2-is",
    store: Some("PRIMARY"),
    user_names: UserNames::Store,
    policy: PasswordPolicy::wso2_tenant,
    // the shipped default; what it announces wins where that is less (wso2-scim.md 2.3)
    most_operations: 1_000,
    // several of 100 to 200 operations side by side rather than one of 1,000 (wso2-scim.md 5)
    batch: 100,
    has_or: false,
    longest: Some(1_024),
    trims: true,
    separator: Some(','),
    phone_types: &["mobile", "home", "work", "other"],
    has_federated: true,
    has_roles: true,
    flag: Some("is_migrated"),
    has_resets: true,
    // every example and guide gives one (wso2-scim.md 1.0, 2.4); what becomes of a user without one is not described
    wants_passwords: true,
    patches_by_value: true,
    // what blocks a sign-in is this, not `active` (wso2-scim.md 2.6)
    locks: &["accountLocked"],
    ..SCIM
};

const ASGARDEO: Dialect = Dialect {
    kind: "asgardeo",
    store: Some("DEFAULT"),
    user_names: UserNames::Email,
    most_operations: 100,
    concurrency: 2,
    // 5 Bulk requests of 100 a minute (wso2-scim.md 3.1)
    writes_per_second: 8.3,
    budget: Some(Budget { bulk: 5, others: 200, window: Duration::from_mins(1) }),
    ..WSO2_IS
};

impl Product {
    /// Its kind in `connector = "…"`.
    pub fn kind(self) -> &'static str {
        self.dialect().kind
    }

    /// What it makes of the protocol.
    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Scim => SCIM,
            Self::Wso2Is => WSO2_IS,
            Self::Asgardeo => ASGARDEO,
        }
    }
}
