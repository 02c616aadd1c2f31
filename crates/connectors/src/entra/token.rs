//! Access tokens of one application: fetched once for all who wait, renewed early, replaced when refused.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use sterna_core::{
    code::Code,
    port::TargetError,
    registry::Context,
    settings::SecretRef,
    time::{Clock, Timestamp},
};
use tokio::{sync::Mutex, time::Instant};

use super::{
    assertion::Signer,
    config::{Algorithm, Application, Connection, Proof},
    dto::{TokenGiven, TokenRefused, object},
    limits::{RENEW_EARLY, TOKEN_BODY_BYTES, TOKEN_TRIES, TOKENS_REFUSED},
    retry,
    transport::{self, Broken},
};

/// Gives the tokens of one application.
pub(super) struct Tokens {
    client_id: String,
    proof: Ready,
    endpoint: String,
    scope: String,
    http: Client,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
    refused: AtomicU32,
}

/// A token in hand, and which it is.
#[derive(Clone)]
pub(super) struct Token {
    /// The text for `Authorization: Bearer`.
    pub(super) text: Arc<SecretString>,
    serial: u64,
}

struct Held {
    token: Token,
    renew_at: Instant,
    ends_at: Instant,
}

enum Ready {
    Secret(SecretString),
    Certificate(Box<Signer>),
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoToken {
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
        /// The service's numbers.
        codes: Vec<u64>,
    },
    /// Our own part failed.
    #[error("application {client_id} cannot prove who it is")]
    Proof {
        /// Which application.
        client_id: String,
        /// Why.
        source: super::assertion::NoSigner,
    },
}

impl Tokens {
    /// Prepares the tokens of one application; reads its secret or key now, so that a mistake shows at once.
    ///
    /// # Errors
    /// [`TargetError`] when the secret or key cannot be had (E1008).
    pub(super) fn new(
        connection: &Connection,
        application: &Application,
        http: Client,
        context: &Context,
    ) -> Result<Self, TargetError> {
        let proof = match &application.proof {
            Proof::Secret(reference) => Ready::Secret(reveal(context, reference)?),
            Proof::Certificate { certificate, key } => {
                Ready::Certificate(Box::new(signer(context, certificate, key, connection.algorithm)?))
            }
        };
        Ok(Self {
            client_id: application.client_id.clone(),
            proof,
            endpoint: format!("{}/{}/oauth2/v2.0/token", connection.login_url, connection.tenant),
            scope: format!("{}/.default", connection.graph_url),
            http,
            clock: Arc::clone(&context.clock),
            held: Mutex::new(None),
            refused: AtomicU32::new(0),
        })
    }

    /// The application's id.
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// A token that is valid for some minutes more. Only one request for a new one is ever under way.
    ///
    /// # Errors
    /// [`NoToken`] when the login service gives none and the old one is over.
    pub(super) async fn get(&self) -> Result<Token, NoToken> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.token.clone());
        }
        match self.fetch().await {
            Ok(given) => {
                let serial = held.as_ref().map_or(1, |held| held.token.serial + 1);
                let token = Token { text: Arc::new(given.access_token.into()), serial };
                let valid = Duration::from_secs(given.expires_in.clamp(1, 86_400));
                let early = RENEW_EARLY.min(valid / 2);
                *held = Some(Held { token: token.clone(), renew_at: now + valid - early, ends_at: now + valid });
                Ok(token)
            }
            // one that still holds is better than none
            Err(error) => held.as_ref().filter(|held| now < held.ends_at).map(|held| held.token.clone()).ok_or(error),
        }
    }

    /// Takes note that Graph refused `token`: the next [`Self::get`] fetches another. `false` when several fresh ones
    /// were refused in a row, so that another would not help.
    pub(super) async fn refused(&self, token: &Token) -> bool {
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

    /// Takes note that Graph accepted a token.
    pub(super) fn accepted(&self) {
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
                return Err(NoToken::Unreachable { client_id: self.client_id.clone(), why });
            }
            tokio::time::sleep(retry::wait_before(attempt, asked, 128).min(Duration::from_secs(10))).await;
        }
    }

    async fn ask(&self) -> Result<Asked, NoToken> {
        let now = self.clock.now().wall;
        let request = self.http.post(&self.endpoint).form(&self.form(now)?);
        let reply = match transport::exchange(request, TOKEN_BODY_BYTES, now).await {
            Ok(reply) => reply,
            Err(Broken::NotSent(why) | Broken::Lost(why)) => return Ok(Asked::Later(why.to_owned(), None)),
        };
        let wait = reply.retry_after;
        match read_answer(reply.status, &reply.body) {
            Told::Given(given) => Ok(Asked::Given(given)),
            Told::Later(why) => Ok(Asked::Later(why, wait)),
            Told::Refused { error, codes } => Err(NoToken::Refused { client_id: self.client_id.clone(), error, codes }),
        }
    }

    fn form(&self, now: Timestamp) -> Result<Vec<(&'static str, String)>, NoToken> {
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.client_id.clone()),
            ("scope", self.scope.clone()),
        ];
        match &self.proof {
            Ready::Secret(secret) => form.push(("client_secret", secret.expose_secret().to_owned())),
            Ready::Certificate(signer) => {
                let assertion = signer.sign(&self.client_id, &self.endpoint, now);
                let failed = |source| NoToken::Proof { client_id: self.client_id.clone(), source };
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_assertion_type", kind.to_owned()));
                form.push(("client_assertion", assertion.map_err(failed)?));
            }
        }
        Ok(form)
    }
}

enum Asked {
    Given(TokenGiven),
    Later(String, Option<Duration>),
}

/// What an answer of the token endpoint says.
pub(super) enum Told {
    /// A token.
    Given(TokenGiven),
    /// Nothing yet, and why: another try may help.
    Later(String),
    /// No.
    Refused {
        /// `invalid_client` …, or the status.
        error: String,
        /// The service's numbers.
        codes: Vec<u64>,
    },
}

/// Reads an answer of the token endpoint (entra.md 6). Pure.
pub(super) fn read_answer(status: u16, body: &[u8]) -> Told {
    if status == 200 {
        let given = object(body);
        return given.map_or_else(|_| Told::Later("an answer without a token".into()), Told::Given);
    }
    let refused: TokenRefused = object(body).unwrap_or_default();
    if status >= 500 || status == 429 || refused.error == "temporarily_unavailable" {
        return Told::Later(format!("status {status}"));
    }
    let error = if refused.error.is_empty() { format!("status {status}") } else { refused.error };
    Told::Refused { error, codes: refused.error_codes }
}

impl NoToken {
    /// The error that a command ends with, and how to mend it.
    pub(super) fn into_error(self) -> TargetError {
        let (code, hint) = match &self {
            Self::Unreachable { .. } => {
                (Code::E2001, "check login_url, the proxy and the firewall; behind a private CA set ca_file".to_owned())
            }
            Self::Proof { .. } => (Code::E2002, "check `certificate` and `private_key`".to_owned()),
            Self::Refused { error, codes, .. } => (Code::E2002, mend(error, codes).to_owned()),
        };
        TargetError::new(code, self.to_string()).hint(hint)
    }
}

/// What to do about a refusal; only `error` is branched on, the numbers may change (entra.md 6).
fn mend(error: &str, codes: &[u64]) -> &'static str {
    match error {
        "invalid_client" if codes.contains(&7_000_222) => "the secret is over: make a new one",
        "invalid_client" => "check the secret (its value, not its id) or that the certificate is registered",
        "unauthorized_client" => "check client_id, and that the application is in this tenant",
        "invalid_request" | "invalid_grant" => "check tenant, client_id and login_url",
        "invalid_scope" | "invalid_resource" => "graph_url and login_url must belong to one cloud",
        _ => "check tenant, client_id and secret or certificate",
    }
}

fn reveal(context: &Context, reference: &SecretRef) -> Result<SecretString, TargetError> {
    context.secrets.reveal(reference).map_err(|finding| {
        let error = TargetError::new(finding.code, finding.message.clone());
        match finding.hints.first() {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        }
    })
}

fn signer(context: &Context, certificate: &Path, key: &SecretRef, algorithm: Algorithm) -> Result<Signer, TargetError> {
    let path = context.project.join(certificate);
    let pem = std::fs::read(&path).map_err(|error| {
        TargetError::new(Code::E1008, format!("the certificate {} cannot be read", path.display())).caused_by(error)
    })?;
    let key = reveal(context, key)?;
    Signer::new(&pem, &key, algorithm)
        .map_err(|error| TargetError::new(Code::E1008, error.to_string()).hint("give PEM files of one RSA key pair"))
}
