//! The sign-in side for machines: part of the control side, under the random key of `state_url`.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::run::{self, Attempt};
use super::{Setup, account, lock};
use crate::entra::control::{Outcome, read};
use crate::entra::directory::record::Life;
use crate::entra::directory::user::User;
use crate::entra::options::Kind;
use crate::entra::scenario::JustInTime;
use crate::entra::service::Service;

/// What somebody is told who chose a password that the policy refuses.
pub(super) const WEAK: &str = "The password does not comply with the password complexity requirements.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    username: String,
    password: String,
    client_ip: Option<String>,
    client_app_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    flow: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    password: String,
}

/// Answers a request that is for the sign-in side; nothing for others.
pub(crate) async fn answer(service: &Service, method: &Method, path: &[&str], body: &Bytes) -> Option<Outcome> {
    Some(match (method.as_str(), path) {
        ("POST", ["sign-in"]) => sign_in(service, body).await,
        ("POST", ["sign-in", "new-password"]) => read(body).and_then(|NewPassword { flow, password }| {
            let done = run::new_password(service, &flow, &password);
            done.map(|done| done.value()).ok_or((404, "there is no such flow".to_owned()))
        }),
        ("GET", ["sign-ins"]) => Ok(lock(&service.sign_ins.log).value()),
        ("GET", ["just-in-time"]) => Ok(report(service)),
        ("POST", ["just-in-time"]) => read(body).and_then(|settings| set_up(service, settings)),
        ("DELETE", ["just-in-time"]) => {
            service.sign_ins.set_up(None);
            Ok(json!({}))
        }
        ("POST", ["users", id, "reset-password"]) => {
            read(body).and_then(|Reset { password }| reset(service, id, &password))
        }
        _ => return None,
    })
}

async fn sign_in(service: &Service, body: &Bytes) -> Outcome {
    let SignIn { username, password, client_ip, client_app_id } = read(body)?;
    let ip = client_ip.unwrap_or_else(|| "127.0.0.1".to_owned());
    let attempt = Attempt::new(username, password, ip, client_app_id);
    Ok(run::sign_in(service, &attempt).await.value())
}

fn set_up(service: &Service, settings: JustInTime) -> Outcome {
    if settings.certificate_file.is_some() || settings.ca_file.is_some() {
        return Err((400, "files are named in scenario files only; send certificate_pem and ca_pem".to_owned()));
    }
    let setup = prepare(service.kind, settings, service.sign_ins.ids(), service.flag_owner());
    service.sign_ins.set_up(Some(setup.map_err(|message| (400, message))?));
    Ok(report(service))
}

/// Makes settings ready for a product that has just-in-time migration.
pub(crate) fn prepare(
    kind: Kind,
    settings: JustInTime,
    made: &super::MadeIds,
    flag_owner: &str,
) -> Result<Setup, String> {
    if kind != Kind::EntraExternalId {
        return Err("just_in_time is a feature of External ID".to_owned());
    }
    Setup::new(settings, made, flag_owner)
}

fn report(service: &Service) -> Value {
    let ids = service.sign_ins.ids();
    match service.sign_ins.setup() {
        None => ids.report(&service.sign_ins.issuer(&service.names)),
        Some(setup) => setup.report(&setup.issuer(&service.names.id), &ids.caller_principal),
    }
}

/// The reset of a forgotten password, by the user: a new password, and the flag as it was (which the product may do
/// otherwise). It does not sign in.
fn reset(service: &Service, id: &str, password: &str) -> Outcome {
    let now = service.clock.now();
    let setup = service.sign_ins.setup().filter(|setup| setup.settings.reset_clears_flag);
    let mut directory = service.lock_directory();
    let missing = || (404, "no such user".to_owned());
    let slot = directory.slot(id).ok_or_else(missing)?;
    let user = account::live(&directory, slot).ok_or_else(missing)?;
    if !user.has_local_identity() {
        return Err((400, "the user has no password here".to_owned()));
    }
    let checked = directory.rules(now.micros).check_password(password, user.text("passwordPolicies"));
    checked.map_err(|_weak| (400, WEAK.to_owned()))?;
    let mut changed = User::clone(&user);
    changed.set_password(password, now.wall);
    if let Some(setup) = setup.filter(|setup| account::is_waiting(&user, Some(&setup.flag))) {
        changed.set(&setup.flag, Value::from(false));
    }
    directory.replace(slot, Life::Live(Arc::new(changed)), now.micros);
    Ok(json!({}))
}
