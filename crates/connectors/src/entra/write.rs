//! From a write to its request: bodies that only a create fills with credentials. Pure.

use serde_json::{Map, Value, json};
use sterna_core::{
    account::Identity,
    code::Code,
    ids::TargetId,
    plan::{Draft, Password},
    port::Answer,
    secrecy::{ExposeSecret, SecretString},
};

use super::{attributes, config::Product, dto::ObjectIdentity, identities::cannot_add, limits, shape::Shape};

/// The body of `POST /users` (entra.md 4.1). The same for every resend, a random password apart.
pub(super) fn create(shape: &Shape, local_issuer: &str, draft: &Draft, password: Option<&SecretString>) -> Value {
    let mut body: Map<String, Value> = draft.attributes.clone().into_iter().collect();
    let identities = draft.identities.iter().map(|identity| ObjectIdentity::from_identity(identity, local_issuer));
    body.insert("identities".into(), json!(identities.collect::<Vec<_>>()));
    if let Some(password) = password.filter(|_| draft.password != Password::None) {
        body.insert("passwordProfile".into(), password_profile(password));
    }
    if draft.password == Password::AtSignIn {
        body.insert(shape.full_name(&shape.flag), Value::Bool(true));
    }
    Value::Object(body)
}

/// `passwordProfile`: consumer accounts are never forced to change it (entra.md 4.1).
fn password_profile(password: &SecretString) -> Value {
    json!({ "password": password.expose_secret(), "forceChangePasswordNextSignIn": false })
}

/// The body that writes a password after it was found to be the old one: with it goes the flag, where there is one
/// (seed 000: the service writes the password and clears the flag).
pub(super) fn credential(shape: &Shape, has_flag: bool, password: &SecretString) -> Value {
    let mut body = Map::new();
    body.insert("passwordProfile".into(), password_profile(password));
    if has_flag {
        body.insert(shape.full_name(&shape.flag), Value::Bool(false));
    }
    Value::Object(body)
}

/// The body of a change of attributes. Only names on a list get through, and none of a credential is on it.
///
/// # Errors
/// The answer, when a change names something else.
pub(super) fn update<'c>(
    shape: &Shape,
    changes: impl Iterator<Item = (&'c String, &'c Value)>,
) -> Result<Value, Answer> {
    let mut body = Map::new();
    for (name, value) in changes {
        if !may_update(shape, name) {
            let detail = format!("`{name}` is not changed by an update");
            return Err(Answer::Refuses { code: Code::E2199, detail });
        }
        body.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(body))
}

fn may_update(shape: &Shape, name: &str) -> bool {
    let flag = shape.full_name(&shape.flag);
    let extension = name.starts_with(&shape.prefix) && !name.eq_ignore_ascii_case(&flag);
    attributes::fit_of(name).is_some() || attributes::OWN.contains(&name) || extension
}

/// The identities of a user as they were read: in our model, and as they stood on the wire.
pub(super) struct Read {
    raw: Vec<Value>,
    parsed: Vec<Option<Identity>>,
}

impl Read {
    /// Takes the identities out of a user; `None` when there are none to be seen.
    pub(super) fn new(user: &Value) -> Option<Self> {
        let raw = user.get("identities")?.as_array()?.clone();
        let parsed = raw.iter().map(|one| serde_json::from_value::<ObjectIdentity>(one.clone()).ok()?.to_identity());
        Some(Self { parsed: parsed.collect(), raw })
    }

    /// The identities that somebody signs in with.
    pub(super) fn identities(&self) -> Vec<Identity> {
        self.parsed.iter().flatten().cloned().collect()
    }
}

/// The body that adds identities: the whole new array, with the generated user principal name kept (entra.md 4.7).
///
/// # Errors
/// The answer where nothing is to be sent: they are there already, somebody else changed them, or the directory cannot
/// hold them.
pub(super) fn link(
    product: Product,
    local_issuer: &str,
    id: &TargetId,
    read: &Read,
    before: &[Identity],
    add: &[Identity],
) -> Result<Value, Answer> {
    let held = read.identities();
    let canonical = |list: &[Identity]| {
        let mut list: Vec<String> = list.iter().map(Identity::canonical).collect();
        list.sort();
        list
    };
    let (there, wanted) = (canonical(&held), canonical(add));
    // an earlier try may have added some of them
    let rest = |list: &[String]| list.iter().filter(|one| !wanted.contains(one)).cloned().collect::<Vec<_>>();
    if rest(&there) != rest(&canonical(before)) {
        return Err(Answer::Changed);
    }
    let missing: Vec<&Identity> = add.iter().filter(|one| !there.contains(&one.canonical())).collect();
    if missing.is_empty() {
        return Err(Answer::Holds(id.clone()));
    }
    if let Some(code) = cannot_add(product, &held, add) {
        return Err(Answer::Refuses { code, detail: "an account without a local identity cannot get one".into() });
    }
    if held.len() + missing.len() > limits::IDENTITIES {
        let detail = format!("it would have over {} identities", limits::IDENTITIES);
        return Err(Answer::Refuses { code: Code::L2007, detail });
    }
    let mut all = read.raw.clone();
    all.extend(missing.into_iter().map(|identity| json!(ObjectIdentity::from_identity(identity, local_issuer))));
    Ok(json!({ "identities": all }))
}

/// The body that takes identities away again.
///
/// # Errors
/// The answer where nothing is to be sent: none of them is there.
pub(super) fn unlink(id: &TargetId, read: &Read, remove: &[Identity]) -> Result<Value, Answer> {
    let gone = |identity: &Option<Identity>| {
        let Some(identity) = identity else { return false };
        remove.iter().any(|one| one.canonical() == identity.canonical())
    };
    let kept: Vec<&Value> =
        read.raw.iter().zip(&read.parsed).filter(|(_, one)| !gone(one)).map(|(raw, _)| raw).collect();
    if kept.len() == read.raw.len() {
        return Err(Answer::Holds(id.clone()));
    }
    Ok(json!({ "identities": kept }))
}

/// The path of a user, when the id is one that can stand in a path.
pub(super) fn user_path(id: &TargetId) -> Option<String> {
    let safe = !id.0.is_empty() && id.0.len() <= 64 && id.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    safe.then(|| format!("/users/{}", id.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &Value) -> Read {
        Read::new(&json!({ "identities": raw })).unwrap()
    }

    fn wire(sort: &str, issuer: &str, id: &str) -> Value {
        json!({"signInType": sort, "issuer": issuer, "issuerAssignedId": id})
    }

    fn id() -> TargetId {
        TargetId("u1".into())
    }

    #[test]
    fn a_link_sends_what_is_there_as_it_was_read_and_what_is_new() {
        let principal = json!({"signInType": "userPrincipalName", "issuer": "t", "issuerAssignedId": "x@t", "more": 1});
        let there = read(&json!([wire("emailAddress", "t", "Ana@example.com"), principal]));
        let before = [Identity::email("ana@example.com")];
        let add = [Identity::federated("google.com", "4711")];
        let check = |before: &[Identity], add: &[Identity]| link(Product::B2c, "t", &id(), &there, before, add);
        let body = check(&before, &add).unwrap();
        assert_eq!(body["identities"].as_array().unwrap().len(), 3);
        assert_eq!(body["identities"][1], principal);
        assert_eq!(body["identities"][2], wire("federated", "google.com", "4711"));
        assert_eq!(body.as_object().unwrap().len(), 1, "nothing else is sent");
        assert_eq!(check(&[], &add), Err(Answer::Changed));
        assert_eq!(check(&before, &before), Err(Answer::Holds(id())));
    }

    #[test]
    fn a_link_that_was_half_done_is_finished_and_not_taken_for_somebody_elses_change() {
        let there = read(&json!([wire("emailAddress", "t", "a@x.org"), wire("federated", "google.com", "1")]));
        let add = [Identity::federated("google.com", "1"), Identity::federated("facebook.com", "2")];
        let body = link(Product::B2c, "t", &id(), &there, &[Identity::email("a@x.org")], &add).unwrap();
        assert_eq!(body["identities"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn more_than_ten_identities_are_not_sent() {
        let list: Vec<Value> = (0..10).map(|n| wire("federated", "google.com", &n.to_string())).collect();
        let before: Vec<Identity> = (0..10).map(|n| Identity::federated("google.com", n.to_string())).collect();
        let add = [Identity::federated("facebook.com", "1")];
        let answer = link(Product::ExternalId, "t", &id(), &read(&json!(list)), &before, &add);
        assert!(matches!(answer, Err(Answer::Refuses { code: Code::L2007, .. })), "{answer:?}");
    }

    #[test]
    fn only_graphs_ids_get_into_a_path() {
        let path = |text: &str| user_path(&TargetId(text.into()));
        assert_eq!(path("0b00bede-4072").as_deref(), Some("/users/0b00bede-4072"));
        for hostile in ["", "../me", "a/b", "a?b", "a@b.org", &"a".repeat(65)] {
            assert_eq!(path(hostile), None, "{hostile}");
        }
    }
}
