//! The body of a call (`entra.md` 1.2).

use serde_json::{Value, json};
use uuid::Uuid;

use super::run::Attempt;
use super::setup::Setup;
use crate::entra::directory::user::User;
use crate::entra::service::Service;

/// The members of the shared user model that a call carries; those that are not set are `null`.
const USER_MEMBERS: [&str; 12] = [
    "companyName",
    "createdDateTime",
    "displayName",
    "givenName",
    "mail",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesUserPrincipalName",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "userType",
];

/// The body, around an encrypted context.
pub(super) fn body(service: &Service, setup: &Setup, attempt: &Attempt, user: &User, context: &str) -> Value {
    let tenant = &service.names.id;
    let client = attempt.client_app_id.as_deref().unwrap_or(&setup.client_app_id);
    json!({
        "type": "microsoft.graph.authenticationEvent.passwordSubmit",
        "source": format!("/tenants/{tenant}/applications/{client}"),
        "data": {
            "@odata.type": "microsoft.graph.onPasswordSubmitCalloutData",
            "tenantId": tenant,
            "authenticationEventListenerId": setup.listener_id,
            "customAuthenticationExtensionId": setup.extension_id,
            "encryptedPasswordContext": context,
            "userSignUpInfo": Value::Null,
            "otpContext": Value::Null,
            "authenticationContext": {
                "correlationId": attempt.correlation_id,
                "client": { "ip": attempt.ip, "locale": "en-us", "market": "en-us" },
                "protocol": "OAUTH2.0",
                "clientServicePrincipal": client_principal(service, client),
                "resourceServicePrincipal": Value::Null,
                "user": user_value(user),
            },
        },
    })
}

/// The principal of the application that the user signs in to: a registered one, or one that is made up for its id.
fn client_principal(service: &Service, app_id: &str) -> Value {
    let known = service.apps.iter().find(|app| app.app_id.eq_ignore_ascii_case(app_id));
    let (id, name) = if let Some(app) = known {
        (app.principal_id.clone(), app.name.as_str())
    } else {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/{app_id}", service.names.id).as_bytes());
        (id.to_string(), "Shop")
    };
    json!({ "id": id, "appId": app_id, "appDisplayName": name, "displayName": name })
}

fn user_value(user: &User) -> Value {
    let mut value = json!({ "id": &*user.id });
    for name in USER_MEMBERS {
        value[name] = user.get(name).cloned().unwrap_or(Value::Null);
    }
    value
}
