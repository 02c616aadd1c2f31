//! The body of a call (`entra.md` 1.2): what has to be there is required, everything else may be missing or null.

use std::net::IpAddr;

use serde::Deserialize;

use super::{
    context::Wiped,
    json::{Object, read},
};
use crate::hooks::body::NAME_BYTES;

const TYPE: &str = "microsoft.graph.authenticationEvent.passwordSubmit";
const DATA_TYPE: &str = "microsoft.graph.onPasswordSubmitCalloutData";

/// The body.
#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(rename = "type")]
    kind: String,
    pub(super) data: Object<Data>,
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
    pub(super) password_context: Option<Object<PlainContext>>,
    pub(super) authentication_context: Object<AuthenticationContext>,
}

/// The shape of the first preview, in the clear.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlainContext {
    pub(super) user_password: Wiped,
    pub(super) nonce: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthenticationContext {
    #[serde(default)]
    pub(super) correlation_id: Option<String>,
    #[serde(default)]
    client: Option<Object<Client>>,
    #[serde(default)]
    client_service_principal: Option<Object<ServicePrincipal>>,
    pub(super) user: Object<User>,
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
        let message: Self = read(body)?;
        let is_one =
            message.kind.eq_ignore_ascii_case(TYPE) && bare(&message.data.0.kind).eq_ignore_ascii_case(DATA_TYPE);
        let about = message.about();
        let has_id = (1..=NAME_BYTES).contains(&about.user.0.id.len());
        let is_short = about.correlation_id.as_ref().is_none_or(|id| id.len() <= NAME_BYTES);
        (is_one && has_id && is_short).then_some(message)
    }

    fn about(&self) -> &AuthenticationContext {
        &self.data.0.authentication_context.0
    }

    /// The address of the person, as Entra reports it.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.about().client.as_ref()?.0.ip.as_deref()?.parse().ok()
    }

    /// The application that the person signs in to.
    pub(super) fn client_app(&self) -> Option<&str> {
        self.about().client_service_principal.as_ref()?.0.app_id.as_deref()
    }
}

/// `OData` types are also written with a number sign in front.
fn bare(kind: &str) -> &str {
    kind.strip_prefix('#').unwrap_or(kind)
}
