//! Sterna's own model of a person's record, in SCIM's terms (RFC 7643), plus identities, credential, factors and consent.
//!
//! What a source holds and the model has no place for is kept in [`Profile::attributes`] under the source's own name:
//! kept and named, never dropped.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ids::SourceKey, time::Timestamp};

/// One person's record in one system.
///
/// It does not serialise: [`crate::codec`] is the one place that turns it into bytes, for sealing.
#[derive(Clone, Debug)]
pub struct Account {
    /// The source's own immutable id.
    pub key: SourceKey,
    /// Names, addresses, status and everything else that is no secret.
    pub profile: Profile,
    /// What the person signs in with.
    pub identities: Vec<Identity>,
    /// What is known of the password.
    pub credential: Credential,
    /// Second factors.
    pub factors: Vec<Factor>,
}

impl Account {
    /// An account with nothing but its key.
    pub fn new(key: SourceKey) -> Self {
        Self {
            key,
            profile: Profile::default(),
            identities: Vec::new(),
            credential: Credential::Nothing,
            factors: Vec::new(),
        }
    }

    /// Whether the person can sign in with a password: there is a local sign-in name.
    pub fn is_local(&self) -> bool {
        self.identities.iter().any(Identity::is_local)
    }
}

/// The part of an account that describes the person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// SCIM `displayName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// SCIM `name.givenName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// SCIM `name.familyName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// SCIM `name.middleName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// SCIM `nickName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick_name: Option<String>,
    /// SCIM `title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// SCIM `preferredLanguage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    /// SCIM `emails`; the first primary one is the person's main address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Contact>,
    /// SCIM `phoneNumbers`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Contact>,
    /// SCIM `addresses`, the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// SCIM `active`; `None` when the source does not say (counts as active).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The legacy system wants a new password at the next sign-in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub must_change_password: bool,
    /// When the record was made, changed, last signed in with, and when its password changed.
    #[serde(skip_serializing_if = "Times::is_empty")]
    pub times: Times,
    /// Names of the groups the person is in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Names of the roles the person has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Consent markers: what was agreed to, in which version, when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
    /// Everything else, under the source's own names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
}

impl Profile {
    /// The person's main e-mail address: the first primary one, else the first.
    pub fn email(&self) -> Option<&str> {
        main(&self.emails)
    }

    /// The person's main phone number: the first primary one, else the first.
    pub fn phone(&self) -> Option<&str> {
        main(&self.phones)
    }

    /// Adds an address once, comparing without case.
    pub fn add_email(&mut self, value: &str, verified: Option<bool>) {
        if !self.emails.iter().any(|known| known.value.eq_ignore_ascii_case(value)) {
            let primary = self.emails.is_empty();
            self.emails.push(Contact { value: value.to_owned(), verified, primary });
        }
    }
}

fn main(contacts: &[Contact]) -> Option<&str> {
    contacts.iter().find(|contact| contact.primary).or(contacts.first()).map(|contact| contact.value.as_str())
}

/// An e-mail address or phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The address or number as the source writes it.
    pub value: String,
    /// Whether the source has verified it; `None` when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Whether it is the main one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub primary: bool,
}

/// A postal address (RFC 7643 4.1.2 `addresses`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// `streetAddress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// `locality`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// `region`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `postalCode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// `country`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Instants of an account's life, as far as the source knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// When the record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// When the person last signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sign_in: Option<Timestamp>,
    /// When the password last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_changed: Option<Timestamp>,
}

impl Times {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A consent marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What was agreed to.
    pub purpose: String,
    /// In which version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Something one signs in with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Identity {
    /// A name that the system itself checks a password for.
    Local {
        /// What sort of name.
        name: LocalName,
        /// The name as the person types it.
        value: String,
    },
    /// An account at another provider; the pair is the person's permanent id there.
    Federated {
        /// The provider, as the system that holds the account names it.
        issuer: String,
        /// The provider's permanent id of the person; never changed by a migration.
        subject: String,
    },
}

/// The sorts of local sign-in name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalName {
    /// An e-mail address.
    Email,
    /// A user name.
    UserName,
    /// A phone number.
    Phone,
}

impl Identity {
    /// A local e-mail sign-in name.
    pub fn email(value: impl Into<String>) -> Self {
        Self::Local { name: LocalName::Email, value: value.into() }
    }

    /// A local user name.
    pub fn user_name(value: impl Into<String>) -> Self {
        Self::Local { name: LocalName::UserName, value: value.into() }
    }

    /// An identity at another provider.
    pub fn federated(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self::Federated { issuer: issuer.into(), subject: subject.into() }
    }

    /// Whether the system itself checks a password for it.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local { .. })
    }

    /// The form in which two identities are the same: local names and issuers without case, subjects as they are.
    ///
    /// Local names of all sorts share one space, as they do at a sign-in page.
    pub fn canonical(&self) -> String {
        match self {
            Self::Local { name: _, value } => format!("local\u{1f}{}", value.trim().to_lowercase()),
            Self::Federated { issuer, subject } => {
                format!("{}\u{1f}{subject}", issuer.to_lowercase())
            }
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local { name, .. } => write!(f, "Local({name:?}, ..)"),
            Self::Federated { issuer, .. } => write!(f, "Federated({issuer}, ..)"),
        }
    }
}

/// What is known of a password. The secret parts neither print nor serialise.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    /// There is none, or nothing is known of it.
    #[default]
    Nothing,
    /// The password itself.
    Plaintext(SecretString),
    /// A hash in a named format.
    Hash {
        /// The format's name, as in docs/password-hashes.md; [`UNKNOWN_FORMAT`] where it is not fixed.
        format: String,
        /// The hash; JSON where the format needs several values.
        value: SecretString,
        /// Further hashes of the same account, any of which counts (LDAP's `userPassword` may hold several).
        also: Vec<StoredHash>,
    },
    /// Only the legacy system can tell whether a password is right.
    HeldByLegacy,
}

/// One more hash of an account.
#[derive(Clone, Debug)]
pub struct StoredHash {
    /// The format's name.
    pub format: String,
    /// The hash.
    pub value: SecretString,
}

impl PartialEq for StoredHash {
    fn eq(&self, other: &Self) -> bool {
        self.format == other.format && self.value.expose_secret() == other.value.expose_secret()
    }
}

/// The format of a hash that nobody has named and that its text alone does not tell.
pub const UNKNOWN_FORMAT: &str = "unknown";

impl Credential {
    /// One hash.
    pub fn hash(format: impl Into<String>, value: impl Into<SecretString>) -> Self {
        Self::Hash { format: format.into(), value: value.into(), also: Vec::new() }
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::HeldByLegacy, Self::HeldByLegacy) => true,
            (Self::Plaintext(a), Self::Plaintext(b)) => a.expose_secret() == b.expose_secret(),
            (
                Self::Hash { format, value, also },
                Self::Hash { format: other_format, value: other_value, also: other_also },
            ) => {
                let same_value = value.expose_secret() == other_value.expose_secret();
                format == other_format && same_value && also == other_also
            }
            _ => false,
        }
    }
}

/// A second factor. Its secret neither prints nor serialises.
#[derive(Clone, Debug)]
pub struct Factor {
    /// `totp`, `sms`, `email`, `webauthn`, `recovery-codes` …
    pub kind: String,
    /// The number, address or shared secret.
    pub value: Option<SecretString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_and_issuers_compare_without_case_and_subjects_with() {
        assert_eq!(Identity::email("Ana@Example.com").canonical(), Identity::email("ana@example.com").canonical());
        assert_eq!(Identity::email("ana").canonical(), Identity::user_name("ANA").canonical());
        assert_eq!(
            Identity::federated("Facebook.com", "1a").canonical(),
            Identity::federated("facebook.com", "1a").canonical()
        );
        assert_ne!(
            Identity::federated("facebook.com", "1A").canonical(),
            Identity::federated("facebook.com", "1a").canonical()
        );
    }

    #[test]
    fn nothing_secret_or_personal_prints() {
        let mut account = Account::new(SourceKey::new("ana@example.com").unwrap());
        account.credential = Credential::Plaintext("Pass!w0rd".into());
        account.identities.push(Identity::email("ana@example.com"));
        let text = format!("{account:?}");
        assert!(!text.contains("Pass!w0rd") && !text.contains("ana@"), "{text}");
    }
}
