//! The tokens that were issued: Graph looks them up instead of checking signatures.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Micros, Now, micros};
use crate::entra::apps::RegisteredApp;
use crate::entra::refusal::Refusal;

/// Tokens kept at one time; beyond that the ones that expired are forgotten, then the oldest.
const MAX_TOKENS: usize = 10_000;

/// The application behind a request to Graph.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Its number among the registered applications.
    pub(crate) app: usize,
    pub(crate) app_id: String,
    pub(crate) roles: Vec<String>,
}

struct Issued {
    caller: Arc<Caller>,
    expires: Micros,
}

/// Every token that is still known.
#[derive(Default)]
pub(crate) struct Tokens(HashMap<String, Issued>);

impl Tokens {
    pub(super) fn add(&mut self, token: String, number: usize, app: &RegisteredApp, now: Now, lifetime: Duration) {
        if self.0.len() >= MAX_TOKENS {
            self.0.retain(|_, issued| issued.expires > now.micros);
        }
        if self.0.len() >= MAX_TOKENS {
            let oldest = self.0.iter().min_by_key(|(_, issued)| issued.expires).map(|(token, _)| token.clone());
            oldest.and_then(|token| self.0.remove(&token));
        }
        let caller = Caller { app: number, app_id: app.app_id.clone(), roles: app.roles.clone() };
        self.0.insert(token, Issued { caller: Arc::new(caller), expires: now.micros + micros(lifetime) });
    }

    /// Who sends an `Authorization` header.
    pub(crate) fn caller(&self, authorization: Option<&str>, now: Now) -> Result<Arc<Caller>, Refusal> {
        let token = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty())
            .ok_or_else(|| Refusal::unauthenticated("Access token is empty."))?;
        let issued = self.0.get(token).ok_or_else(|| {
            Refusal::unauthenticated("Access token validation failure. Invalid audience or signature.")
        })?;
        if issued.expires <= now.micros {
            return Err(Refusal::unauthenticated("Lifetime validation failed, the token is expired."));
        }
        Ok(Arc::clone(&issued.caller))
    }

    /// Lets every token expire now.
    pub(crate) fn expire_all(&mut self, now: Now) {
        self.0.values_mut().for_each(|issued| issued.expires = issued.expires.min(now.micros));
    }
}
