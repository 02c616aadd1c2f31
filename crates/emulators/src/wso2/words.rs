//! How the products refuse and what they say of themselves (wso2-scim.md 2.3, 2.7).

use http::Method;
use serde_json::{Map, Value, json};

use super::product::{GROUPS, USERS};
use super::quirk;
use crate::scim::call::{Call, Item};
use crate::scim::quirk::Quirks;
use crate::scim::refusal::Refusal;
use crate::scim::schema::{ERROR, Kind, SERVICE_PROVIDER_CONFIG};

pub(super) fn forbidden() -> Refusal {
    Refusal::new(403, "Operation is not permitted. You do not have permissions to make this request.")
}

pub(super) fn not_found() -> Refusal {
    Refusal::new(404, NOT_FOUND)
}

const NOT_FOUND: &str = "Specified resource (e.g., User) or endpoint does not exist.";
const UNPARSABLE: &str = "Request is unparsable, syntactically incorrect, or violates schema.";

pub(super) fn unknown_store(store: &str) -> Refusal {
    Refusal::bad("invalidValue", format!("Invalid user store domain: {store}"))
}

/// A content type is compulsory on writes; what is not right is 406 (wso2-scim.md 2.1).
pub(super) fn check_types(item: &Item) -> Result<(), Refusal> {
    let is_right = |kind: &str| matches!(kind, "application/json" | "application/scim+json");
    let bare = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if [Method::POST, Method::PUT, Method::PATCH].contains(&item.method) {
        match item.header("content-type") {
            None => return Err(Refusal::new(406, "Content-Type not present in the request header")),
            Some(kind) if !is_right(&bare(kind)) => {
                return Err(Refusal::new(406, format!("{} is not supported.", bare(kind))));
            }
            Some(_) => {}
        }
    }
    let Some(accept) = item.header("accept") else { return Ok(()) };
    let mut kinds = accept.split(',').map(bare);
    if kinds.any(|kind| is_right(&kind) || kind == "*/*" || kind == "application/*") {
        return Ok(());
    }
    Err(Refusal::new(406, format!("{} is not supported.", bare(accept))))
}

/// The refusal when a unique value is taken.
pub(super) fn conflict(quirks: &Quirks, kind: Kind, attribute: &str, data: &Map<String, Value>) -> Refusal {
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    let detail = match (kind, attribute) {
        (USERS, "userName") => format!("User with the name: {} already exists in the system.", text("userName")),
        (USERS, _) if quirks.has(&quirk::DUPLICATE_CLAIM_400) => {
            let detail = "The value defined for Email is already in use by a different user!";
            return Refusal::bad("invalidValue", detail);
        }
        (USERS, _) => "The value defined for Email is already in use by a different user!".to_owned(),
        (GROUPS, _) => format!(
            "Group name: {} is already there in the system. Please pick another group name.",
            text("displayName")
        ),
        _ => {
            format!("Role name: {} is already there in the system. Please pick another role name.", text("displayName"))
        }
    };
    if quirks.has(&quirk::CONFLICT_WITHOUT_TYPE) {
        return Refusal::new(409, detail);
    }
    Refusal::typed(409, "uniqueness", detail)
}

/// The body of a refusal.
pub(super) fn error_body(refusal: &Refusal) -> Value {
    let mut body = json!({ "schemas": [ERROR] });
    if let Some(scim_type) = &refusal.scim_type {
        body["scimType"] = Value::from(scim_type.as_ref());
    }
    let detail = match (refusal.status, refusal.scim_type.as_deref()) {
        (404, _) => NOT_FOUND,
        (400, Some("invalidSyntax")) => UNPARSABLE,
        _ => refusal.detail.as_str(),
    };
    body["detail"] = Value::from(detail);
    body["status"] = Value::from(refusal.status.to_string());
    body
}

/// What the product says of itself otherwise than the RFC has it.
pub(super) fn discovery(call: &Call<'_>, item: &Item, body: &mut Value) {
    match item.segments().as_slice() {
        ["ServiceProviderConfig"] => config(call, body),
        ["ResourceTypes", ..] if call.service.quirks().has(&quirk::TYPES_AS_TEXT) => {
            let listed = body["Resources"].as_array_mut();
            match listed {
                Some(entries) => entries.iter_mut().for_each(schemas_as_text),
                None => schemas_as_text(body),
            }
        }
        _ => {}
    }
}

fn schemas_as_text(entry: &mut Value) {
    if let Some(urn) = entry["schemas"][0].as_str().map(ToOwned::to_owned) {
        entry["schemas"] = Value::from(urn);
    }
}

/// The configuration in the product's words (wso2-scim.md 2.3); it has no `meta`.
fn config(call: &Call<'_>, body: &mut Value) {
    let (features, limits) = (call.service.features, call.service.limits);
    let scheme = |name: &str, specification: &str, kind: &str, primary: bool| {
        json!({
            "name": name,
            "description": format!("Authentication scheme using {name}"),
            "specUri": specification,
            "documentationUri": "https://is.docs.wso2.com/en/latest/apis/scim2/",
            "type": kind,
            "primary": primary,
        })
    };
    *body = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "documentationUri": "https://is.docs.wso2.com/en/latest/apis/scim2/",
        "patch": { "supported": features.patch },
        "bulk": {
            "supported": features.bulk,
            "maxOperations": limits.max_operations,
            "maxPayloadSize": limits.max_payload_bytes,
        },
        "filter": { "supported": features.filter, "maxResults": limits.max_results },
        "changePassword": { "supported": features.change_password },
        "sort": { "supported": features.sort },
        "etag": { "supported": features.etag },
        "authenticationSchemes": [
            scheme("OAuth Bearer Token", "http://www.rfc-editor.org/info/rfc6750", "oauthbearertoken", true),
            scheme("HTTP Basic", "http://www.rfc-editor.org/info/rfc2617", "httpbasic", false),
        ],
    });
}
