//! scim2-server, and the target that is connected to it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use sterna_connectors::registry;
use sterna_core::{
    port::{Target, TargetError},
    registry::Context,
};

use crate::{
    entra::world::{context, values},
    servers::scim::{Launch, Scim, TOKEN},
};

/// A running server.
pub(crate) struct World {
    pub(crate) server: Scim,
    pub(crate) context: Context,
    http: reqwest::Client,
}

impl World {
    /// With its own defaults; `None` where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::with(&Launch::default())
    }

    /// Announcing this about itself.
    pub(crate) fn announcing(changes: &Value) -> Option<Self> {
        let mut config = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": true},
            "bulk": {"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576},
            "filter": {"supported": true, "maxResults": 1000},
            "changePassword": {"supported": true},
            "sort": {"supported": true},
            "etag": {"supported": true},
            "authenticationSchemes": []
        });
        for (name, value) in changes.as_object().unwrap() {
            config[name] = value.clone();
        }
        Self::with(&Launch { config: Some(config), ..Launch::default() })
    }

    fn with(launch: &Launch<'_>) -> Option<Self> {
        let server = Scim::start(launch)?;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let secrets = BTreeMap::from([("TOKEN".to_owned(), TOKEN.to_owned()), ("WRONG".into(), "wrong".into())]);
        Some(Self { server, context: context(secrets), http })
    }

    /// The target, with more settings.
    pub(crate) async fn target(&self, more: &str) -> Arc<dyn Target> {
        self.connect(&format!("token = {{ env = 'TOKEN' }}\n{more}")).await.expect("it connects")
    }

    /// The target with these settings besides its address.
    pub(crate) async fn connect(&self, text: &str) -> Result<Arc<dyn Target>, TargetError> {
        connect(&format!("url = '{}'\nsettling_secs = 0\n{text}", self.server.url("")), &self.context).await
    }

    /// One request of somebody else.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.server.url(""));
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(TOKEN);
        let request = match body {
            Some(body) => request.header("content-type", "application/scim+json").body(body.to_string()),
            None => request,
        };
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
    }

    /// How many users there are.
    pub(crate) async fn users(&self) -> u64 {
        self.call("GET", "/Users?count=0", None).await["totalResults"].as_u64().unwrap()
    }
}

/// A target of the plain kind.
pub(crate) async fn connect(text: &str, context: &Context) -> Result<Arc<dyn Target>, TargetError> {
    let kind = registry::TARGETS.iter().find(|kind| kind.kind() == "scim").expect("a kind of target");
    let values = values(text, kind.settings()).expect("right settings");
    assert_eq!(kind.check(&values), []);
    kind.connect(&values, context).await
}
