//! From a user as servers give it to what is held, under the names that drafts use. Pure.
//!
//! Servers write the same in many ways (wso2-scim.md 2.5, 2.8, 4.1; counterparts.md): addresses are texts or objects, flags are
//! texts, names have a store before them, `schemas` is missing. Whatever cannot be read is left out; nothing here fails but a
//! user without an id.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sterna_core::{
    account::Identity,
    ids::{AccountKey, TargetId},
    port::{Activity, Held, InventoryItem},
    time::Timestamp,
};

use super::{
    draft::{FURTHER, TEXTS},
    identities,
    schema::{self, ENTERPRISE, WSO2_SYSTEM, flag},
    shape::{ADDRESS_TYPES, GROUPS, ROLES, Shape},
    write::ADDRESS_PARTS,
};

/// What other requests told about a user.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// Identities of other providers (wso2-scim.md 6).
    pub(super) identities: Vec<Identity>,
    /// Names of groups, where the server does not give them with the user.
    pub(super) groups: Option<Vec<String>>,
    /// Names of roles, likewise.
    pub(super) roles: Option<Vec<String>>,
}

/// What identifies a user; `None` without an id.
pub(super) fn inventory_item(shape: &Shape, user: &Value) -> Option<InventoryItem> {
    let id = id(user)?;
    let identities =
        user_name(shape, user).and_then(|name| identities::of_user_name(name, key(user))).into_iter().collect();
    Some(InventoryItem { id, key: key(user), identities })
}

/// A user as it is held; `None` without an id.
pub(super) fn held(shape: &Shape, user: &Value, beside: Beside) -> Option<Held> {
    let InventoryItem { id, key, mut identities } = inventory_item(shape, user)?;
    identities.extend(beside.identities);
    let mut attributes = attributes(shape, user);
    for (name, given) in [(GROUPS, beside.groups), (ROLES, beside.roles)] {
        if let Some(names) = given {
            attributes.insert(name.to_owned(), Value::from(names));
        }
    }
    Some(Held {
        id,
        key,
        attributes,
        identities,
        awaiting: awaiting(shape, user),
        signed_in: signed_in(shape, user),
        password_changed: system(shape, user, "lastPasswordUpdateTime").and_then(instant),
        created: user.pointer("/meta/created").and_then(instant),
    })
}

/// Our key, where the user carries one.
pub(super) fn key(user: &Value) -> Option<AccountKey> {
    AccountKey::parse(member(user, "externalId")?.as_str()?.trim())
}

/// The id of a user.
pub(super) fn id(user: &Value) -> Option<TargetId> {
    let id = member(user, "id")?.as_str().filter(|id| !id.is_empty())?;
    Some(TargetId(id.to_owned()))
}

/// The user name without the store before it.
pub(super) fn user_name<'u>(shape: &Shape, user: &'u Value) -> Option<&'u str> {
    member(user, "userName")?.as_str().map(|name| shape.bare_user_name(name))
}

fn attributes(shape: &Shape, user: &Value) -> BTreeMap<String, Value> {
    let mut attributes = BTreeMap::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            attributes.insert(name.to_owned(), value);
        }
    };
    put("userName", user_name(shape, user).map(Value::from));
    put("externalId", member(user, "externalId").cloned());
    for name in TEXTS.iter().chain(FURTHER) {
        let found = match name.split_once('.') {
            Some((whole, part)) => member(user, whole).and_then(|whole| member(whole, part)),
            None => member(user, name),
        };
        put(name, found.filter(|value| value.is_string()).cloned());
    }
    put("active", member(user, "active").map(|value| Value::from(flag(Some(value)))));
    put("emails", values(member(user, "emails"), ADDRESS_TYPES));
    put("phoneNumbers", values(member(user, "phoneNumbers"), shape.dialect.phone_types));
    put("addresses", address(member(user, "addresses"), shape.dialect.address_type));
    put(GROUPS, names(shape, member(user, GROUPS)));
    put(ROLES, names(shape, member(user, ROLES)));
    for (urn, members) in user.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("urn:")) {
        for (name, value) in members.as_object().into_iter().flatten() {
            put(&format!("{urn}:{name}"), Some(value.clone()));
        }
    }
    attributes
}

/// Addresses or numbers as texts, the main one first, then by type: servers keep them in an order of their own.
fn values(list: Option<&Value>, types: &[&str]) -> Option<Value> {
    let list = match list? {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let rank = |value: &Value| {
        // WSO2 writes the main address as a plain text (wso2-scim.md 2.8)
        if value.is_string() || flag(value.get("primary")) {
            return 0;
        }
        let sort = value.get("type").and_then(Value::as_str).unwrap_or_default();
        1 + types.iter().position(|known| known.eq_ignore_ascii_case(sort)).unwrap_or(types.len())
    };
    let mut ranked: Vec<(usize, &str)> = list
        .iter()
        .filter_map(|value| Some((rank(value), value.as_str().or_else(|| value.get("value")?.as_str())?)))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    // an address may stand there twice, as a text and by its type
    let mut texts: Vec<&str> = Vec::new();
    for (_, text) in ranked {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    (!texts.is_empty()).then(|| Value::from(texts))
}

/// The main postal address, else the one of the type that we write, else the first.
fn address(list: Option<&Value>, wanted: &str) -> Option<Value> {
    let list = match list? {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_wanted = |one: &&Value| one.get("type").and_then(Value::as_str) == Some(wanted);
    let main = list.iter().find(|one| flag(one.get("primary"))).or(list.iter().find(is_wanted)).or(list.first())?;
    let parts = ADDRESS_PARTS.iter().filter_map(|name| Some(((*name).to_owned(), main.get(name)?.clone())));
    let parts: Map<String, Value> = parts.filter(|(_, value)| value.is_string()).collect();
    (!parts.is_empty()).then_some(Value::Object(parts))
}

/// Names of groups or roles. Memberships through another group are not ours to compare (RFC 7643 4.1.2 `groups`).
fn names(shape: &Shape, list: Option<&Value>) -> Option<Value> {
    let direct = |one: &&Value| one.get("type").and_then(Value::as_str) != Some("indirect");
    let mut names: Vec<&str> = Vec::new();
    for one in list?.as_array()?.iter().filter(direct) {
        match one.get("display").and_then(Value::as_str) {
            Some(name) => names.push(name),
            // before roles had ids they stood in one text, with commas between
            None if one.get("$ref").is_none() => {
                names.extend(one.get("value").and_then(Value::as_str).into_iter().flat_map(|text| text.split(',')));
            }
            None => {}
        }
    }
    let mut names: Vec<&str> = names.into_iter().map(|name| shape.bare_user_name(name.trim())).collect();
    names.sort_unstable();
    names.dedup();
    Some(Value::from(names))
}

/// The flag says that a password was moved (wso2-scim.md 1.2.1); what we ask is whether it is still to move.
fn awaiting(shape: &Shape, user: &Value) -> Option<bool> {
    let (urn, name) = schema::split(shape.flag.as_deref()?)?;
    let value = member(user, urn).and_then(|members| member(members, name)).filter(|value| !value.is_null())?;
    Some(!flag(Some(value)))
}

/// WSO2 notes sign-ins where it was told to; a user without a note may have signed in all the same.
fn signed_in(shape: &Shape, user: &Value) -> Activity {
    let noted = ["lastLogonTime", "lastLoginTime"].into_iter().filter_map(|name| system(shape, user, name));
    match noted.filter_map(instant).max() {
        Some(at) => Activity::At(at),
        None if shape.nobody_signs_in => Activity::Never,
        None => Activity::Unknown,
    }
}

/// An attribute of the product's own, wherever its version keeps it (wso2-scim.md 2.6).
fn system<'u>(shape: &Shape, user: &'u Value, name: &str) -> Option<&'u Value> {
    let urns = shape.dialect.has_resets.then_some([WSO2_SYSTEM, ENTERPRISE]);
    urns.into_iter().flatten().find_map(|urn| member(member(user, urn)?, name)).filter(|value| !value.is_null())
}

/// An instant: RFC 3339, or milliseconds since the epoch in digits, as WSO2 keeps them in claims.
fn instant(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let millis = text.parse::<i64>().ok().filter(|millis| *millis > 0).map(Timestamp);
    millis.or_else(|| Timestamp::parse(&text))
}

/// A member by its name; names of attributes have no case (RFC 7643 2.1).
fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    members.get(name).or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

#[cfg(test)]
mod tests;
