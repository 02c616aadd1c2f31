//! Writes the conditional-authentication script that calls the hook (wso2-scim.md 1.2.2 to 1.2.9).
//!
//! Start at [`Options::script`]. What differs from one project to the next becomes variables at the script's head and the
//! one function that sends; all else stands in `script/*.js` as it is. The language is the oldest that any version runs
//! (ECMAScript 5), without loops, and no text holds two full stops in a row, which Asgardeo refuses (1.2.9).

mod literal;

use std::fmt::Write;

use url::Url;

use self::literal::{literal, object};
use super::hook::{CHECK, RECEIVED, START, STATUS, WRONG};

/// The local claim of the published template (wso2-scim.md 1.2.1).
pub const MIGRATED_CLAIM: &str = "http://wso2.org/claims/is_migrated";

/// Longest time of the wait page, in seconds (wso2-scim.md 1.2.4).
pub const LONGEST_WAIT_SECS: u8 = 20;

const LOGIN: &str = include_str!("script/login.js");
const WAIT: &str = include_str!("script/wait.js");
const ONE_CALL: &str = include_str!("script/one_call.js");

/// Which product runs the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// WSO2 Identity Server.
    IdentityServer,
    /// Asgardeo, which newer pages call WSO2 Identity Platform.
    Asgardeo,
}

impl Product {
    /// The user store that people are in where nothing else is said (wso2-scim.md 1.2.2).
    pub fn store(self) -> &'static str {
        match self {
            Self::IdentityServer => "PRIMARY",
            Self::Asgardeo => "DEFAULT",
        }
    }
}

/// How the script proves who it is. Secrets are named as they are stored in the console, never written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `callChoreo`: a token from the organisation, for a gateway that checks it.
    Choreo {
        /// The secret that holds the consumer key.
        key: String,
        /// The secret that holds the consumer secret.
        secret: String,
        /// The organisation's token endpoint, where Asgardeo is the gateway's key manager.
        token_endpoint: Option<String>,
    },
    /// `httpPost` with a token by client credentials, for a gateway that checks it.
    ClientCredential {
        /// The secret that holds the client's id.
        key: String,
        /// The secret that holds the client's secret.
        secret: String,
        /// Where tokens are given.
        token_endpoint: String,
        /// Scopes, separated by spaces.
        scope: Option<String>,
    },
    /// `httpPost` with a fixed bearer token.
    Bearer {
        /// The secret that holds it.
        token: String,
    },
    /// `httpPost` with a key in a header.
    ApiKey {
        /// The secret that holds it.
        key: String,
        /// The header.
        header: String,
    },
    /// `httpPost` with HTTP Basic.
    Basic {
        /// The secret that holds the user name.
        user: String,
        /// The secret that holds the password.
        password: String,
    },
}

/// What people type as their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginNames {
    /// Any of several attributes, which are resolved first.
    Several,
    /// The user name itself.
    UserName,
}

/// Whether the target's password rules hold for old passwords (wso2-scim.md 1.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRules {
    /// They do not: the fourth argument, there since June 2025.
    Skipped,
    /// They do: such a password cannot be taken over.
    Kept,
}

/// What becomes of a wait page that fails or lasts too long (wso2-scim.md 1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The script tells the person. Versions without the switch show their own page.
    ToScript,
    /// The product shows its own page.
    OwnPage,
}

/// How an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The published flow: begin, wait page, result.
    Wait {
        /// Most seconds on the wait page, 1 to [`LONGEST_WAIT_SECS`].
        secs: u8,
        /// Seconds between two polls.
        poll_secs: u8,
        /// What becomes of failures.
        on_failure: OnFailure,
    },
    /// One call and no page; the hook needs `one_call = true`.
    OneCall,
}

/// What a script is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which product runs it.
    pub product: Product,
    /// The hook's address, as the product reaches it.
    pub url: String,
    /// The same as browsers reach it, where that differs: a gateway's address wants a token, which no browser has.
    pub poll_url: Option<String>,
    /// How the script proves who it is.
    pub auth: Auth,
    /// The user store; without it the product's own.
    pub store: Option<String>,
    /// The claim that says that a password was moved.
    pub claim: String,
    /// What people type as their name.
    pub names: LoginNames,
    /// Whether password rules hold.
    pub rules: PasswordRules,
    /// How an answer is waited for.
    pub flow: Flow,
}

/// Why there is no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Not an address that a script may call.
    #[error("\"{0}\" is no https address, or has a query or a fragment")]
    Url(String),
    /// Not a name that `secrets.NAME` can be written with.
    #[error("\"{0}\" is no name of a secret: letters, digits and _, not beginning with a digit")]
    Secret(String),
    /// Not a user store.
    #[error("\"{0}\" is no name of a user store")]
    Store(String),
    /// Not a claim.
    #[error("\"{0}\" is no URI of a claim")]
    Claim(String),
    /// Not a header.
    #[error("\"{0}\" is no name of a header")]
    Header(String),
    /// The wait page lasts from 1 to 20 seconds.
    #[error("the wait page lasts from 1 to {LONGEST_WAIT_SECS} seconds, and is polled at least once in that time")]
    Wait,
}

impl Options {
    /// Writes the script.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn script(&self) -> Result<String, Vec<Mistake>> {
        let mistakes = self.mistakes();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut script = self.head();
        script.push_str(&self.user_name());
        script.push_str(&self.post());
        script.push_str(LOGIN);
        script.push('\n');
        script.push_str(match self.flow {
            Flow::Wait { .. } => WAIT,
            Flow::OneCall => ONE_CALL,
        });
        Ok(script)
    }

    /// The variables that the rest reads.
    fn head(&self) -> String {
        let mut head = "// On-demand silent password migration, made by `sterna export script`. Step 1 has to be Username & Password.\n\
                        // The person's old password passes through here: add no log of it.\n\n"
            .to_owned();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(head, "var {name} = {value};");
        };
        let below = |path: &str| literal(&format!("{}{path}", base(&self.url)));
        line("userStore", literal(self.store.as_deref().unwrap_or(self.product.store())));
        line("migratedClaim", literal(&self.claim));
        line("skipPasswordValidation", (self.rules == PasswordRules::Skipped).to_string());
        line("wrongMessage", literal(WRONG));
        match self.flow {
            Flow::OneCall => line("checkUrl", below(CHECK)),
            Flow::Wait { secs, poll_secs, on_failure } => {
                let poll = base(self.poll_url.as_deref().unwrap_or(&self.url));
                line("startUrl", below(START));
                line("resultUrl", below(STATUS));
                line("pollUrl", literal(&format!("{poll}{STATUS}")));
                line("receivedMessage", literal(RECEIVED));
                // the page takes texts only for these two (1.2.4)
                line("waitingSecs", literal(&secs.to_string()));
                line("pollSecs", literal(&poll_secs.to_string()));
                line("callbackOnFailure", (on_failure == OnFailure::ToScript).to_string());
            }
        }
        head.push('\n');
        head
    }

    /// From what was typed to the user name, without its store.
    fn user_name(&self) -> String {
        let body = match self.names {
            LoginNames::Several => "resolveMultiAttributeLoginIdentifier(typed, context.tenantDomain)",
            LoginNames::UserName => "typed",
        };
        format!("var userNameOf = function(typed, context) {{\n    return {body};\n}};\n\n")
    }

    /// The function that sends. Secrets are read inside it, so that no variable of the flow ever holds them.
    fn post(&self) -> String {
        let secret = |name: &str| format!("secrets.{name}");
        let (kind, properties) = match &self.auth {
            Auth::Choreo { key, secret, token_endpoint } => {
                let mut members = vec![
                    ("url", "url".to_owned()),
                    ("consumerKeyAlias", literal(key)),
                    ("consumerSecretAlias", literal(secret)),
                ];
                members.extend(token_endpoint.iter().map(|url| ("asgardeoTokenEndpoint", literal(url))));
                return sends(&format!("callChoreo({}, payload, handlers);", object(&members)));
            }
            Auth::ClientCredential { key, secret: client_secret, token_endpoint, scope } => {
                let mut members = vec![
                    ("consumerKey", secret(key)),
                    ("consumerSecret", secret(client_secret)),
                    ("tokenEndpoint", literal(token_endpoint)),
                ];
                members.extend(scope.iter().map(|scope| ("scope", literal(scope))));
                ("clientcredential", members)
            }
            // the words of the code, not those of the documentation, which it does not accept (1.2.6)
            Auth::Bearer { token } => ("bearer", vec![("token", secret(token))]),
            Auth::ApiKey { key, header } => ("apikey", vec![("apiKey", secret(key)), ("headerName", literal(header))]),
            Auth::Basic { user, password } => {
                ("basic", vec![("username", secret(user)), ("password", secret(password))])
            }
        };
        let json = literal("application/json");
        let headers = object(&[("Content-Type", json.clone()), ("Accept", json)]);
        let auth = object(&[("type", literal(kind)), ("properties", object(&properties))]);
        sends(&format!("httpPost(url, payload, {headers}, {auth}, handlers);"))
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let Self { product: _, url, poll_url, auth, store, claim, names: _, rules: _, flow } = self;
        let mut mistakes = Vec::new();
        let mut demand = |is_right: bool, mistake: Mistake| {
            if !is_right {
                mistakes.push(mistake);
            }
        };
        for url in [url].into_iter().chain(poll_url).chain(auth.token_endpoint()) {
            demand(is_address(url), Mistake::Url(url.clone()));
        }
        for name in auth.secrets() {
            demand(is_identifier(name), Mistake::Secret(name.clone()));
        }
        if let Auth::ApiKey { header, .. } = auth {
            let is_header =
                !header.is_empty() && header.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            demand(is_header, Mistake::Header(header.clone()));
        }
        if let Some(store) = store {
            let is_store = !store.is_empty() && !store.contains('/') && !store.contains(char::is_control);
            demand(is_store, Mistake::Store(store.clone()));
        }
        demand(Url::parse(claim).is_ok(), Mistake::Claim(claim.clone()));
        if let Flow::Wait { secs, poll_secs, .. } = flow {
            let is_wait = (1..=LONGEST_WAIT_SECS).contains(secs) && (1..=*secs).contains(poll_secs);
            demand(is_wait, Mistake::Wait);
        }
        mistakes
    }
}

impl Auth {
    fn token_endpoint(&self) -> Option<&String> {
        match self {
            Self::Choreo { token_endpoint, .. } => token_endpoint.as_ref(),
            Self::ClientCredential { token_endpoint, .. } => Some(token_endpoint),
            Self::Bearer { .. } | Self::ApiKey { .. } | Self::Basic { .. } => None,
        }
    }

    /// The names of the secrets that it refers to.
    pub fn secrets(&self) -> Vec<&String> {
        match self {
            Self::Choreo { key, secret, .. } | Self::ClientCredential { key, secret, .. } => vec![key, secret],
            Self::Bearer { token } => vec![token],
            Self::ApiKey { key, .. } => vec![key],
            Self::Basic { user, password } => vec![user, password],
        }
    }
}

fn base(url: &str) -> &str {
    url.trim_end_matches('/')
}

fn sends(call: &str) -> String {
    format!("var post = function(url, payload, handlers) {{\n    {call}\n}};\n\n")
}

/// Passwords travel there: https, but for a service on the same machine.
fn is_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_local;
        is_safe && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    })
}

fn is_identifier(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
