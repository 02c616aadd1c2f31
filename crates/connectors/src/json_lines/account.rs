//! Sterna's own account form, one object per line: docs/account.schema.json.
//!
//! Read straight into typed structs (no tree of values in between): a million records take a few seconds.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use memchr::memmem;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use sterna_core::{
    account::{Account, Address, Consent, Contact, Credential, Factor, Identity, LocalName, Profile, Times},
    code::Code,
    ids::SourceKey,
    password::held,
    port::key_from_identities,
    time::Timestamp,
};

use crate::text::{Mistake, Node, strict_value, through_serde};

/// Reads one object in the account form.
///
/// # Errors
/// E3101 when it is not JSON, E3108 when it does not fit the form, E3109 when a member comes twice, E3102 when it has
/// neither id nor identity, E3106 when a text holds NUL.
pub fn read_account(text: &str) -> Result<Account, Mistake> {
    if memmem::find(text.as_bytes(), b"\\u0000").is_some() {
        Node::parse(text)?; // an escaped backslash may stand before it: then it is no NUL
    }
    serde_json::from_str::<Line>(text)?.account()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<Literal>,
    display_name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    middle_name: Option<String>,
    nick_name: Option<String>,
    title: Option<String>,
    preferred_language: Option<String>,
    user_name: Option<String>,
    emails: Option<Vec<ContactForm>>,
    phones: Option<Vec<ContactForm>>,
    identities: Option<Vec<IdentityForm>>,
    password: Option<Password>,
    active: Option<bool>,
    must_change_password: Option<bool>,
    groups: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    times: Option<TimesForm>,
    consents: Option<Vec<ConsentForm>>,
    factors: Option<Vec<FactorForm>>,
    address: Option<AddressForm>,
    attributes: Option<Attributes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactForm {
    value: String,
    verified: Option<bool>,
    primary: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityForm {
    kind: IdentityKind,
    name: Option<LocalName>,
    value: Option<Literal>,
    issuer: Option<String>,
    subject: Option<Literal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum IdentityKind {
    Local,
    Federated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimesForm {
    created: Option<Instant>,
    updated: Option<Instant>,
    last_sign_in: Option<Instant>,
    password_changed: Option<Instant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentForm {
    purpose: String,
    version: Option<String>,
    at: Option<Instant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactorForm {
    kind: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressForm {
    street: Option<String>,
    locality: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
}

impl Line {
    /// Taken apart without `..`: a member that is added has to find its place here.
    fn account(self) -> Result<Account, Mistake> {
        let Self {
            id,
            display_name,
            given_name,
            family_name,
            middle_name,
            nick_name,
            title,
            preferred_language,
            user_name,
            emails,
            phones,
            identities,
            password,
            active,
            must_change_password,
            groups,
            roles,
            times,
            consents,
            factors,
            address,
            attributes,
        } = self;
        let identities = all_identities(user_name, identities.unwrap_or_default())?;
        let profile = Profile {
            display_name,
            given_name,
            family_name,
            middle_name,
            nick_name,
            title,
            preferred_language,
            emails: contacts(emails),
            phones: contacts(phones),
            address: address.map(AddressForm::address),
            active,
            must_change_password: must_change_password.unwrap_or_default(),
            times: times.map(TimesForm::times).unwrap_or_default(),
            groups: groups.unwrap_or_default(),
            roles: roles.unwrap_or_default(),
            consents: consents.unwrap_or_default().into_iter().map(ConsentForm::consent).collect(),
            attributes: attributes.map(|Attributes(map)| map).unwrap_or_default(),
        };
        let factors = factors.unwrap_or_default().into_iter();
        Ok(Account {
            key: key(id, &identities)?,
            profile,
            identities,
            credential: password.map_or(Credential::Nothing, |Password(credential)| credential),
            factors: factors.map(|form| Factor { kind: form.kind, value: form.value.map(Into::into) }).collect(),
        })
    }
}

fn key(id: Option<Literal>, identities: &[Identity]) -> Result<SourceKey, Mistake> {
    let lacks = |what: &str| Mistake::new(Code::E3102, what);
    match id {
        Some(Literal(id)) => SourceKey::new(id).ok_or_else(|| lacks("`id` is empty or too long")),
        None => key_from_identities(identities).ok_or_else(|| lacks("the record has neither `id` nor `identities`")),
    }
}

fn all_identities(user_name: Option<String>, forms: Vec<IdentityForm>) -> Result<Vec<Identity>, Mistake> {
    let mut identities = forms.into_iter().map(IdentityForm::identity).collect::<Result<Vec<_>, _>>()?;
    if let Some(user_name) = user_name.filter(|name| !name.is_empty()) {
        let identity = Identity::user_name(user_name);
        if !identities.contains(&identity) {
            identities.insert(0, identity);
        }
    }
    Ok(identities)
}

fn contacts(forms: Option<Vec<ContactForm>>) -> Vec<Contact> {
    let contact = |form: ContactForm| Contact {
        value: form.value,
        verified: form.verified,
        primary: form.primary.unwrap_or_default(),
    };
    forms.unwrap_or_default().into_iter().map(contact).collect()
}

impl IdentityForm {
    fn identity(self) -> Result<Identity, Mistake> {
        let wrong = |wanted: &str| Mistake::new(Code::E3108, format!("an identity must have {wanted}"));
        let filled = |Literal(text): Literal| Some(text).filter(|text| !text.is_empty());
        match (self.kind, self.name, self.value, self.issuer, self.subject) {
            (IdentityKind::Local, Some(name), Some(value), None, None) => {
                let value = filled(value).ok_or_else(|| wrong("a `value` that is not empty"))?;
                Ok(Identity::Local { name, value })
            }
            (IdentityKind::Local, ..) => Err(wrong("`name` and `value`, and nothing else, when it is local")),
            (IdentityKind::Federated, None, None, Some(issuer), Some(subject)) if !issuer.is_empty() => {
                let subject = filled(subject).ok_or_else(|| wrong("a `subject` that is not empty"))?;
                Ok(Identity::Federated { issuer, subject })
            }
            (IdentityKind::Federated, ..) => {
                Err(wrong("`issuer` and `subject`, and nothing else, when it is federated"))
            }
        }
    }
}

impl TimesForm {
    fn times(self) -> Times {
        let at = |instant: Option<Instant>| instant.map(|Instant(at)| at);
        Times {
            created: at(self.created),
            updated: at(self.updated),
            last_sign_in: at(self.last_sign_in),
            password_changed: at(self.password_changed),
        }
    }
}

impl ConsentForm {
    fn consent(self) -> Consent {
        Consent { purpose: self.purpose, version: self.version, at: self.at.map(|Instant(at)| at) }
    }
}

impl AddressForm {
    fn address(self) -> Address {
        let Self { street, locality, region, postal_code, country } = self;
        Address { street, locality, region, postal_code, country }
    }
}

/// A text, or a number by its literal text: some exports write ids as numbers, longer than any number type holds.
struct Literal(String);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        match text.as_bytes() {
            [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
                Ok(Self(text[1..text.len() - 1].into()))
            }
            [b'"', ..] => serde_json::from_str(text).map(Self).map_err(D::Error::custom),
            [b'-' | b'0'..=b'9', ..] => Ok(Self(text.to_owned())),
            _ => Err(D::Error::custom("invalid type: a text or a number is needed for an id, name or subject")),
        }
    }
}

/// An RFC 3339 instant.
struct Instant(Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Timestamp::parse(&text).map(Self).ok_or_else(|| D::Error::custom("an instant is not in the form of RFC 3339"))
    }
}

/// `"held-by-legacy"`, `{"plaintext": …}` or `{"hash": …, "format": …}`.
struct Password(Credential);

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PasswordMember {
    Plaintext,
    Hash,
    Format,
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Password;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"held-by-legacy\", or an object with `plaintext`, or with `hash` and `format`")
            }

            // The text may be a password in the wrong place: it is not repeated in the message.
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Password, E> {
                match text {
                    "held-by-legacy" => Ok(Password(Credential::HeldByLegacy)),
                    _ => Err(E::custom("`password` is a text but not \"held-by-legacy\"")),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Password, A::Error> {
                let (mut plaintext, mut hash, mut format) = (None, None, None);
                while let Some(member) = map.next_key::<PasswordMember>()? {
                    let (slot, name) = match member {
                        PasswordMember::Plaintext => (&mut plaintext, "plaintext"),
                        PasswordMember::Hash => (&mut hash, "hash"),
                        PasswordMember::Format => (&mut format, "format"),
                    };
                    if slot.replace(map.next_value::<Secret>()?.0).is_some() {
                        return Err(A::Error::duplicate_field(name));
                    }
                }
                match (plaintext, hash, format) {
                    (Some(plain), None, None) => Ok(Password(Credential::Plaintext(plain.into()))),
                    (None, Some(hash), Some(format)) => {
                        Ok(Password(held::credential(&hash, Some(&format), &BTreeMap::new())))
                    }
                    _ => Err(A::Error::custom("`password` needs either `plaintext`, or `hash` and `format`")),
                }
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// A text that no error message repeats.
struct Secret(String);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(text.to_owned()))
            }

            fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Secret, E> {
                Err(E::custom("a member of `password` is a number and must be a text"))
            }
        }
        deserializer.deserialize_str(Read)
    }
}

/// Attributes under the source's own names, each read strictly.
struct Attributes(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
                let mut attributes = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if attributes.contains_key(&name) {
                        map.next_value::<IgnoredAny>()?;
                        let text = format!("the attribute `{name}` comes twice");
                        return Err(through_serde(Mistake::new(Code::E3109, text)));
                    }
                    attributes.insert(name, map.next_value::<Strict>()?.0);
                }
                Ok(Attributes(attributes))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict_value(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::NUL;

    #[test]
    fn an_escaped_nul_is_refused_and_an_escaped_backslash_before_u0000_is_not() {
        let check = |text: &str| read_account(text).map(|account| account.profile.display_name);
        assert_eq!(check(r#"{"id":"1","display_name":"a\\u0000"}"#).unwrap().as_deref(), Some("a\\u0000"));
        let mistake = check(r#"{"id":"1","display_name":"a\u0000"}"#).unwrap_err();
        assert_eq!((mistake.code, mistake.reason.as_str()), (Code::E3106, NUL));
    }
}
