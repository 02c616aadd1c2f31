//! From a draft to the bodies of requests. Pure; only what creates an account or sets its password holds a credential.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sterna_core::{
    code::Code,
    plan::{Draft, Password},
    port::Answer,
    secrecy::{ExposeSecret, SecretString},
};

use super::{
    config::ResetUse,
    draft::{FURTHER, TEXTS, TRIGGERS},
    joining::quoted,
    schema::{self, CORE, Schemas},
    shape::{ADDRESS_TYPES, GROUPS, ROLES, Shape},
};

/// The parts of a postal address that are held.
pub(super) const ADDRESS_PARTS: &[&str] = &["streetAddress", "locality", "region", "postalCode", "country"];

/// The schema of a PATCH (RFC 7644 3.5.2).
pub(super) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The body of `POST /Users` (RFC 7644 3.3, wso2-scim.md 2.4). The same for every resend, a random password apart.
///
/// `password` is written whatever the draft says of it: some products want one for everybody, also for people who sign in
/// elsewhere only ([`super::dialect::Dialect::wants_passwords`]).
pub(super) fn create_body(shape: &Shape, draft: &Draft, password: Option<&SecretString>) -> Value {
    let mut user = Map::new();
    for (name, value) in &draft.attributes {
        set(shape, &mut user, name, value);
    }
    if let Some(password) = password {
        user.insert("password".into(), Value::from(password.expose_secret()));
    }
    if shape.dialect.has_resets {
        // said also where it is false: an organisation may invite everybody who is not exempt (wso2-scim.md 1.0)
        let invited = is_invited(shape, draft);
        set(shape, &mut user, &format!("{}:askPassword", shape.schemas.system()), &Value::from(invited));
    }
    // "true" ends the script's question for good: of nobody else an old password is to be asked for (wso2-scim.md 1.2.1)
    if let Some(flag) = &shape.flag {
        set(shape, &mut user, flag, &flag_value(&shape.schemas, flag, draft.password != Password::AtSignIn));
    }
    with_schemas(user)
}

/// Whether the product sends an invitation to set a password. It goes by mail: without an address there is none
/// (wso2-scim.md 1.1).
fn is_invited(shape: &Shape, draft: &Draft) -> bool {
    shape.reset == ResetUse::Invite && draft.password == Password::Reset && draft.attributes.contains_key("emails")
}

/// What is sent after an account was made: a demand for a new password takes effect on accounts that are there (wso2-scim.md
/// 1.1, A2).
pub(super) fn after_create(shape: &Shape, draft: &Draft) -> Option<Value> {
    let forces = shape.dialect.has_resets && shape.reset == ResetUse::Force && draft.password == Password::Reset;
    forces.then(|| patch(&[json!({"op": "replace", "value": {shape.schemas.system(): {"forcePasswordReset": true}}})]))
}

/// The text `"true"` says that the password was moved (wso2-scim.md 1.2.1); where the attribute is a flag, a flag.
fn flag_value(schemas: &Schemas, path: &str, is_migrated: bool) -> Value {
    let is_boolean = schemas.by_path(path).is_some_and(|(_, attribute)| attribute.sort == "boolean");
    if is_boolean { Value::from(is_migrated) } else { Value::from(is_migrated.to_string()) }
}

/// The body that changes attributes (RFC 7644 3.5.2); `None` where there is nothing that a user holds itself: memberships
/// and identities are changed elsewhere.
///
/// # Errors
/// The answer, when a change names something that no draft has: nothing of a credential gets through.
pub(super) fn patch_body(shape: &Shape, changes: &BTreeMap<String, Value>) -> Result<Option<Value>, Answer> {
    let mut operations = Vec::new();
    for (name, value) in own(changes) {
        may_change(shape, name)?;
        operations.push(match value {
            Value::Null => json!({"op": "remove", "path": name}),
            value => replace(shape, name, value),
        });
    }
    Ok((!operations.is_empty()).then(|| patch(&operations)))
}

/// The body that writes a user anew with some attributes changed, for servers without PATCH: what was read goes back
/// (RFC 7644 3.5.1), but for what only the server writes.
///
/// # Errors
/// See [`patch_body`].
pub(super) fn put_body(
    shape: &Shape,
    user: &Value,
    changes: &BTreeMap<String, Value>,
) -> Result<Option<Value>, Answer> {
    let mut user = kept(user);
    let mut is_changed = false;
    for (name, value) in own(changes) {
        may_change(shape, name)?;
        set(shape, &mut user, name, value);
        is_changed = true;
    }
    Ok(is_changed.then(|| with_schemas(user)))
}

/// A PATCH that sets a password, and marks it as moved in the same request: after that nobody else's old password is to be
/// asked for (wso2-scim.md 1.2.1).
pub(super) fn credential_body(shape: &Shape, password: &SecretString) -> Value {
    let mut operations = vec![json!({"op": "replace", "path": "password", "value": password.expose_secret()})];
    operations.extend(shape.flag.as_ref().map(|flag| replace(shape, flag, &flag_value(&shape.schemas, flag, true))));
    patch(&operations)
}

/// The same for servers without PATCH: the user that was read, with the password in it.
pub(super) fn credential_put(shape: &Shape, user: &Value, password: &SecretString) -> Value {
    let mut user = kept(user);
    set(shape, &mut user, "password", &Value::from(password.expose_secret()));
    if let Some(flag) = &shape.flag {
        set(shape, &mut user, flag, &flag_value(&shape.schemas, flag, true));
    }
    with_schemas(user)
}

/// A PATCH that adds members to a group (wso2-scim.md 2.10).
pub(super) fn add_members(ids: &[String]) -> Value {
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    patch(&[json!({"op": "add", "path": "members", "value": members})])
}

/// A PATCH that gives a role to users (wso2-scim.md 2.10).
pub(super) fn add_users(ids: &[String]) -> Value {
    let users: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    patch(&[json!({"op": "add", "path": "users", "value": users})])
}

/// A PATCH that takes values out of a list (RFC 7644 3.5.2.2).
pub(super) fn take_out(list: &str, values: &[String]) -> Value {
    let filter = |value: &String| format!("{list}[value eq {}]", quoted(value));
    let operations: Vec<Value> = values.iter().map(|value| json!({"op": "remove", "path": filter(value)})).collect();
    patch(&operations)
}

/// What of a change a user holds itself.
fn own(changes: &BTreeMap<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    changes.iter().filter(|(name, _)| ![GROUPS, ROLES, "identities"].contains(&name.as_str()))
}

fn may_change(shape: &Shape, name: &str) -> Result<(), Answer> {
    let is_core = TEXTS.contains(&name) || FURTHER.contains(&name) || CHANGEABLE.contains(&name);
    let is_flag = shape.flag.as_deref().is_some_and(|flag| flag.eq_ignore_ascii_case(name));
    // what does something when it is written, but for what keeps out somebody who is not active
    let does = |bare: &str| TRIGGERS.contains(&bare) && !shape.dialect.locks.contains(&bare);
    let is_extension = schema::split(name).is_some_and(|(urn, bare)| urn != CORE && !is_flag && !does(bare));
    if is_core || is_extension {
        return Ok(());
    }
    let detail = format!("`{name}` is not changed by an update");
    Err(Answer::Refuses { code: Code::E2199, detail })
}

/// What a change may name besides texts and extensions.
const CHANGEABLE: &[&str] = &["userName", "externalId", "active", "emails", "phoneNumbers", "addresses"];

/// Puts an attribute of a draft into a user.
fn set(shape: &Shape, user: &mut Map<String, Value>, name: &str, value: &Value) {
    if [GROUPS, ROLES].contains(&name) {
        return;
    }
    let parts = schema::split(name).or_else(|| name.split_once('.'));
    let (members, name, value) = match parts {
        Some((whole, part)) => {
            let whole = user.entry(whole).or_insert_with(|| Value::Object(Map::new()));
            if !whole.is_object() {
                *whole = Value::Object(Map::new());
            }
            let Some(members) = whole.as_object_mut() else { return };
            (members, part, value.clone())
        }
        None => (user, name, wire(shape, name, value)),
    };
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

/// The form in which a server wants a value of the core.
fn wire(shape: &Shape, name: &str, value: &Value) -> Value {
    match (name, value) {
        ("userName", Value::String(name)) => Value::from(shape.sent_user_name(name)),
        ("emails", Value::Array(list)) => typed(list, None, ADDRESS_TYPES),
        ("phoneNumbers", Value::Array(list)) => typed(
            list,
            shape.dialect.phone_types.first().copied(),
            shape.dialect.phone_types.get(1..).unwrap_or_default(),
        ),
        ("addresses", Value::Object(parts)) => {
            let mut address = parts.clone();
            address.insert("type".into(), Value::from(shape.dialect.address_type));
            address.insert("primary".into(), Value::from(true));
            json!([address])
        }
        (_, value) => value.clone(),
    }
}

/// The first is the main one; the others have a type each, as long as there are some.
fn typed(list: &[Value], main: Option<&str>, types: &[&str]) -> Value {
    let one = |(at, value): (usize, &Value)| {
        let sort = if at == 0 { main } else { types.get(at - 1).or(types.last()).copied() };
        let mut one = Map::from_iter([("value".to_owned(), value.clone())]);
        if let Some(sort) = sort {
            one.insert("type".into(), Value::from(sort));
        }
        if at == 0 {
            one.insert("primary".into(), Value::from(true));
        }
        Value::Object(one)
    };
    list.iter().enumerate().map(one).collect()
}

/// A user as it was read, without what only the server writes.
fn kept(user: &Value) -> Map<String, Value> {
    let mut kept = user.as_object().cloned().unwrap_or_default();
    for name in ["meta", GROUPS, ROLES] {
        kept.remove(name);
    }
    for name in ["emails", "phoneNumbers"] {
        // WSO2 writes plain texts between objects (wso2-scim.md 2.8), and takes objects
        for one in kept.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::String(text) = one {
                *one = json!({"value": text, "primary": true});
            }
        }
    }
    kept
}

/// With the schemas of all that it holds (RFC 7643 3.1).
fn with_schemas(mut user: Map<String, Value>) -> Value {
    let extensions: BTreeSet<&String> = user.keys().filter(|name| name.starts_with("urn:")).collect();
    let schemas = std::iter::once(CORE).chain(extensions.into_iter().map(String::as_str));
    let schemas: Vec<Value> = schemas.map(Value::from).collect();
    user.insert("schemas".into(), Value::from(schemas));
    Value::Object(user)
}

/// One operation, with its place as a path; where a product's own pages write an extension as a member of the value, so do we
/// (wso2-scim.md 1.1, A2).
fn replace(shape: &Shape, name: &str, value: &Value) -> Value {
    match schema::split(name) {
        Some((urn, bare)) if shape.dialect.patches_by_value => json!({"op": "replace", "value": {urn: {bare: value}}}),
        _ => json!({"op": "replace", "path": name, "value": wire(shape, name, value)}),
    }
}

fn patch(operations: &[Value]) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

#[cfg(test)]
mod tests;
