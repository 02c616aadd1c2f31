//! `httpPost` and `callChoreo`: one call with its time limit and its repeats (wso2-scim.md 1.2.6, 1.2.7).

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response};
use serde_json::{Map, Value, json};
use url::Url;

use super::latin1;
use super::settings::SilentMigration;
use super::token::Tokens;
use crate::wso2::script::{Auth, Sender};

/// Requests of one call at most: two repeats (1.2.7).
const ATTEMPTS: u32 = 3;

/// Longest answer that is read.
const ANSWER_LIMIT: usize = 1 << 20;

/// Which handler of the script is called.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Called {
    /// `onSuccess` with the object of the answer.
    Success(Map<String, Value>),
    /// `onFail`, with what happened.
    Failed(String),
    /// `onTimeout`, with what happened.
    TimedOut(String),
}

/// How one request ended.
enum Ended {
    Answered { status: u16, content_type: String, body: Vec<u8> },
    TimedOut,
    Broken,
}

/// Carries out one call of the function `post` of the script.
pub(super) async fn post(setup: &SilentMigration, tokens: &Tokens, url: &str, payload: &Value) -> Called {
    if let Err(message) = demand_allowed(setup, url) {
        return Called::Failed(message);
    }
    match &setup.script.sender {
        Sender::HttpPost { headers, auth } => {
            let request = setup.client.post(url).body(payload.to_string());
            // what the script sets wins over what the product says by itself
            let request = request.header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/json");
            let request = with_headers(request, headers);
            match prove(setup, tokens, request, auth).await {
                Ok(request) => http_post(request, setup.http_post_timeout()).await,
                Err(message) => Called::Failed(message),
            }
        }
        Sender::CallChoreo { key, secret, token_endpoint } => {
            let body = latin1::body(payload);
            let endpoint = token_endpoint.as_deref();
            choreo(setup, tokens, url, &body, &ChoreoClient { key, secret, endpoint }).await
        }
    }
}

/// Only the label before the last of the host's name is compared (1.2.7).
fn demand_allowed(setup: &SilentMigration, url: &str) -> Result<(), String> {
    let Some(allowed) = &setup.allowed_domains else { return Ok(()) };
    let url = Url::parse(url).map_err(|_broken| "the script calls something that is no address".to_owned())?;
    let host = url.host_str().unwrap_or_default();
    let label = |host: &str| host.rsplit('.').nth(1).unwrap_or(host).to_ascii_lowercase();
    if allowed.iter().any(|domain| label(domain) == label(host)) {
        return Ok(());
    }
    Err("the host is not in a domain that scripts may call".to_owned())
}

fn with_headers(request: RequestBuilder, headers: &[(String, String)]) -> RequestBuilder {
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
            map.insert(name, value);
        }
    }
    request.headers(map)
}

async fn prove(
    setup: &SilentMigration,
    tokens: &Tokens,
    request: RequestBuilder,
    auth: &Auth,
) -> Result<RequestBuilder, String> {
    Ok(match auth {
        Auth::Bearer { token } => request.bearer_auth(token),
        Auth::ApiKey { key, header } => request.header(header, key),
        Auth::Basic { user, password } => request.basic_auth(user, Some(password)),
        Auth::ClientCredential { key, secret, token_endpoint, scope } => {
            let limit = setup.http_post_timeout();
            let token = tokens.get(&setup.client, token_endpoint, (key, secret), scope.as_deref(), limit).await?;
            request.bearer_auth(token)
        }
    })
}

/// `httpPost`: 5xx and timeouts are repeated; a text of the type `text/plain` becomes `{"response": …}` (1.2.7).
async fn http_post(request: RequestBuilder, limit: Duration) -> Called {
    let mut last = Called::Failed("no request".to_owned());
    for _ in 0..ATTEMPTS {
        let Some(request) = request.try_clone() else { return last };
        last = match send(request, limit).await {
            Ended::TimedOut => Called::TimedOut(format!("no answer within {} ms", limit.as_millis())),
            Ended::Answered { status, .. } if status >= 500 => Called::Failed(format!("HTTP {status}")),
            Ended::Broken => return Called::Failed("no connection".to_owned()),
            Ended::Answered { status, content_type, body } if (200..300).contains(&status) => {
                if content_type.starts_with("text/plain") {
                    let text = String::from_utf8_lossy(&body).into_owned();
                    return object(json!({ "response": text }));
                }
                return object(serde_json::from_slice(&body).unwrap_or_default());
            }
            Ended::Answered { status, .. } => return Called::Failed(format!("HTTP {status}")),
        };
    }
    last
}

struct ChoreoClient<'a> {
    key: &'a str,
    secret: &'a str,
    endpoint: Option<&'a str>,
}

/// `callChoreo`: failures of the transport are repeated, other answers than 2xx are final, but for a 401 that says that
/// the token is not active (1.2.6, 1.2.7).
async fn choreo(setup: &SilentMigration, tokens: &Tokens, url: &str, body: &[u8], client: &ChoreoClient<'_>) -> Called {
    let limit = setup.choreo_timeout();
    let mut may_renew = true;
    let mut attempts = 0;
    loop {
        let token = match client.endpoint {
            Some(endpoint) => tokens.get_jwt(&setup.client, endpoint, (client.key, client.secret), limit).await,
            None => tokens.own(client.key),
        };
        let token = match token {
            Ok(token) => token,
            Err(message) => return Called::Failed(message),
        };
        let request = setup.client.post(url).bearer_auth(token).body(body.to_vec());
        let request = request.header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/json");
        attempts += 1;
        match send(request, limit).await {
            Ended::Answered { status, body, .. } if (200..300).contains(&status) => {
                return object(serde_json::from_slice(&body).unwrap_or_default());
            }
            Ended::Answered { status: 401, body, .. } if may_renew && says_inactive(&body) => {
                may_renew = false;
                tokens.forget(client.key);
            }
            Ended::Answered { status, .. } => return Called::Failed(format!("HTTP {status}")),
            Ended::TimedOut | Ended::Broken if attempts < ATTEMPTS => {}
            Ended::TimedOut => return Called::TimedOut(format!("no answer within {} ms", limit.as_millis())),
            Ended::Broken => return Called::Failed("no connection".to_owned()),
        }
    }
}

/// Codes of WSO2's gateway for a token that is not valid or not active any more.
fn says_inactive(body: &[u8]) -> bool {
    let code = serde_json::from_slice::<Value>(body).unwrap_or_default()["code"].clone();
    let code = code.as_str().map_or_else(|| code.to_string(), ToOwned::to_owned);
    ["900901", "900902", "900903", "900904"].contains(&code.as_str())
}

fn object(value: Value) -> Called {
    match value {
        Value::Object(members) => Called::Success(members),
        _ => Called::Failed("the answer is no JSON object".to_owned()),
    }
}

/// One request within its time limit, and its whole answer.
async fn send(request: RequestBuilder, limit: Duration) -> Ended {
    let exchange = async {
        let Ok(response) = request.send().await else { return Ended::Broken };
        let status = response.status().as_u16();
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        match bounded(response).await {
            Some(body) => Ended::Answered { status, content_type, body },
            None => Ended::Broken,
        }
    };
    tokio::time::timeout(limit, exchange).await.unwrap_or(Ended::TimedOut)
}

/// The body of an answer; nothing when it breaks off or is too long.
pub(super) async fn bounded(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}
