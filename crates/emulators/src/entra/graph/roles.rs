//! Directory roles: how a tool finds the administrators that it must leave alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use super::answer::Answer;
use super::only_get;
use super::paging::Shown;
use super::permission::READ_ROLES;
use crate::entra::directory::Directory;
use crate::entra::directory::index::Slot;
use crate::entra::directory::user::{Name, User};
use crate::entra::refusal::Refusal;

/// `/directoryRoles` and `/directoryRoles/{id}/members`.
pub(super) fn dispatch(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    only_get(call)?;
    call.caller.needs(READ_ROLES)?;
    let directory = call.directory();
    let roles = members(call, &directory);
    match path {
        [] => Ok(call.collection("directoryRoles", roles.keys().map(role).collect())),
        [id] => {
            let name = roles.keys().find(|name| role_id(name) == **id).ok_or_else(|| Refusal::missing(id))?;
            Ok(call.entity(200, "directoryRoles", role(name)))
        }
        [id, "members"] => {
            let (_, users) =
                roles.iter().find(|(name, _)| role_id(name) == **id).ok_or_else(|| Refusal::missing(id))?;
            let select = call.select(&directory)?;
            let entry = |user: &&User| {
                let mut entry = user.select(select.as_deref());
                entry.insert("@odata.type".to_owned(), Value::from("#microsoft.graph.user"));
                Value::Object(entry)
            };
            Ok(call.collection("directoryObjects", users.iter().map(entry).collect()))
        }
        [_, segment, ..] => Err(Refusal::unknown_segment(segment)),
    }
}

/// Users by role. Only a request for roles pays for looking at everybody.
fn members<'a>(call: &Call<'_>, directory: &'a Directory) -> BTreeMap<Name, Vec<&'a User>> {
    let mut roles: BTreeMap<Name, Vec<&User>> = BTreeMap::new();
    let end = Slot::try_from(directory.len()).unwrap_or(Slot::MAX);
    for user in (0..end).filter_map(|slot| Shown::Live.user(directory, slot, call)) {
        for name in &user.roles {
            roles.entry(name.clone()).or_default().push(user);
        }
    }
    roles
}

/// `/users/{id}/memberOf`: the roles of one user; there are no groups here.
pub(super) fn of_user(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    let directory = call.directory();
    let (_, user) = directory.seen(id, call.seen_at).ok_or_else(|| Refusal::missing(id))?;
    let entry = |name: &Name| {
        let mut role = role(name);
        role["@odata.type"] = Value::from("#microsoft.graph.directoryRole");
        role
    };
    Ok(call.collection("directoryObjects", user.roles.iter().map(entry).collect()))
}

fn role(name: &Name) -> Value {
    json!({ "id": role_id(name), "displayName": &**name, "description": Value::Null, "roleTemplateId": role_id(name) })
}

fn role_id(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}
