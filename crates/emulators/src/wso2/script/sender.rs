//! How a script sends: `httpPost` or `callChoreo`, and how it proves who it is (wso2-scim.md 1.2.6).

use std::collections::BTreeMap;

use super::source::Source;
use super::value::{Value, call};

/// The function that sends.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Sender {
    /// `httpPost(url, payload, headers, auth, handlers)`.
    HttpPost { headers: Vec<(String, String)>, auth: Auth },
    /// `callChoreo({…}, payload, handlers)`; without an endpoint the organisation's own gives the tokens.
    CallChoreo { key: String, secret: String, token_endpoint: Option<String> },
}

/// The `authConfig` of `httpPost`, with the secrets' values.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Auth {
    ClientCredential { key: String, secret: String, token_endpoint: String, scope: Option<String> },
    Bearer { token: String },
    ApiKey { key: String, header: String },
    Basic { user: String, password: String },
}

// secrets are not printed
impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::HttpPost { .. } => "HttpPost",
            Self::CallChoreo { .. } => "CallChoreo",
        })
    }
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ClientCredential { .. } => "ClientCredential",
            Self::Bearer { .. } => "Bearer",
            Self::ApiKey { .. } => "ApiKey",
            Self::Basic { .. } => "Basic",
        })
    }
}

/// Reads the function `post`.
pub(super) fn read(source: &Source, secrets: &BTreeMap<String, String>) -> Result<Sender, String> {
    let secrets = Secrets { source, stored: secrets };
    if source.parameters("post") != ["url", "payload", "handlers"] {
        return Err("the function post does not take url, payload and handlers".to_owned());
    }
    let body = source.body("post")?;
    if let Some(arguments) = call(body, "callChoreo") {
        return secrets.choreo(&arguments);
    }
    let arguments = call(body, "httpPost").ok_or("the function post calls neither httpPost nor callChoreo")?;
    let [url, payload, Value::Object(headers), auth, handlers] = arguments.as_slice() else {
        return Err("httpPost takes url, payload, headers, authConfig and handlers".to_owned());
    };
    demand_passed_on(&[(url, "url"), (payload, "payload"), (handlers, "handlers")])?;
    let header = |(name, value): &(String, Value)| Ok((name.clone(), source.text_of(value, name)?));
    let headers = headers.iter().map(header).collect::<Result<_, String>>()?;
    Ok(Sender::HttpPost { headers, auth: secrets.auth(auth)? })
}

fn demand_passed_on(arguments: &[(&Value, &str)]) -> Result<(), String> {
    for (value, name) in arguments {
        if value.variable() != Some(*name) {
            return Err(format!("the function post does not pass {name} on"));
        }
    }
    Ok(())
}

struct Secrets<'a> {
    source: &'a Source,
    stored: &'a BTreeMap<String, String>,
}

impl Secrets<'_> {
    fn stored(&self, name: &str) -> Result<String, String> {
        let found = self.stored.get(name).cloned();
        found.ok_or_else(|| format!("there is no secret {name}; name it and its value in \"secrets\""))
    }

    /// A text, or a secret by `secrets.NAME`.
    fn value(&self, of: &Value, name: &str, kind: &str) -> Result<String, String> {
        match of.member(name) {
            Some(Value::Name(path)) if path.len() == 2 && path[0] == "secrets" => self.stored(&path[1]),
            Some(value) => self.source.text_of(value, name),
            None => Err(format!("{kind} needs {name}")),
        }
    }

    fn choreo(&self, arguments: &[Value]) -> Result<Sender, String> {
        let [connection @ Value::Object(members), payload, handlers] = arguments else {
            return Err("callChoreo takes its connection, payload and handlers".to_owned());
        };
        demand_passed_on(&[(payload, "payload"), (handlers, "handlers")])?;
        demand_passed_on(&[(connection.member("url").unwrap_or(&Value::Null), "url")])?;
        let names = ["consumerKey", "consumerSecret", "consumerKeyAlias", "consumerSecretAlias"];
        only(members, &[&names[..], &["url", "asgardeoTokenEndpoint"]].concat(), "callChoreo")?;
        let credential = |name: &str| match connection.member(&format!("{name}Alias")) {
            Some(alias) => self.stored(&self.source.text_of(alias, name)?),
            None => self.value(connection, name, "callChoreo"),
        };
        let endpoint = connection.member("asgardeoTokenEndpoint");
        Ok(Sender::CallChoreo {
            key: credential("consumerKey")?,
            secret: credential("consumerSecret")?,
            token_endpoint: endpoint.map(|url| self.source.text_of(url, "asgardeoTokenEndpoint")).transpose()?,
        })
    }

    /// The words of the code are taken, not those of the documentation (wso2-scim.md 1.2.6, CONTRADICTION).
    fn auth(&self, config: &Value) -> Result<Auth, String> {
        let kind = self.source.text_of(config.member("type").unwrap_or(&Value::Null), "the type of authConfig")?;
        let Some(properties @ Value::Object(members)) = config.member("properties") else {
            return Err("authConfig has no properties".to_owned());
        };
        let value = |name: &str| self.value(properties, name, &kind);
        let (known, auth): (&[&str], Auth) = match kind.to_ascii_lowercase().as_str() {
            "bearer" => (&["token"], Auth::Bearer { token: value("token")? }),
            "apikey" => {
                (&["apiKey", "headerName"], Auth::ApiKey { key: value("apiKey")?, header: value("headerName")? })
            }
            "basic" => {
                (&["username", "password"], Auth::Basic { user: value("username")?, password: value("password")? })
            }
            "clientcredential" => (
                &["consumerKey", "consumerSecret", "tokenEndpoint", "scope"],
                Auth::ClientCredential {
                    key: value("consumerKey")?,
                    secret: value("consumerSecret")?,
                    token_endpoint: value("tokenEndpoint")?,
                    scope: properties.member("scope").map(|_| value("scope")).transpose()?,
                },
            ),
            _ => return Err(format!("httpPost knows no authConfig of the type {kind}")),
        };
        only(members, known, &kind)?;
        Ok(auth)
    }
}

fn only(members: &[(String, Value)], known: &[&str], kind: &str) -> Result<(), String> {
    match members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(format!("{kind} has no {name}")),
        None => Ok(()),
    }
}
