//! The body of a call (entra.md 1.2): what has to be there is required, everything else may be missing or null.

use std::net::IpAddr;

use serde::Deserialize;

const TYPE: &str = "microsoft.graph.authenticationEvent.passwordSubmit";
const DATA_TYPE: &str = "microsoft.graph.onPasswordSubmitCalloutData";

/// The body.
#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(rename = "type")]
    kind: String,
    pub(super) data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    #[serde(rename = "@odata.type")]
    kind: String,
    pub(super) tenant_id: String,
    #[serde(default)]
    pub(super) authentication_event_listener_id: Option<String>,
    #[serde(default)]
    pub(super) custom_authentication_extension_id: Option<String>,
    #[serde(default)]
    pub(super) encrypted_password_context: Option<String>,
    #[serde(default)]
    pub(super) password_context: Option<PlainContext>,
    pub(super) authentication_context: AuthenticationContext,
}

/// The shape of the first preview, in the clear.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlainContext {
    pub(super) user_password: String,
    pub(super) nonce: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthenticationContext {
    #[serde(default)]
    pub(super) correlation_id: Option<String>,
    #[serde(default)]
    client: Option<Client>,
    #[serde(default)]
    client_service_principal: Option<ServicePrincipal>,
    pub(super) user: User,
}

#[derive(Deserialize)]
struct Client {
    #[serde(default)]
    ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServicePrincipal {
    #[serde(default)]
    app_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: String,
}

impl Message {
    /// Reads a body; `None` when it is not one of these.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let message: Self = serde_json::from_slice(body).ok()?;
        let is_one =
            message.kind.eq_ignore_ascii_case(TYPE) && bare(&message.data.kind).eq_ignore_ascii_case(DATA_TYPE);
        let has_id = !message.data.authentication_context.user.id.is_empty();
        (is_one && has_id).then_some(message)
    }

    /// The address of the person, as Entra reports it.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.data.authentication_context.client.as_ref()?.ip.as_deref()?.parse().ok()
    }

    /// The application that the person signs in to.
    pub(super) fn client_app(&self) -> Option<&str> {
        self.data.authentication_context.client_service_principal.as_ref()?.app_id.as_deref()
    }
}

/// `OData` types are also written with a number sign in front.
fn bare(kind: &str) -> &str {
    kind.strip_prefix('#').unwrap_or(kind)
}
