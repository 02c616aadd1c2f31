//! The token endpoint: client credentials, and the switch to a child organisation (wso2-scim.md 2.2).

use http::HeaderMap;
use serde_json::Value;

use crate::scim::access::{Caller, oauth_error};
use crate::scim::service::Service;

/// Answers a token request: a status and a body. Scopes that the application may not have are left out without a word.
pub(super) fn answer(
    service: &Service,
    organizations: &[String],
    headers: &HeaderMap,
    form: &[(String, String)],
) -> (u16, Value) {
    let access = &service.access;
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if !access.is_client(headers, form) {
        return (401, oauth_error("invalid_client", "Client Authentication failed."));
    }
    let name = match field("grant_type") {
        Some("client_credentials") => access.client_id.clone(),
        Some("organization_switch" | "organization_switch_cc") => {
            let is_token = field("token").is_some_and(|token| is_good(service, token));
            let organization = field("switching_organization").unwrap_or_default();
            if !is_token || !organizations.iter().any(|known| known == organization) {
                return (400, oauth_error("invalid_grant", "The token or the organization is not known."));
            }
            organization.to_owned()
        }
        Some(_) => return (400, oauth_error("unsupported_grant_type", "Unsupported grant_type value")),
        None => return (400, oauth_error("invalid_request", "Missing grant_type parameter value")),
    };
    let may_have = |scope: &str| access.scopes(&[("scope".to_owned(), scope.to_owned())]).is_ok();
    let asked = field("scope").unwrap_or_default().split_ascii_whitespace();
    let scopes: Vec<String> = asked.filter(|scope| may_have(scope)).map(ToOwned::to_owned).collect();
    let scope = scopes.join(" ");
    let token = access.issue(Caller { name, scopes: Some(scopes) }, service.clock.now().micros);
    service.counters.tokens.add(1);
    (200, access.token_body(&token, &scope))
}

fn is_good(service: &Service, token: &str) -> bool {
    let mut headers = HeaderMap::new();
    if let Ok(value) = format!("Bearer {token}").parse() {
        headers.insert(http::header::AUTHORIZATION, value);
    }
    service.access.caller(&headers, service.clock.now().micros).is_some()
}
