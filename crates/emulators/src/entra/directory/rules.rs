//! What a body of `POST` or `PATCH /users` may say (`entra.md` 4.1 to 4.5). Pure: it looks at the body and the tenant,
//! never at other users.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::extension::Extensions;
use super::identity::{check_identities, read_identities};
use super::property::{self, Property, Shape};
use super::text;
use super::user::{Identity, IdentityKind, Name, User};
use crate::clock::Micros;
use crate::entra::options::Kind;
use crate::entra::refusal::Refusal;
use crate::entra::scenario::Switches;
use crate::entra::tenant::TenantNames;

/// What the rules need to know of the tenant.
pub(crate) struct Rules<'a> {
    pub(crate) kind: Kind,
    pub(crate) names: &'a TenantNames,
    pub(crate) switches: &'a Switches,
    pub(crate) extensions: &'a Extensions,
    pub(crate) now: Micros,
}

/// What a body asks for, checked.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) properties: Vec<(Name, Value)>,
    pub(crate) identities: Option<Vec<Identity>>,
    pub(crate) password: Option<Box<str>>,
    expires_at_once: Option<bool>,
}

/// Extension values on one user, over all applications.
const MAX_EXTENSION_VALUES: usize = 100;

impl Change {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.properties.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    pub(crate) fn has_credential(&self) -> bool {
        self.password.is_some() || self.expires_at_once.is_some()
    }
}

impl Rules<'_> {
    /// Reads a body, checking each member by itself.
    pub(crate) fn read(&self, body: Map<String, Value>) -> Result<Change, Refusal> {
        let mut change = Change::default();
        let mut unavailable = Vec::new();
        for (name, value) in body {
            if name.starts_with("@odata.") {
                continue;
            }
            if name.starts_with("extension_") {
                match self.extensions.available(&name, self.now) {
                    None => unavailable.push(name),
                    Some(known) if value.is_null() || known.data_type.fits(&value, self.text_limit()) => {
                        change.properties.push((known.name.clone(), value));
                    }
                    Some(_) => {
                        return Err(Refusal::invalid(
                            &name,
                            format!("Invalid value specified for property '{name}' of resource 'User'."),
                        ));
                    }
                }
                continue;
            }
            let property = property::find(&name).ok_or_else(|| {
                Refusal::invalid(
                    &name,
                    format!("Property '{name}' does not exist as a declared property or extension property."),
                )
            })?;
            self.read_declared(&mut change, property, value)?;
        }
        if !unavailable.is_empty() {
            return Err(Refusal::extensions_unavailable(&unavailable));
        }
        Ok(change)
    }

    /// 256, and 250 on the External ID page (`entra.md` 4.4).
    fn text_limit(&self) -> usize {
        match self.kind {
            Kind::EntraExternalId => 250,
            Kind::AzureAdB2c => 256,
        }
    }

    fn read_declared(&self, change: &mut Change, property: &Property, value: Value) -> Result<(), Refusal> {
        let name = property.name;
        match property.shape {
            Shape::Identities => change.identities = Some(read_identities(&value)?),
            Shape::PasswordProfile => read_password(change, &value)?,
            Shape::ReadOnly | Shape::ReadOnlyList => {
                let tolerated = name == "creationType" && self.switches.writable_creation_type;
                if !tolerated {
                    let message = format!("Property '{name}' is read-only and cannot be set.");
                    return Err(Refusal::invalid(name, message));
                }
            }
            shape => {
                if !self.fits(shape, &value) || (name == "displayName" && !self.is_display_name(&value)) {
                    let message = format!("Invalid value specified for property '{name}' of resource 'User'.");
                    return Err(Refusal::invalid(name, message));
                }
                change.properties.push((shared(name), value));
            }
        }
        Ok(())
    }

    fn is_display_name(&self, value: &Value) -> bool {
        value.as_str().is_some_and(|text| {
            !text.trim().is_empty() && (self.kind != Kind::AzureAdB2c || !text.contains(['<', '>']))
        })
    }

    fn fits(&self, shape: Shape, value: &Value) -> bool {
        let is = |check: fn(&str) -> bool| value.as_str().is_some_and(check);
        let list = |max: usize, check: &dyn Fn(&str) -> bool| {
            value
                .as_array()
                .is_some_and(|all| all.len() <= max && all.iter().all(|one| one.as_str().is_some_and(check)))
        };
        match shape {
            Shape::Boolean => value.is_boolean(),
            Shape::Emails if self.kind == Kind::AzureAdB2c => list(250, &text::is_email),
            Shape::Emails => list(250, &text::is_international_email),
            Shape::Texts(max) => list(max, &|one| (1..=64).contains(&one.chars().count())),
            Shape::PrincipalName => value.is_string(),
            _ if value.is_null() => true,
            Shape::Text(max) => value.as_str().is_some_and(|text| text.chars().count() <= max),
            Shape::Word(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Shape::Email => is(text::is_email),
            Shape::Nickname => is(text::is_nickname),
            Shape::Country => is(text::is_country),
            Shape::Language => is(text::is_language),
            Shape::PasswordPolicies => value.as_str().is_some_and(|text| policies(text).is_some()),
            Shape::Identities | Shape::PasswordProfile | Shape::ReadOnly | Shape::ReadOnlyList => false,
        }
    }

    /// The rules that hold between the members of a `POST /users`.
    pub(crate) fn check_create(&self, change: &Change) -> Result<(), Refusal> {
        let missing = |name: &str| {
            Refusal::invalid(name, format!("A value is required for property '{name}' of resource 'User'."))
        };
        if change.text("displayName").is_none() {
            return Err(missing("displayName"));
        }
        self.check_principal_name(change)?;
        let Some(identities) = &change.identities else {
            for name in ["accountEnabled", "mailNickname", "userPrincipalName"] {
                if change.get(name).is_none_or(Value::is_null) {
                    return Err(missing(name));
                }
            }
            let password = change.password.as_deref().ok_or_else(|| missing("passwordProfile"))?;
            return self.check_password(password, change.text("passwordPolicies").unwrap_or_default());
        };
        check_identities(self, identities)?;
        let local = identities.iter().any(Identity::is_local);
        self.check_credential(change, local)?;
        check_extension_count(change.properties.iter().map(|(name, value)| (name, value)))
    }

    fn check_credential(&self, change: &Change, local: bool) -> Result<(), Refusal> {
        let policies = change.text("passwordPolicies").unwrap_or_default();
        if !local {
            return match (&change.password, policies) {
                (None, "" | "None") => Ok(()),
                (None, _) => Err(Refusal::invalid(
                    "passwordPolicies",
                    "passwordPolicies may only be set on an account with a local identity.",
                )),
                (Some(_), _) => Err(Refusal::invalid(
                    "passwordProfile",
                    "passwordProfile may only be set on an account with a local identity.",
                )),
            };
        }
        let Some(password) = change.password.as_deref() else {
            return Err(Refusal::invalid("passwordProfile", "A password must be specified to create a new user."));
        };
        if !has_policy(policies, "DisablePasswordExpiration") {
            let message =
                "passwordPolicies must include DisablePasswordExpiration for an account with a local identity.";
            return Err(Refusal::invalid("passwordPolicies", message));
        }
        if change.expires_at_once != Some(false) {
            let message = "forceChangePasswordNextSignIn must be false for an account with a local identity.";
            return Err(Refusal::invalid("passwordProfile", message));
        }
        self.check_password(password, policies)
    }

    pub(crate) fn check_password(&self, password: &str, policies: &str) -> Result<(), Refusal> {
        let honoured = self.kind == Kind::AzureAdB2c || self.switches.weak_passwords_in_external_id;
        let strong = !(honoured && has_policy(policies, "DisableStrongPassword"));
        if text::is_password(password, strong) { Ok(()) } else { Err(Refusal::weak_password()) }
    }

    fn check_principal_name(&self, change: &Change) -> Result<(), Refusal> {
        let by_identity = change.identities.iter().flatten().find(|one| one.kind() == IdentityKind::PrincipalName);
        for name in [change.text("userPrincipalName"), by_identity.map(|one| &*one.assigned_id)].into_iter().flatten() {
            self.check_upn(name)?;
        }
        Ok(())
    }

    fn check_upn(&self, name: &str) -> Result<(), Refusal> {
        let invalid = || Refusal::invalid("userPrincipalName", "Property userPrincipalName is invalid.");
        let (local, domain) = name.rsplit_once('@').ok_or_else(invalid)?;
        if !text::is_principal_name_local(local) || !text::is_principal_name_domain(domain) {
            return Err(invalid());
        }
        if self.names.is_verified(domain) { Ok(()) } else { Err(Refusal::unverified_domain()) }
    }

    /// The rules that hold between a `PATCH` and the user as it is.
    pub(crate) fn check_update(&self, user: &User, change: &Change) -> Result<(), Refusal> {
        self.check_principal_name(change)?;
        if let Some(identities) = &change.identities {
            check_identities(self, identities)?;
            if !identities.iter().any(|one| one.kind() == IdentityKind::PrincipalName) {
                let message = "The identity of type userPrincipalName must be part of the new collection.";
                return Err(Refusal::invalid("identities", message));
            }
            let gains_local = identities.iter().any(Identity::is_local) && !user.has_local_identity();
            if gains_local && self.kind == Kind::AzureAdB2c {
                let message = "A local identity cannot be added to an account that was created without one.";
                return Err(Refusal::invalid("identities", message));
            }
        }
        if let Some(password) = &change.password {
            let policies = change.text("passwordPolicies").unwrap_or_else(|| user.text("passwordPolicies"));
            self.check_password(password, policies)?;
        }
        check_extension_count(merged(user, change))
    }
}

/// The properties a user would have, the changed ones first.
fn merged<'a>(user: &'a User, change: &'a Change) -> impl Iterator<Item = (&'a Name, &'a Value)> {
    let kept = user.properties.iter().filter(|(name, _)| change.get(name).is_none());
    change.properties.iter().chain(kept).map(|(name, value)| (name, value))
}

fn check_extension_count<'a>(properties: impl Iterator<Item = (&'a Name, &'a Value)>) -> Result<(), Refusal> {
    let count = properties.filter(|(name, value)| name.starts_with("extension_") && !value.is_null()).count();
    if count > MAX_EXTENSION_VALUES {
        return Err(Refusal::bad(format!(
            "An object can have at most {MAX_EXTENSION_VALUES} extension property values."
        )));
    }
    Ok(())
}

fn read_password(change: &mut Change, value: &Value) -> Result<(), Refusal> {
    let invalid = || {
        Refusal::invalid(
            "passwordProfile",
            "Invalid value specified for property 'passwordProfile' of resource 'User'.",
        )
    };
    for (member, value) in value.as_object().ok_or_else(invalid)? {
        match member.as_str() {
            "password" => change.password = Some(value.as_str().ok_or_else(invalid)?.into()),
            "forceChangePasswordNextSignIn" => change.expires_at_once = Some(value.as_bool().ok_or_else(invalid)?),
            "forceChangePasswordNextSignInWithMfa" => drop(value.as_bool().ok_or_else(invalid)?),
            "@odata.type" => {}
            _ => return Err(invalid()),
        }
    }
    Ok(())
}

/// The policies in a `passwordPolicies` text, or nothing when one is unknown. `None` stands alone.
fn policies(text: &str) -> Option<Vec<&str>> {
    let all: Vec<&str> = text.split(',').map(str::trim).collect();
    let known = ["None", "DisablePasswordExpiration", "DisableStrongPassword"];
    let good = all.iter().all(|one| known.contains(one)) && (all.len() == 1 || !all.contains(&"None"));
    good.then_some(all)
}

fn has_policy(text: &str, policy: &str) -> bool {
    text.split(',').any(|one| one.trim() == policy)
}

/// The shared form of a declared property's name.
pub(crate) fn shared(name: &'static str) -> Name {
    use std::sync::LazyLock;
    static NAMES: LazyLock<Vec<Name>> =
        LazyLock::new(|| property::PROPERTIES.iter().map(|property| Arc::from(property.name)).collect());
    match property::PROPERTIES.binary_search_by(|property| property.name.cmp(name)) {
        Ok(at) => NAMES[at].clone(),
        Err(_unknown) => Arc::from(name),
    }
}
