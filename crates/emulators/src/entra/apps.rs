//! The applications registered in the tenant: those that may ask for tokens, and the one that owns custom attributes.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::graph::ALL_ROLES;
use super::scenario::App;
use crate::EmulatorError;

/// The application id of Microsoft Graph, the same everywhere.
pub(crate) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// The display name of the application that owns custom user attributes.
const EXTENSIONS_APP: &str = "b2c-extensions-app. Do not modify. Used by AADB2C for storing user data.";

/// Makes ids and secrets: from the scenario's seed, so that they are the same at every start, or new ones.
pub(crate) struct Ids(pub(crate) Option<u64>);

impl Ids {
    pub(crate) fn guid(&self, what: &str) -> String {
        let id = match self.0 {
            Some(seed) => Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{seed}/{what}").as_bytes()),
            None => Uuid::new_v4(),
        };
        id.to_string()
    }

    pub(crate) fn secret(&self, what: &str) -> String {
        let half = |part: &str| self.guid(&format!("{what}/{part}")).replace('-', "");
        format!("{}~{}", half("a"), half("b"))
    }
}

/// One application registration.
#[derive(Debug)]
pub(crate) struct RegisteredApp {
    pub(crate) object_id: String,
    pub(crate) principal_id: String,
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) secret: Option<String>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) roles: Vec<String>,
}

/// A certificate that an application may sign assertions with.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// `SubjectPublicKeyInfo`, DER.
    pub(crate) public_key: Vec<u8>,
    /// `x5t`
    pub(crate) sha1: String,
    /// `x5t#S256`
    pub(crate) sha256: String,
}

impl Certificate {
    /// The certificates in a PEM text.
    fn from_pem(pem: &str) -> Result<Vec<Self>, EmulatorError> {
        let all = sterna_wire::certificates_from_pem(pem.as_bytes());
        let read = all.iter().map(|certificate| {
            let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, certificate));
            Some(Self {
                public_key: sterna_wire::public_key_of(certificate)?,
                sha1: thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
                sha256: thumbprint(&digest::SHA256),
            })
        });
        match read.collect::<Option<Vec<Self>>>() {
            Some(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(EmulatorError::Scenario(
                "the certificate of an app is not an X.509 v3 certificate in PEM".to_owned(),
            )),
        }
    }
}

impl RegisteredApp {
    fn new(settings: &App, number: usize, ids: &Ids) -> Result<Self, EmulatorError> {
        let name = settings.name.clone().unwrap_or_else(|| format!("app-{number}"));
        let certificates =
            settings.certificate_pem.as_deref().map(Certificate::from_pem).transpose()?.unwrap_or_default();
        let made_up = || certificates.is_empty().then(|| ids.secret(&name));
        let roles = settings.roles.clone();
        Ok(Self {
            object_id: ids.guid(&format!("{name}/object")),
            principal_id: ids.guid(&format!("{name}/principal")),
            app_id: settings.client_id.clone().unwrap_or_else(|| ids.guid(&format!("{name}/app"))),
            secret: settings.client_secret.clone().or_else(made_up),
            roles: roles.unwrap_or_else(|| ALL_ROLES.iter().map(ToString::to_string).collect()),
            certificates,
            name,
        })
    }

    /// The `application` resource.
    pub(crate) fn application(&self) -> Value {
        json!({
            "id": self.object_id,
            "appId": self.app_id,
            "displayName": self.name,
            "signInAudience": "AzureADMyOrg",
            "identifierUris": [],
            "keyCredentials": [],
        })
    }

    /// The `servicePrincipal` resource.
    pub(crate) fn service_principal(&self) -> Value {
        json!({
            "id": self.principal_id,
            "appId": self.app_id,
            "displayName": self.name,
            "appDisplayName": self.name,
            "servicePrincipalType": "Application",
            "accountEnabled": true,
            "appRoles": [],
        })
    }
}

/// All applications of the tenant: those of the scenario (one when it names none), then `b2c-extensions-app`.
pub(crate) fn registered(settings: &[App], ids: &Ids) -> Result<Vec<RegisteredApp>, EmulatorError> {
    let one = [App::default()];
    let settings = if settings.is_empty() { &one[..] } else { settings };
    let numbered = settings.iter().enumerate();
    let mut apps: Vec<RegisteredApp> =
        numbered.map(|(at, app)| RegisteredApp::new(app, at + 1, ids)).collect::<Result<_, _>>()?;
    apps.push(RegisteredApp {
        object_id: ids.guid("extensions/object"),
        principal_id: ids.guid("extensions/principal"),
        app_id: ids.guid("extensions/app"),
        name: EXTENSIONS_APP.to_owned(),
        secret: None,
        certificates: Vec::new(),
        roles: Vec::new(),
    });
    Ok(apps)
}
