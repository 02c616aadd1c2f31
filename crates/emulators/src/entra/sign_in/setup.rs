//! The configuration of just-in-time migration, ready to be used.

use reqwest::Client;
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;

use super::bearer::{CALLER_APP_ID, default_issuer};
use super::code::{self, Code};
use super::jwe::{Form, Recipient};
use crate::entra::apps::Ids;
use crate::entra::directory::extension::full_name;
use crate::entra::directory::user::Name;
use crate::entra::scenario::JustInTime;
use crate::outgoing;

/// Ids that the settings need not give: made once, so that they stay when the settings are replaced.
#[derive(Debug, Clone)]
pub(crate) struct MadeIds {
    pub(crate) app_id: String,
    /// The service principal of the caller, `oid` and `sub` of its tokens.
    pub(crate) caller_principal: String,
    key_id: String,
    listener_id: String,
    extension_id: String,
    client_app_id: String,
}

impl MadeIds {
    pub(crate) fn new(ids: &Ids) -> Self {
        Self {
            app_id: ids.guid("just-in-time/app"),
            caller_principal: ids.guid("just-in-time/caller"),
            key_id: ids.guid("just-in-time/key"),
            listener_id: ids.guid("just-in-time/listener"),
            extension_id: ids.guid("just-in-time/extension"),
            client_app_id: ids.guid("shop/app"),
        }
    }

    /// What an endpoint has to expect while nothing is configured.
    pub(super) fn report(&self, issuer: &str) -> Value {
        json!({
            "target_url": Value::Null,
            "app_id": self.app_id,
            "key_id": self.key_id,
            "listener_id": self.listener_id,
            "extension_id": self.extension_id,
            "client_app_id": self.client_app_id,
            "issuer": issuer,
            "caller_app_id": CALLER_APP_ID,
            "caller_principal_id": self.caller_principal,
        })
    }

    /// The application that users sign in to when nobody names one.
    pub(super) fn client_app_id(&self) -> &str {
        &self.client_app_id
    }
}

/// Where calls go.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) resource_id: String,
}

/// Checked settings with everything made that a call needs.
pub(crate) struct Setup {
    pub(super) settings: JustInTime,
    pub(super) app_id: String,
    pub(super) key_id: String,
    pub(super) listener_id: String,
    pub(super) extension_id: String,
    pub(super) client_app_id: String,
    /// The full name of the flag property.
    pub(super) flag: Name,
    /// Where calls go, or the code with which each of them fails.
    pub(super) target: Result<Target, Code>,
    pub(super) recipient: Recipient,
    pub(super) client: Client,
}

impl Setup {
    /// Makes settings ready. `flag_owner` is the application id of `b2c-extensions-app`.
    pub(crate) fn new(settings: JustInTime, made: &MadeIds, flag_owner: &str) -> Result<Self, String> {
        settings.check()?;
        let or_made = |given: &Option<String>, made: &str| given.clone().unwrap_or_else(|| made.to_owned());
        let app_id = or_made(&settings.app_id, &made.app_id);
        let key_id = or_made(&settings.key_id, &made.key_id);
        let broken = settings.setup_error.map(|number| code::find(number).ok_or(number)).transpose();
        let broken =
            broken.map_err(|number| format!("setup_error {number} of just_in_time is not a published code"))?;
        let pem = settings.certificate_pem.as_deref().unwrap_or_default();
        Ok(Self {
            target: broken.map_or_else(|| target(&settings, &app_id), Err),
            recipient: Recipient::from_pem(pem, key_id.clone())?,
            client: outgoing::client(settings.ca_pem.as_deref(), "ca_pem of just_in_time")?,
            flag: if settings.flag.starts_with("extension_") {
                Name::from(settings.flag.as_str())
            } else {
                full_name(flag_owner, &settings.flag)
            },
            listener_id: or_made(&settings.listener_id, &made.listener_id),
            extension_id: or_made(&settings.extension_id, &made.extension_id),
            client_app_id: or_made(&settings.client_app_id, &made.client_app_id),
            app_id,
            key_id,
            settings,
        })
    }

    pub(crate) fn app_id(&self) -> &str {
        &self.app_id
    }

    /// Who issues the bearer token.
    pub(super) fn issuer(&self, tenant: &str) -> String {
        let given = self.settings.issuer.clone();
        given.unwrap_or_else(|| default_issuer(self.settings.token_version, tenant))
    }

    /// How the password context is encrypted.
    pub(super) fn form(&self) -> Form {
        let JustInTime { alg, enc, zip, key_named_by, .. } = self.settings;
        Form { alg, enc, zip, key_named_by, is_jwt: false }
    }

    /// What whoever builds the endpoint needs to know.
    pub(super) fn report(&self, issuer: &str, caller_principal: &str) -> Value {
        json!({
            "target_url": self.settings.target_url,
            "resource_id": self.target.as_ref().map_or(Value::Null, |target| Value::from(target.resource_id.as_str())),
            "app_id": self.app_id,
            "key_id": self.key_id,
            "listener_id": self.listener_id,
            "extension_id": self.extension_id,
            "client_app_id": self.client_app_id,
            "flag": &*self.flag,
            "issuer": issuer,
            "caller_app_id": CALLER_APP_ID,
            "caller_principal_id": caller_principal,
            "setup_error": self.target.as_ref().err().map(|code| json!({ "code": code.number, "name": code.name })),
        })
    }
}

/// The checks of `entra.md` 1.6, in the order in which a mistake shows: the URL, the form of the resource id, the hosts.
fn target(settings: &JustInTime, app_id: &str) -> Result<Target, Code> {
    let url = Url::parse(&settings.target_url).map_err(|_not_a_url| code::TARGET_URL)?;
    let host = url.host_str().ok_or(code::TARGET_URL)?.to_owned();
    let allowed = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    if !allowed {
        return Err(code::TARGET_URL);
    }
    let resource_id = settings.resource_id.clone().unwrap_or_else(|| format!("api://{host}/{app_id}"));
    let named = resource_id.strip_prefix("api://").and_then(|rest| rest.split_once('/'));
    let (named_host, named_app) = named.ok_or(code::RESOURCE_ID)?;
    let is_ours = named_app.eq_ignore_ascii_case(app_id) && Uuid::parse_str(named_app).is_ok();
    if named_host.is_empty() || !is_ours {
        return Err(code::RESOURCE_ID);
    }
    if !named_host.eq_ignore_ascii_case(&host) {
        return Err(code::HOSTS_DIFFER);
    }
    Ok(Target { url, resource_id })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
