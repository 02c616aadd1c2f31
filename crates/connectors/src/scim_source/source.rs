//! The walk over `/Users`: connects, learns whether there are cursors, and makes a page of records of a page of users.

use std::{collections::HashMap, fmt::Write as _};

use async_trait::async_trait;
use serde_json::Value;
use sterna_core::{
    account::Identity,
    code::{Code, Finding},
    port::{Cursor, Page, Record, Source, SourceError},
    registry::Context,
};

use super::{
    config::{Federated, MembersFrom, SourceConfig},
    failure::{ended, finding, too_few},
    members::Memberships,
    names::Names,
    record::{Beside, record},
    walk::{Mark, Next, Seen},
};
use crate::{
    http::{encode, try_together},
    scim::{Line, Page as UserPage, ReadError, Service, Step, Totals, Trail, flag},
};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// The users of a SCIM service.
pub(crate) struct ScimSource {
    config: SourceConfig,
    context: Context,
    ready: Option<Ready>,
    seen: Seen,
}

/// What is known once the service was asked.
struct Ready {
    service: Service,
    names: Names,
    by_cursor: bool,
    memberships: Option<Memberships>,
}

impl ScimSource {
    /// A source that connects when it is first asked for something.
    pub(crate) fn new(config: SourceConfig, context: Context) -> Self {
        Self { config, context, ready: None, seen: Seen::default() }
    }

    fn service(&self) -> Result<Service, SourceError> {
        let line = Line {
            base: &self.config.base,
            access: &self.config.access,
            ca_file: self.config.ca_file.as_deref(),
            timeout: self.config.timeout,
            at_once: AT_ONCE,
            budget: None,
        };
        Service::over(&line, &self.context).map_err(|error| {
            let mut mapped =
                SourceError::new(if error.code == Code::E2001 { Code::E3009 } else { error.code }, error.message);
            mapped.hint = error.hint;
            mapped
        })
    }

    async fn ready(&mut self) -> Result<&Ready, SourceError> {
        if self.ready.is_none() {
            let service = self.service()?;
            let said = optional(service.get("/ServiceProviderConfig").await, "asking the service what it offers")?;
            let schemas = optional(service.get("/Schemas").await, "asking the service for its schemas")?;
            let by_cursor = said.as_ref().is_some_and(goes_by_cursor);
            let names = Names::read(&resources(schemas));
            let memberships = match self.config.groups {
                MembersFrom::Groups => Some(Memberships::read(&service, &self.config, by_cursor).await?),
                MembersFrom::Users | MembersFrom::Nowhere => None,
            };
            self.ready = Some(Ready { service, names, by_cursor, memberships });
        }
        self.ready.as_ref().ok_or_else(|| SourceError::new(Code::E3001, "the service was not connected to"))
    }

    /// The query of a page; `paging` says which.
    fn query(&self, paging: String) -> String {
        let mut query = paging;
        let mut add = |name: &str, value: &str| {
            let _ = write!(query, "&{name}={}", encode(value));
        };
        if let Some(filter) = &self.config.filter {
            add("filter", filter);
        }
        if let Some(domain) = &self.config.domain {
            add("domain", domain);
        }
        let mut attributes = self.config.attributes.clone();
        if !attributes.is_empty() {
            attributes.extend(["id".to_owned(), "userName".to_owned(), self.config.key.to_owned()]);
            attributes.sort_unstable();
            attributes.dedup();
            add("attributes", &attributes.join(","));
        } else if self.config.groups != MembersFrom::Users {
            // resolving memberships is what makes lists slow (wso2-scim.md 2.8)
            let left_out = if self.config.groups == MembersFrom::Nowhere { "groups,roles" } else { "groups" };
            add("excludedAttributes", left_out);
        }
        query
    }

    /// Whether a page that comes again and again is everybody: the service says so by its total, or gives fewer where fewer are
    /// asked for, so that it would have given more where there are more.
    async fn was_everybody(&mut self, page: &UserPage) -> Result<bool, SourceError> {
        let fewer = (page.resources.len() as u64).saturating_sub(1);
        if page.total.is_some() || self.config.totals == Totals::Doubted || fewer == 0 {
            return Ok(true);
        }
        let query = self.query(Trail::by_index().query(fewer));
        let again = self.ready().await?.service.page(&format!("/Users?{query}")).await;
        let again = again.map_err(|error| ended(&error, "reading a page of users"))?;
        Ok(again.resources.len() as u64 == fewer)
    }

    /// What other requests say of the people of a page, in order.
    async fn beside(&self, users: &[&Value]) -> Result<Vec<Beside>, SourceError> {
        let Some(ready) = &self.ready else { return Ok(vec![Beside::default(); users.len()]) };
        let id = |user: &Value| user.get("id").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
        let mut beside: Vec<Beside> = users
            .iter()
            .map(|user| Beside {
                groups: ready.memberships.as_ref().map(|memberships| memberships.of(&id(user))),
                identities: Vec::new(),
            })
            .collect();
        if let Federated::Below(base) = &self.config.federated {
            let urls: Vec<String> =
                users.iter().map(|user| format!("{base}/{}/federated-associations", encode(&id(user)))).collect();
            let reads = urls.iter().map(|url| associations(&ready.service, url)).collect();
            let read = try_together(reads, AT_ONCE).await;
            let read = read.map_err(|error| ended(&error, "reading a person's identities at other providers"))?;
            for (beside, list) in beside.iter_mut().zip(read) {
                beside.identities = federated(&list);
            }
        }
        Ok(beside)
    }

    /// People of a page that were not seen before; those without an id are told apart by all that is said of them.
    fn fresh<'p>(&mut self, page: &'p UserPage) -> Vec<&'p Value> {
        let (seen, mut nameless) = (&mut self.seen, HashMap::new());
        let is_new = |user: &&Value| {
            if let Some(id) = user.get("id").and_then(Value::as_str) {
                return seen.add(id);
            }
            let text = user.to_string();
            let count = nameless.entry(text.clone()).and_modify(|count| *count += 1).or_insert(1);
            seen.add(&format!("{count} {text}"))
        };
        page.resources.iter().filter(is_new).collect()
    }
}

#[async_trait]
impl Source for ScimSource {
    async fn preflight(&mut self) -> Vec<Finding> {
        let (config, mut findings) = (self.config.clone(), Vec::new());
        let ready = match self.ready().await {
            Ok(ready) => ready,
            Err(error) => return vec![finding(error)],
        };
        let domain = config.domain.as_deref().map_or_else(String::new, |domain| format!("&domain={}", encode(domain)));
        let paging = if ready.by_cursor { Trail::by_cursor() } else { Trail::by_index() };
        match ready.service.page(&format!("/Users?{}{domain}", paging.query(1))).await {
            Err(error) => findings.push(finding(ended(&error, "reading a user"))),
            Ok(page) => {
                let total = page.total.map_or_else(|| "it does not say how many".to_owned(), |total| total.to_string());
                let way = if ready.by_cursor { "by cursor" } else { "by index" };
                let text = format!(
                    "users: {total}; read {way}; no password and no hash comes over SCIM; certificates are left out"
                );
                findings.push(Finding::note(Code::E3014, text));
                if page.resources.len() > 1 {
                    let text = "the service ignores `count`: it gave more than one user";
                    let warning = Finding::warning(Code::E3014, text);
                    findings.push(warning.hint("reading goes on; where it ignores startIndex too, it ends with E3008"));
                }
            }
        }
        findings
    }

    async fn read(&mut self, cursor: Option<&Cursor>) -> Result<Page, SourceError> {
        let by_cursor = self.ready().await?.by_cursor;
        let mark = match cursor {
            None => {
                self.seen = Seen::from_the_start();
                Mark::start(if by_cursor { Trail::by_cursor() } else { Trail::by_index() })
            }
            Some(cursor) => Mark::from_cursor(cursor)
                .ok_or_else(|| SourceError::new(Code::E3006, "the cursor is none of this source's"))?,
        };
        if let Some(short) = mark.short() {
            // whoever begins again later walks over all of it
            let is_new = self.seen.count().is_some();
            return Err(if is_new { too_few(short) } else { SourceError::new(Code::E3006, "the list was too short") });
        }
        let query = self.query(mark.query(self.config.page_size));
        let ready = self.ready().await?;
        let page = match ready.service.page(&format!("/Users?{query}")).await {
            Ok(page) => page,
            Err(error) => {
                let nobody = error.status().and_then(|status| mark.refused(status, self.config.totals));
                nobody.ok_or_else(|| ended(&error, "reading a page of users"))?
            }
        };
        let step = mark.step(&page, self.config.page_size);
        if step == Step::EndedBefore && !self.was_everybody(&page).await? {
            return Err(ended(&ReadError::Circle, "reading a page of users"));
        }
        let users = if step == Step::EndedBefore { Vec::new() } else { self.fresh(&page) };
        let next = match mark.next(step, page.total, self.seen.count(), self.config.totals) {
            Next::Circle => return Err(ended(&ReadError::Circle, "reading a page of users")),
            Next::Page(next) => Some(next),
            Next::End => None,
        };
        let beside = self.beside(&users).await?;
        let none = Names::default();
        let names = self.ready.as_ref().map_or(&none, |ready| &ready.names);
        let each = users.iter().zip(beside);
        let records: Vec<Record> = each.map(|(user, beside)| record(&self.config, names, user, beside)).collect();
        let done = match &next {
            None => Some(1.0),
            Some(next) => self.seen.count().and_then(|seen| next.done(seen)),
        };
        let next =
            next.map(|next| next.to_cursor().ok_or_else(|| SourceError::new(Code::E3006, "no cursor can be made")));
        Ok(Page { records, next: next.transpose()?, done })
    }

    fn mend(&mut self, raw: &[u8]) -> Record {
        let none = Names::default();
        let names = self.ready.as_ref().map_or(&none, |ready| &ready.names);
        match serde_json::from_slice::<Value>(raw) {
            Ok(user) => record(&self.config, names, &user, Beside::default()),
            Err(_) => crate::text::rejected(
                crate::text::MENDED.to_owned(),
                crate::text::Mistake::new(Code::E3101, "the mended user is no JSON"),
                raw,
            ),
        }
    }
}

/// A part that a service may not have, or not show.
fn optional(read: Result<Value, ReadError>, doing: &str) -> Result<Option<Value>, SourceError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(ReadError::Shape) => Ok(None),
        Err(error) if error.is_absence() => Ok(None),
        Err(error) => Err(ended(&error, doing)),
    }
}

/// Whether lists are walked over by cursor (RFC 9865 4): where it is announced, for it sees no shifted pages.
fn goes_by_cursor(said: &Value) -> bool {
    said.get("pagination").is_some_and(|pagination| flag(pagination.get("cursor")))
}

fn resources(schemas: Option<Value>) -> Vec<Value> {
    match schemas {
        Some(Value::Array(list)) => list,
        Some(value) => UserPage::read(value).map(|page| page.resources).unwrap_or_default(),
        None => Vec::new(),
    }
}

/// What a service says of one person's identities; somebody who has gone since has none.
async fn associations(service: &Service, url: &str) -> Result<Value, ReadError> {
    match service.get_url(url).await {
        Err(error) if error.is_absence() => Ok(Value::Null),
        read => read,
    }
}

/// A person's identities at other providers (wso2-scim.md 6.1): the connection's name, and the id there.
fn federated(list: &Value) -> Vec<Identity> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| {
        let issuer = one.get("idp")?.get("name").or_else(|| one.get("idp"))?.as_str()?;
        Some(Identity::federated(issuer, one.get("federatedUserId")?.as_str()?))
    })
    .collect()
}
