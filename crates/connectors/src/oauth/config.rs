//! From checked values to what the check runs on: every mistake is collected.

use sterna_core::{
    code::{Code, Finding},
    legacy::Verdict,
    settings::Values,
};
use url::Url;

use super::answer::{Form, Reading};
use crate::checks::web;

/// Fields of the form that settings of their own give.
const RESERVED: &[&str] =
    &["grant_type", "username", "password", "client_id", "client_secret", "client_assertion", "scope", "resource"];

/// Where the client's secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    Basic,
    Post,
}

/// What the check runs on, besides secrets.
pub(super) struct Config {
    pub(super) url: Url,
    pub(super) client_id: String,
    pub(super) client_auth: ClientAuth,
    pub(super) login: Option<String>,
    /// Fields that are the same each time.
    pub(super) fields: Vec<(String, String)>,
    pub(super) reading: Reading,
}

impl Config {
    /// Reads the values.
    ///
    /// # Errors
    /// Every mistake.
    pub(super) fn new(values: &Values) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let form = match values.text("form") {
            Some("azure-directory") => Form::AzureDirectory,
            Some("azure-directory-v1") => Form::AzureDirectoryV1,
            Some("b2c-policy") => Form::B2cPolicy,
            _ => Form::Oidc,
        };
        let url = token_url(form, values).map_err(|finding| findings.push(*finding)).ok();
        findings.extend(url.as_ref().and_then(web::open_line));
        let reading = Reading {
            form,
            second_factor_counts: values.flag("second_factor_counts").unwrap_or_default(),
            errors: errors(values, &mut findings),
        };
        let fields = fields(form, values, &mut findings);
        let client_auth = match values.text("client_auth") {
            Some("basic") => ClientAuth::Basic,
            None if !form.is_azure() => ClientAuth::Basic,
            _ => ClientAuth::Post,
        };
        let client_id = values.text("client_id").unwrap_or_default().to_owned();
        let login = values.text("login").map(str::to_owned);
        match url {
            Some(url) if findings.is_empty() => Ok(Self { url, client_id, client_auth, login, fields, reading }),
            _ => Err(findings),
        }
    }
}

fn token_url(form: Form, values: &Values) -> Result<Url, Box<Finding>> {
    let parse = |text: &str| Url::parse(text).map_err(|_| web::wrong("`token_url` is not a URL".to_owned()));
    if let Some(url) = values.text("token_url") {
        return parse(url);
    }
    let need = |name: &str| {
        let missing = || Box::new(Finding::error(Code::E1006, format!("this form needs `{name}`, or `token_url`")));
        let value = values.text(name).ok_or_else(missing)?;
        let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        let plain = plain && value.chars().any(|c| c != '.');
        plain.then_some(value).ok_or_else(|| web::wrong(format!("`{name}` may hold letters, digits, - . and _ only")))
    };
    let root = values.text("login_url").map(|url| url.trim_end_matches('/').to_owned());
    match form {
        Form::Oidc => Err(Box::new(Finding::error(Code::E1006, "the form `oidc` needs `token_url`"))),
        Form::AzureDirectory | Form::AzureDirectoryV1 => {
            let root = root.unwrap_or_else(|| "https://login.microsoftonline.com".to_owned());
            let path = if form == Form::AzureDirectory { "oauth2/v2.0/token" } else { "oauth2/token" };
            parse(&format!("{root}/{}/{path}", need("tenant")?))
        }
        Form::B2cPolicy => {
            let (tenant, policy) = (need("tenant")?, need("policy")?);
            let name = tenant.strip_suffix(".onmicrosoft.com").unwrap_or(tenant);
            let root = root.unwrap_or_else(|| format!("https://{name}.b2clogin.com"));
            parse(&format!("{root}/{name}.onmicrosoft.com/{policy}/oauth2/v2.0/token"))
        }
    }
}

fn errors(values: &Values, findings: &mut Vec<Finding>) -> Vec<(String, Verdict)> {
    let mut list = Vec::new();
    for (text, word) in values.text_table("errors") {
        match web::verdict_of(&word) {
            Some(Verdict::Match { .. }) => {
                findings.push(*web::wrong("`errors`: an error can never mean \"match\"".to_owned()));
            }
            Some(verdict) if !text.is_empty() => list.push((text, verdict)),
            _ => {
                let known = web::VERDICTS.get(1..).unwrap_or_default().join(", ");
                findings.push(*web::wrong(format!("`errors`: \"{word}\" is no verdict; there are {known}")));
            }
        }
    }
    list
}

fn fields(form: Form, values: &Values, findings: &mut Vec<Finding>) -> Vec<(String, String)> {
    let mut fields = vec![("grant_type".to_owned(), "password".to_owned())];
    match (values.text("scope"), form) {
        (Some(scope), _) => fields.push(("scope".to_owned(), scope.to_owned())),
        (None, Form::AzureDirectoryV1) => {}
        (None, Form::Oidc | Form::AzureDirectory | Form::B2cPolicy) => {
            fields.push(("scope".to_owned(), "openid".to_owned()));
        }
    }
    let extra = values.text_table("extra");
    if form == Form::AzureDirectory && !extra.contains_key("nca") {
        fields.push(("nca".to_owned(), "1".to_owned()));
    }
    match (values.text("resource"), form) {
        (Some(resource), _) => fields.push(("resource".to_owned(), resource.to_owned())),
        (None, Form::AzureDirectoryV1) => {
            findings.push(Finding::error(Code::E1006, "the form `azure-directory-v1` needs `resource`"));
        }
        (None, Form::Oidc | Form::AzureDirectory | Form::B2cPolicy) => {}
    }
    for (name, value) in extra {
        if RESERVED.contains(&name.as_str()) {
            findings.push(*web::wrong(format!("`extra` cannot give `{name}`: it has a setting of its own")));
        }
        fields.push((name, value));
    }
    fields
}
