//! Turns an account into the bytes that are sealed, and back. The one place where a secret is written out.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    account::{Account, Credential, Factor, Identity, Profile, StoredHash},
    ids::SourceKey,
};

/// Version of the sealed form; a reader accepts this and every older one.
pub const FORM: u8 = 1;

/// Longest encoded account, in bytes; larger ones are rejected as records.
pub const ACCOUNT_BYTES: usize = 1 << 20;

/// Encodes an account for sealing. The buffer is wiped when dropped.
///
/// # Errors
/// [`CodecError::Form`] when a value cannot be written as JSON; [`CodecError::TooLarge`] above [`ACCOUNT_BYTES`].
pub fn encode(account: &Account) -> Result<Zeroizing<Vec<u8>>, CodecError> {
    let Account { key, profile, identities, credential, factors } = account;
    let form = FormOut {
        v: FORM,
        key,
        profile,
        identities,
        credential: SecretForm::of(credential),
        factors: factors
            .iter()
            .map(|factor| FactorOut {
                kind: &factor.kind,
                value: factor.value.as_ref().map(ExposeSecret::expose_secret),
            })
            .collect(),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(768));
    serde_json::to_writer(&mut *bytes, &form)?;
    if bytes.len() > ACCOUNT_BYTES { Err(CodecError::TooLarge(bytes.len())) } else { Ok(bytes) }
}

/// Decodes what [`encode`] wrote.
///
/// # Errors
/// [`CodecError::Form`] when the bytes are of no known form.
pub fn decode(bytes: &[u8]) -> Result<Account, CodecError> {
    let form: FormIn = serde_json::from_slice(bytes)?;
    if form.v > FORM {
        return Err(CodecError::Newer(form.v));
    }
    Ok(Account {
        key: form.key,
        profile: form.profile,
        identities: form.identities,
        credential: form.credential.into(),
        factors: form
            .factors
            .into_iter()
            .map(|factor| Factor { kind: factor.kind, value: factor.value.map(SecretString::from) })
            .collect(),
    })
}

/// Why an account could not be encoded or decoded.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Not JSON of the expected form.
    #[error("a sealed record is not of a known form")]
    Form(#[from] serde_json::Error),
    /// Larger than [`ACCOUNT_BYTES`].
    #[error("the account takes {0} bytes, more than {ACCOUNT_BYTES}")]
    TooLarge(usize),
    /// Written by a newer program.
    #[error("a sealed record has form {0}; this program knows up to {FORM}")]
    Newer(u8),
}

#[derive(Serialize)]
struct FormOut<'a> {
    v: u8,
    key: &'a SourceKey,
    profile: &'a Profile,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    identities: &'a [Identity],
    #[serde(skip_serializing_if = "SecretForm::is_nothing")]
    credential: SecretForm<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    factors: Vec<FactorOut<'a>>,
}

#[derive(Serialize)]
struct FactorOut<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

#[derive(Deserialize)]
struct FormIn {
    v: u8,
    key: SourceKey,
    profile: Profile,
    #[serde(default)]
    identities: Vec<Identity>,
    #[serde(default)]
    credential: SecretForm<String>,
    #[serde(default)]
    factors: Vec<FactorIn>,
}

#[derive(Deserialize)]
struct FactorIn {
    kind: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SecretForm<T> {
    #[default]
    Nothing,
    Plaintext(T),
    Hash {
        format: T,
        value: T,
        #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
        also: Vec<(T, T)>,
    },
    HeldByLegacy,
}

impl<'a> SecretForm<&'a str> {
    fn of(credential: &'a Credential) -> Self {
        match credential {
            Credential::Nothing => Self::Nothing,
            Credential::Plaintext(secret) => Self::Plaintext(secret.expose_secret()),
            Credential::Hash { format, value, also } => Self::Hash {
                format,
                value: value.expose_secret(),
                also: also.iter().map(|hash| (hash.format.as_str(), hash.value.expose_secret())).collect(),
            },
            Credential::HeldByLegacy => Self::HeldByLegacy,
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl From<SecretForm<String>> for Credential {
    fn from(form: SecretForm<String>) -> Self {
        match form {
            SecretForm::Nothing => Self::Nothing,
            SecretForm::Plaintext(text) => Self::Plaintext(text.into()),
            SecretForm::Hash { format, value, also } => Self::Hash {
                format,
                value: value.into(),
                also: also.into_iter().map(|(format, value)| StoredHash { format, value: value.into() }).collect(),
            },
            SecretForm::HeldByLegacy => Self::HeldByLegacy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_comes_back_as_it_was() {
        let mut account = Account::new(SourceKey::new("k").unwrap());
        account.profile.display_name = Some("Ana Pérez".into());
        account.profile.attributes.insert("plan".into(), serde_json::json!({"a": [1, null]}));
        account.identities = vec![Identity::email("ana@example.com"), Identity::federated("facebook.com", "1")];
        account.credential = Credential::Plaintext("Pass!w0rd".into());
        account.factors.push(Factor { kind: "totp".into(), value: Some("JBSWY3DPEHPK3PXP".into()) });
        let back = decode(&encode(&account).unwrap()).unwrap();
        assert_eq!(back.profile, account.profile);
        assert_eq!(back.identities, account.identities);
        assert_eq!(back.credential, account.credential);
        assert_eq!(back.factors[0].value.as_ref().unwrap().expose_secret(), "JBSWY3DPEHPK3PXP");
    }

    #[test]
    fn several_hashes_come_back_in_order() {
        let mut account = Account::new(SourceKey::new("k").unwrap());
        let also = vec![StoredHash { format: "ldap-ssha".into(), value: "{SSHA}x".into() }];
        account.credential = Credential::Hash { format: "ldap-crypt".into(), value: "{CRYPT}x".into(), also };
        assert_eq!(decode(&encode(&account).unwrap()).unwrap().credential, account.credential);
        let one = br#"{"v":1,"key":"k","profile":{},"credential":{"hash":{"format":"hex-md5","value":"x"}}}"#;
        assert_eq!(decode(one).unwrap().credential, Credential::hash("hex-md5", "x"));
    }

    #[test]
    fn a_form_from_a_newer_program_is_refused() {
        let error = decode(br#"{"v":9,"key":"k","profile":{}}"#).unwrap_err();
        assert!(matches!(error, CodecError::Newer(9)), "{error}");
    }
}
