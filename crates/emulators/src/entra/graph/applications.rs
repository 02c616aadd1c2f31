//! Applications, their extension properties, and service principals, as far as the flag property needs them
//! (`entra.md` 3.1).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Call;
use super::answer::Answer;
use super::permission::{READ_APPLICATIONS, READ_EXTENSIONS, WRITE_APPLICATIONS};
use super::{ALL_ROLES, only_get};
use crate::entra::apps::{GRAPH_APP_ID, RegisteredApp};
use crate::entra::directory::extension::{DataType, Extension, full_name};
use crate::entra::refusal::Refusal;

pub(super) fn dispatch(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (call.item.method.as_str(), path) {
        (_, []) => {
            only_get(call)?;
            list(call, "applications", call.service.apps.iter().map(RegisteredApp::application).collect())
        }
        (_, [key]) => {
            only_get(call)?;
            call.caller.needs(READ_APPLICATIONS)?;
            let app = find(call, key, |app| &app.object_id)?;
            Ok(call.entity(200, "applications", chosen(call, app.application())))
        }
        ("GET", [key, "extensionProperties"]) => extensions(call, find(call, key, |app| &app.object_id)?),
        ("POST", [key, "extensionProperties"]) => add_extension(call, find(call, key, |app| &app.object_id)?),
        ("GET" | "DELETE", [key, "extensionProperties", id]) => {
            one_extension(call, find(call, key, |app| &app.object_id)?, id)
        }
        (_, [_, "extensionProperties", ..]) => Err(Refusal::method_not_allowed()),
        (_, [_, segment, ..]) => Err(Refusal::unknown_segment(segment)),
    }
}

/// The application that a path names: by object id, or as `appId='…'`.
fn find<'a>(
    call: &'a Call<'_>,
    key: &str,
    id: impl Fn(&RegisteredApp) -> &String,
) -> Result<&'a RegisteredApp, Refusal> {
    let app_id = key.strip_prefix("appId='").and_then(|rest| rest.strip_suffix('\''));
    let named = |app: &&RegisteredApp| match app_id {
        Some(app_id) => app.app_id.eq_ignore_ascii_case(app_id),
        None => id(app).eq_ignore_ascii_case(key),
    };
    call.service.apps.iter().find(named).ok_or_else(|| Refusal::missing(key))
}

/// `$select` on a small object: the named members, and always the id.
fn chosen(call: &Call<'_>, entity: Value) -> Value {
    let (Some(names), Value::Object(entity)) = (call.item.query.get("$select"), &entity) else { return entity };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    let kept = entity.iter().filter(|(name, _)| *name == "id" || names.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}

/// A list narrowed by `startswith(displayName,'…')`, `displayName eq '…'` or `appId eq '…'`.
fn list(call: &Call<'_>, of: &str, all: Vec<Value>) -> Result<Answer, Refusal> {
    use super::filter::{Filter, Operator};
    call.caller.needs(READ_APPLICATIONS)?;
    call.item.query.only(&["$filter", "$select", "$top", "$count"])?;
    let held = |entity: &Value, name: &str| entity[name].as_str().unwrap_or_default().to_lowercase();
    let keep: Box<dyn Fn(&Value) -> bool> = match call.item.query.filter()? {
        None => Box::new(|_| true),
        Some(Filter::StartsWith { property, prefix }) if property == "displayName" => {
            Box::new(move |entity| held(entity, &property).starts_with(&prefix.to_lowercase()))
        }
        Some(Filter::Compare { property, operator: Operator::Eq, value: Value::String(value) })
            if ["displayName", "appId", "id"].contains(&property.as_str()) =>
        {
            Box::new(move |entity| held(entity, &property) == value.to_lowercase())
        }
        Some(_) => return Err(Refusal::unsupported_query("Unsupported or invalid query filter clause.")),
    };
    let entries = all.into_iter().filter(|entity| keep(entity)).map(|entity| chosen(call, entity)).collect();
    Ok(call.collection(of, entries))
}

fn extensions(call: &Call<'_>, app: &RegisteredApp) -> Result<Answer, Refusal> {
    call.caller.needs(READ_APPLICATIONS)?;
    let directory = call.directory();
    let mine = directory.extensions.all().filter(|extension| extension.app_object_id == app.object_id);
    let mut entries: Vec<Value> = mine.map(Extension::value).collect();
    if let Some(filter) = call.item.query.filter()? {
        let super::filter::Filter::Compare { property, value: Value::String(value), .. } = filter else {
            return Err(Refusal::unsupported_query("Unsupported or invalid query filter clause."));
        };
        entries.retain(|entry| entry[&property].as_str().is_some_and(|held| held.eq_ignore_ascii_case(&value)));
    }
    Ok(call.collection("applications/extensionProperties", entries))
}

fn add_extension(call: &Call<'_>, app: &RegisteredApp) -> Result<Answer, Refusal> {
    call.caller.needs(WRITE_APPLICATIONS)?;
    let body = call.body()?;
    let invalid = |name: &str| {
        Refusal::invalid(
            name,
            format!("Invalid value specified for property '{name}' of resource 'ExtensionProperty'."),
        )
    };
    let known = ["name", "dataType", "targetObjects", "isMultiValued", "@odata.type"];
    if let Some(stranger) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(invalid(stranger));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let short = text("name").filter(|name| is_name(name)).ok_or_else(|| invalid("name"))?;
    let data_type = text("dataType").and_then(DataType::parse).ok_or_else(|| invalid("dataType"))?;
    if body.get("targetObjects") != Some(&json!(["User"])) {
        return Err(invalid("targetObjects"));
    }
    if body.get("isMultiValued").is_some_and(|many| *many != Value::Bool(false)) {
        return Err(invalid("isMultiValued"));
    }
    let new = Extension {
        id: Uuid::new_v4().to_string(),
        name: full_name(&app.app_id, short),
        data_type,
        app_object_id: app.object_id.clone(),
        app_name: app.name.clone(),
        available_from: call.now.micros + call.service.extension_delay,
    };
    let created = call.directory().extensions.add(new)?;
    Ok(call.entity(201, "applications/extensionProperties", created))
}

fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn one_extension(call: &Call<'_>, app: &RegisteredApp, id: &str) -> Result<Answer, Refusal> {
    if call.item.method == http::Method::DELETE {
        call.caller.needs(WRITE_APPLICATIONS)?;
        let removed = call.directory().remove_extension(&app.object_id, id);
        return if removed { Ok(Answer::no_content()) } else { Err(Refusal::missing(id)) };
    }
    call.caller.needs(READ_APPLICATIONS)?;
    let directory = call.directory();
    let found = directory.extensions.all().find(|one| one.id == id && one.app_object_id == app.object_id);
    let value = found.map(Extension::value).ok_or_else(|| Refusal::missing(id))?;
    Ok(call.entity(200, "applications/extensionProperties", value))
}

/// `POST /directoryObjects/getAvailableExtensionProperties`: what can be written already.
pub(super) fn available_extensions(call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.item.method != http::Method::POST {
        return Err(Refusal::method_not_allowed());
    }
    call.caller.needs(READ_EXTENSIONS)?;
    let body = if call.item.body.is_empty() { Map::new() } else { call.body()? };
    let synced = body.get("isSyncedFromOnPremises").and_then(Value::as_bool).unwrap_or(false);
    let directory = call.directory();
    let ready = |one: &&Extension| one.available_from <= call.seen_at && !synced;
    let entries = directory.extensions.all().filter(ready).map(Extension::value).collect();
    Ok(call.collection("extensionProperties", entries))
}

/// `/servicePrincipals`: one for each application, and the one of Graph itself with its app roles.
pub(super) fn service_principals(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    only_get(call)?;
    call.caller.needs(READ_APPLICATIONS)?;
    match path {
        [] => {
            let all = call.service.apps.iter().map(RegisteredApp::service_principal);
            list(call, "servicePrincipals", all.chain([graph_principal(call)]).collect())
        }
        [key] if *key == format!("appId='{GRAPH_APP_ID}'") || *key == graph_principal_id(call) => {
            Ok(call.entity(200, "servicePrincipals", chosen(call, graph_principal(call))))
        }
        [key] => {
            let app = find(call, key, |app| &app.principal_id)?;
            Ok(call.entity(200, "servicePrincipals", chosen(call, app.service_principal())))
        }
        [key, "appRoleAssignments"] => {
            let app = find(call, key, |app| &app.principal_id)?;
            let graph = graph_principal_id(call);
            let assignment = |role: &String| {
                json!({
                    "id": role_id(&format!("{}{role}", app.principal_id)),
                    "appRoleId": role_id(role),
                    "principalDisplayName": app.name,
                    "principalId": app.principal_id,
                    "principalType": "ServicePrincipal",
                    "resourceDisplayName": "Microsoft Graph",
                    "resourceId": graph,
                })
            };
            Ok(call.collection("appRoleAssignments", app.roles.iter().map(assignment).collect()))
        }
        [_, segment, ..] => Err(Refusal::unknown_segment(segment)),
    }
}

fn graph_principal_id(call: &Call<'_>) -> String {
    role_id(&format!("{}{GRAPH_APP_ID}", call.service.names.id))
}

fn graph_principal(call: &Call<'_>) -> Value {
    let role = |role: &&str| {
        json!({
            "allowedMemberTypes": ["Application"], "displayName": role, "id": role_id(role), "isEnabled": true,
            "origin": "Application", "value": role,
        })
    };
    json!({
        "id": graph_principal_id(call),
        "appId": GRAPH_APP_ID,
        "displayName": "Microsoft Graph",
        "servicePrincipalType": "Application",
        "accountEnabled": true,
        "appRoles": ALL_ROLES.iter().map(role).collect::<Value>(),
    })
}

/// A GUID that is the same for the same text at every start.
fn role_id(text: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).to_string()
}
