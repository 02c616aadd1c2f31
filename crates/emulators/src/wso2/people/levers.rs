//! The sign-in side for machines: part of the control side, under the random key of `state_url`.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Directory;
use crate::scim::product::ControlOutcome;
use crate::scim::service::Service;
use crate::scim::throttle::Throttle;
use crate::wso2::launch::budgets;
use crate::wso2::product::Wso2;
use crate::wso2::script::Engine;
use crate::wso2::settings::{Kind, Settings};
use crate::wso2::sign_in::run::SignIn;
use crate::wso2::sign_in::settings::{self, SilentMigration};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    username: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rates {
    bulk_per_minute: Option<u64>,
    requests_per_minute: Option<u64>,
    minute_secs: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { bulk_per_minute: None, requests_per_minute: None, minute_secs: 60 }
    }
}

type Lever<'a> = Pin<Box<dyn Future<Output = ControlOutcome> + Send + 'a>>;

/// Answers a request that is for these products alone; nothing for others.
pub(crate) fn answer<'a>(
    product: &'a Wso2,
    service: &'a Service,
    method: &'a Method,
    path: &'a [&'a str],
    body: &'a [u8],
) -> Option<Lever<'a>> {
    let ready = |outcome: ControlOutcome| -> Option<Lever<'a>> { Some(Box::pin(async move { outcome })) };
    match (method.as_str(), path) {
        ("POST", ["sign-in"]) => Some(Box::pin(sign_in(product, service, body))),
        ("POST", ["silent-migration"]) => ready(set_up(product, body)),
        ("GET", ["silent-migration"]) => ready(Ok(report(product))),
        ("DELETE", ["silent-migration"]) => {
            *product.migration.write().unwrap_or_else(PoisonError::into_inner) = None;
            ready(Ok(json!({})))
        }
        ("POST", ["rates"]) => ready(set_rates(product, service, body)),
        _ => None,
    }
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, (u16, String)> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

async fn sign_in(product: &Wso2, service: &Service, body: &[u8]) -> ControlOutcome {
    let Typed { username, password } = read(body)?;
    let setup = product.migration.read().unwrap_or_else(PoisonError::into_inner).clone();
    let people = Directory { service, product };
    let sign_in = SignIn { people: &people, setup: setup.as_deref(), tokens: &product.tokens, origin: service.root() };
    Ok(sign_in.run(&username, &password).await.value())
}

fn set_up(product: &Wso2, body: &[u8]) -> ControlOutcome {
    let settings: settings::Settings = read(body)?;
    let engine = match product.kind {
        Kind::IdentityServer => Engine::IdentityServer,
        Kind::Asgardeo => Engine::Asgardeo,
    };
    let setup = SilentMigration::new(settings, engine).map_err(|message| (400, message))?;
    *product.migration.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(setup));
    Ok(report(product))
}

/// What was read of the script.
fn report(product: &Wso2) -> Value {
    let setup = product.migration.read().unwrap_or_else(PoisonError::into_inner).clone();
    setup.map_or(Value::Null, |setup| setup.report())
}

fn set_rates(product: &Wso2, service: &Service, body: &[u8]) -> ControlOutcome {
    let Rates { bulk_per_minute, requests_per_minute, minute_secs } = read(body)?;
    let settings = Settings { bulk_per_minute, requests_per_minute, minute_secs, ..product.settings.clone() };
    let rules = budgets(product.kind, &settings);
    *service.throttle.lock().unwrap_or_else(PoisonError::into_inner) = Throttle::new(rules);
    Ok(json!({}))
}
