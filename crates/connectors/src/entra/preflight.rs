//! Checks before anything is sent: tokens, rights, clock, domains, room, attributes. Each finding says how to mend it.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use sterna_core::{
    code::{Code, Finding},
    port::{Needs, SourceError, TargetError},
    secrecy::ExposeSecret,
};

use super::{dto::List, failure, graph::Lane, limits::CLOCK_SKEW, target::EntraTarget, token::MEND};
use crate::http::access::Credential;

/// Rights that allow users to be made.
const MAKE_USERS: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];
/// Rights that allow identities of existing users to be changed, besides the above (entra.md 4.7).
const CHANGE_IDENTITIES: &[&str] = &["User.ManageIdentities.All"];
/// Rights that allow extension attributes to be made (entra.md 3).
const MAKE_ATTRIBUTES: &[&str] =
    &["Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"];

impl EntraTarget {
    /// Every finding; nothing is changed.
    pub(super) async fn check_all(&self, needs: &Needs) -> Vec<Finding> {
        let mut findings = Vec::new();
        let may_make_attributes = self.check_applications(needs, &mut findings).await;
        self.check_clock(&mut findings).await;
        self.check_domains(&mut findings);
        self.check_room(needs, &mut findings);
        self.check_attributes(may_make_attributes, needs, &mut findings);
        if self.shape.providers.is_none() {
            let note = Finding::note(Code::L2004, "which identity providers the tenant has is not known");
            findings.push(note.hint("set `providers` to have accounts with others told before they are sent"));
        }
        if self.config.relink_issuers.is_none() {
            let message =
                "ids of people at Facebook, Apple and Microsoft hold for one provider application (or team) only";
            let note = Finding::note(Code::L2005, message);
            findings.push(note.hint("where the tenant uses another than the source did, list the issuer in `relink_issuers`; else set it to []"));
        }
        findings
    }

    /// Whether some application may make attributes; `None` when that is not known.
    async fn check_applications(&self, needs: &Needs, findings: &mut Vec<Finding>) -> Option<bool> {
        let mut may_make = None;
        for (lane, application) in self.graph.lanes().iter().enumerate() {
            let roles = match roles(application).await {
                Ok(roles) => roles,
                Err(error) => {
                    findings.push(finding(error));
                    continue;
                }
            };
            if let Err(error) = self.graph.get_over::<List<Value>>(lane, "/users?$select=id&$top=1").await {
                let id = &application.client_id;
                let may_not = error.is_refusal();
                let finding = finding(error.during(&format!("reading users as application {id}")));
                let hint = format!("grant `User.ReadWrite.All` to {id} and let an administrator consent");
                findings.push(if may_not { finding.hint(hint) } else { finding });
                continue;
            }
            let Some(roles) = roles else { continue };
            let has = |any: &[&str]| any.iter().any(|right| roles.contains(*right));
            lacks(application, has(MAKE_USERS), Code::E2104, "User.ReadWrite.All", findings);
            let links = !needs.links || has(CHANGE_IDENTITIES);
            lacks(application, links, Code::E2004, "User.ManageIdentities.All", findings);
            if lane == 0 {
                may_make = Some(has(MAKE_ATTRIBUTES));
            }
        }
        may_make
    }

    async fn check_clock(&self, findings: &mut Vec<Finding>) {
        let Some(theirs) = self.graph.service_time().await else { return };
        let apart = self.graph.now().0.abs_diff(theirs.0);
        if u128::from(apart) > CLOCK_SKEW.as_millis() {
            let message = format!("this machine's clock and Graph's differ by {} s", apart / 1_000);
            findings
                .push(Finding::warning(Code::E2005, message).hint("set the clock; tokens and throttling depend on it"));
        }
    }

    fn check_domains(&self, findings: &mut Vec<Finding>) {
        let Some(domains) = &self.domains else {
            let note = Finding::note(Code::E2011, "the tenant's domains may not be read, so none was checked");
            findings.push(note.hint("grant Domain.Read.All to have them checked"));
            return;
        };
        let is = |name: &str| domains.iter().find(|domain| domain.id.eq_ignore_ascii_case(name));
        let (issuer, upn) = (&self.local_issuer, &self.shape.upn_domain);
        for (setting, name) in [("local_issuer", issuer), ("upn_domain", upn)] {
            let problem = match is(name) {
                None => "is not a domain of the tenant",
                Some(domain) if domain.is_verified == Some(false) => "is a domain that was never verified",
                Some(_) => continue,
            };
            let names: Vec<&str> = domains.iter().map(|domain| domain.id.as_str()).collect();
            let finding = Finding::error(Code::E2011, format!("`{setting}` {name} {problem}"));
            findings.push(finding.hint(format!("the tenant has: {}", names.join(", "))));
        }
    }

    fn check_room(&self, needs: &Needs, findings: &mut Vec<Finding>) {
        use sterna_core::port::Target;
        match self.descriptor().room {
            Some(room) if room < needs.creates => {
                let message = format!("the plan makes {} accounts and the tenant has room for {room}", needs.creates);
                let finding = Finding::error(Code::E2006, message);
                findings.push(finding.hint("ask for a larger quota, remove deleted objects, or migrate in cohorts"));
            }
            None if needs.creates > 0 => {
                let note = Finding::note(Code::E2006, "how much room the tenant has is not known");
                findings
                    .push(note.hint("a new tenant holds 600 objects in its first two days, then 50,000 or 300,000"));
            }
            _ => {}
        }
    }

    fn check_attributes(&self, may_make: Option<bool>, needs: &Needs, findings: &mut Vec<Finding>) {
        for (bare, sort) in self.needed_attributes() {
            let full = self.shape.full_name(&bare);
            match self.defined.get(&full) {
                Some(there) if there.data_type.is_empty() || there.data_type == sort => {}
                Some(there) => {
                    let message = format!("the attribute {full} is of type {} and should be {sort}", there.data_type);
                    findings.push(Finding::error(Code::E2007, message).hint("choose another name for it in [target]"));
                }
                None => {
                    let known = self.known_extensions().contains(&full);
                    let idle = bare == self.config.flag && !needs.just_in_time && needs.creates == 0;
                    if known || idle {
                        continue;
                    }
                    let message = format!("the extension attribute {full} does not exist yet");
                    let finding = match may_make {
                        Some(false) => Finding::error(Code::E2007, message)
                            .hint("grant Application.ReadWrite.OwnedBy (or .All), or create it by hand"),
                        // every fresh tenant begins so: nothing is wrong
                        _ => Finding::note(Code::E2007, message).hint("apply makes it, with your consent"),
                    };
                    findings.push(finding);
                }
            }
        }
    }
}

fn lacks(application: &Lane, has: bool, code: Code, right: &str, findings: &mut Vec<Finding>) {
    if !has {
        let id = &application.client_id;
        let finding = Finding::error(code, format!("application {id} lacks the right {right}"));
        findings.push(finding.hint(format!("grant `{right}` to {id} and let an administrator consent")));
    }
}

fn finding(error: TargetError) -> Finding {
    let code = error.code;
    failure::finding(SourceError { code, ..failure::of_source(error) })
}

#[derive(Deserialize)]
struct Claims {
    roles: Option<BTreeSet<String>>,
}

/// The rights that the application's token names. Tokens are opaque (entra.md 6): one that cannot be read gives `None`,
/// and rights are found out by trying.
async fn roles(application: &Lane) -> Result<Option<BTreeSet<String>>, TargetError> {
    let credential = application.caller.access().get().await.map_err(|error| error.into_error(&MEND))?;
    let Credential::Bearer(token) = credential else { return Ok(None) };
    let claims = token.text.expose_secret().split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    Ok(claims.and_then(|bytes| serde_json::from_slice::<Claims>(&bytes).ok()).and_then(|claims| claims.roles))
}
