//! Makes the extension attributes that every row depends on, and waits until they can be written (entra.md 3.1).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use sterna_core::{
    code::Code,
    port::{Made, TargetError},
};
use tokio::time::Instant;

use super::{dto::ExtensionProperty, target::EntraTarget, tenant};
use crate::http::{
    caller::{Answered, READ_TRIES, Unsent},
    retry,
};

/// How long between two looks whether an attribute can be written.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What an attribute is called in the ledger's list of what was made.
const WHAT: &str = "extension-property";

/// What a look-up of attributes is called where it fails.
const LOOKING: &str = "reading the extension attributes";

fn made(name: String, id: String) -> Made {
    Made { what: WHAT.into(), name, id }
}

impl EntraTarget {
    /// The attributes that are not defined yet, propagated or not.
    pub(super) async fn missing_attributes(&self) -> Result<Vec<Made>, TargetError> {
        let available = tenant::available(&self.graph, &self.app).await?;
        let missing = self.not_in(&available);
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let defined = tenant::defined(&self.graph, &self.app).await.map_err(|error| error.during(LOOKING))?;
        let defined: BTreeSet<String> = defined.unwrap_or_default().into_iter().map(|property| property.name).collect();
        let names = missing.into_iter().map(|(bare, _)| self.shape.full_name(&bare));
        Ok(names.filter(|name| !defined.contains(name)).map(|name| made(name, String::new())).collect())
    }

    /// The needed attributes that cannot be written yet: bare name and data type.
    fn not_in(&self, available: &BTreeMap<String, ExtensionProperty>) -> Vec<(String, String)> {
        let mut needed = self.needed_attributes();
        needed.retain(|(bare, _)| !available.contains_key(&self.shape.full_name(bare)));
        needed
    }

    /// Makes the attributes that are missing and waits for all of them. Of the ones that are there, those are returned
    /// too that an earlier run was about to make.
    pub(super) async fn make_attributes(&self, intended: &[Made]) -> Result<Vec<Made>, TargetError> {
        let available = tenant::available(&self.graph, &self.app).await?;
        self.learn(available.keys().cloned());
        let is_intended = |name: &str| intended.iter().any(|one| one.what == WHAT && one.name == name);
        let known = available.values().filter(|property| is_intended(&property.name));
        let mut all: Vec<Made> = known.map(|property| self.made(property)).collect();
        let missing = self.not_in(&available);
        if missing.is_empty() {
            return Ok(all);
        }
        let Some(object) = self.app.object_id.clone() else {
            let error =
                TargetError::new(Code::E2007, "extension attributes are missing and the application may not be read");
            return Err(error.hint("grant Application.ReadWrite.OwnedBy (or .All), or create the attributes by hand"));
        };
        for (bare, sort) in &missing {
            let (property, is_new) = self.make_attribute(&object, bare, sort).await?;
            if is_new || is_intended(&property.name) {
                all.push(self.made(&property));
            }
        }
        self.wait_until_available(&missing).await?;
        Ok(all)
    }

    fn made(&self, property: &ExtensionProperty) -> Made {
        let object = self.app.object_id.as_deref().unwrap_or(&self.app.app_id);
        made(property.name.clone(), format!("{object}/{}", property.id))
    }

    /// The attribute, and whether it was made now: it may be defined already and not propagated yet.
    async fn make_attribute(
        &self,
        object: &str,
        bare: &str,
        sort: &str,
    ) -> Result<(ExtensionProperty, bool), TargetError> {
        let full = self.shape.full_name(bare);
        let doing = "making an extension attribute";
        let find = || async {
            let defined = tenant::defined(&self.graph, &self.app).await.map_err(|error| error.during(doing))?;
            Ok::<_, TargetError>(defined.unwrap_or_default().into_iter().find(|property| property.name == full))
        };
        if let Some(property) = find().await? {
            return Ok((property, false));
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
        Ok((property, true))
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
