//! How to get in: nothing, a bearer token, HTTP Basic, or OAuth 2.0 client credentials.
//!
//! A connector puts `access_settings!` at the end of its settings, reads them with [`AccessConfig::new`] when the
//! project is checked, and makes an [`Access`] of them when it connects.

use std::sync::Arc;

use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use sterna_core::{
    code::{Code, Finding},
    registry::Context,
    settings::{Kind, Need, SecretRef, Setting, Values},
};

use super::token::{Mend, NoToken, Proof, Token, TokenClient, Tokens};

/// The settings of [`AccessConfig`] and `ca_file`, to be put at the end of a connector's own.
macro_rules! access_settings {
    ($($own:expr),* $(,)?) => {
        &[
            $($own,)*
            $crate::http::access::TOKEN,
            $crate::http::access::USERNAME,
            $crate::http::access::PASSWORD,
            $crate::http::access::CLIENT_ID,
            $crate::http::access::CLIENT_SECRET,
            $crate::http::access::TOKEN_URL,
            $crate::http::access::CLIENT_AUTH,
            $crate::http::access::SCOPE,
            $crate::http::access::CA_FILE,
        ]
    };
}
pub(crate) use access_settings;

macro_rules! setting {
    ($constant:ident, $name:literal, $kind:expr, $need:expr, $doc:literal) => {
        #[doc = concat!("`", $name, "`.")]
        pub(crate) const $constant: Setting = Setting { name: $name, kind: $kind, need: $need, doc: $doc };
    };
}

setting!(TOKEN, "token", Kind::Secret, Need::Optional, "The bearer token, by reference.");
setting!(USERNAME, "username", Kind::Text, Need::Optional, "Instead of a token: the user name for HTTP Basic.");
setting!(PASSWORD, "password", Kind::Secret, Need::Optional, "The password for HTTP Basic, by reference.");
setting!(
    CLIENT_ID,
    "client_id",
    Kind::Text,
    Need::Optional,
    "Instead of a token: the client that gets one by OAuth 2.0 client credentials."
);
setting!(CLIENT_SECRET, "client_secret", Kind::Secret, Need::Optional, "The client's secret, by reference.");
setting!(
    TOKEN_URL,
    "token_url",
    Kind::Url,
    Need::Optional,
    "The token endpoint, with `client_id`; where the product has one place for it that is the default."
);
setting!(
    CLIENT_AUTH,
    "client_auth",
    Kind::Choice(&["basic", "post"]),
    Need::Default("\"basic\""),
    "Where the client's secret is sent: in the header or in the form."
);
setting!(
    SCOPE,
    "scope",
    Kind::Text,
    Need::Optional,
    "The scopes to ask for, separated by blanks; without it those that the product is known to need, or none."
);
setting!(CA_FILE, "ca_file", Kind::Path, Need::Optional, "More certificate authorities to trust, a PEM file.");

/// How to get in, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccessConfig {
    /// Nothing is asked for.
    Open,
    /// A bearer token that does not change.
    Bearer(SecretRef),
    /// HTTP Basic.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: SecretRef,
    },
    /// OAuth 2.0 client credentials.
    Client {
        /// The client's id.
        client_id: String,
        /// Its secret.
        client_secret: SecretRef,
        /// The token endpoint.
        token_url: String,
        /// Where the secret is sent.
        client_auth: ClientAuth,
        /// The scopes to ask for.
        scope: Option<String>,
    },
}

/// Where a client's secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// In the header.
    Basic,
    /// In the form.
    Post,
}

/// What a product knows of its own login service.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known<'k> {
    /// Its token endpoint.
    pub(crate) token_url: Option<&'k str>,
    /// The scopes that the work needs.
    pub(crate) scope: Option<&'k str>,
}

impl AccessConfig {
    /// Makes it from checked values.
    ///
    /// # Errors
    /// Every finding about values that do not fit together.
    pub(crate) fn new(values: &Values, known: Known<'_>) -> Result<Self, Vec<Finding>> {
        let (token, password) = (values.secret("token"), values.secret("password"));
        let (username, client_id) = (values.text("username"), values.text("client_id"));
        let secret = values.secret("client_secret");
        let ways = [token.is_some(), username.is_some() || password.is_some(), client_id.is_some() || secret.is_some()];
        if ways.iter().filter(|given| **given).count() > 1 {
            let finding = Finding::error(Code::E1005, "there is more than one way in");
            return Err(vec![
                finding.hint("give `token`, or `username` and `password`, or `client_id` and `client_secret`"),
            ]);
        }
        match (token, username, password, client_id, secret) {
            (Some(token), ..) => Ok(Self::Bearer(token)),
            (_, Some(username), Some(password), ..) if username.contains(':') => {
                let _ = password;
                Err(vec![Finding::error(Code::E1005, "`username` cannot hold a colon (RFC 7617)")])
            }
            (_, Some(username), Some(password), ..) => Ok(Self::Basic { username: username.to_owned(), password }),
            (_, None, None, Some(client_id), Some(client_secret)) => {
                Self::client(values, known, client_id.to_owned(), client_secret)
            }
            (_, None, None, None, None) => Ok(Self::Open),
            (_, None, None, ..) => Err(vec![half("client_id", "client_secret")]),
            _ => Err(vec![half("username", "password")]),
        }
    }

    fn client(
        values: &Values,
        known: Known<'_>,
        client_id: String,
        client_secret: SecretRef,
    ) -> Result<Self, Vec<Finding>> {
        let Some(token_url) = values.text("token_url").or(known.token_url) else {
            return Err(vec![Finding::error(Code::E1006, "`client_id` needs `token_url`, where its tokens come from")]);
        };
        if let Some(open) = url::Url::parse(token_url).ok().as_ref().and_then(crate::checks::web::open_line) {
            return Err(vec![open]);
        }
        Ok(Self::Client {
            client_id,
            client_secret,
            token_url: token_url.to_owned(),
            client_auth: if values.text("client_auth") == Some("post") { ClientAuth::Post } else { ClientAuth::Basic },
            scope: values.text("scope").or(known.scope).map(str::to_owned),
        })
    }

    /// The URLs that it will go to.
    pub(crate) fn urls(&self) -> Option<&str> {
        match self {
            Self::Client { token_url, .. } => Some(token_url),
            Self::Open | Self::Bearer(_) | Self::Basic { .. } => None,
        }
    }

    /// Reads its secret, so that a mistake shows at once; nothing is sent.
    ///
    /// # Errors
    /// The finding that says why a secret cannot be had (E1008).
    pub(crate) fn open(&self, http: &Client, context: &Context) -> Result<Access, Box<Finding>> {
        let reveal = |reference| context.secrets.reveal(reference);
        Ok(match self {
            Self::Open => Access::Fixed(Credential::None),
            Self::Bearer(token) => Access::Fixed(Credential::Bearer(Token::fixed(reveal(token)?))),
            Self::Basic { username, password } => {
                Access::Fixed(Credential::Basic(username.clone(), Arc::new(reveal(password)?)))
            }
            Self::Client { client_id, client_secret, token_url, client_auth, scope } => {
                let secret = reveal(client_secret)?;
                let proof = match client_auth {
                    ClientAuth::Basic => Proof::Basic(secret),
                    ClientAuth::Post => Proof::Post(secret),
                };
                let (endpoint, scope) = (token_url.clone(), scope.clone());
                let client = TokenClient { client_id: client_id.clone(), proof, endpoint, scope };
                Access::Tokens(Tokens::new(client, http.clone(), Arc::clone(&context.clock)))
            }
        })
    }
}

fn half(one: &str, other: &str) -> Finding {
    Finding::error(Code::E1006, format!("`{one}` and `{other}` belong together"))
}

/// How to mend it that there is no token, in the words of these settings.
pub(crate) const MEND: Mend = Mend {
    unreachable: "check `token_url`, the proxy and the firewall; behind a private CA set `ca_file`",
    proof: "check `client_id` and `client_secret`",
    refused: |error, _| match error {
        "invalid_client" => "check `client_id`, `client_secret` and `client_auth`",
        "unauthorized_client" => "allow the client the client-credentials grant",
        "invalid_scope" => "check `scope`, and that the client was granted it",
        _ => "check `token_url`, `client_id` and `client_secret`",
    },
};

/// How to get in, with its secret.
pub(crate) enum Access {
    /// The same for every request.
    Fixed(Credential),
    /// Tokens that are fetched and renewed.
    Tokens(Tokens),
}

/// What a request is sent with.
#[derive(Clone)]
pub(crate) enum Credential {
    /// Nothing.
    None,
    /// A token.
    Bearer(Token),
    /// User name and password.
    Basic(String, Arc<SecretString>),
}

impl Credential {
    /// Puts it on a request.
    pub(crate) fn put_on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::None => request,
            Self::Bearer(token) => request.bearer_auth(token.text.expose_secret()),
            Self::Basic(username, password) => request.basic_auth(username, Some(password.expose_secret())),
        }
    }
}

impl Access {
    /// What to send with the next request.
    ///
    /// # Errors
    /// [`NoToken`] when the login service gives none.
    pub(crate) async fn get(&self) -> Result<Credential, NoToken> {
        match self {
            Self::Fixed(credential) => Ok(credential.clone()),
            Self::Tokens(tokens) => tokens.get().await.map(Credential::Bearer),
        }
    }

    /// Takes note that the service refused what it was sent (401); `false` when nothing else would help.
    pub(crate) async fn refused(&self, credential: &Credential) -> bool {
        match (self, credential) {
            (Self::Tokens(tokens), Credential::Bearer(token)) => tokens.refused(token).await,
            _ => false,
        }
    }

    /// Takes note that the service accepted what it was sent.
    pub(crate) fn accepted(&self) {
        match self {
            Self::Tokens(tokens) => tokens.accepted(),
            Self::Fixed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use sterna_core::settings::{self, Document};

    use super::*;

    const SETTINGS: &[Setting] = access_settings![];

    /// What these lines come to, or the first finding's code.
    fn read(text: &str) -> Result<AccessConfig, Code> {
        let document = Document { file: PathBuf::from("sterna.toml"), text: text.to_owned() };
        let table = document.parse().unwrap();
        let mut findings = Vec::new();
        let values = settings::check(&document, table.get_ref(), table.span(), SETTINGS, "[target]", &mut findings);
        assert_eq!(findings, []);
        let known = Known { token_url: None, scope: Some("read") };
        AccessConfig::new(&values, known).map_err(|findings| findings[0].code)
    }

    fn env(name: &str) -> SecretRef {
        SecretRef::Env(name.into())
    }

    #[test]
    fn each_way_in_is_told_by_what_is_given() {
        assert_eq!(read(""), Ok(AccessConfig::Open));
        assert_eq!(read("token = { env = 'T' }"), Ok(AccessConfig::Bearer(env("T"))));
        let basic = AccessConfig::Basic { username: "ana".into(), password: env("P") };
        assert_eq!(read("username = 'ana'\npassword = { env = 'P' }"), Ok(basic));
        let client = |client_auth, scope: &str| AccessConfig::Client {
            client_id: "c".into(),
            client_secret: env("S"),
            token_url: "https://login.example/token".into(),
            client_auth,
            scope: Some(scope.into()),
        };
        let text = "client_id = 'c'\nclient_secret = { env = 'S' }\ntoken_url = 'https://login.example/token'\n";
        assert_eq!(read(text), Ok(client(ClientAuth::Basic, "read")));
        assert_eq!(read(&format!("{text}client_auth = 'post'\nscope = 'a b'")), Ok(client(ClientAuth::Post, "a b")));
    }

    #[test]
    fn half_a_way_and_two_ways_are_mistakes() {
        for half in ["username = 'ana'", "password = { env = 'P' }", "client_id = 'c'", "client_secret = { env = 'S' }"]
        {
            assert_eq!(read(half), Err(Code::E1006), "{half}");
        }
        let client = "client_id = 'c'\nclient_secret = { env = 'S' }\n";
        assert_eq!(read(client), Err(Code::E1006), "nothing says where tokens come from");
        assert_eq!(read(&format!("{client}token = {{ env = 'T' }}")), Err(Code::E1005));
        assert_eq!(read("username = 'a:b'\npassword = { env = 'P' }"), Err(Code::E1005));
        assert_eq!(read(&format!("{client}token_url = 'http://login.example/token'")), Err(Code::E2304));
    }
}
