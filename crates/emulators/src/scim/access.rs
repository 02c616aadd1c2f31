//! Who comes in: bearer tokens, HTTP Basic, and the token endpoint for client credentials (RFC 6749 4.4, RFC 6750).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use uuid::Uuid;

use super::scenario::AccessSettings;
use crate::clock::{Micros, micros};

/// `expires_in` of a token when the scenario does not say.
const LIFETIME_SECS: u64 = 3_600;
/// Tokens that are good at one time.
const MOST_TOKENS: usize = 10_000;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The client's id, or the name of who signed in.
    pub(crate) name: String,
    /// What it may do. `None`: everything.
    pub(crate) scopes: Option<Vec<String>>,
}

impl Caller {
    /// Whether it has been given a scope.
    pub(crate) fn may(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|own| own == scope))
    }
}

/// Who may come in, and the tokens that are good.
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    username: Option<String>,
    password: Option<String>,
    scopes: Vec<String>,
    lifetime: Duration,
    tokens: Mutex<HashMap<String, (Arc<Caller>, Micros)>>,
}

/// The answer of the token endpoint: a status and a body.
type TokenAnswer = (u16, Value);

impl Access {
    /// `known` is everything that a token may be asked for.
    pub(crate) fn new(settings: &AccessSettings, known: &[String]) -> Self {
        let made_up = || Uuid::new_v4().simple().to_string();
        Self {
            token: settings.token.clone().unwrap_or_else(made_up),
            client_id: settings.client_id.clone().unwrap_or_else(made_up),
            client_secret: settings.client_secret.clone().unwrap_or_else(made_up),
            username: settings.username.clone(),
            password: settings.password.clone(),
            scopes: settings.scopes.clone().unwrap_or_else(|| known.to_vec()),
            lifetime: Duration::from_secs(settings.token_lifetime_secs.unwrap_or(LIFETIME_SECS)),
            tokens: Mutex::default(),
        }
    }

    /// Who asks with a bearer token, or with the scenario's name and password.
    pub(crate) fn caller(&self, headers: &HeaderMap, now: Micros) -> Option<Arc<Caller>> {
        let (scheme, rest) = authorization(headers)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            if rest == self.token {
                return Some(Arc::new(Caller { name: self.client_id.clone(), scopes: None }));
            }
            let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            return tokens.get(rest).filter(|(_, until)| *until > now).map(|(caller, _)| Arc::clone(caller));
        }
        let (name, password) = basic(headers)?;
        let is_known = self.username.as_deref() == Some(&name) && self.password.as_deref() == Some(&password);
        is_known.then(|| Arc::new(Caller { name, scopes: None }))
    }

    /// Makes a token.
    pub(crate) fn issue(&self, caller: Caller, now: Micros) -> String {
        let token = Uuid::new_v4().simple().to_string();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, (_, until)| *until > now);
        if tokens.len() < MOST_TOKENS {
            tokens.insert(token.clone(), (Arc::new(caller), now + micros(self.lifetime)));
        }
        token
    }

    /// Lets every token that was issued expire.
    pub(crate) fn expire(&self) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn lifetime_secs(&self) -> u64 {
        self.lifetime.as_secs()
    }

    /// Whether the client of a token request is who it says, by HTTP Basic or in the form (RFC 6749 2.3.1).
    pub(crate) fn is_client(&self, headers: &HeaderMap, form: &[(String, String)]) -> bool {
        let part = |text: String| percent_decode_str(&text).decode_utf8_lossy().into_owned();
        let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let (id, secret) = match basic(headers) {
            Some((id, secret)) => (Some(part(id)), Some(part(secret))),
            None => (field("client_id"), field("client_secret")),
        };
        id.as_deref() == Some(&self.client_id) && secret.as_deref() == Some(&self.client_secret)
    }

    /// The scopes of a request: those asked for, or all. `Err` has one that the client may not have.
    pub(crate) fn scopes(&self, form: &[(String, String)]) -> Result<Vec<String>, String> {
        let asked = form.iter().find(|(name, _)| name == "scope").map_or("", |(_, value)| value);
        let asked: Vec<String> = asked.split_ascii_whitespace().map(ToOwned::to_owned).collect();
        if asked.is_empty() {
            return Ok(self.scopes.clone());
        }
        match asked.iter().find(|scope| !self.scopes.is_empty() && !self.scopes.contains(scope)) {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(asked),
        }
    }

    /// Answers a request for a token by client credentials.
    pub(crate) fn token(&self, headers: &HeaderMap, form: &[(String, String)], now: Micros) -> TokenAnswer {
        if !self.is_client(headers, form) {
            return (401, oauth_error("invalid_client", "The client or its secret is not known."));
        }
        match form.iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value.as_str()) {
            Some("client_credentials") => {}
            Some(_) => return (400, oauth_error("unsupported_grant_type", "Only client_credentials is known.")),
            None => return (400, oauth_error("invalid_request", "grant_type is missing.")),
        }
        match self.scopes(form) {
            Ok(scopes) => {
                let scope = scopes.join(" ");
                let caller = Caller { name: self.client_id.clone(), scopes: Some(scopes) };
                (200, self.token_body(&self.issue(caller, now), &scope))
            }
            Err(_scope) => (400, oauth_error("invalid_scope", "The client may not have a scope that it asks for.")),
        }
    }

    /// The body of a granted request.
    pub(crate) fn token_body(&self, token: &str, scope: &str) -> Value {
        let mut body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": self.lifetime_secs() });
        if !scope.is_empty() {
            body["scope"] = Value::from(scope);
        }
        body
    }
}

/// An error of the token endpoint (RFC 6749 5.2).
pub(crate) fn oauth_error(error: &str, description: &str) -> Value {
    json!({ "error": error, "error_description": description })
}

fn authorization(headers: &HeaderMap) -> Option<(&str, &str)> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    Some((scheme, rest.trim()))
}

/// Name and password of HTTP Basic (RFC 7617), in UTF-8.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, rest) = authorization(headers)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
