//! The rules of `identities` (`entra.md` 4.2 and 4.3).

use std::sync::Arc;

use serde_json::Value;

use super::rules::Rules;
use super::text;
use super::user::{Identity, IdentityKind};
use crate::entra::options::Kind;
use crate::entra::refusal::Refusal;

/// Identities of one user. The reference says so of B2C; both kinds keep to it.
const MAX_IDENTITIES: usize = 10;

/// Characters of an issuer.
const MAX_ISSUER: usize = 512;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::invalid("identities", message)
}

/// Reads the collection: objects with `signInType`, `issuer` and `issuerAssignedId`, nothing else.
pub(crate) fn read_identities(value: &Value) -> Result<Vec<Identity>, Refusal> {
    let all = value
        .as_array()
        .ok_or_else(|| invalid("Invalid value specified for property 'identities' of resource 'User'."))?;
    if all.is_empty() {
        return Err(invalid("At least one identity is required in property 'identities'."));
    }
    all.iter().map(read_identity).collect()
}

fn read_identity(value: &Value) -> Result<Identity, Refusal> {
    let members = value.as_object().ok_or_else(|| invalid("An identity is an object."))?;
    let known = ["signInType", "issuer", "issuerAssignedId", "@odata.type"];
    if let Some(stranger) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(invalid(format!("Property '{stranger}' does not exist on type 'microsoft.graph.objectIdentity'.")));
    }
    let text = |name: &str| {
        let text = members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| invalid(format!("A value is required for property '{name}' of an identity.")))
    };
    Ok(Identity {
        sign_in_type: text("signInType")?.into(),
        issuer: Arc::from(text("issuer")?),
        assigned_id: text("issuerAssignedId")?.into(),
    })
}

/// Checks a whole collection.
pub(crate) fn check_identities(rules: &Rules<'_>, identities: &[Identity]) -> Result<(), Refusal> {
    if identities.len() > MAX_IDENTITIES {
        return Err(invalid(format!("A user can have at most {MAX_IDENTITIES} identities.")));
    }
    for (at, identity) in identities.iter().enumerate() {
        check_identity(rules, identity)?;
        if identities[..at].iter().any(|earlier| earlier.clashes_with(identity)) {
            return Err(invalid("The same identity is given twice."));
        }
    }
    let names = identities.iter().filter(|one| one.kind() == IdentityKind::PrincipalName).count();
    if names > 1 {
        return Err(invalid("A user has exactly one identity of type userPrincipalName."));
    }
    Ok(())
}

fn check_identity(rules: &Rules<'_>, identity: &Identity) -> Result<(), Refusal> {
    if identity.issuer.chars().count() > MAX_ISSUER {
        return Err(invalid(format!("The issuer of an identity has at most {MAX_ISSUER} characters.")));
    }
    let kind = identity.kind();
    let known_issuer = match kind {
        IdentityKind::Federated => true,
        IdentityKind::PrincipalName => rules.names.is_verified(&identity.issuer),
        IdentityKind::Email | IdentityKind::UserName | IdentityKind::OtherLocal => {
            rules.is_local_issuer(&identity.issuer)
        }
    };
    if !known_issuer {
        return Err(Refusal::foreign_issuer());
    }
    let id = &identity.assigned_id;
    match kind {
        IdentityKind::Email if !text::is_email(id) => {
            Err(invalid("The issuerAssignedId of an emailAddress identity must be a valid email address."))
        }
        IdentityKind::OtherLocal if !rules.allows_type(&identity.sign_in_type) => {
            Err(invalid(format!("The signInType '{}' is not supported in this tenant.", identity.sign_in_type)))
        }
        IdentityKind::UserName if !rules.switches.user_names => {
            Err(invalid("Sign-in with a user name is not enabled in this tenant."))
        }
        IdentityKind::UserName if !text::is_user_name(id) => Err(invalid(
            "The issuerAssignedId of a userName identity begins with a letter or digit and has only letters, digits, hyphen and underscore, 64 at most.",
        )),
        _ => Ok(()),
    }
}

impl Rules<'_> {
    /// Sign-in types beside those of `entra.md` 4.2: B2C also knows phone numbers (their issuer can be filtered by).
    fn allows_type(&self, sign_in_type: &str) -> bool {
        self.kind == Kind::AzureAdB2c && sign_in_type.eq_ignore_ascii_case("phoneNumber")
    }

    fn is_local_issuer(&self, issuer: &str) -> bool {
        if self.switches.any_verified_issuer {
            return self.names.is_verified(issuer);
        }
        self.names.default_domain.eq_ignore_ascii_case(issuer)
    }
}
