//! The values that this connector runs on, made from checked settings (`settings.rs`).
//!
//! [`TargetConfig`] and [`SourceConfig`] can only be made from values whose types and bounds were checked; what does
//! not fit together is told as findings, all at once.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use sterna_core::{
    code::{Code, Finding},
    pace::Quota,
    settings::{SecretRef, Values},
};

use super::limits;

/// Which product a connection is to; they share one API and differ in a few rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Microsoft Entra External ID, an external tenant.
    ExternalId,
    /// Azure AD B2C.
    B2c,
}

impl Product {
    /// Its kind in `connector = "…"`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ExternalId => "entra-external-id",
            Self::B2c => "azure-ad-b2c",
        }
    }
}

/// How an application proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A client secret.
    Secret(SecretRef),
    /// A certificate, and its private key.
    Certificate {
        /// The certificate's PEM file.
        certificate: PathBuf,
        /// The key's PEM.
        key: SecretRef,
    },
}

/// An app registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub client_id: String,
    /// How it proves who it is.
    pub proof: Proof,
}

/// How assertions are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PSS, key named by `x5t#S256`.
    Ps256,
    /// PKCS #1 v1.5, key named by `x5t`.
    Rs256,
}

/// Where a tenant is and how to get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The tenant's name or id.
    pub tenant: String,
    /// Graph's root without version.
    pub graph_url: String,
    /// The login service's root without tenant.
    pub login_url: String,
    /// The applications; the first one reads, all write.
    pub applications: Vec<Application>,
    /// How assertions are signed.
    pub algorithm: Algorithm,
    /// More authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: Duration,
    /// The application that owns the extension attributes.
    pub extension_app_id: Option<String>,
}

/// What a target runs on.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// Which product.
    pub product: Product,
    /// Where it is.
    pub connection: Connection,
    /// Issuer of local identities.
    pub local_issuer: Option<String>,
    /// Domain of user principal names.
    pub upn_domain: Option<String>,
    /// Bare name of the flag attribute.
    pub flag: String,
    /// Bare name of the legacy-id attribute.
    pub legacy_id: String,
    /// More attributes to make: bare name and data type.
    pub extensions: BTreeMap<String, String>,
    /// Identity providers; `None` to ask.
    pub providers: Option<Vec<String>>,
    /// Issuers whose people must link again; `None` when the project says nothing of it.
    pub relink_issuers: Option<Vec<String>>,
    /// When an address becomes a sign-in name.
    pub email_sign_in: EmailSignIn,
    /// Whether complexity is switched off.
    pub disable_strong_password: bool,
    /// How much may be written.
    pub quota: Quota,
    /// Writes in one batch.
    pub batch: usize,
    /// Batches under way at once, per application.
    pub concurrency: usize,
    /// How long a look-up may miss things.
    pub settling: Duration,
    /// How long to wait for new attributes.
    pub propagation: Duration,
}

/// When somebody with a user name alone gets their address as sign-in name too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailSignIn {
    /// When the source says that the address was verified.
    Verified,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the source runs on.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceConfig {
    /// Where it is.
    pub connection: Connection,
    /// Users on a page.
    pub page: u64,
    /// Extension attributes to read; empty for all.
    pub extension_attributes: Vec<String>,
    /// More properties to read.
    pub attributes: Vec<String>,
    /// Whether to read sign-in activity.
    pub sign_in_activity: bool,
    /// Whether to leave out members of directory roles.
    pub directory_roles: bool,
}

impl TargetConfig {
    /// Makes the configuration from checked values.
    ///
    /// # Errors
    /// Every finding about values that do not fit together.
    pub fn new(product: Product, values: &Values) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let connection = connection(values, &values.tables("applications"), &mut findings);
        let extensions = values.text_table("extensions");
        let text = |name: &str, default: &str| values.text(name).unwrap_or(default).to_owned();
        let (flag, legacy_id) = (text("flag_attribute", "toBeMigrated"), text("legacy_id_attribute", "sternaLegacyId"));
        check_attributes(&flag, &legacy_id, &extensions, &mut findings);
        if let Some(domain) = values.text("upn_domain").filter(|domain| domain.chars().count() > limits::UPN_DOMAIN) {
            let most = limits::UPN_DOMAIN;
            findings.push(Finding::error(
                Code::E1005,
                format!("[target] upn_domain `{domain}` has over {most} characters"),
            ));
        }
        let Some(connection) = connection.filter(|_| findings.is_empty()) else { return Err(findings) };
        let seconds = |name: &str, default: u64| Duration::from_secs(values.count(name).unwrap_or(default));
        let quota = Quota {
            lanes: connection.applications.len(),
            per_lane: values.number("writes_per_second").unwrap_or(limits::APP_WRITES_PER_SECOND),
            overall: values.number("tenant_writes_per_second").unwrap_or(limits::TENANT_WRITES_PER_SECOND),
            share: values.number("write_share").unwrap_or(0.9),
            window: seconds("quota_window_secs", limits::APP_WINDOW_SECS),
        };
        Ok(Self {
            product,
            connection,
            local_issuer: values.text("local_issuer").map(str::to_owned),
            upn_domain: values.text("upn_domain").map(str::to_owned),
            flag,
            legacy_id,
            extensions,
            providers: values.get("providers").map(|_| values.texts("providers")),
            relink_issuers: values.get("relink_issuers").map(|_| values.texts("relink_issuers")),
            email_sign_in: match values.text("email_sign_in") {
                Some("always") => EmailSignIn::Always,
                Some("never") => EmailSignIn::Never,
                _ => EmailSignIn::Verified,
            },
            disable_strong_password: values.flag("disable_strong_password").unwrap_or(false),
            quota,
            batch: bounded(values.count("batch_size"), limits::BATCH),
            concurrency: bounded(values.count("concurrency"), 4),
            settling: seconds("settling_secs", 30),
            propagation: seconds("propagation_secs", 300),
        })
    }
}

impl SourceConfig {
    /// Makes the configuration from checked values.
    ///
    /// # Errors
    /// Every finding about values that do not fit together.
    pub fn new(values: &Values) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let connection = connection(values, &[], &mut findings).ok_or(findings)?;
        let sign_in_activity = values.flag("sign_in_activity").unwrap_or(false);
        let most = if sign_in_activity { limits::PAGE_WITH_ACTIVITY } else { limits::PAGE };
        Ok(Self {
            connection,
            page: values.count("page_size").unwrap_or(limits::PAGE).clamp(1, most),
            extension_attributes: values.texts("extension_attributes"),
            attributes: values.texts("attributes"),
            sign_in_activity,
            directory_roles: values.flag("directory_roles").unwrap_or(true),
        })
    }
}

fn bounded(value: Option<u64>, default: usize) -> usize {
    value.and_then(|value| usize::try_from(value).ok()).unwrap_or(default).max(1)
}

/// Names and types of the extension attributes that are made.
fn check_attributes(flag: &str, legacy_id: &str, more: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    for (name, sort) in more {
        if !["String", "Boolean", "Integer", "LargeInteger", "DateTime"].contains(&sort.as_str()) {
            findings.push(Finding::error(Code::E1005, format!("[target] extensions.{name} has no type `{sort}`")));
        }
    }
    for name in [flag, legacy_id].into_iter().chain(more.keys().map(String::as_str)) {
        if !is_attribute_name(name) {
            let message = format!("`{name}` cannot be an extension attribute's name: letters, digits and _ only");
            findings.push(Finding::error(Code::E1005, message));
        }
    }
    if flag == legacy_id || more.contains_key(flag) || more.contains_key(legacy_id) {
        let message = "[target] flag_attribute, legacy_id_attribute and extensions must have different names";
        findings.push(Finding::error(Code::E1005, message));
    }
}

fn is_attribute_name(name: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    letters && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() <= 100
}

fn connection(values: &Values, more: &[Values], findings: &mut Vec<Finding>) -> Option<Connection> {
    let mut applications = vec![application(values, findings)];
    applications.extend(more.iter().map(|values| application(values, findings)));
    for (at, application) in applications.iter().enumerate() {
        let Some(application) = application else { continue };
        let earlier = applications[..at].iter().flatten();
        if earlier.into_iter().any(|known| known.client_id.eq_ignore_ascii_case(&application.client_id)) {
            let message = format!("application {} is listed twice", application.client_id);
            findings
                .push(Finding::error(Code::E1005, message).hint("a second lane needs an app registration of its own"));
        }
    }
    let (graph, login) = cloud(values.text("cloud").unwrap_or("global"));
    let url = |name: &str, default: &str| values.text(name).unwrap_or(default).trim_end_matches('/').to_owned();
    let connection = Connection {
        tenant: values.text("tenant")?.to_owned(),
        graph_url: url("graph_url", graph),
        login_url: url("login_url", login),
        applications: applications.into_iter().collect::<Option<Vec<_>>>()?,
        algorithm: if values.text("assertion_algorithm") == Some("RS256") {
            Algorithm::Rs256
        } else {
            Algorithm::Ps256
        },
        ca_file: values.text("ca_file").map(PathBuf::from),
        timeout: Duration::from_secs(values.count("request_timeout_secs").unwrap_or(30).max(1)),
        extension_app_id: values.text("extension_app_id").map(str::to_owned),
    };
    let in_path = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if !in_path(&connection.tenant) {
        let message = "`tenant` must be a domain or an id: letters, digits, dots and hyphens only";
        findings.push(Finding::error(Code::E1005, message));
    }
    for (name, url) in [("graph_url", &connection.graph_url), ("login_url", &connection.login_url)] {
        if url::Url::parse(url).is_err() {
            findings.push(Finding::error(Code::E1005, format!("`{name}` is not a URL")));
        }
    }
    if connection.extension_app_id.as_deref().is_some_and(|id| uuid::Uuid::try_parse(id).is_err()) {
        findings.push(Finding::error(Code::E1005, "`extension_app_id` must be an application's id, a GUID"));
    }
    findings.is_empty().then_some(connection)
}

fn application(values: &Values, findings: &mut Vec<Finding>) -> Option<Application> {
    let client_id = values.text("client_id")?.to_owned();
    let (secret, certificate, key) =
        (values.secret("client_secret"), values.text("certificate"), values.secret("private_key"));
    let proof = match (secret, certificate, key) {
        (Some(secret), None, None) => Proof::Secret(secret),
        (None, Some(certificate), Some(key)) => Proof::Certificate { certificate: certificate.into(), key },
        (None, None, None) => {
            let message = format!("application {client_id} needs `client_secret`, or `certificate` and `private_key`");
            findings.push(Finding::error(Code::E1006, message));
            return None;
        }
        (Some(_), _, _) => {
            let message = format!("application {client_id} has a secret and a certificate; give one of them");
            findings.push(Finding::error(Code::E1005, message));
            return None;
        }
        _ => {
            let message = format!("application {client_id} needs both `certificate` and `private_key`");
            findings.push(Finding::error(Code::E1006, message));
            return None;
        }
    };
    Some(Application { client_id, proof })
}

/// Roots of Graph and of the login service in a cloud (entra.md 6, "National clouds").
fn cloud(name: &str) -> (&'static str, &'static str) {
    match name {
        "us-gov" => ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
        "us-dod" => ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
        "china" => ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        _ => ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    }
}
