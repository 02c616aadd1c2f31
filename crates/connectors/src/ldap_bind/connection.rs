//! One connection to a directory, and a few that are kept for the next attempt.

use std::{
    io::ErrorKind,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, controls::RawControl};
use sterna_core::legacy::Outage;
use tokio::time::timeout_at;

use super::{
    answer::{POLICY_OID, Policy, policy},
    settings::{CONNECT, Line},
};
use crate::tls;

/// Most connections that wait for the next attempt.
const IDLE: usize = 32;

/// How long one may wait: firewalls forget lines on which nothing is said.
const IDLE_FOR: Duration = Duration::from_secs(30);

/// Connections that wait for the next attempt.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<(Instant, Ldap)>>);

impl Idle {
    /// One that still stands, else a new one.
    pub(super) async fn take(&self, line: &Line, deadline: Instant) -> Result<Ldap, Outage> {
        loop {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((since, mut kept)) = kept else { return open(line, deadline).await };
            if !kept.is_closed() && since.elapsed() < IDLE_FOR {
                return Ok(kept);
            }
        }
    }

    /// Keeps one whose last request was answered in full.
    pub(super) fn keep(&self, mut connection: Ldap) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE && !connection.is_closed() {
            idle.push((Instant::now(), connection));
        }
    }
}

/// Opens a connection, with TLS as the settings have it.
pub(crate) async fn open(line: &Line, deadline: Instant) -> Result<Ldap, Outage> {
    let config = tls::client(line.ca_file.as_deref()).map_err(|_| Outage::Misconfigured)?;
    let settings = LdapConnSettings::new().set_conn_timeout(CONNECT).set_starttls(line.start_tls).set_config(config);
    let opened = timeout_at(deadline.into(), LdapConnAsync::with_settings(settings, &line.url)).await;
    let (driver, ldap) = opened.map_err(|_| Outage::TimedOut)?.map_err(|error| outage(&error))?;
    // it ends with the last handle of the connection
    tokio::spawn(async move { driver.drive().await });
    Ok(ldap)
}

/// Binds. The password goes out once: who does not answer is not asked again.
pub(crate) async fn bind(
    ldap: &mut Ldap,
    name: &str,
    password: &str,
    deadline: Instant,
) -> Result<(LdapResult, Policy), Outage> {
    let ask = RawControl { ctype: POLICY_OID.to_owned(), crit: false, val: None };
    let bound = timeout_at(deadline.into(), ldap.with_controls(ask).simple_bind(name, password)).await;
    let result = bound.map_err(|_| Outage::TimedOut)?.map_err(|error| outage(&error))?;
    let said = result.ctrls.iter().find(|control| control.1.ctype == POLICY_OID);
    let said = said.and_then(|control| control.1.val.as_deref()).map_or(Policy::Other, policy);
    Ok((result, said))
}

/// What an error below LDAP means.
pub(crate) fn outage(error: &LdapError) -> Outage {
    match error {
        LdapError::Io { source } => match source.kind() {
            // what rustls finds wrong comes as one of these
            ErrorKind::InvalidData | ErrorKind::InvalidInput => Outage::Untrusted,
            ErrorKind::TimedOut => Outage::TimedOut,
            _ if source.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) => {
                Outage::Untrusted
            }
            _ => Outage::Unreachable,
        },
        LdapError::Timeout { .. } => Outage::TimedOut,
        // StartTLS was refused
        LdapError::LdapResult { .. } => Outage::Untrusted,
        LdapError::FilterParsing | LdapError::UrlParsing { .. } | LdapError::UnknownScheme(_) => Outage::Misconfigured,
        _ => Outage::Unreachable,
    }
}
