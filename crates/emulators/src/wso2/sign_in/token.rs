//! Tokens that a script's calls bring along, by client credentials (wso2-scim.md 1.2.6).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::Client;
use serde_json::Value;

use super::call::bounded;

/// Gives a token of the organisation for a consumer key.
type Issue = Box<dyn Fn(&str) -> String + Send + Sync>;

/// The tokens that were given, by consumer key. Only a JWT that says when it expires is used again (1.2.6).
#[derive(Default)]
pub(crate) struct Tokens {
    kept: Mutex<BTreeMap<String, String>>,
    /// Gives tokens of the organisation itself, where a script names no endpoint.
    issue: Option<Issue>,
}

impl Tokens {
    /// With the organisation's own tokens, by the consumer key.
    pub(crate) fn issued_by(issue: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { kept: Mutex::default(), issue: Some(Box::new(issue)) }
    }

    /// A token of the organisation itself.
    pub(super) fn own(&self, key: &str) -> Result<String, String> {
        let issue = self.issue.as_ref().ok_or("the script names no token endpoint, and there is no organisation")?;
        Ok(issue(key))
    }

    /// A token that has to be a JWT.
    pub(super) async fn get_jwt(
        &self,
        client: &Client,
        endpoint: &str,
        credential: (&str, &str),
        limit: Duration,
    ) -> Result<String, String> {
        let token = self.get(client, endpoint, credential, None, limit).await?;
        if expiry(&token).is_none() {
            return Err("the access token is no JWT with an exp".to_owned());
        }
        Ok(token)
    }

    /// A token that is kept, or a new one: HTTP Basic with the key and its secret, and a form (1.2.6).
    pub(super) async fn get(
        &self,
        client: &Client,
        endpoint: &str,
        (key, secret): (&str, &str),
        scope: Option<&str>,
        limit: Duration,
    ) -> Result<String, String> {
        let kept = self.lock().get(key).cloned();
        if let Some(token) = kept.filter(|token| expiry(token).is_some_and(|at| at > Timestamp::now().as_second())) {
            return Ok(token);
        }
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(scope.map(|scope| ("scope", scope)));
        let request = client.post(endpoint).basic_auth(key, Some(secret)).form(&form);
        let exchange = async {
            let response = request.send().await.ok()?;
            let is_right = response.status().is_success();
            let body = bounded(response).await.filter(|_| is_right)?;
            let body: Value = serde_json::from_slice(&body).ok()?;
            Some(body["access_token"].as_str()?.to_owned())
        };
        let token = tokio::time::timeout(limit, exchange).await.ok().flatten();
        let token = token.ok_or("the token endpoint gives no token")?;
        self.lock().insert(key.to_owned(), token.clone());
        Ok(token)
    }

    pub(super) fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `exp` of a token that is a JWT.
fn expiry(token: &str) -> Option<i64> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?["exp"].as_i64()
}
