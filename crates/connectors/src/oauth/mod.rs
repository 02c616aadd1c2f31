//! The legacy check `oauth-password`: the password grant of OAuth 2.0 (RFC 6749 4.3), also as Azure speaks it.
//!
//! Start at [`answer::verdict`], what an answer means; `config.rs` reads the settings, this file asks.
//! Not here: HTTP itself (`checks/web.rs`), limits and breaker (`checks/guarded.rs`).

pub mod answer;
mod config;
mod settings;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    RequestBuilder,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret;
use sterna_core::{
    account::Account,
    code::Finding,
    legacy::{Attempt, LegacyCheck, Outage, Verdict, login_name},
    registry::{CheckKind, Context},
    settings::{Setting, Values},
    support::{CheckSupport, Tells},
};
use url::form_urlencoded;
use zeroize::Zeroizing;

use self::{
    answer::Form,
    config::{ClientAuth, Config},
};
use crate::checks::web::{self, Line, Ready};

/// The name that the client's secret has here.
const SECRET: &str = "client_secret";

/// The attribute that directories know accounts by.
const PRINCIPAL: &str = "attributes.userPrincipalName";

/// The kind of check.
pub struct Kind;

impl CheckKind for Kind {
    fn kind(&self) -> &'static str {
        "oauth-password"
    }

    fn title(&self) -> &'static str {
        "a token endpoint with the OAuth 2.0 password grant: any OpenID provider, Azure AD and Azure AD B2C"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SETTINGS
    }

    fn sample(&self) -> &'static str {
        "token_url = \"https://login.example.com/oauth2/token\"\nclient_id = \"sterna\"\nclient_secret = { env = \"LEGACY_CLIENT_SECRET\" }\n# form = \"oidc\"   # or azure-directory, azure-directory-v1, b2c-policy\n"
    }

    fn support(&self) -> Option<CheckSupport> {
        Some(CheckSupport {
            tells: &[Tells::Expired, Tells::Unknown, Tells::Locked, Tells::Disabled],
            tested_with: &["oidc-provider"],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Arc<dyn LegacyCheck>, Vec<Finding>> {
        let config = Config::new(values)?;
        let mut line = Line::new(config.url.clone(), context);
        line.ca_file = values.text("ca_file").map(|path| context.project.join(path));
        line.wanted =
            values.secret(SECRET).map(|secret| (SECRET.to_owned(), secret)).into_iter().collect::<BTreeMap<_, _>>();
        Ok(Arc::new(Check { config, line }))
    }
}

struct Check {
    config: Config,
    line: Line,
}

#[async_trait]
impl LegacyCheck for Check {
    async fn preflight(&self) -> Vec<Finding> {
        self.line.probe().await
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        let Some(login) = self.login(attempt.account) else {
            return Verdict::Unavailable(Outage::NotForThis);
        };
        let build = |ready: &Ready| self.request(ready, &login, attempt.password.expose_secret());
        match self.line.ask(attempt.deadline, build).await {
            Ok(reply) => answer::verdict(&self.config.reading, reply.status, &reply.body),
            Err(outage) => Verdict::Unavailable(outage),
        }
    }
}

impl Check {
    fn login(&self, account: &Account) -> Option<String> {
        match (&self.config.login, self.config.reading.form) {
            (Some(attribute), _) => login_name(account, Some(attribute)),
            (None, Form::AzureDirectory | Form::AzureDirectoryV1) => {
                login_name(account, Some(PRINCIPAL)).or_else(|| login_name(account, None))
            }
            (None, Form::Oidc | Form::B2cPolicy) => login_name(account, None),
        }
    }

    fn request(&self, ready: &Ready, login: &str, password: &str) -> Result<RequestBuilder, Outage> {
        let config = &self.config;
        let secret = ready.secret(SECRET);
        let mut fields: Vec<(&str, &str)> = config.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        fields.extend([("username", login), ("password", password)]);
        let mut request = ready.client.post(config.url.clone());
        match (config.client_auth, secret) {
            (ClientAuth::Basic, Some(secret)) => {
                request = request.header(AUTHORIZATION, basic(&config.client_id, secret)?);
            }
            (ClientAuth::Post, Some(secret)) => {
                fields.extend([("client_id", config.client_id.as_str()), ("client_secret", secret)]);
            }
            (ClientAuth::Basic | ClientAuth::Post, None) => fields.push(("client_id", &config.client_id)),
        }
        Ok(request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(web::body(form(&fields))))
    }
}

/// The fields as a form. Its buffer never grows, for that would leave copies of the password behind.
fn form(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let room = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(room));
    form.extend_pairs(fields);
    Zeroizing::new(form.finish().into_bytes())
}

/// The header of RFC 6749 2.3.1: id and secret are encoded as in forms before they are joined.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, Outage> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(id), Zeroizing::new(encode(secret)).as_str()));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&text).map_err(|_| Outage::Misconfigured)?;
    value.set_sensitive(true);
    Ok(value)
}
