//! The users that the tenant holds at the start.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Directory;
use super::extension::full_name;
use super::identity::read_identities;
use super::property;
use super::rules::shared;
use super::user::{Name, User};
use crate::clock::{Now, graph_time};
use crate::entra::scenario::UserSeed;

/// Puts a user of the scenario in, visible at once. `app_id` is the application of `{extension}`.
pub(crate) fn plant(directory: &mut Directory, seed: &UserSeed, app_id: &str, now: Now) -> Result<(), String> {
    let mut user = User {
        id: Name::from(Uuid::new_v4().to_string()),
        properties: Vec::new(),
        identities: Vec::new(),
        password: seed.password.as_deref().map(Into::into),
        last_sign_in: None,
        roles: seed.roles.iter().map(|role| Name::from(role.as_str())).collect(),
    };
    for (name, value) in &seed.properties {
        let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
        set(directory, &mut user, name, value, app_id)?;
    }
    if let Some(at) = &seed.last_sign_in {
        let at = at.parse::<Timestamp>().map_err(|_bad| format!("last_sign_in {at} is not a time"))?;
        user.last_sign_in = Some(at);
    }
    if user.get("userPrincipalName").is_none() {
        let name = format!("{}@{}", user.id, directory.names.initial_domain);
        user.set(&shared("userPrincipalName"), Value::from(name));
    }
    if user.get("createdDateTime").is_none() {
        user.set(&shared("createdDateTime"), Value::from(graph_time(now.wall)));
    }
    if user.password.is_some() && user.get("lastPasswordChangeDateTime").is_none() {
        let created = user.get("createdDateTime").cloned().unwrap_or(Value::Null);
        user.set(&shared("lastPasswordChangeDateTime"), created);
    }
    directory.default_properties(&mut user);
    directory.insert(user, 0);
    Ok(())
}

fn set(directory: &Directory, user: &mut User, name: &str, value: Value, app_id: &str) -> Result<(), String> {
    if name == "id" {
        let id = value.as_str().and_then(|id| Uuid::parse_str(id).ok()).ok_or("the id of a user is a GUID")?;
        user.id = Name::from(id.to_string());
        return Ok(());
    }
    if name == "identities" {
        user.identities = read_identities(&value).map_err(|refusal| refusal.message)?;
        return Ok(());
    }
    let short = name.strip_prefix("{extension}_").map(|short| full_name(app_id, short));
    let full = short.as_deref().unwrap_or(name);
    if let Some(extension) = directory.extensions.find(full) {
        let name = extension.name.clone();
        user.set(&name, value);
        return Ok(());
    }
    let property = property::find(full).ok_or_else(|| format!("a user has no property {name}"))?;
    user.set(&shared(property.name), value);
    Ok(())
}

/// Makes up a user: local, social and combined in turn. The same number always gives the same person.
pub(crate) fn made_up(domain: &str, number: u32) -> UserSeed {
    const GIVEN: [&str; 8] = ["Ana", "Bo", "Casey", "Dmitri", "Élodie", "Femi", "Gül", "Hana"];
    const FAMILY: [&str; 7] = ["Jensen", "Okafor", "Müller", "Nguyễn", "O'Brien", "da Silva", "Kowalska"];
    let given = GIVEN[number as usize % GIVEN.len()];
    let family = FAMILY[number as usize / GIVEN.len() % FAMILY.len()];
    let mail = format!("person{number}@example.com");
    let local = json!({ "signInType": "emailAddress", "issuer": domain, "issuerAssignedId": mail });
    let social =
        json!({ "signInType": "federated", "issuer": "facebook.com", "issuerAssignedId": format!("{number:016}") });
    let identities = match number % 3 {
        0 => json!([local]),
        1 => json!([social]),
        _ => json!([local, social]),
    };
    let properties = json!({
        "displayName": format!("{given} {family}"), "givenName": given, "surname": family, "mail": mail,
        "identities": identities,
    });
    UserSeed {
        properties: toml::Table::try_from(properties).unwrap_or_default(),
        password: None,
        roles: Vec::new(),
        last_sign_in: None,
    }
}

/// The user with its sign-in time set and, as the product does it, the flag property cleared (`entra.md` 1.1).
pub(crate) fn signed_in(user: &Arc<User>, at: Timestamp, flag: Option<&Name>) -> User {
    let mut user = User::clone(user);
    user.last_sign_in = Some(at);
    if let Some(flag) = flag {
        user.set(flag, Value::from(false));
    }
    user
}
