//! Makes the extension attributes that every row depends on, and waits until they can be written (entra.md 3.1).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sterna_core::{
    code::Code,
    port::{Made, TargetError},
};
use tokio::time::Instant;

use super::{
    dto::ExtensionProperty, failure::Unsent, graph::Answered, limits::READ_TRIES, retry, target::EntraTarget, tenant,
};

/// How long between two looks whether an attribute can be written.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What an attribute is called in the ledger's list of what was made.
const WHAT: &str = "extension-property";

impl EntraTarget {
    /// Makes the attributes that are missing and waits for all of them.
    pub(super) async fn make_attributes(&self) -> Result<Vec<Made>, TargetError> {
        let available = tenant::available(&self.graph, &self.app).await?;
        self.learn(available.values().map(|property| property.name.clone()));
        let missing: Vec<(String, String)> = self
            .needed_attributes()
            .into_iter()
            .filter(|(bare, _)| !available.contains_key(&self.shape.full_name(bare)))
            .collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let Some(object) = self.app.object_id.clone() else {
            let error =
                TargetError::new(Code::E2007, "extension attributes are missing and the application may not be read");
            return Err(error.hint("grant Application.ReadWrite.OwnedBy (or .All), or create the attributes by hand"));
        };
        let mut made = Vec::new();
        for (bare, sort) in &missing {
            made.extend(self.make_attribute(&object, bare, sort).await?);
        }
        self.wait_until_available(&missing).await?;
        Ok(made)
    }

    /// `None` when it was there already, defined by an earlier run and not propagated yet.
    async fn make_attribute(&self, object: &str, bare: &str, sort: &str) -> Result<Option<Made>, TargetError> {
        let full = self.shape.full_name(bare);
        let doing = "making an extension attribute";
        let find = || async {
            let defined = tenant::defined(&self.graph, &self.app).await.map_err(|error| error.during(doing))?;
            Ok::<_, TargetError>(defined.unwrap_or_default().into_iter().find(|property| property.name == full))
        };
        if find().await?.is_some() {
            return Ok(None);
        }
        let body = json!({ "name": bare, "dataType": sort, "targetObjects": ["User"] });
        let path = format!("/applications/{object}/extensionProperties");
        let sent = self.send_patiently(&path, &body).await;
        let status = match &sent {
            Ok(answered) => answered.reply.status,
            Err(Unsent::NotSent(why)) => {
                return Err(TargetError::new(Code::E2001, format!("{doing} failed: {why}")));
            }
            Err(Unsent::NoToken(error)) => return Err(TargetError::new(Code::E2002, error.to_string())),
            Err(Unsent::Lost(_)) => 0,
        };
        let given =
            sent.ok().and_then(|answered| serde_json::from_slice::<ExtensionProperty>(&answered.reply.body).ok());
        let property = match (status, given) {
            (200..=299, Some(property)) => property,
            (403, _) => {
                let error =
                    TargetError::new(Code::E2004, format!("the application may not make the attribute `{bare}`"));
                return Err(
                    error.hint("grant Application.ReadWrite.OwnedBy (or .All), or create the attribute by hand")
                );
            }
            // a lost reply, or somebody else was faster: what counts is what is there
            _ => self.found_after(find, bare, status).await?,
        };
        Ok(Some(Made { what: WHAT.into(), name: full.clone(), id: format!("{object}/{}", property.id) }))
    }

    /// Sends a write that may be turned away for the quota: it is sent again after the wait that is asked for.
    async fn send_patiently(&self, path: &str, body: &Value) -> Result<Answered, Unsent> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let deadline = Instant::now() + self.graph.timeout();
            let answered = self.graph.send(0, Method::POST, path, Some(body), deadline).await?;
            if answered.reply.status != 429 || attempt >= READ_TRIES {
                return Ok(answered);
            }
            tokio::time::sleep(retry::wait_before(attempt, answered.reply.retry_after, 128)).await;
        }
    }

    async fn found_after<F, Fut>(&self, find: F, bare: &str, status: u16) -> Result<ExtensionProperty, TargetError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Option<ExtensionProperty>, TargetError>>,
    {
        let deadline = Instant::now() + self.config.settling.max(LOOK_AGAIN);
        loop {
            if let Some(property) = find().await? {
                return Ok(property);
            }
            if Instant::now() >= deadline {
                let message = format!("making the attribute `{bare}` failed: Graph answered {status}");
                return Err(TargetError::new(Code::E2007, message).hint("run the command again"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn wait_until_available(&self, missing: &[(String, String)]) -> Result<(), TargetError> {
        let deadline = Instant::now() + self.config.propagation;
        loop {
            let available = tenant::available(&self.graph, &self.app).await?;
            if missing.iter().all(|(bare, _)| available.contains_key(&self.shape.full_name(bare))) {
                self.learn(available.into_keys());
                return Ok(());
            }
            if Instant::now() >= deadline {
                let message = "the new extension attributes cannot be written yet";
                return Err(TargetError::new(Code::E2008, message).hint("wait some minutes and run the command again"));
            }
            tracing::info!("Waiting until the new extension attributes have propagated");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
