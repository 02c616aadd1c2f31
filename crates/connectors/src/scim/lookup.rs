//! Looking people up: by key, by user name, by id, and everybody page by page.
//!
//! What a filter gives is compared again here: a service may ignore the filter, and then everybody comes back; WSO2's filters
//! read some values as operators (wso2-scim.md 2.8).

use std::{
    collections::HashMap,
    sync::{PoisonError, atomic::Ordering},
    time::Instant,
};

use serde_json::Value;
use sterna_core::{
    account::Identity,
    ids::TargetId,
    port::{Cursor, Found, Held, InventoryPage, Probe, TargetError},
};

use super::{
    config::GroupUse,
    failure::ReadError,
    joining::{Joining, TERMS, TRIAL, join, quoted},
    members::Membership,
    paging::{Page, Step, Totals, Trail},
    record::{self, Beside},
    service::READS_AT_ONCE,
    target::ScimTarget,
};
use crate::http::{encode, try_together};

/// What a look-up needs of a user.
const FEW: &str = "id,externalId,userName";

/// One thing that somebody is looked up by.
struct Wanted {
    /// The filter.
    filter: String,
    /// What it has to come to, so that answers can be told apart and checked.
    value: String,
    /// By what.
    by: By,
    /// The probe.
    probe: usize,
    identity: Option<Identity>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum By {
    Key,
    UserName,
}

impl ScimTarget {
    /// Looks accounts up by key and by every identity.
    pub(super) async fn look_up(&self, probes: &[Probe]) -> Result<Vec<Found>, TargetError> {
        let doing = "looking accounts up";
        let wanted: Vec<Wanted> = probes.iter().enumerate().flat_map(|(at, probe)| self.wanted(at, probe)).collect();
        let found = async {
            let mut found = vec![Found::default(); probes.len()];
            for (one, user) in self.users_of(&wanted).await? {
                // somebody is there: without an id that is not nobody
                let id = record::id(&user).ok_or(ReadError::Shape)?;
                match &one.identity {
                    None => add_once(&mut found[one.probe].by_key, id),
                    Some(identity) => add_once(&mut found[one.probe].by_identity, (identity.clone(), id)),
                }
            }
            self.add_federated(probes, &mut found).await?;
            Ok::<_, ReadError>(found)
        };
        found.await.map_err(|error| error.during(doing))
    }

    /// Who is the one that was looked for: by filters, and where those mean nothing by reading everybody.
    async fn users_of<'w>(&self, wanted: &'w [Wanted]) -> Result<Vec<(&'w Wanted, Value)>, ReadError> {
        if self.filters.load(Ordering::Relaxed) {
            match self.users_by_filter(wanted).await {
                Err(ReadError::Unfiltered) => {
                    tracing::warn!("The service does not keep to filters; people are looked up by reading everybody");
                    self.filters.store(false, Ordering::Relaxed);
                }
                users => return users,
            }
        }
        self.users_among_all(wanted).await
    }

    async fn users_by_filter<'w>(&self, wanted: &'w [Wanted]) -> Result<Vec<(&'w Wanted, Value)>, ReadError> {
        let mut all = Vec::new();
        for by in [By::Key, By::UserName] {
            let these: Vec<&Wanted> = wanted.iter().filter(|one| one.by == by).collect();
            for (one, users) in these.iter().zip(self.filtered(&these).await?) {
                all.extend(users.into_iter().filter(|user| self.fits(one, user)).map(|user| (*one, user)));
            }
        }
        Ok(all)
    }

    async fn users_among_all<'w>(&self, wanted: &'w [Wanted]) -> Result<Vec<(&'w Wanted, Value)>, ReadError> {
        let mut by_value: HashMap<(By, &str), Vec<&Wanted>> = HashMap::new();
        for one in wanted {
            by_value.entry((one.by, one.value.as_str())).or_default().push(one);
        }
        let (mut all, mut trail) = (Vec::new(), Some(self.first_page()));
        while let Some(now) = trail {
            let (users, next) = self.everybody(&now).await?;
            for user in users {
                for by in [By::Key, By::UserName] {
                    let value = self.value_of(by, &user);
                    let these = value.as_deref().and_then(|value| by_value.get(&(by, value)));
                    all.extend(these.into_iter().flatten().map(|one| (*one, user.clone())));
                }
            }
            trail = next;
        }
        Ok(all)
    }

    fn wanted(&self, at: usize, probe: &Probe) -> Vec<Wanted> {
        let filter = |name: &str, value: &str| format!("{name} eq {}", quoted(value));
        let key = probe.key.to_string();
        let mut wanted =
            vec![Wanted { filter: filter("externalId", &key), value: key, by: By::Key, probe: at, identity: None }];
        for identity in &probe.identities {
            // of whatever sort: a user has one name
            let Identity::Local { name: _, value } = identity else { continue };
            wanted.push(Wanted {
                filter: filter("userName", &self.shape.sent_user_name(value)),
                value: value.to_lowercase(),
                by: By::UserName,
                probe: at,
                identity: Some(identity.clone()),
            });
        }
        wanted
    }

    /// Whether a user is the one that was looked for.
    fn fits(&self, wanted: &Wanted, user: &Value) -> bool {
        self.value_of(wanted.by, user).as_ref() == Some(&wanted.value)
    }

    /// What a user is looked up by.
    fn value_of(&self, by: By, user: &Value) -> Option<String> {
        match by {
            By::Key => user.get("externalId")?.as_str().map(str::to_owned),
            By::UserName => record::user_name(&self.shape, user).map(str::to_lowercase),
        }
    }

    /// The users that each filter gives, in order: one request each, or several in one where that was measured to be cheaper.
    async fn filtered(&self, wanted: &[&Wanted]) -> Result<Vec<Vec<Value>>, ReadError> {
        let mut all = Vec::with_capacity(wanted.len());
        let mut rest = wanted;
        while !rest.is_empty() {
            let joining = *self.joining.lock().unwrap_or_else(PoisonError::into_inner);
            let now = match joining {
                Joining::Cheap => rest.len(),
                _ if joining.is_to_be_tried() && rest.len() >= TRIAL => TRIAL,
                Joining::Never => rest.len(),
                Joining::Timing { .. } => rest.len().min(READS_AT_ONCE),
            };
            let (these, later) = rest.split_at(now);
            rest = later;
            match joining {
                Joining::Cheap => all.extend(self.joined(these).await?),
                _ if joining.is_to_be_tried() && these.len() == TRIAL => all.extend(self.tried(these).await?),
                Joining::Timing { .. } => all.extend(self.timed(these).await?),
                Joining::Never => all.extend(self.singly(these).await?),
            }
        }
        Ok(all)
    }

    /// One after the other, each timed.
    async fn timed(&self, wanted: &[&Wanted]) -> Result<Vec<Vec<Value>>, ReadError> {
        let mut all = Vec::with_capacity(wanted.len());
        for one in wanted {
            let began = Instant::now();
            all.push(self.single(one).await?);
            self.joining.lock().unwrap_or_else(PoisonError::into_inner).single(began.elapsed());
        }
        Ok(all)
    }

    async fn singly(&self, wanted: &[&Wanted]) -> Result<Vec<Vec<Value>>, ReadError> {
        try_together(wanted.iter().map(|one| self.single(one)).collect(), READS_AT_ONCE).await
    }

    /// The first joined look-up: what it gives has to be what the single ones give.
    async fn tried(&self, wanted: &[&Wanted]) -> Result<Vec<Vec<Value>>, ReadError> {
        let filters: Vec<String> = wanted.iter().map(|one| one.filter.clone()).collect();
        let began = Instant::now();
        let mut answers = Vec::new();
        for (_, filter) in join(&filters) {
            answers.push(self.service.try_get(&filter_path(&filter)).await.and_then(Page::read));
        }
        let took = began.elapsed();
        let single = self.timed(wanted).await?;
        let counts =
            |users: &[Value]| users.iter().filter(|user| wanted.iter().any(|one| self.fits(one, user))).count();
        let joined: Option<Vec<Page>> = answers.into_iter().collect();
        let is_right = joined.is_some_and(|pages| {
            let users: Vec<Value> = pages.into_iter().flat_map(|page| page.resources).collect();
            counts(&users) == single.iter().map(|users| counts(users)).sum::<usize>()
        });
        let mut joining = self.joining.lock().unwrap_or_else(PoisonError::into_inner);
        joining.tried(wanted.len(), is_right.then_some(took));
        tracing::debug!(joining = ?*joining, "A joined look-up was tried");
        Ok(single)
    }

    async fn joined(&self, wanted: &[&Wanted]) -> Result<Vec<Vec<Value>>, ReadError> {
        let filters: Vec<String> = wanted.iter().map(|one| one.filter.clone()).collect();
        let joined = join(&filters);
        let reads = joined.iter().map(|(_, filter)| self.by_filter(filter)).collect();
        let pages: Vec<Page> = try_together(reads, READS_AT_ONCE).await?;
        if pages.iter().any(Page::is_part) {
            *self.joining.lock().unwrap_or_else(PoisonError::into_inner) = Joining::Never;
            return self.singly(wanted).await;
        }
        let of = joined.iter().enumerate().flat_map(|(page, (terms, _))| std::iter::repeat_n(page, *terms));
        Ok(of.map(|page| pages[page].resources.clone()).collect())
    }

    /// The users that one look-up gives: all of them, for one value has one user, or a few where names are not unique.
    async fn single(&self, wanted: &Wanted) -> Result<Vec<Value>, ReadError> {
        let is_plain = self.shape.dialect.store.is_none();
        let page = match self.by_filter(&wanted.filter).await {
            Err(ReadError::Status { status: 400 | 403 | 405 | 501, .. }) if is_plain => {
                return Err(ReadError::Unfiltered);
            }
            page => page?,
        };
        let is_other = page.resources.len() > 1 && page.resources.iter().any(|user| !self.fits(wanted, user));
        // WSO2 reads some values as operators, which says nothing of other values (wso2-scim.md 2.8)
        if (page.is_part() || is_other) && is_plain {
            return Err(ReadError::Unfiltered);
        }
        Ok(page.resources)
    }

    async fn by_filter(&self, filter: &str) -> Result<Page, ReadError> {
        match self.service.page(&filter_path(filter)).await {
            // one who is not there is answered so by some; 501 is said of filters
            Err(ReadError::Status { status: 404 | 410, .. }) => Ok(Page::default()),
            page => page,
        }
    }

    /// Identities of other providers cannot be looked up; those of accounts that were found are read and compared.
    async fn add_federated(&self, probes: &[Probe], found: &mut [Found]) -> Result<(), ReadError> {
        let Some(associations) = &self.associations else { return Ok(()) };
        for (probe, found) in probes.iter().zip(found) {
            let wanted: Vec<&Identity> = probe.identities.iter().filter(|one| !one.is_local()).collect();
            if wanted.is_empty() {
                continue;
            }
            let mut ids = found.by_key.clone();
            for (_, id) in &found.by_identity {
                add_once(&mut ids, id.clone());
            }
            for (id, held) in ids.iter().zip(associations.read(&self.service, &ids).await?) {
                for one in held.unwrap_or_default() {
                    if let Some(identity) = wanted.iter().find(|wanted| wanted.canonical() == one.identity.canonical())
                    {
                        add_once(&mut found.by_identity, ((*identity).clone(), id.clone()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the total of a list may be believed.
    pub(super) fn totals(&self) -> Totals {
        if self.shape.dialect.store.is_some() { Totals::Doubted } else { Totals::Believed }
    }

    /// Reads a page of everything: ids, keys, user names.
    pub(super) async fn read_inventory(&self, cursor: Option<&Cursor>) -> Result<InventoryPage, TargetError> {
        let doing = "reading what the service holds";
        let trail = match cursor {
            None => self.first_page(),
            Some(cursor) => Trail::from_cursor(cursor).ok_or_else(|| ReadError::Shape.during(doing))?,
        };
        let (users, next) = self.everybody(&trail).await.map_err(|error| error.during(doing))?;
        let held = users.iter().filter_map(|user| record::inventory_item(&self.shape, user)).collect();
        Ok(InventoryPage { held, next: next.and_then(|next| next.to_cursor()) })
    }

    fn first_page(&self) -> Trail {
        if self.offers.cursor { Trail::by_cursor() } else { Trail::by_index() }
    }

    /// A page of everybody, and where the next one is.
    async fn everybody(&self, trail: &Trail) -> Result<(Vec<Value>, Option<Trail>), ReadError> {
        let path = format!("/Users?attributes={FEW}&{}", trail.query(self.offers.page));
        let page = self.service.page(&path).await?;
        match trail.step(&page, self.offers.page, self.totals()) {
            Step::Next(next) => Ok((page.resources, Some(next))),
            Step::End => Ok((page.resources, None)),
            Step::EndedBefore => Ok((Vec::new(), None)),
            Step::Circle => Err(ReadError::Circle),
        }
    }

    /// Reads accounts back with everything that is compared.
    pub(super) async fn read_accounts(&self, ids: &[TargetId]) -> Result<Vec<Option<Held>>, TargetError> {
        let doing = "reading accounts back";
        let read = async {
            let paths: Vec<String> = ids.iter().map(|id| format!("{}{}", user_path(id), self.without())).collect();
            let users = self.service.get_many(&paths).await?;
            let groups = self.membership(ids).await?;
            let associations = match &self.associations {
                Some(associations) => associations.read(&self.service, ids).await?,
                None => vec![None; ids.len()],
            };
            let all = users.into_iter().zip(associations).map(|(user, held)| {
                let user = user?;
                let identities = held.unwrap_or_default().into_iter().map(|one| one.identity).collect();
                let shows =
                    user.get("groups").is_some_and(|groups| groups.as_array().is_some_and(|list| !list.is_empty()));
                let listed = groups.as_ref().filter(|_| !shows).and_then(|groups| {
                    let names = groups.get(record::id(&user)?.0.as_str());
                    Some(names.map(|names| names.iter().cloned().collect()).unwrap_or_default())
                });
                record::held(&self.shape, &user, Beside { identities, groups: listed, roles: None })
            });
            Ok::<_, ReadError>(all.collect())
        };
        read.await.map_err(|error| error.during(doing))
    }

    /// What need not be read: at WSO2 who is in what takes longer than all the rest (wso2-scim.md 2.8).
    fn without(&self) -> &'static str {
        let is_wanted = self.config.groups != GroupUse::LeaveOut || self.config.roles;
        if self.shape.dialect.store.is_none() || is_wanted { "" } else { "?excludedAttributes=groups,roles" }
    }

    /// Who is in which group, where users do not say so themselves; WSO2's do (wso2-scim.md 2.8).
    async fn membership(&self, ids: &[TargetId]) -> Result<Option<Membership>, ReadError> {
        if self.config.groups == GroupUse::LeaveOut || self.shape.dialect.store.is_some() {
            return Ok(None);
        }
        match self.groups.membership(&self.service, &self.shape, self.offers.page).await {
            // groups that cannot be read one after the other are asked for each person
            Err(ReadError::Circle) => self.groups.of_each(&self.service, &self.shape, ids).await.map(Some),
            read => read.map(Some),
        }
    }
}

/// The query that looks users up.
fn filter_path(filter: &str) -> String {
    format!("/Users?filter={}&attributes={FEW}&count={TERMS}", encode(filter))
}

/// Where a user is.
pub(super) fn user_path(id: &TargetId) -> String {
    format!("/Users/{}", encode(&id.0))
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}
