//! Access tokens of one client (OAuth 2.0 client credentials): fetched once for all who wait, renewed early, replaced
//! when refused.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use sterna_core::{
    code::Code,
    port::TargetError,
    time::{Clock, Timestamp},
};
use tokio::{sync::Mutex, time::Instant};

use super::{
    encode,
    exchange::{self, Broken},
    object, retry,
};

/// Longest answer of the token endpoint that is read, in bytes.
const TOKEN_BODY_BYTES: usize = 256 * 1024;

/// How early a token is renewed, unless it is valid for less than twice that.
const RENEW_EARLY: Duration = Duration::from_mins(5);

/// How long a token is taken to be valid when the service does not say: RFC 6749 5.1 only recommends `expires_in`.
const UNSAID: u64 = 300;

/// How often a token is asked for before its failure is told.
const TOKEN_TRIES: u32 = 2;

/// How many refused tokens in a row, each after a fresh one, mean that tokens are refused for good.
const TOKENS_REFUSED: u32 = 3;

/// How a client proves who it is to the token endpoint.
pub(crate) enum Proof {
    /// Its secret in the form (RFC 6749 2.3.1).
    Post(SecretString),
    /// Its id and secret by HTTP Basic (RFC 6749 2.3.1).
    Basic(SecretString),
    /// A signed statement (RFC 7523 2.2).
    Assertion(Box<dyn Assert>),
}

/// Signs statements of a client.
pub(crate) trait Assert: Send + Sync {
    /// Signs a statement of `client_id` for the token endpoint `audience`.
    ///
    /// # Errors
    /// When the key is not usable.
    fn assert(&self, client_id: &str, audience: &str, now: Timestamp) -> Result<String, Box<NotSigned>>;
}

/// Why a statement cannot be signed.
pub(crate) type NotSigned = dyn std::error::Error + Send + Sync;

/// A client, where it gets its tokens, and for what.
pub(crate) struct TokenClient {
    /// Its id.
    pub(crate) client_id: String,
    /// How it proves who it is.
    pub(crate) proof: Proof,
    /// The token endpoint.
    pub(crate) endpoint: String,
    /// What is asked for.
    pub(crate) scope: Option<String>,
}

/// Gives the tokens of one client.
pub(crate) struct Tokens {
    client: TokenClient,
    http: Client,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
    refused: AtomicU32,
}

/// A token in hand, and which it is.
#[derive(Clone)]
pub(crate) struct Token {
    /// The text for `Authorization: Bearer`.
    pub(crate) text: Arc<SecretString>,
    serial: u64,
}

impl Token {
    /// A token that does not change.
    pub(crate) fn fixed(text: SecretString) -> Self {
        Self { text: Arc::new(text), serial: 0 }
    }
}

struct Held {
    token: Token,
    renew_at: Instant,
    ends_at: Instant,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoToken {
    /// The login service cannot be reached, or is overloaded.
    #[error("the login service gave no answer for application {client_id}: {why}")]
    Unreachable {
        /// Which application.
        client_id: String,
        /// What went wrong.
        why: String,
    },
    /// It says no.
    #[error("the login service refuses application {client_id}: {error} {codes:?}")]
    Refused {
        /// Which application.
        client_id: String,
        /// `invalid_client` …
        error: String,
        /// The service's numbers, where it has some.
        codes: Vec<u64>,
    },
    /// Our own part failed.
    #[error("application {client_id} cannot prove who it is")]
    Proof {
        /// Which application.
        client_id: String,
        /// Why.
        source: Box<NotSigned>,
    },
}

/// How to mend it that there is no token, in the words of a connector's settings.
pub(crate) struct Mend {
    /// When the login service cannot be reached.
    pub(crate) unreachable: &'static str,
    /// When our own part failed.
    pub(crate) proof: &'static str,
    /// When it says no, by `error` and numbers.
    pub(crate) refused: fn(&str, &[u64]) -> &'static str,
}

impl NoToken {
    /// The error that a command ends with, and how to mend it.
    pub(crate) fn into_error(self, mend: &Mend) -> TargetError {
        let (code, hint) = match &self {
            Self::Unreachable { .. } => (Code::E2001, mend.unreachable),
            Self::Proof { .. } => (Code::E2002, mend.proof),
            Self::Refused { error, codes, .. } => (Code::E2002, (mend.refused)(error, codes)),
        };
        TargetError::new(code, self.to_string()).hint(hint)
    }
}

impl Tokens {
    /// Prepares the tokens of one client; nothing is asked for yet.
    pub(crate) fn new(client: TokenClient, http: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, http, clock, held: Mutex::new(None), refused: AtomicU32::new(0) }
    }

    /// A token that is valid for some minutes more. Only one request for a new one is ever under way.
    ///
    /// # Errors
    /// [`NoToken`] when the login service gives none and the old one is over.
    pub(crate) async fn get(&self) -> Result<Token, NoToken> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.token.clone());
        }
        match self.fetch().await {
            Ok(given) => {
                let serial = held.as_ref().map_or(1, |held| held.token.serial + 1);
                let token = Token { text: Arc::new(given.access_token.into()), serial };
                let valid = Duration::from_secs(given.expires_in.unwrap_or(UNSAID).clamp(1, 86_400));
                let early = RENEW_EARLY.min(valid / 2);
                *held = Some(Held { token: token.clone(), renew_at: now + valid - early, ends_at: now + valid });
                Ok(token)
            }
            // one that still holds is better than none
            Err(error) => held.as_ref().filter(|held| now < held.ends_at).map(|held| held.token.clone()).ok_or(error),
        }
    }

    /// Takes note that the service refused `token`: the next [`Self::get`] fetches another. `false` when several fresh
    /// ones were refused in a row, so that another would not help.
    pub(crate) async fn refused(&self, token: &Token) -> bool {
        let mut held = self.held.lock().await;
        let Some(current) = held.as_mut().filter(|held| held.token.serial == token.serial) else { return true };
        // times in the past: never used again, and the serial goes on
        let now = Instant::now();
        if current.ends_at > now {
            (current.renew_at, current.ends_at) = (now, now);
            return self.refused.fetch_add(1, Ordering::Relaxed) + 1 < TOKENS_REFUSED;
        }
        self.refused.load(Ordering::Relaxed) < TOKENS_REFUSED
    }

    /// Takes note that the service accepted a token.
    pub(crate) fn accepted(&self) {
        self.refused.store(0, Ordering::Relaxed);
    }

    async fn fetch(&self) -> Result<TokenGiven, NoToken> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (why, asked) = match self.ask().await? {
                Asked::Given(given) => return Ok(given),
                Asked::Later(why, asked) => (why, asked),
            };
            if attempt >= TOKEN_TRIES {
                return Err(NoToken::Unreachable { client_id: self.client.client_id.clone(), why });
            }
            tokio::time::sleep(retry::wait_before(attempt, asked, 128).min(Duration::from_secs(10))).await;
        }
    }

    async fn ask(&self) -> Result<Asked, NoToken> {
        let now = self.clock.now().wall;
        let reply = match exchange::exchange(self.request(now)?, TOKEN_BODY_BYTES, now).await {
            Ok(reply) => reply,
            Err(Broken::NotSent(why) | Broken::Lost(why)) => return Ok(Asked::Later(why.to_owned(), None)),
        };
        let wait = reply.retry_after;
        match read_answer(reply.status, &reply.body) {
            Told::Given(given) => Ok(Asked::Given(given)),
            Told::Later(why) => Ok(Asked::Later(why, wait)),
            Told::Refused { error, codes } => {
                Err(NoToken::Refused { client_id: self.client.client_id.clone(), error, codes })
            }
        }
    }

    fn request(&self, now: Timestamp) -> Result<RequestBuilder, NoToken> {
        let TokenClient { client_id, proof, endpoint, scope } = &self.client;
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        form.extend(scope.iter().map(|scope| ("scope", scope.clone())));
        let mut request = self.http.post(endpoint).header("Accept", "application/json");
        match proof {
            Proof::Basic(secret) => {
                // both are form-encoded first (RFC 6749 2.3.1)
                request = request.basic_auth(encode(client_id), Some(encode(secret.expose_secret())));
            }
            Proof::Post(secret) => {
                form.push(("client_id", client_id.clone()));
                form.push(("client_secret", secret.expose_secret().to_owned()));
            }
            Proof::Assertion(signer) => {
                let failed = |source| NoToken::Proof { client_id: client_id.clone(), source };
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_id", client_id.clone()));
                form.push(("client_assertion_type", kind.to_owned()));
                form.push(("client_assertion", signer.assert(client_id, endpoint, now).map_err(failed)?));
            }
        }
        Ok(request.form(&form))
    }
}

enum Asked {
    Given(TokenGiven),
    Later(String, Option<Duration>),
}

/// What the token endpoint gives.
#[derive(Deserialize)]
pub(crate) struct TokenGiven {
    /// The token.
    pub(crate) access_token: String,
    /// Seconds that it is valid for.
    #[serde(default, deserialize_with = "seconds")]
    pub(crate) expires_in: Option<u64>,
}

/// Some services write the number as a text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())))
}

/// What the token endpoint says when it gives none (RFC 6749 5.2).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenRefused {
    /// `invalid_client` …; what to branch on.
    error: String,
    /// Numbers that Azure's login service adds.
    error_codes: Vec<u64>,
}

/// What an answer of the token endpoint says.
pub(crate) enum Told {
    /// A token.
    Given(TokenGiven),
    /// Nothing yet, and why: another try may help.
    Later(String),
    /// No.
    Refused {
        /// `invalid_client` …, or the status.
        error: String,
        /// The service's numbers, where it has some.
        codes: Vec<u64>,
    },
}

/// Reads an answer of the token endpoint (RFC 6749 5, entra.md 6). Pure.
pub(crate) fn read_answer(status: u16, body: &[u8]) -> Told {
    if status == 200 {
        let given = object(body);
        return given.map_or_else(|_| Told::Later("an answer without a token".into()), Told::Given);
    }
    let refused: TokenRefused = object(body).unwrap_or_default();
    if status >= 500 || status == 429 || refused.error == "temporarily_unavailable" {
        return Told::Later(format!("status {status}"));
    }
    let is_word = |text: &str| {
        (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    let error = if is_word(&refused.error) { refused.error } else { format!("status {status}") };
    Told::Refused { error, codes: refused.error_codes }
}
