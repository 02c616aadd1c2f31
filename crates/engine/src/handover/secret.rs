//! What is told of an account's password, and the formats of hashes with what their checking takes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sterna_core::{
    account::{Credential, StoredHash},
    password::formats::{Bounds, Known, Stored, find, recognise},
    secrecy::{ExposeSecret, SecretString},
};

use super::{HashGroup, Secrets};

/// Most groups of hashes with the same format and parameters that are told apart; more are told by their format alone.
const GROUPS: usize = 1_000;

/// What stands beside a user of its password.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum CredentialForm<'a> {
    /// There is none, or nothing is known of it.
    None,
    /// Only the old system can tell whether a password is right.
    HeldByLegacy,
    /// The password itself.
    Password {
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<&'a str>,
    },
    /// A hash.
    Hash {
        #[serde(flatten)]
        hash: HashForm<'a>,
        /// Further hashes of the same account, any of which counts.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        also: Vec<HashForm<'a>>,
    },
}

/// One hash.
#[derive(Serialize)]
pub(super) struct HashForm<'a> {
    /// The name of the format, as in the manifest.
    format: &'a str,
    /// The hash as the source stored it.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    /// Its parts, so that it can be checked without knowing the format.
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<Verify>,
    /// The formats that it may have, where nothing says which.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    may_be: Vec<&'static str>,
}

#[derive(Serialize)]
struct Verify {
    steps: Value,
    expected_base64: String,
}

/// The hashes that were handed over, by format and parameters.
#[derive(Default)]
pub(super) struct Hashes(BTreeMap<(String, String), HashGroup>);

impl Hashes {
    /// The form of a credential; its hashes are counted.
    pub(super) fn credential<'a>(&mut self, credential: &'a Credential, secrets: Secrets) -> CredentialForm<'a> {
        match credential {
            Credential::Nothing => CredentialForm::None,
            Credential::HeldByLegacy => CredentialForm::HeldByLegacy,
            Credential::Plaintext(text) => {
                CredentialForm::Password { value: (secrets >= Secrets::Passwords).then(|| text.expose_secret()) }
            }
            Credential::Hash { format, value, also } => CredentialForm::Hash {
                hash: self.hash(format, value, secrets),
                also: also.iter().map(|StoredHash { format, value }| self.hash(format, value, secrets)).collect(),
            },
        }
    }

    pub(super) fn into_groups(self) -> Vec<HashGroup> {
        self.0.into_values().collect()
    }

    fn hash<'a>(&mut self, format: &'a str, value: &'a SecretString, secrets: Secrets) -> HashForm<'a> {
        let text = value.expose_secret();
        let known = find(format);
        let stored = known.and_then(|known| Stored::parse(known, text, &Bounds::OFFLINE).ok());
        self.count(format, stored.as_ref());
        let goes_along = secrets >= Secrets::Hashes;
        HashForm {
            format,
            value: goes_along.then_some(text),
            verify: stored
                .filter(|_| goes_along)
                .map(|stored| Verify { steps: stored.steps(Known::Given), expected_base64: stored.expected() }),
            may_be: if known.is_some() {
                Vec::new()
            } else {
                recognise(text).formats().iter().map(|format| format.name).collect()
            },
        }
    }

    fn count(&mut self, format: &str, stored: Option<&Stored>) {
        let parameters = stored.map(Stored::parameters).unwrap_or_default();
        let mut key = (format.to_owned(), parameters);
        if self.0.len() >= GROUPS && !self.0.contains_key(&key) {
            key = (key.0, "various".to_owned());
        }
        let group = self.0.entry(key).or_insert_with_key(|(format, parameters)| group(format, parameters, stored));
        group.hashes += 1;
    }
}

fn group(format: &str, parameters: &str, stored: Option<&Stored>) -> HashGroup {
    let known = find(format);
    HashGroup {
        format: format.to_owned(),
        family: known.map(|known| known.family.name()),
        looks: known.map(|known| known.looks),
        parameters: parameters.to_owned(),
        needs: known.map(|known| known.needs.to_vec()).unwrap_or_default(),
        hashes: 0,
        words: stored.map(Stored::words),
        steps: stored.map(|stored| stored.steps(Known::Counted)),
    }
}
