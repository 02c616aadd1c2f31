//! A started SCIM service and a client for it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_emulators::Emulator;
use sterna_emulators::scim::{self, Options, Scenario};

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A running service.
pub(super) struct World {
    pub(super) emulator: Emulator,
    pub(super) http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Value,
}

impl Got {
    pub(super) fn kind(&self) -> &str {
        self.body["scimType"].as_str().unwrap_or_default()
    }

    pub(super) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.body)).to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The user names (or names) of a list, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        let resources = self.body["Resources"].as_array().map_or(&[][..], Vec::as_slice);
        resources.iter().filter_map(|one| one["userName"].as_str().or_else(|| one["displayName"].as_str())).collect()
    }
}

/// The body of a user.
pub(super) fn user(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name })
}

/// The body of a PATCH.
pub(super) fn patch(operations: Value) -> Value {
    let schemas = json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"]);
    Value::from_iter([("schemas", schemas), ("Operations", operations)])
}

/// The body of a bulk request.
pub(super) fn bulk(operations: &[Value]) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations })
}

/// A POST of a user in a bulk request.
pub(super) fn post(bulk_id: &str, data: Value) -> Value {
    Value::from_iter([
        ("method", Value::from("POST")),
        ("path", Value::from("/Users")),
        ("bulkId", Value::from(bulk_id)),
        ("data", data),
    ])
}

impl World {
    pub(super) async fn new(scenario: &str) -> Self {
        Self::with(Options { scenario: Scenario::parse(scenario).unwrap(), ..Options::default() }).await
    }

    pub(super) async fn with(options: Options) -> Self {
        let emulator = scim::start(options).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { emulator, http }
    }

    pub(super) fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        format!("{}{path}", self.emulator.ready().scim_url.as_ref().unwrap())
    }

    /// A request with the token of the ready line.
    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(self.emulator.ready().token.as_ref().unwrap())
    }

    /// Sends a request that may be left without an answer.
    pub(super) async fn try_send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Got> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.header("content-type", "application/scim+json").body(body.to_string());
        }
        read(request.send().await?).await
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Got {
        self.try_send(method, path, body).await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Got {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Got {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(super) async fn patch(&self, path: &str, operations: Value) -> Got {
        self.send(Method::PATCH, path, Some(patch(operations))).await
    }

    pub(super) async fn delete(&self, path: &str) -> Got {
        self.send(Method::DELETE, path, None).await
    }

    /// Creates a user that must be accepted; gives its path.
    pub(super) async fn create(&self, body: Value) -> String {
        let got = self.post("/Users", body).await;
        assert_eq!(got.status, StatusCode::CREATED, "{}", got.body);
        format!("/Users/{}", got.id())
    }

    /// Creates a group with these members; gives its id.
    pub(super) async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let got = self.post("/Groups", json!({ "schemas": [GROUP], "displayName": name, "members": members })).await;
        assert_eq!(got.status, StatusCode::CREATED, "{}", got.body);
        got.id()
    }

    /// Lists with parameters that are encoded here.
    pub(super) async fn list(&self, path: &str, parameters: &[(&str, &str)]) -> Got {
        read(self.request(Method::GET, path).query(parameters).send().await.unwrap()).await.unwrap()
    }

    /// Everything that the service holds.
    pub(super) async fn state(&self) -> Value {
        let url = self.emulator.ready().state_url.clone().unwrap();
        read(self.http.get(url).send().await.unwrap()).await.unwrap().body
    }

    /// Pulls a lever of the control side.
    pub(super) async fn control(&self, method: Method, path: &str, body: Value) -> Got {
        let url = format!("{}{path}", self.emulator.ready().state_url.as_ref().unwrap());
        read(self.http.request(method, url).json(&body).send().await.unwrap()).await.unwrap()
    }

    /// Turns exactly these quirks on.
    pub(super) async fn quirks(&self, names: &[&str]) {
        let got = self.control(Method::POST, "/quirks", json!(names)).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.body);
    }
}

pub(super) async fn read(response: reqwest::Response) -> reqwest::Result<Got> {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await?;
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    Ok(Got { status, headers, body })
}
