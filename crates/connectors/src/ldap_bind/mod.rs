//! `ldap-bind`: the legacy check that binds to a directory, or to Active Directory, with the typed password.
//!
//! Start at [`BindCheck`]. `answer.rs` says what an answer means, `connection.rs` connects, `settings.rs` has the settings.
//! An empty password never reaches a bind: directories take it for an anonymous one, and say yes.

mod answer;
mod connection;
mod settings;

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use ldap3::{Ldap, Scope, SearchEntry, dn_escape, ldap_escape};
use sterna_core::{
    code::{Code, Finding},
    legacy::{Attempt, LegacyCheck, Outage, Verdict, login_name},
    registry::{CheckKind, Context},
    secrecy::ExposeSecret,
    settings::{Secrets, Setting, Values},
    support::{CheckSupport, Tells},
};
use tokio::time::timeout_at;

pub use answer::{Policy, policy, verdict};
use connection::Idle;
pub(crate) use connection::{bind, open, outage};
use settings::{CONNECT, Config, Naming};
pub(crate) use settings::{LINE, Line, line};

/// The kind in the registry.
pub struct Kind;

impl CheckKind for Kind {
    fn kind(&self) -> &'static str {
        "ldap-bind"
    }

    fn title(&self) -> &'static str {
        "a directory or Active Directory, by a bind with the typed password"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SETTINGS
    }

    fn sample(&self) -> &'static str {
        "url = \"ldaps://ldap.example.org\"\n\
         bind_as = \"uid={login},ou=people,dc=example,dc=org\"   # Active Directory: \"{login}@corp.example\"\n"
    }

    fn support(&self) -> Option<CheckSupport> {
        Some(CheckSupport {
            tells: &[Tells::Expired, Tells::Unknown, Tells::Locked, Tells::Disabled],
            tested_with: &["OpenLDAP"],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Arc<dyn LegacyCheck>, Vec<Finding>> {
        let config = Config::new(values, context)?;
        Ok(Arc::new(BindCheck {
            config,
            secrets: Arc::clone(&context.secrets),
            people: Idle::default(),
            service: Idle::default(),
        }))
    }
}

/// The check.
struct BindCheck {
    config: Config,
    secrets: Arc<dyn Secrets>,
    /// Connections for people's binds. They end up bound as somebody, so nothing else is asked over them.
    people: Idle,
    /// Connections bound as the service account.
    service: Idle,
}

impl BindCheck {
    /// The name to bind as.
    async fn name(&self, login: &str, deadline: Instant) -> Result<String, Verdict> {
        match &self.config.naming {
            Naming::Template(template) => Ok(filled(template, login)),
            Naming::Search { base, filter, .. } => {
                let filter = filter.replace("{login}", &ldap_escape(login));
                let mut ldap = self.service(deadline).await.map_err(Verdict::Unavailable)?;
                let found = search(&mut ldap, base, &filter, deadline).await?;
                self.service.keep(ldap);
                Ok(found)
            }
        }
    }

    /// A connection that is bound as the service account.
    async fn service(&self, deadline: Instant) -> Result<Ldap, Outage> {
        let mut ldap = self.service.take(&self.config.line, deadline).await?;
        let Naming::Search { bind_dn: Some(dn), bind_password, .. } = &self.config.naming else { return Ok(ldap) };
        let reference = bind_password.as_ref().ok_or(Outage::Misconfigured)?;
        let password = self.secrets.reveal(reference).map_err(|_| Outage::Misconfigured)?;
        // it would be an anonymous bind, which finds nobody
        if password.expose_secret().is_empty() {
            return Err(Outage::Misconfigured);
        }
        let (result, _) = bind(&mut ldap, dn, password.expose_secret(), deadline).await?;
        match result.rc {
            0 => Ok(ldap),
            51 | 52 => Err(Outage::Overloaded),
            _ => Err(Outage::Rejected),
        }
    }

    /// Whether the service account may search at all.
    async fn sees(&self, base: &str, deadline: Instant) -> Result<(), Outage> {
        let mut ldap = self.service(deadline).await?;
        let found = timeout_at(deadline.into(), ldap.search(base, Scope::Base, "(objectClass=*)", vec!["1.1"])).await;
        let ldap3::SearchResult(_, result) = found.map_err(|_| Outage::TimedOut)?.map_err(|error| outage(&error))?;
        if result.rc == 0 { Ok(()) } else { Err(Outage::Rejected) }
    }

    async fn ask(&self, attempt: &Attempt<'_>) -> Result<Verdict, Verdict> {
        let login = login_name(attempt.account, self.config.login.as_deref());
        let login = login.ok_or(Verdict::Unavailable(Outage::NotForThis))?;
        let name = self.name(&login, attempt.deadline).await?;
        // a bind with no name is an anonymous one as well
        if name.is_empty() || attempt.password.expose_secret().is_empty() {
            return Err(Verdict::Mismatch);
        }
        let taken = self.people.take(&self.config.line, attempt.deadline).await;
        let mut ldap = taken.map_err(Verdict::Unavailable)?;
        let bound = bind(&mut ldap, &name, attempt.password.expose_secret(), attempt.deadline).await;
        let (result, policy) = bound.map_err(Verdict::Unavailable)?;
        self.people.keep(ldap);
        Ok(verdict(result.rc, &result.text, policy))
    }
}

/// The template with the name in it: escaped where the template is a distinguished name and the name only a part of it.
fn filled(template: &str, login: &str) -> String {
    let is_part_of_dn = template != "{login}" && template.contains('=');
    template.replace("{login}", &if is_part_of_dn { dn_escape(login) } else { login.into() })
}

/// The distinguished name of the one entry that fits.
async fn search(ldap: &mut Ldap, base: &str, filter: &str, deadline: Instant) -> Result<String, Verdict> {
    let options = ldap3::SearchOptions::new().sizelimit(2);
    ldap.with_search_options(options);
    let found = timeout_at(deadline.into(), ldap.search(base, Scope::Subtree, filter, vec!["1.1"])).await;
    let found = found.map_err(|_| Verdict::Unavailable(Outage::TimedOut))?;
    let ldap3::SearchResult(entries, result) = found.map_err(|error| Verdict::Unavailable(outage(&error)))?;
    let refers = entries.iter().any(ldap3::ResultEntry::is_ref);
    let mut names = entries.into_iter().filter(|entry| !entry.is_ref() && !entry.is_intermediate());
    match (result.rc, names.next(), names.next()) {
        (0, Some(entry), None) => Ok(SearchEntry::construct(entry).dn),
        // the answer is on another server
        (0, None, _) if refers => Err(Verdict::Unavailable(Outage::NotUnderstood)),
        (0, None, _) => Err(Verdict::Unknown),
        // it is `base` that is not there, or not to be seen
        (32, ..) => Err(Verdict::Unavailable(Outage::Rejected)),
        // two people with one name: neither is to be let in with the other's password
        (0 | 4, Some(_), Some(_)) => Err(Verdict::Unavailable(Outage::Unclear)),
        (50, ..) => Err(Verdict::Unavailable(Outage::Rejected)),
        (51 | 52, ..) => Err(Verdict::Unavailable(Outage::Overloaded)),
        _ => Err(Verdict::Unavailable(Outage::NotUnderstood)),
    }
}

#[async_trait]
impl LegacyCheck for BindCheck {
    async fn preflight(&self) -> Vec<Finding> {
        let deadline = Instant::now() + CONNECT;
        let tried = match &self.config.naming {
            Naming::Template(_) => open(&self.config.line, deadline).await.map(drop),
            Naming::Search { base, .. } => self.sees(base, deadline).await,
        };
        let Err(outage) = tried else { return Vec::new() };
        let code = if outage == Outage::Rejected { Code::E2302 } else { Code::E2301 };
        vec![Finding::error(code, format!("the directory cannot be asked: {}", outage.words())).hint(code.mend())]
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        self.ask(attempt).await.unwrap_or_else(|verdict| verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn a_name_cannot_change_the_distinguished_name_that_it_is_put_into() {
        let dn = "uid={login},ou=people,dc=example";
        assert_eq!(filled(dn, "ana"), "uid=ana,ou=people,dc=example");
        let hostile = filled(dn, "ana,ou=admins");
        assert!(hostile.ends_with(",ou=people,dc=example") && !hostile.contains("ana,ou=admins"), "{hostile}");
        assert_eq!(filled("{login}@corp.example", "ana"), "ana@corp.example");
        assert_eq!(filled("{login}", "uid=ana,dc=example"), "uid=ana,dc=example");
    }
}
