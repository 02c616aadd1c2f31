//! Makes an account of values that have names: CSV columns, JSON fields.

use std::collections::BTreeMap;

use serde_json::Value;
use sterna_core::{
    account::{Account, Contact, Credential, Identity, LocalName, Profile},
    code::{Code, Finding},
    ids::SourceKey,
    password::held,
    port::key_from_identities,
    settings::{Values, nearest},
};

use super::{Mistake, words};
use crate::checks::stated;

/// An account attribute that a value can be taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// One with a fixed name: `key`, `email`, `address.street` …
    Named(&'static str),
    /// `federated.ISSUER`: the subject at that issuer.
    Federated(String),
    /// `password.NAME`: a value that the format of the password hash needs beside it (`password.salt`).
    Password(String),
    /// `attributes.NAME`, or a column that `columns` does not name: kept under that name.
    Attribute(String),
}

/// The fixed names, in the order of docs/sources.md.
const NAMES: &[&str] = &[
    "key",
    "user_name",
    "email",
    "email_verified",
    "emails",
    "phone",
    "phone_verified",
    "phones",
    "display_name",
    "given_name",
    "family_name",
    "middle_name",
    "nick_name",
    "title",
    "preferred_language",
    "active",
    "must_change_password",
    "password",
    "password_hash",
    "password_format",
    "groups",
    "roles",
    "created",
    "updated",
    "last_sign_in",
    "password_changed",
    "address.street",
    "address.locality",
    "address.region",
    "address.postal_code",
    "address.country",
];

impl Column {
    /// Reads the name of an account attribute.
    ///
    /// # Errors
    /// The nearest name, if one is near.
    pub fn parse(name: &str) -> Result<Self, Option<&'static str>> {
        Self::known(name).ok_or_else(|| nearest(name, NAMES.iter().copied()))
    }

    fn known(name: &str) -> Option<Self> {
        if let Some(known) = NAMES.iter().find(|known| **known == name) {
            return Some(Self::Named(known));
        }
        match name.split_once('.')? {
            ("federated", issuer) if !issuer.is_empty() => Some(Self::Federated(issuer.to_owned())),
            ("password", rest) if !rest.is_empty() => Some(Self::Password(rest.to_owned())),
            ("attributes", rest) if !rest.is_empty() => Some(Self::Attribute(rest.to_owned())),
            _ => None,
        }
    }

    /// The account attribute that a value of this name is taken for when no table says otherwise; `id` is the key.
    pub fn by_own_name(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "id" => Self::Named("key"),
            lower => Self::known(name.trim())
                .or_else(|| Self::known(lower))
                .unwrap_or_else(|| Self::Attribute(name.to_owned())),
        }
    }
}

/// A value as a file gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Given<'a> {
    /// A text, or a number by its literal text.
    Text(&'a str),
    /// `true` or `false`.
    Flag(bool),
    /// Several texts.
    Texts(Vec<&'a str>),
    /// Anything else; only an attribute can hold it.
    Other(Value),
}

/// The rules by which named values become an account.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Account attribute and the name it is taken from; empty when the configuration has no table.
    pub table: Vec<(Column, String)>,
    /// Whether a record without a key is rejected; else its identity is the key.
    pub needs_key: bool,
    ignore: Vec<String>,
    sign_in: Option<Vec<LocalName>>,
    password_format: Option<String>,
    null_tokens: Vec<String>,
    list_separator: String,
    true_words: Vec<String>,
    false_words: Vec<String>,
}

impl Default for Columns {
    /// No table, and the defaults of the settings.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            table: Vec::new(),
            needs_key: false,
            ignore: Vec::new(),
            sign_in: None,
            password_format: None,
            null_tokens: Vec::new(),
            list_separator: "|".to_owned(),
            true_words: words(words::YES),
            false_words: words(words::NO),
        }
    }
}

impl Columns {
    /// Reads the table `setting` and the rules beside it ([`super::COLUMN_RULES`]).
    ///
    /// # Errors
    /// A finding for each name that is no account attribute.
    pub fn from_values(values: &Values, setting: &str, nulls: &[&str]) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut table = Vec::new();
        for (name, from) in values.text_table(setting) {
            match Column::parse(&name) {
                Ok(column) => table.push((column, from)),
                Err(near) => findings.push(no_attribute(setting, &name, near)),
            }
        }
        let given_sign_in = values.get("sign_in").is_some();
        let mut sign_in = Vec::new();
        for name in values.texts("sign_in") {
            match name.as_str() {
                "user_name" => sign_in.push(LocalName::UserName),
                "email" => sign_in.push(LocalName::Email),
                "phone" => sign_in.push(LocalName::Phone),
                _ => findings.push(
                    Finding::error(Code::E1005, format!("`sign_in` has `{name}`, which is no sign-in name"))
                        .hint("sign_in lists user_name, email or phone"),
                ),
            }
        }
        findings.extend(stated(values.text("password_format")).err().map(|finding| *finding));
        if !findings.is_empty() {
            return Err(findings);
        }
        let null_tokens = match values.get("null_tokens") {
            Some(_) => values.texts("null_tokens"),
            None => nulls.iter().map(|token| (*token).to_owned()).collect(),
        };
        Ok(Self {
            needs_key: table.iter().any(|(column, _)| *column == Column::Named("key")),
            table,
            ignore: values.texts("ignore"),
            sign_in: given_sign_in.then_some(sign_in),
            password_format: values.text("password_format").map(str::to_owned),
            null_tokens,
            list_separator: values.text("list_separator").unwrap_or("|").to_owned(),
            true_words: values.texts("true_words"),
            false_words: values.texts("false_words"),
        })
    }

    /// Whether the configuration says that values of this name are not read.
    pub fn ignores(&self, name: &str) -> bool {
        self.ignore.iter().any(|ignored| ignored == name)
    }

    /// Makes an account of a record's values.
    ///
    /// # Errors
    /// E3108 when a value does not fit its attribute, E3102 when there is neither key nor identity.
    pub fn account<'v>(&self, values: impl Iterator<Item = (&'v Column, Given<'v>)>) -> Result<Account, Mistake> {
        let mut draft = Draft::default();
        for (column, value) in values {
            if self.is_null(&value) {
                continue;
            }
            match column {
                Column::Named(name) => draft.put(self, name, &value)?,
                Column::Federated(issuer) => {
                    let subject = one(&format!("federated.{issuer}"), &value)?;
                    draft.federated.push(Identity::federated(issuer, subject));
                }
                Column::Password(name) => {
                    let text = one(&format!("password.{name}"), &value)?;
                    draft.beside.insert(name.clone(), text.to_owned());
                }
                Column::Attribute(name) => {
                    draft.profile.attributes.insert(name.clone(), attribute(value));
                }
            }
        }
        self.finish(draft)
    }

    fn is_null(&self, value: &Given<'_>) -> bool {
        match value {
            Given::Text(text) => text.is_empty() || self.null_tokens.iter().any(|token| token == text),
            Given::Texts(list) => list.is_empty(),
            Given::Other(value) => value.is_null(),
            Given::Flag(_) => false,
        }
    }

    fn finish(&self, draft: Draft<'_>) -> Result<Account, Mistake> {
        let mut identities = self.local_identities(&draft);
        let Draft { mut profile, key, federated, password, hash, format, beside, email, phone, .. } = draft;
        identities.extend(federated);
        contact(&mut profile.emails, email);
        contact(&mut profile.phones, phone);
        let key = match key {
            Some(key) => SourceKey::new(key).ok_or_else(|| lacks("the key is too long"))?,
            None if self.needs_key => return Err(lacks("the record has no key")),
            None => key_from_identities(&identities).ok_or_else(|| lacks("the record has neither key nor identity"))?,
        };
        let credential = match (password, hash) {
            (Some(plain), _) => Credential::Plaintext(plain.into()),
            (None, Some(hash)) => held::credential(hash, format.or(self.password_format.as_deref()), &beside),
            (None, None) => Credential::Nothing,
        };
        Ok(Account { key, profile, identities, credential, factors: Vec::new() })
    }

    fn local_identities(&self, draft: &Draft<'_>) -> Vec<Identity> {
        let of = |name: LocalName| match name {
            LocalName::UserName => draft.user_name.map(user_name),
            LocalName::Email => draft.email.value.map(Identity::email),
            LocalName::Phone => draft.phone.value.map(phone),
        };
        if let Some(names) = &self.sign_in {
            return names.iter().filter_map(|name| of(*name)).collect();
        }
        let social_only = !draft.federated.is_empty() && draft.password.is_none() && draft.hash.is_none();
        let addresses = [LocalName::Email, LocalName::Phone].into_iter().filter(|_| !social_only);
        let mut names = std::iter::once(LocalName::UserName).chain(addresses);
        names.find_map(of).into_iter().collect()
    }
}

/// A user name that is an e-mail address is an e-mail sign-in name: targets tell the two apart by their form.
fn user_name(text: &str) -> Identity {
    if email_address::EmailAddress::is_valid(text) { Identity::email(text) } else { Identity::user_name(text) }
}

fn phone(text: &str) -> Identity {
    Identity::Local { name: LocalName::Phone, value: text.to_owned() }
}

fn no_attribute(setting: &str, name: &str, near: Option<&str>) -> Finding {
    let finding = Finding::error(Code::E1004, format!("`{setting}` has `{name}`, which is no account attribute"));
    match near {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding.hint(format!(
            "account attributes: {}, federated.ISSUER, password.NAME, attributes.NAME",
            NAMES.join(", ")
        )),
    }
}

#[derive(Default)]
struct Draft<'v> {
    profile: Profile,
    key: Option<&'v str>,
    user_name: Option<&'v str>,
    email: Main<'v>,
    phone: Main<'v>,
    federated: Vec<Identity>,
    password: Option<&'v str>,
    hash: Option<&'v str>,
    format: Option<&'v str>,
    beside: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Default)]
struct Main<'v> {
    value: Option<&'v str>,
    verified: Option<bool>,
}

impl<'v> Draft<'v> {
    fn put(&mut self, rules: &Columns, name: &'static str, value: &Given<'v>) -> Result<(), Mistake> {
        let text = || one(name, value);
        let owned = || one(name, value).map(|text| Some(text.to_owned()));
        let flag = || rules.flag(name, value);
        let at = || instant(name, value).map(Some);
        let list = || rules.list(name, value);
        let profile = &mut self.profile;
        match name {
            "key" => self.key = Some(text()?),
            "user_name" => self.user_name = Some(text()?.trim()),
            "email" => self.email.value = Some(text()?.trim()),
            "email_verified" => self.email.verified = Some(flag()?),
            "emails" => profile.emails.extend(list()?.iter().map(|value| plain_contact(value))),
            "phone" => self.phone.value = Some(text()?.trim()),
            "phone_verified" => self.phone.verified = Some(flag()?),
            "phones" => profile.phones.extend(list()?.iter().map(|value| plain_contact(value))),
            "display_name" => profile.display_name = owned()?,
            "given_name" => profile.given_name = owned()?,
            "family_name" => profile.family_name = owned()?,
            "middle_name" => profile.middle_name = owned()?,
            "nick_name" => profile.nick_name = owned()?,
            "title" => profile.title = owned()?,
            "preferred_language" => profile.preferred_language = owned()?,
            "active" => profile.active = Some(flag()?),
            "must_change_password" => profile.must_change_password = flag()?,
            "password" => self.password = Some(text()?),
            "password_hash" => self.hash = Some(text()?),
            "password_format" => self.format = Some(text()?),
            "groups" => profile.groups = list()?.iter().map(ToString::to_string).collect(),
            "roles" => profile.roles = list()?.iter().map(ToString::to_string).collect(),
            "created" => profile.times.created = at()?,
            "updated" => profile.times.updated = at()?,
            "last_sign_in" => profile.times.last_sign_in = at()?,
            "password_changed" => profile.times.password_changed = at()?,
            _ => {
                let address = profile.address.get_or_insert_default();
                let part = match name {
                    "address.street" => &mut address.street,
                    "address.locality" => &mut address.locality,
                    "address.region" => &mut address.region,
                    "address.postal_code" => &mut address.postal_code,
                    _ => &mut address.country,
                };
                *part = owned()?;
            }
        }
        Ok(())
    }
}

impl Columns {
    fn flag(&self, name: &str, value: &Given<'_>) -> Result<bool, Mistake> {
        if let Given::Flag(flag) = value {
            return Ok(*flag);
        }
        let text = one(name, value)?;
        words::flag(text, &self.true_words, &self.false_words)
            .ok_or_else(|| wrong(name, "is neither yes nor no; see `true_words` and `false_words`"))
    }

    fn list<'v>(&self, name: &str, value: &Given<'v>) -> Result<Vec<&'v str>, Mistake> {
        let list = match value {
            Given::Texts(list) => list.clone(),
            Given::Text(text) => text.split(self.list_separator.as_str()).collect(),
            _ => return Err(wrong(name, "must be a text or a list of texts")),
        };
        Ok(list.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect())
    }
}

fn one<'v>(name: &str, value: &Given<'v>) -> Result<&'v str, Mistake> {
    match value {
        Given::Text(text) => Ok(text),
        _ => Err(wrong(name, "must be a text or a number")),
    }
}

fn instant(name: &str, value: &Given<'_>) -> Result<sterna_core::time::Timestamp, Mistake> {
    let wanted = "is no instant: RFC 3339, a date, or seconds or milliseconds since 1970";
    words::instant(one(name, value)?).ok_or_else(|| wrong(name, wanted))
}

fn wrong(name: &str, what: &str) -> Mistake {
    Mistake::new(Code::E3108, format!("the value for `{name}` {what}"))
}

fn lacks(what: &str) -> Mistake {
    Mistake::new(Code::E3102, what)
}

fn attribute(value: Given<'_>) -> Value {
    match value {
        Given::Text(text) => Value::from(text),
        Given::Flag(flag) => Value::from(flag),
        Given::Texts(list) => list.into_iter().map(Value::from).collect(),
        Given::Other(value) => value,
    }
}

fn plain_contact(value: &str) -> Contact {
    Contact { value: value.to_owned(), verified: None, primary: false }
}

/// The main address goes first; one that is in the list already is not doubled.
fn contact(contacts: &mut Vec<Contact>, main: Main<'_>) {
    if let Some(value) = main.value {
        contacts.retain(|known| !known.value.eq_ignore_ascii_case(value));
        contacts.insert(0, Contact { value: value.to_owned(), verified: main.verified, primary: true });
    }
}
