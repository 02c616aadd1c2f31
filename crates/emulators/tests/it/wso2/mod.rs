//! Identity Server and Asgardeo: where they are reached, and what they do otherwise than the RFCs say.

mod access;
mod bulk;
mod links;
mod lists;
mod passwords;
mod quirks;
mod sign_in;
mod users;

use std::io::Write as _;

use reqwest::Method;
use serde_json::{Value, json};
use sterna_emulators::{Emulator, Launch, Ready, find};

use crate::support::{Got, read};

pub(crate) const SYSTEM: &str = "urn:scim:wso2:schema";
pub(crate) const CUSTOM: &str = "urn:scim:schemas:extension:custom:User";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A running product.
pub(crate) struct World {
    emulator: Emulator,
    http: reqwest::Client,
}

impl World {
    /// Identity Server with a scenario.
    pub(crate) async fn server(scenario: &str) -> Self {
        Self::new("wso2-is", scenario).await
    }

    /// Asgardeo with a scenario.
    pub(crate) async fn asgardeo(scenario: &str) -> Self {
        Self::new("asgardeo", scenario).await
    }

    async fn new(name: &str, scenario: &str) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(scenario.as_bytes()).unwrap();
        let launch = Launch { scenario: Some(file.path().to_owned()), ..Launch::default() };
        let emulator = (find(name).unwrap().start)(launch).await.unwrap();
        Self { emulator, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn ready(&self) -> &Ready {
        self.emulator.ready()
    }

    /// The address before every path.
    pub(crate) fn root(&self) -> String {
        let url = self.ready().scim_url.clone().unwrap();
        let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
        url[..end].to_owned()
    }

    /// A request to an address of its own, with the ready token.
    pub(crate) fn request(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        self.http.request(method, url).bearer_auth(self.ready().token.as_ref().unwrap())
    }

    /// A request without the token.
    pub(crate) fn bare(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        self.http.request(method, url)
    }

    pub(crate) fn scim(&self, path: &str) -> String {
        format!("{}{path}", self.ready().scim_url.as_ref().unwrap())
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Got {
        let request = self.request(method, &self.scim(path));
        let request = if body.is_null() { request } else { request.json(&body) };
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, operations: Value) -> Got {
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
        self.send(Method::PATCH, path, body).await
    }

    /// Creates a user that must be accepted.
    pub(crate) async fn create(&self, body: Value) -> Got {
        let got = self.post("/Users", body).await;
        assert_eq!(got.status, 201, "{:?}", got.body);
        got
    }

    /// A filter, encoded.
    pub(crate) async fn filter(&self, filter: &str) -> Got {
        let request = self.request(Method::GET, &self.scim("/Users")).query(&[("filter", filter)]);
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn links(&self, method: Method, path: &str, body: Value) -> Got {
        let url = format!("{}{path}", self.ready().association_url.as_ref().unwrap());
        let request = self.request(method, &url);
        let request = if body.is_null() { request } else { request.json(&body) };
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Got {
        let url = format!("{}{path}", self.ready().state_url.as_ref().unwrap());
        read(self.http.request(method, url).json(&body).send().await.unwrap()).await
    }

    /// The user of this name, as the last write left it.
    pub(crate) async fn stored(&self, name: &str) -> Value {
        let state = self.control(Method::GET, "", Value::Null).await.body;
        let users = state["users"].as_array().unwrap();
        users.iter().find(|user| user["userName"] == name).cloned().unwrap_or(Value::Null)
    }
}

/// A user with a name and a password that both products take.
pub(crate) fn user(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name, "password": "Str0ng-Passw0rd!" })
}

/// A user with more.
pub(crate) fn with(name: &str, more: &Value) -> Value {
    let mut user = user(name);
    for (name, value) in more.as_object().unwrap() {
        user[name] = value.clone();
    }
    user
}

impl Got {
    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// Status and `scimType`.
    pub(crate) fn kind(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["scimType"].as_str().unwrap_or_default())
    }
}
