//! One user as the directory keeps it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::property::{self, DEFAULT_SELECT};
use super::rules::shared;
use crate::clock::graph_time;

/// The name of a property; shared, since a million users have the same ones.
pub(crate) type Name = Arc<str>;

/// How one signs in (`entra.md` 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) sign_in_type: Box<str>,
    pub(crate) issuer: Arc<str>,
    pub(crate) assigned_id: Box<str>,
}

/// The kinds of identity that the rules tell apart. Names are compared without case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentityKind {
    /// `emailAddress` and its variants.
    Email,
    /// `userName`, also written `username`.
    UserName,
    /// Any other local type, for example `phoneNumber`.
    OtherLocal,
    /// `userPrincipalName`: made by the directory.
    PrincipalName,
    /// `federated`: a social or other outside provider.
    Federated,
}

impl Identity {
    pub(crate) fn kind(&self) -> IdentityKind {
        let name = self.sign_in_type.to_ascii_lowercase();
        match name.as_str() {
            "federated" => IdentityKind::Federated,
            "userprincipalname" => IdentityKind::PrincipalName,
            "username" => IdentityKind::UserName,
            email if email.starts_with("emailaddress") => IdentityKind::Email,
            _ => IdentityKind::OtherLocal,
        }
    }

    /// Whether both name the same (issuer, id): without case where local, exactly where federated.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.is_federated(), other.is_federated());
        if ours || theirs {
            return ours && theirs && self.issuer == other.issuer && self.assigned_id == other.assigned_id;
        }
        self.issuer.eq_ignore_ascii_case(&other.issuer) && same_text(&self.assigned_id, &other.assigned_id)
    }

    pub(crate) fn is_federated(&self) -> bool {
        self.kind() == IdentityKind::Federated
    }

    /// True for the types with a password here.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.kind(), IdentityKind::Email | IdentityKind::UserName | IdentityKind::OtherLocal)
    }

    fn value(&self) -> Value {
        json!({ "signInType": self.sign_in_type, "issuer": &*self.issuer, "issuerAssignedId": self.assigned_id })
    }
}

/// Compares texts the way the directory does: without case.
pub(crate) fn same_text(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right) || (!left.is_ascii() && left.to_lowercase() == right.to_lowercase())
}

/// A user. Everything Graph has no special rule for is in `properties`.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: Name,
    pub(crate) properties: Vec<(Name, Value)>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) password: Option<Box<str>>,
    pub(crate) last_sign_in: Option<Timestamp>,
    /// Directory roles by display name; a user with one is an administrator.
    pub(crate) roles: Vec<Name>,
}

impl User {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.properties.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Sets a property; `null` removes it, since the directory does not tell the two apart.
    pub(crate) fn set(&mut self, name: &Name, value: Value) {
        let place = self.properties.iter().position(|(known, _)| known == name);
        match (place, value.is_null()) {
            (Some(at), true) => drop(self.properties.swap_remove(at)),
            (Some(at), false) => self.properties[at].1 = value,
            (None, true) => {}
            (None, false) => self.properties.push((name.clone(), value)),
        }
    }

    /// Gives the user a password, changed at `at`.
    pub(crate) fn set_password(&mut self, password: &str, at: Timestamp) {
        self.password = Some(password.into());
        self.set(&shared("lastPasswordChangeDateTime"), Value::from(graph_time(at)));
    }

    pub(crate) fn has_local_identity(&self) -> bool {
        self.identities.iter().any(Identity::is_local)
    }

    pub(crate) fn identities_value(&self) -> Value {
        self.identities.iter().map(Identity::value).collect()
    }

    pub(crate) fn sign_in_value(&self) -> Option<Value> {
        let at = graph_time(self.last_sign_in?);
        let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{}{at}", self.id).as_bytes());
        Some(json!({
            "lastSignInDateTime": at,
            "lastSignInRequestId": id,
            "lastNonInteractiveSignInDateTime": Value::Null,
            "lastNonInteractiveSignInRequestId": Value::Null,
            "lastSuccessfulSignInDateTime": at,
            "lastSuccessfulSignInRequestId": id,
        }))
    }

    /// The user with the properties of `$select`. Declared properties that are not set are `null` or an empty list;
    /// extension properties that are not set are left out (`entra.md` 1.1).
    pub(crate) fn select(&self, names: Option<&[String]>) -> Map<String, Value> {
        let mut out = Map::new();
        match names {
            None => DEFAULT_SELECT.iter().for_each(|name| self.put(&mut out, name)),
            Some(names) => names.iter().for_each(|name| self.put(&mut out, name)),
        }
        out.insert("id".to_owned(), Value::from(&*self.id));
        out
    }

    fn put(&self, out: &mut Map<String, Value>, name: &str) {
        let value = match name {
            "identities" => Some(self.identities_value()),
            "signInActivity" => self.sign_in_value(),
            _ => self.get(name).cloned().or_else(|| unset(name)),
        };
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    }

    /// Every property, for the state that the emulator shows its own tests.
    pub(crate) fn everything(&self) -> Map<String, Value> {
        let mut out: Map<String, Value> =
            self.properties.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        out.insert("id".to_owned(), Value::from(&*self.id));
        out.insert("identities".to_owned(), self.identities_value());
        if let Some(activity) = self.sign_in_value() {
            out.insert("signInActivity".to_owned(), activity);
        }
        if !self.roles.is_empty() {
            out.insert("_roles".to_owned(), self.roles.iter().map(|role| Value::from(&**role)).collect());
        }
        out
    }
}

fn unset(name: &str) -> Option<Value> {
    let property = property::find(name)?;
    Some(if property.is_list() { Value::Array(Vec::new()) } else { Value::Null })
}
