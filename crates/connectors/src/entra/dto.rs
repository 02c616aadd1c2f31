//! What Graph and the token endpoint say on the wire, as far as this connector reads it.
//!
//! Members that are not needed are ignored and everything optional may be `null`: newer payloads add members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sterna_core::{
    account::{Identity, LocalName},
    time::Timestamp,
};

pub(super) use crate::http::object;

/// An error envelope: `{"error":{…}}` (entra.md 4.6).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ErrorEnvelope {
    /// What is in it.
    pub(super) error: GraphError,
}

/// What Graph says about a failure.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct GraphError {
    /// `Request_BadRequest` …
    pub(super) code: String,
    /// Words; may quote values.
    #[serde(deserialize_with = "nullable")]
    pub(super) message: String,
    /// Per property.
    #[serde(deserialize_with = "nullable")]
    pub(super) details: Vec<ErrorDetail>,
}

/// One property's part of a failure.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct ErrorDetail {
    /// `ObjectConflict` …
    #[serde(deserialize_with = "nullable")]
    pub(super) code: String,
    /// Words.
    #[serde(deserialize_with = "nullable")]
    pub(super) message: String,
    /// The property.
    #[serde(deserialize_with = "nullable")]
    pub(super) target: String,
}

impl GraphError {
    /// Reads an error body; `None` when it is not one.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        object::<ErrorEnvelope>(body).ok().map(|envelope| envelope.error)
    }
}

fn nullable<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A page of a collection.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct List<T> {
    /// The entries.
    pub(super) value: Vec<T>,
    /// Where the next page is: an opaque absolute URL.
    #[serde(rename = "@odata.nextLink", default)]
    pub(super) next: Option<String>,
}

/// A sign-in identity on the wire (entra.md 4.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectIdentity {
    /// `emailAddress`, `userName`, `phoneNumber`, `federated`, `userPrincipalName`.
    pub(super) sign_in_type: String,
    /// The provider, or the tenant's domain for local ones.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) issuer: String,
    /// The name or the provider's id of the person.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) issuer_assigned_id: String,
}

impl ObjectIdentity {
    /// An identity as it is sent; local ones get `local_issuer`.
    pub(super) fn from_identity(identity: &Identity, local_issuer: &str) -> Self {
        let (sign_in_type, issuer, id) = match identity {
            Identity::Local { name: LocalName::Email, value } => ("emailAddress", local_issuer, value),
            Identity::Local { name: LocalName::UserName, value } => ("userName", local_issuer, value),
            Identity::Local { name: LocalName::Phone, value } => ("phoneNumber", local_issuer, value),
            Identity::Federated { issuer, subject } => ("federated", issuer.as_str(), subject),
        };
        Self { sign_in_type: sign_in_type.into(), issuer: issuer.into(), issuer_assigned_id: id.clone() }
    }

    /// The identity in our own model; `None` for the user principal name. Spellings compare without case
    /// (entra.md 4.3).
    pub(super) fn to_identity(&self) -> Option<Identity> {
        let value = self.issuer_assigned_id.clone();
        let sort = self.sign_in_type.to_ascii_lowercase();
        if sort == "userprincipalname" || value.is_empty() {
            return None;
        }
        Some(match sort.as_str() {
            sort if sort.starts_with("emailaddress") => Identity::Local { name: LocalName::Email, value },
            "username" => Identity::Local { name: LocalName::UserName, value },
            sort if sort.starts_with("phonenumber") => Identity::Local { name: LocalName::Phone, value },
            _ => Identity::Federated { issuer: self.issuer.clone(), subject: value },
        })
    }
}

/// A user, as far as something is done with single members; the rest is in `more`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    /// Graph's id.
    pub(super) id: String,
    /// What the user signs in with.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) identities: Vec<ObjectIdentity>,
    /// Everything else that was selected.
    #[serde(flatten)]
    pub(super) more: BTreeMap<String, Value>,
}

impl User {
    /// A text member.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.more.get(name)?.as_str()
    }
}

/// The latest of the instants in `signInActivity`; `None` when nobody has signed in.
pub(super) fn last_activity(value: Option<&Value>) -> Option<Timestamp> {
    let times = value?.as_object()?.iter().filter(|(name, _)| name.ends_with("DateTime"));
    times.filter_map(|(_, value)| Timestamp::parse(value.as_str()?)).max()
}

/// A domain of the tenant.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(super) struct Domain {
    /// Its name.
    pub(super) id: String,
    /// Whether it is the one that the tenant was made with.
    pub(super) is_initial: bool,
    /// Whether it is the default for new users.
    pub(super) is_default: bool,
    /// Whether it was proven; `None` when not said.
    pub(super) is_verified: Option<bool>,
}

/// An application registration.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApplicationObject {
    /// The object's id.
    pub(super) id: String,
    /// The application's (client) id.
    pub(super) app_id: String,
}

/// An extension attribute's definition (entra.md 3.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExtensionProperty {
    /// The definition's id.
    #[serde(default)]
    pub(super) id: String,
    /// `extension_{app id without hyphens}_{name}`.
    pub(super) name: String,
    /// `String`, `Boolean` …
    #[serde(default, deserialize_with = "nullable")]
    pub(super) data_type: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_error_sample_reads() {
        let error = GraphError::read(
            br#"{"error":{"code":"Request_BadRequest","message":null,"details":[{"code":"ObjectConflict","target":"identities"}],"innerError":{"date":"x"}}}"#,
        );
        assert_eq!(error.map(|error| error.details[0].target.clone()).as_deref(), Some("identities"));
        assert!(GraphError::read(b"<html>").is_none());
        assert!(GraphError::read(br#"[{"code":"x"}]"#).is_none());
    }

    #[test]
    fn a_list_is_no_page() {
        assert!(object::<List<Value>>(b" {\"value\":[]}").is_ok());
        assert!(object::<List<Value>>(b"[[]]").is_err());
    }

    #[test]
    fn identities_go_to_the_wire_and_back() {
        let check = |identity: Identity, sort: &str, issuer: &str| {
            let wire = ObjectIdentity::from_identity(&identity, "contoso.onmicrosoft.com");
            assert_eq!((wire.sign_in_type.as_str(), wire.issuer.as_str()), (sort, issuer));
            assert_eq!(wire.to_identity(), Some(identity));
        };
        check(Identity::email("ana@example.com"), "emailAddress", "contoso.onmicrosoft.com");
        check(Identity::user_name("ana"), "userName", "contoso.onmicrosoft.com");
        check(Identity::federated("facebook.com", "5eecb0cd"), "federated", "facebook.com");
    }

    #[test]
    fn spellings_compare_without_case_and_the_principal_name_is_no_identity() {
        let wire = |sort: &str| ObjectIdentity {
            sign_in_type: sort.into(),
            issuer: "contoso.onmicrosoft.com".into(),
            issuer_assigned_id: "x".into(),
        };
        assert_eq!(wire("username").to_identity(), Some(Identity::user_name("x")));
        assert_eq!(wire("UserPrincipalName").to_identity(), None);
    }
}
