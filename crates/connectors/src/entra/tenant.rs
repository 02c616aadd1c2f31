//! What a tenant says about itself: domains, the application that owns extension attributes, providers, room.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use sterna_core::{code::Code, port::TargetError};

use super::{
    config::Connection,
    dto::{ApplicationObject, Domain, ExtensionProperty, List},
    failure::ReadError,
    graph::Graph,
};
use crate::http::encode;

/// The application that owns the extension attributes.
#[derive(Clone, Debug)]
pub(super) struct ExtensionApp {
    /// The object's id; `None` when applications may not be read.
    pub(super) object_id: Option<String>,
    /// The application's id.
    pub(super) app_id: String,
}

impl ExtensionApp {
    /// What the names of its attributes begin with (entra.md 3.1).
    pub(super) fn prefix(&self) -> String {
        format!("extension_{}_", self.app_id.replace('-', ""))
    }
}

/// The tenant's domains; `None` when they may not be read.
///
/// # Errors
/// [`TargetError`] when the tenant cannot be asked at all.
pub(super) async fn domains(graph: &Graph) -> Result<Option<Vec<Domain>>, TargetError> {
    match graph.list::<Domain>("/domains").await {
        Ok(list) => Ok(Some(list)),
        Err(error) if error.is_refusal() && !is_token(&error) => Ok(None),
        Err(error) => Err(error.during("reading the tenant's domains")),
    }
}

fn is_token(error: &ReadError) -> bool {
    matches!(error, ReadError::Status { status: 401, .. })
}

/// The domain that the tenant was made with; its name in the configuration where domains may not be read.
pub(super) fn initial_domain(domains: Option<&[Domain]>, tenant: &str) -> Option<String> {
    let list = domains.unwrap_or_default();
    let initial = list.iter().find(|domain| domain.is_initial).or(list.iter().find(|domain| domain.is_default));
    initial.map(|domain| domain.id.clone()).or_else(|| tenant.contains('.').then(|| tenant.to_owned()))
}

/// The domain that local identities have as issuer: the tenant's default one (entra.md 4.2), else the initial one.
pub(super) fn default_domain(domains: Option<&[Domain]>, tenant: &str) -> Option<String> {
    let default = domains.unwrap_or_default().iter().find(|domain| domain.is_default);
    default.map(|domain| domain.id.clone()).or_else(|| initial_domain(domains, tenant))
}

/// Finds the application that owns the extension attributes: the configured one, else `b2c-extensions-app`
/// (entra.md 3, step 1).
///
/// # Errors
/// E2012 when there is none; E2004 when applications may not be read and none is configured.
pub(super) async fn extension_app(graph: &Graph, connection: &Connection) -> Result<ExtensionApp, TargetError> {
    let filter = match &connection.extension_app_id {
        Some(id) => format!("appId eq '{}'", id.to_lowercase()),
        None => "startswith(displayName,'b2c-extensions-app')".to_owned(),
    };
    let path = format!("/applications?$filter={}&$select=id,appId,displayName", encode(&filter));
    let found = graph.list::<ApplicationObject>(&path).await;
    match (found, &connection.extension_app_id) {
        (Ok(list), _) if list.len() == 1 => {
            let app = list.into_iter().next();
            app.map(|app| ExtensionApp { object_id: Some(app.id), app_id: app.app_id }).ok_or_else(no_app)
        }
        (Ok(list), _) if list.is_empty() => Err(no_app()),
        (Ok(_), _) => Err(TargetError::new(Code::E2012, "the tenant has several b2c-extensions-app applications")
            .hint("set `extension_app_id` to the one that shall own the attributes")),
        (Err(error), Some(id)) if error.is_refusal() && !is_token(&error) => {
            Ok(ExtensionApp { object_id: None, app_id: id.clone() })
        }
        (Err(error), _) => {
            let may_not = error.is_refusal() && !is_token(&error);
            let error = error.during("looking for the application of the extension attributes");
            // a service that is not reached has refused nothing
            Err(if may_not { error.hint("grant Application.Read.All, or set `extension_app_id`") } else { error })
        }
    }
}

fn no_app() -> TargetError {
    TargetError::new(Code::E2012, "the application that owns extension attributes is not in the tenant")
        .hint("set `extension_app_id` to an application of the tenant that shall own them")
}

/// The extension attributes that can be written now, by full name; those of `app` only.
///
/// # Errors
/// [`TargetError`] when the tenant does not say.
pub(super) async fn available(
    graph: &Graph,
    app: &ExtensionApp,
) -> Result<BTreeMap<String, ExtensionProperty>, TargetError> {
    let (path, body) = ("/directoryObjects/getAvailableExtensionProperties", json!({}));
    let asked = graph.ask::<List<ExtensionProperty>>(path, &body).await;
    let list = asked.map_err(|error| error.during("reading the extension attributes"))?;
    let prefix = app.prefix();
    let own = list.value.into_iter().filter(|property| property.name.starts_with(&prefix));
    Ok(own.map(|property| (property.name.clone(), property)).collect())
}

/// The extension attributes that are defined on `app`, propagated or not; `None` when they may not be read.
///
/// # Errors
/// [`ReadError`] when there is no answer.
pub(super) async fn defined(graph: &Graph, app: &ExtensionApp) -> Result<Option<Vec<ExtensionProperty>>, ReadError> {
    let Some(id) = &app.object_id else { return Ok(None) };
    match graph.list(&format!("/applications/{id}/extensionProperties")).await {
        Ok(list) => Ok(Some(list)),
        Err(error) if error.is_refusal() && !is_token(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    #[serde(default)]
    directory_size_quota: Option<SizeQuota>,
}

#[derive(Deserialize)]
struct SizeQuota {
    used: u64,
    total: u64,
}

/// How many more objects the tenant may hold, where it says so.
pub(super) async fn room(graph: &Graph) -> Option<u64> {
    let list = graph.list::<Organization>("/organization?$select=id,directorySizeQuota").await.ok()?;
    let quota = list.into_iter().find_map(|organization| organization.directory_size_quota)?;
    Some(quota.total.saturating_sub(quota.used))
}

/// Issuers of the identity providers that are set up, lower case; `None` when the tenant does not say, or has one
/// whose issuer it does not name.
pub(super) async fn providers(graph: &Graph) -> Option<Vec<String>> {
    let list = graph.list::<Value>("/identity/identityProviders").await.ok()?;
    let issuers: Option<Vec<Vec<String>>> = list.iter().map(issuers_of).collect();
    Some(issuers?.into_iter().flatten().collect())
}

/// The issuers that one provider's identities have; `None` when that cannot be told.
fn issuers_of(provider: &Value) -> Option<Vec<String>> {
    if let Some(issuer) = provider.get("issuer").and_then(Value::as_str) {
        return Some(vec![issuer.to_lowercase()]);
    }
    let sort = ["identityProviderType", "type"].iter().find_map(|name| provider.get(*name)?.as_str())?;
    let names: &[&str] = match sort.to_ascii_lowercase().as_str() {
        "emailpassword" | "email" | "username" | "phone" => &[],
        "emailotp" => &["mail"],
        "amazon" => &["amazon.com"],
        "apple" | "applemanaged" => &["apple.com", "https://appleid.apple.com"],
        "facebook" => &["facebook.com"],
        "github" => &["github.com"],
        "google" => &["google.com"],
        "linkedin" => &["linkedin.com"],
        "microsoft" | "microsoftaccount" => &["live.com", "microsoft.com"],
        "twitter" => &["twitter.com"],
        _ => return None,
    };
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

/// A value in quotes for a filter: single quotes are doubled (entra.md 4.2).
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_filters_are_quoted_and_encoded() {
        assert_eq!(quoted("o'brien@example.com"), "'o''brien@example.com'");
        assert_eq!(encode("a b+c'&#%"), "a%20b%2Bc%27%26%23%25");
    }

    #[test]
    fn the_initial_domain_is_the_tenants_own_name() {
        let domain =
            |id: &str, is_initial, is_default| Domain { id: id.into(), is_initial, is_default, is_verified: None };
        let list = [domain("contoso.com", false, true), domain("contoso.onmicrosoft.com", true, false)];
        assert_eq!(initial_domain(Some(&list), "x").as_deref(), Some("contoso.onmicrosoft.com"));
        assert_eq!(initial_domain(Some(&list[..1]), "x").as_deref(), Some("contoso.com"));
        assert_eq!(initial_domain(None, "contoso.onmicrosoft.com").as_deref(), Some("contoso.onmicrosoft.com"));
        assert_eq!(initial_domain(None, "3f5e"), None);
        assert_eq!(default_domain(Some(&list), "x").as_deref(), Some("contoso.com"));
        assert_eq!(default_domain(Some(&list[1..]), "x").as_deref(), Some("contoso.onmicrosoft.com"));
    }

    #[test]
    fn a_provider_whose_issuer_is_not_told_makes_the_list_unknown() {
        assert_eq!(issuers_of(&json!({"identityProviderType": "Facebook"})), Some(vec!["facebook.com".into()]));
        assert_eq!(issuers_of(&json!({"issuer": "https://idp.example"})), Some(vec!["https://idp.example".into()]));
        assert_eq!(issuers_of(&json!({"identityProviderType": "Custom"})), None);
    }
}
