//! A started emulator and a client for it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_emulators::Emulator;
use sterna_emulators::entra::{self, Kind, Options, Scenario};

/// A running tenant with a token for its first application.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Got {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn target(&self) -> &str {
        self.body["error"]["details"][0]["target"].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_default().to_owned()
    }
}

/// Options of an External ID tenant with a scenario.
pub(crate) fn options(scenario: &str) -> Options {
    let scenario = Scenario::parse(scenario).unwrap();
    Options { scenario, read_delay_ms: Some(0), ..Options::new(Kind::EntraExternalId) }
}

impl World {
    /// An External ID tenant without read delay.
    pub(crate) async fn new(scenario: &str) -> Self {
        Self::with(options(scenario)).await
    }

    /// A B2C tenant without read delay.
    pub(crate) async fn b2c(scenario: &str) -> Self {
        Self::with(Options { kind: Kind::AzureAdB2c, ..options(scenario) }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let emulator = entra::start(options).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut world = Self { emulator, http, token: String::new() };
        let ready = world.emulator.ready().clone();
        if let Some(secret) = &ready.client_secret {
            world.token = world.sign_in(ready.client_id.as_deref().unwrap(), secret).await;
        }
        world
    }

    /// A token by client secret.
    pub(crate) async fn sign_in(&self, client_id: &str, secret: &str) -> String {
        let got = self.token_request(&[("client_id", client_id), ("client_secret", secret)]).await;
        assert_eq!(got.status, StatusCode::OK, "{:?}", got.body);
        got.body["access_token"].as_str().unwrap().to_owned()
    }

    /// A token request with the usual members and these.
    pub(crate) async fn token_request(&self, members: &[(&str, &str)]) -> Got {
        let mut form = vec![("grant_type", "client_credentials"), ("scope", "https://graph.microsoft.com/.default")];
        form.retain(|(name, _)| !members.iter().any(|(other, _)| other == name));
        form.extend(members.iter().filter(|(_, value)| !value.is_empty()));
        let ready = self.emulator.ready();
        let url = format!("{}/{}/oauth2/v2.0/token", ready.login_url.as_ref().unwrap(), ready.tenant.as_ref().unwrap());
        let response = self.http.post(url).form(&form).send().await.unwrap();
        read(response).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        format!("{}/v1.0{path}", self.emulator.ready().graph_url.as_ref().unwrap())
    }

    /// A request with the world's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(&self.token)
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Got {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Got {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Got {
        self.send(Method::DELETE, path, None).await
    }

    /// Creates a user that must be accepted.
    pub(crate) async fn create(&self, body: Value) -> Got {
        let got = self.post("/users", body).await;
        assert_eq!(got.status, StatusCode::CREATED, "{:?}", got.body);
        got
    }

    pub(crate) async fn batch(&self, items: Vec<Value>) -> Got {
        self.post("/$batch", json!({ "requests": items })).await
    }

    /// Everything that the tenant holds.
    pub(crate) async fn state(&self) -> Value {
        let url = self.emulator.ready().state_url.clone().unwrap();
        read(self.http.get(url).send().await.unwrap()).await.body
    }

    /// Pulls a lever of the control side.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.emulator.ready().state_url.as_ref().unwrap());
        let got = read(self.http.request(method, url).json(&body).send().await.unwrap()).await;
        assert_eq!(got.status, StatusCode::OK, "{:?}", got.body);
        got.body
    }
}

pub(crate) async fn read(response: reqwest::Response) -> Got {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Got { status, headers, body }
}

/// A local account in the reference's form.
pub(crate) fn local(name: &str) -> Value {
    json!({
        "displayName": name,
        "identities": [identity("emailAddress", &format!("{name}@example.com"))],
        "passwordProfile": { "password": "Str0ng-Passw0rd!", "forceChangePasswordNextSignIn": false },
        "passwordPolicies": "DisablePasswordExpiration",
    })
}

/// A social-only account.
pub(crate) fn social(name: &str) -> Value {
    json!({ "displayName": name, "identities": [federated("facebook.com", name)] })
}

pub(crate) fn identity(kind: &str, id: &str) -> Value {
    json!({ "signInType": kind, "issuer": "contoso.onmicrosoft.com", "issuerAssignedId": id })
}

pub(crate) fn federated(issuer: &str, id: &str) -> Value {
    json!({ "signInType": "federated", "issuer": issuer, "issuerAssignedId": id })
}

/// One item of a batch that creates a user.
pub(crate) fn create_item(id: usize, body: &Value) -> Value {
    json!({ "id": id.to_string(), "method": "POST", "url": "/users", "headers": { "Content-Type": "application/json" }, "body": body })
}

/// A page of the documentation.
pub(crate) fn page(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(path).unwrap()
}
