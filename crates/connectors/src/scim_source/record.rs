//! A user as a service gives it, and the account that it becomes. Pure; tolerant where services write the same in many ways
//! (wso2-scim.md 2.8), and never half read: a member of a wrong type costs its record.

use serde_json::{Map, Value};
use sterna_core::{
    account::{Account, Address, Contact, Identity},
    code::Code,
    ids::SourceKey,
    port::Record,
    time::Timestamp,
};

use super::{
    config::{MembersFrom, SourceConfig},
    members::bare,
    names::Names,
};
use crate::{
    scim::{ENTERPRISE, WSO2_SYSTEM, flag},
    text::{Mistake, account_or_rejected},
    wso2::state::{self, Said},
};

/// Members that say nothing of the person, or must not be kept: passwords come back from services that should not give
/// them; certificates are left out and named (docs/scim-source.md).
const NOT_KEPT: &[&str] = &["schemas", "meta", "id", "password", "x509Certificates"];

/// Members with a place of their own in an account.
const PLACED: &[&str] = &[
    "userName",
    "name",
    "displayName",
    "nickName",
    "title",
    "preferredLanguage",
    "emails",
    "phoneNumbers",
    "addresses",
    "active",
    "groups",
    "roles",
];

/// Members of `name` with a place of their own.
const NAME_PLACED: &[&str] = &["givenName", "familyName", "middleName"];

/// What else was read of a person.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// Groups by their members.
    pub(super) groups: Option<Vec<String>>,
    /// Identities at other providers.
    pub(super) identities: Vec<Identity>,
}

/// A user as one record.
pub(super) fn record(config: &SourceConfig, names: &Names, user: &Value, beside: Beside) -> Record {
    let position = || match user.get("id").and_then(Value::as_str) {
        Some(id) => format!("user {id}"),
        None => "a user without an id".to_owned(),
    };
    let read = account(config, names, user, beside);
    let raw = if read.is_err() { user.to_string().into_bytes() } else { Vec::new() };
    account_or_rejected(read, position, &raw)
}

fn account(config: &SourceConfig, names: &Names, user: &Value, beside: Beside) -> Result<Account, Mistake> {
    let user = user.as_object().ok_or_else(|| Mistake::new(Code::E3108, "a user is no object"))?;
    let key = text(user, config.key)?.and_then(SourceKey::new);
    let key = key.ok_or_else(|| Mistake::new(Code::E3102, format!("the user has no usable `{}`", config.key)))?;
    let mut account = Account::new(key);
    if let Some(name) = text(user, "userName")? {
        let name = if config.strips_store { bare(name) } else { name }.trim();
        if !name.is_empty() {
            account.identities.push(sign_in(name));
        }
    }
    account.identities.extend(beside.identities);
    profile(&mut account, config, user)?;
    extensions(&mut account, names, user);
    if let Some(groups) = beside.groups {
        account.profile.groups = groups;
    }
    if account.identities.is_empty() && config.key != "userName" && account.profile.emails.is_empty() {
        return Err(Mistake::new(Code::E3102, "the user has neither `userName` nor an address"));
    }
    Ok(account)
}

/// A name that is an e-mail address counts as one, like everywhere.
fn sign_in(name: &str) -> Identity {
    if email_address::EmailAddress::is_valid(name) { Identity::email(name) } else { Identity::user_name(name) }
}

fn profile(account: &mut Account, config: &SourceConfig, user: &Map<String, Value>) -> Result<(), Mistake> {
    let profile = &mut account.profile;
    let owned = |members: &Map<String, Value>, name| text(members, name).map(|text| text.map(str::to_owned));
    profile.display_name = owned(user, "displayName")?;
    profile.nick_name = owned(user, "nickName")?;
    profile.title = owned(user, "title")?;
    profile.preferred_language = owned(user, "preferredLanguage")?;
    match user.get("name") {
        None | Some(Value::Null) => {}
        Some(Value::Object(name)) => {
            profile.given_name = owned(name, "givenName")?;
            profile.family_name = owned(name, "familyName")?;
            profile.middle_name = owned(name, "middleName")?;
            for (part, value) in name.iter().filter(|(part, _)| !NAME_PLACED.contains(&part.as_str())) {
                keep(profile, format!("name.{part}"), value);
            }
        }
        Some(_) => return Err(wrong("name")),
    }
    profile.emails = contacts(user.get("emails"));
    profile.phones = contacts(user.get("phoneNumbers"));
    profile.address = address(user.get("addresses"));
    profile.active = match user.get("active") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(active)) => Some(*active),
        Some(Value::String(active)) => match active.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => return Err(wrong("active")),
        },
        Some(_) => return Err(wrong("active")),
    };
    if config.groups == MembersFrom::Users {
        profile.groups = group_names(config, user.get("groups"));
    }
    if config.groups != MembersFrom::Nowhere {
        profile.roles = group_names(config, user.get("roles"));
    }
    let meta = |name: &str| instant(user.get("meta").and_then(|meta| meta.get(name)));
    (profile.times.created, profile.times.updated) = (meta("created"), meta("lastModified"));
    for (name, value) in user {
        let is_known = NOT_KEPT.contains(&name.as_str()) || PLACED.contains(&name.as_str()) || name == config.key;
        if !is_known && !name.starts_with("urn:") {
            keep(profile, name.clone(), value);
        }
    }
    Ok(())
}

/// Attributes of extensions; those of WSO2's that say something of the account's state have their place (2.6).
fn extensions(account: &mut Account, names: &Names, user: &Map<String, Value>) {
    for (urn, members) in user.iter().filter(|(name, _)| name.starts_with("urn:")) {
        let Value::Object(members) = members else {
            keep(&mut account.profile, urn.clone(), members);
            continue;
        };
        for (name, value) in members {
            keep(&mut account.profile, names.of(urn, name), value);
        }
    }
    let system: Vec<&Map<String, Value>> =
        [WSO2_SYSTEM, ENTERPRISE].iter().filter_map(|urn| user.get(*urn)?.as_object()).collect();
    let of = |name: &str| system.iter().find_map(|members| members.get(name).filter(|value| !value.is_null()));
    let said = |name: &str| of(name).map(|value| flag(Some(value)));
    let reason = of("lockedReason").and_then(Value::as_str);
    let profile = &mut account.profile;
    profile.active = state::active(Said {
        active: profile.active,
        locked: said("accountLocked"),
        reason,
        disabled: said("accountDisabled"),
    });
    for (name, contacts) in [("emailVerified", &mut profile.emails), ("phoneVerified", &mut profile.phones)] {
        if let (Some(verified), Some(main)) = (said(name), contacts.first_mut()) {
            main.verified = Some(verified);
        }
    }
    profile.times.last_sign_in = instant(of("lastLogonTime")).or_else(|| instant(of("lastLoginTime")));
    profile.times.password_changed = instant(of("lastPasswordUpdateTime"));
    profile.must_change_password = said("forcePasswordReset") == Some(true);
}

fn keep(profile: &mut sterna_core::account::Profile, name: String, value: &Value) {
    let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("");
    if !is_empty && !state::is_secret(&name) {
        profile.attributes.insert(name, value.clone());
    }
}

/// Addresses or numbers; entries are objects or bare texts.
fn contacts(value: Option<&Value>) -> Vec<Contact> {
    let texts = value.map(texts).unwrap_or_default();
    let contact = |(at, value)| Contact { value, verified: None, primary: at == 0 };
    texts.into_iter().enumerate().map(contact).collect()
}

/// The main postal address, else the first.
fn address(value: Option<&Value>) -> Option<Address> {
    let list = value?.as_array()?;
    let main = list.iter().find(|one| flag(one.get("primary"))).or(list.first())?;
    let part = |name: &str| main.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let address = Address {
        street: part("streetAddress"),
        locality: part("locality"),
        region: part("region"),
        postal_code: part("postalCode"),
        country: part("country"),
    };
    (address != Address::default()).then_some(address)
}

/// Names of groups or roles: what is shown, else the value; some services give bare texts.
fn group_names(config: &SourceConfig, value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = list
        .filter_map(|one| {
            let shown = |name: &str| one.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let name = shown("display").or_else(|| shown("value")).or_else(|| one.as_str())?;
            Some(if config.strips_store { bare(name) } else { name }.to_owned())
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// An instant as text, or in milliseconds since 1970, as WSO2 stores its own.
fn instant(value: Option<&Value>) -> Option<Timestamp> {
    match value? {
        Value::String(text) => crate::text::instant(text),
        Value::Number(number) => number.as_i64().map(Timestamp),
        _ => None,
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, Mistake> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.contains('\0') => {
            Err(Mistake::new(Code::E3106, format!("`{name}` holds NUL")))
        }
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(name)),
    }
}

fn wrong(name: &str) -> Mistake {
    Mistake::new(Code::E3108, format!("`{name}` has another type than it must have"))
}

/// Addresses or numbers as texts, the main one first; entries are objects or bare texts (wso2-scim.md 2.8).
fn texts(value: &Value) -> Vec<String> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut read: Vec<(bool, String)> = Vec::new();
    for one in list {
        let (text, is_main) = match one {
            Value::String(text) => (Some(text.as_str()), true),
            one => (one.get("value").and_then(Value::as_str), flag(one.get("primary"))),
        };
        let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
        // the main one may be given a second time, with its type
        match read.iter_mut().find(|(_, known)| known.eq_ignore_ascii_case(text)) {
            Some((known, _)) => *known |= is_main,
            None => read.push((is_main, text.to_owned())),
        }
    }
    read.sort_by_key(|(is_main, _)| !is_main);
    read.into_iter().map(|(_, text)| text).collect()
}
