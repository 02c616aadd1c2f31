//! The token endpoint, discovery, and the tokens themselves (`entra.md` 6).

mod assertion;
mod error;
mod token;
mod tokens;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use url::form_urlencoded;

pub(crate) use self::token::TokenKey;
pub(crate) use self::tokens::{Caller, Tokens};

use self::error::LoginError;
use super::apps::RegisteredApp;
use super::options::Kind;
use super::service::Service;
use crate::clock::Now;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a request to the login host may ask for, by its path.
pub(crate) enum LoginPath<'a> {
    Token(&'a str),
    Discovery(&'a str),
    Keys(&'a str),
}

impl<'a> LoginPath<'a> {
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] => Some(Self::Token(tenant)),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => Some(Self::Discovery(tenant)),
            [tenant, "discovery", "v2.0", "keys"] => Some(Self::Keys(tenant)),
            _ => None,
        }
    }
}

/// The form of a token request, with the members of HTTP Basic put in where the form lacks them.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(headers: &HeaderMap, body: &Bytes) -> Self {
        let mut form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        if let Some((id, secret)) = basic(headers) {
            form.push(("client_id".to_owned(), id));
            form.push(("client_secret".to_owned(), secret));
        }
        Self(form)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn need(&self, name: &str) -> Result<&str, LoginError> {
        self.get(name).ok_or_else(|| LoginError::missing(name))
    }
}

/// HTTP Basic; RFC 6749 wants both halves form-encoded.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((plain(id)?, plain(secret).unwrap_or_default()))
}

/// Answers a token request: the status and the body.
pub(crate) fn token(service: &Service, tenant: &str, headers: &HeaderMap, body: &Bytes, now: Now) -> (u16, Value) {
    match grant(service, tenant, &Form::read(headers, body), now) {
        Ok(body) => (200, body),
        Err(error) => (error.status, error.body(now)),
    }
}

fn grant(service: &Service, tenant: &str, form: &Form, now: Now) -> Result<Value, LoginError> {
    if !service.names.is_named(tenant) {
        return Err(LoginError::unknown_tenant(tenant));
    }
    match form.need("grant_type")? {
        "client_credentials" => {}
        other => return Err(LoginError::unsupported_grant(other)),
    }
    let client_id = form.need("client_id")?;
    let (number, app) = service
        .apps
        .iter()
        .enumerate()
        .find(|(_, app)| {
            app.app_id.eq_ignore_ascii_case(client_id) && (app.secret.is_some() || !app.certificates.is_empty())
        })
        .ok_or_else(|| LoginError::unknown_client(client_id, &service.names.display_name))?;
    authenticate(service, tenant, app, form, now)?;
    check_scope(form.need("scope")?)?;
    let token = service.token_key.issue(service, app, now);
    let lifetime = service.token_lifetime.as_secs();
    service.tokens().add(token.clone(), number, app, now, service.token_lifetime);
    Ok(json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token }))
}

fn authenticate(service: &Service, tenant: &str, app: &RegisteredApp, form: &Form, now: Now) -> Result<(), LoginError> {
    if let Some(assertion) = form.get("client_assertion") {
        if form.need("client_assertion_type")? != ASSERTION_TYPE {
            return Err(LoginError::bad_assertion_type());
        }
        return assertion::check(service, tenant, app, assertion, now);
    }
    let given = form.get("client_secret").ok_or_else(LoginError::no_credential)?;
    let right = app
        .secret
        .as_deref()
        .is_some_and(|secret| verify_slices_are_equal(secret.as_bytes(), given.as_bytes()).is_ok());
    if right { Ok(()) } else { Err(LoginError::bad_secret(&app.app_id)) }
}

/// Client credentials want `{resource}/.default`, and nothing else. The host is not compared: it follows the Graph host,
/// which here is an address on loopback.
fn check_scope(scope: &str) -> Result<(), LoginError> {
    let single = !scope.trim().contains(' ');
    if single && scope.ends_with("/.default") { Ok(()) } else { Err(LoginError::bad_scope(scope)) }
}

/// `/.well-known/openid-configuration`; nothing for a tenant that is not ours.
pub(crate) fn discovery(service: &Service, tenant: &str) -> Option<Value> {
    if !service.names.is_named(tenant) {
        return None;
    }
    let base = format!("{}/{}", service.root(), service.names.id);
    // an external tenant names its real issuer, whichever host was asked (`entra.md` 2.2)
    let (issuer, algorithm) = match service.kind {
        Kind::EntraExternalId => (service.sign_ins.issuer(&service.names), "RS256"),
        Kind::AzureAdB2c => (format!("{base}/v2.0"), "ES256"),
    };
    Some(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        "response_types_supported": ["code", "id_token", "token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [algorithm],
        "scopes_supported": ["openid"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat"],
        "tenant_region_scope": "EU",
    }))
}

/// The key set that tokens are signed with.
pub(crate) fn keys(service: &Service, tenant: &str) -> Option<Value> {
    if !service.names.is_named(tenant) {
        return None;
    }
    let calls = (service.kind == Kind::EntraExternalId).then(|| service.sign_ins.jwk()).flatten();
    Some(json!({ "keys": std::iter::once(service.token_key.jwk()).chain(calls).collect::<Vec<_>>() }))
}

/// The body for a tenant that nobody knows.
pub(crate) fn unknown_tenant(tenant: &str, now: Now) -> (u16, Value) {
    let error = LoginError::unknown_tenant(tenant);
    (error.status, error.body(now))
}
