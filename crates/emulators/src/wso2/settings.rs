//! What a scenario may say of these products alone: its table `[product]`.

use serde::{Deserialize, Serialize};

use super::policy::PasswordRules;

/// Which of the two is emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    IdentityServer,
    Asgardeo,
}

impl Kind {
    /// The store that a name without one is in (wso2-scim.md 2.5).
    pub(crate) fn default_store(self) -> &'static str {
        match self {
            Self::IdentityServer => "PRIMARY",
            Self::Asgardeo => "DEFAULT",
        }
    }
}

/// A version of Identity Server. Asgardeo is always as the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
pub enum Version {
    /// The system attributes are in the enterprise extension, and there is no interface for making links.
    #[serde(rename = "7.0")]
    V7_0,
    /// `urn:scim:wso2:schema` is there, and links are made one by one.
    #[serde(rename = "7.1")]
    V7_1,
    /// Links are made in bulk, too.
    #[default]
    #[serde(rename = "7.2")]
    V7_2,
}

/// What user names look like (wso2-scim.md 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UserNames {
    /// As the user store wants them: 3 to 50 characters without white space, `*`, `?` and `%`.
    Store,
    /// E-mail addresses.
    Email,
    /// Letters and digits.
    Alphanumeric,
}

/// `[product]` in a scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The version of Identity Server. Default `7.2`.
    pub version: Version,
    /// The tenant, or Asgardeo's organisation. Default `carbon.super` and `acme`.
    pub tenant: Option<String>,
    /// Ids of child organisations, for `grant_type=organization_switch`.
    pub organizations: Vec<String>,
    /// User stores beside the default one.
    pub user_stores: Vec<String>,
    /// What user names look like. Default: `store`, in Asgardeo `email`.
    pub user_names: Option<UserNames>,
    /// Rules for passwords. Default: those of the user store, in Asgardeo 8 to 100 characters with digit, lower and upper.
    pub passwords: Option<PasswordRules>,
    /// How many earlier passwords may not be used again. Default 0.
    pub password_history: usize,
    /// The URI of the schema with the custom attributes.
    pub custom_schema: String,
    /// The custom attributes, all of them texts.
    pub custom_attributes: Vec<String>,
    /// Names of the connections that links may lead to.
    pub connections: Vec<String>,
    /// Users that the tenant may hold. Default: any number.
    pub user_quota: Option<usize>,
    /// Whether two users may not have the same e-mail address. Default false.
    pub unique_emails: bool,
    /// Whether `askPassword` is heeded. Default true.
    pub invitations: bool,
    /// Whether accounts that wait for something are locked until then. Default true.
    pub lock_on_creation: bool,
    /// Bulk requests in a minute from one address. Default: any number, in Asgardeo 5.
    pub bulk_per_minute: Option<u64>,
    /// Other requests in a minute from one address, to each of the interfaces. Default: any number, in Asgardeo 200.
    pub requests_per_minute: Option<u64>,
    /// Seconds that such a minute lasts. Default 60.
    pub minute_secs: u64,
    /// Quirks of the product that are turned off.
    pub without_quirks: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Self {
            version: Version::default(),
            tenant: None,
            organizations: Vec::new(),
            user_stores: Vec::new(),
            user_names: None,
            passwords: None,
            password_history: 0,
            custom_schema: "urn:scim:schemas:extension:custom:User".to_owned(),
            custom_attributes: texts(&["is_migrated"]),
            connections: texts(&["Google", "Facebook", "Apple", "Microsoft", "GitHub"]),
            user_quota: None,
            unique_emails: false,
            invitations: true,
            lock_on_creation: true,
            bulk_per_minute: None,
            requests_per_minute: None,
            minute_secs: 60,
            without_quirks: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads the table.
    ///
    /// # Errors
    /// What is not understood.
    pub(crate) fn read(table: &toml::Table) -> Result<Self, String> {
        table.clone().try_into().map_err(|error: toml::de::Error| format!("[product]: {}", error.message()))
    }

    pub(crate) fn tenant(&self, kind: Kind) -> &str {
        let default = match kind {
            Kind::IdentityServer => "carbon.super",
            Kind::Asgardeo => "acme",
        };
        self.tenant.as_deref().unwrap_or(default)
    }

    /// The version that counts: Asgardeo runs the newest.
    pub(crate) fn version(&self, kind: Kind) -> Version {
        match kind {
            Kind::IdentityServer => self.version,
            Kind::Asgardeo => Version::V7_2,
        }
    }

    pub(crate) fn user_names(&self, kind: Kind) -> UserNames {
        let default = match kind {
            Kind::IdentityServer => UserNames::Store,
            Kind::Asgardeo => UserNames::Email,
        };
        self.user_names.unwrap_or(default)
    }

    pub(crate) fn passwords(&self, kind: Kind) -> PasswordRules {
        let default = match kind {
            Kind::IdentityServer => PasswordRules::STORE,
            Kind::Asgardeo => PasswordRules::TENANT,
        };
        self.passwords.unwrap_or(default)
    }
}
