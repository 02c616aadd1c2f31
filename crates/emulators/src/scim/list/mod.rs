//! Many resources: `GET` of a collection and `POST …/.search` (RFC 7644 3.4.2, 3.4.3), paged by index or by cursor
//! (RFC 9865).

mod cursor;
mod query;
mod sort;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::{Call, Outcome};
use super::filter::{self, Filter};
use super::product::Shown;
use super::quirk;
use super::refusal::Refusal;
use super::resource::projection::Projection;
use super::resource::view::{Parts, Viewer};
use super::schema::{Kind, LIST_RESPONSE};
use super::store::{Slot, Store};
pub(crate) use cursor::Cursors;
use cursor::Walk;
pub(crate) use query::{ListQuery, Page};

/// Resources of a page under the quirk [`quirk::COUNT_CLAMPED`].
const CLAMPED: usize = 10;

/// What was found of a page.
struct Found {
    slots: Vec<Slot>,
    total: usize,
    /// Members of the answer about the page.
    members: Map<String, Value>,
}

impl Call<'_> {
    /// `GET` of a collection; `None` is the base itself, where resources of all types are.
    pub(crate) fn list(&self, kind: Option<Kind>) -> Outcome {
        let query = ListQuery::from_parameters(self.item)?;
        self.listed(kind, query)
    }

    /// `POST …/.search`
    pub(crate) fn search(&self, kind: Option<Kind>) -> Outcome {
        let query = ListQuery::from_body(self.item.json()?, self.leniency())?;
        self.listed(kind, query)
    }

    /// When a read happens, as far as the store is concerned.
    pub(crate) fn seen_at(&self, store: &Store) -> u64 {
        self.now.micros.saturating_sub(store.delays.read).saturating_sub(self.effects.stale)
    }

    fn listed(&self, kind: Option<Kind>, mut query: ListQuery) -> Outcome {
        let (service, product) = (self.service, &self.service.profile.product);
        product.list(self, kind, &mut query)?;
        self.suits(&query)?;
        let catalogue = &service.profile.catalogue;
        let kinds: Vec<Kind> = kind.map_or_else(|| (0..catalogue.types().len()).collect(), |kind| vec![kind]);
        let filter = self.filter(kind, &query)?;
        let store = service.store();
        let seen_at = self.seen_at(&store);
        let viewer = self.viewer(&store, seen_at);
        let mut found = self.page(&viewer, &kinds, filter.as_ref(), &query)?;
        let mut resources = Vec::with_capacity(found.slots.len());
        for slot in &found.slots {
            let kind = store.kind(*slot);
            let projection = Projection::new(catalogue, kind, &query.attributes, &query.excluded)?;
            let Some(resource) = store.seen(*slot, seen_at) else { continue };
            let view = viewer.view(*slot, resource, projection.parts(catalogue, kind));
            let mut view = projection.apply(catalogue, kind, view);
            product.show(service, kind, Shown::Listed, &mut view);
            resources.push(Value::Object(view));
        }
        let quirks = service.quirks();
        let total = if quirks.has(&quirk::TOTAL_IS_PAGE) { resources.len() } else { found.total };
        let mut body = Map::new();
        body.insert("schemas".to_owned(), json!([LIST_RESPONSE]));
        body.insert("totalResults".to_owned(), json!(total));
        body.insert("itemsPerPage".to_owned(), json!(resources.len()));
        body.append(&mut found.members);
        let name = if quirks.has(&quirk::LOWER_CASE_LIST) { "resources" } else { "Resources" };
        body.insert(name.to_owned(), Value::Array(resources));
        drop(store);
        product.listed(self, kind, &mut body);
        Ok(Answer::json(200, Value::Object(body)))
    }

    /// Refuses what the service announces not to do.
    fn suits(&self, query: &ListQuery) -> Result<(), Refusal> {
        let features = self.service.features;
        let unsupported = |what: &str| Err(Refusal::new(501, format!("{what} is not supported.")));
        if query.sort_by.is_some() && !features.sort {
            return unsupported("Sorting");
        }
        if query.filter.is_some() && !features.filter {
            return unsupported("Filtering");
        }
        if matches!(query.page, Page::Cursor(_)) && !features.cursor_paging {
            return unsupported("Paging by cursor");
        }
        Ok(())
    }

    fn filter(&self, kind: Option<Kind>, query: &ListQuery) -> Result<Option<Filter>, Refusal> {
        let quirks = self.service.quirks();
        let Some(text) = &query.filter else { return Ok(None) };
        if quirks.has(&quirk::FILTER_FORBIDDEN) {
            return Err(filter::invalid("this service does not know it"));
        }
        let filter = filter::parse(text)?;
        // at the base an attribute that a type lacks has no value there, whichever type that is
        if let Some(kind) = kind {
            filter.check(&self.service.profile.catalogue, kind)?;
        }
        let is_ignored = self.effects.ignore_filter || quirks.has(&quirk::FILTER_IGNORED);
        Ok((!is_ignored).then_some(filter))
    }

    fn page(
        &self,
        viewer: &Viewer<'_>,
        kinds: &[Kind],
        filter: Option<&Filter>,
        query: &ListQuery,
    ) -> Result<Found, Refusal> {
        let quirks = self.service.quirks();
        let limits = self.service.limits;
        let most = if quirks.has(&quirk::COUNT_CLAMPED) { CLAMPED } else { limits.max_results };
        let count = query.count.unwrap_or(limits.default_page).min(most);
        let is_first_only = quirks.has(&quirk::PAGING_IGNORED);
        let count = if is_first_only { limits.default_page.min(most) } else { count };
        let by_cursor = quirks.has(&quirk::CURSOR_ONLY) || !self.service.features.index_paging;
        match &query.page {
            Page::Cursor(cursor) if !is_first_only => self.by_cursor(viewer, kinds, filter, query, cursor, count),
            Page::Index(_) if by_cursor && !is_first_only => self.by_cursor(viewer, kinds, filter, query, "", count),
            page => {
                let all = self.matching(viewer, kinds, filter, query);
                let start = match page {
                    Page::Index(start) if !is_first_only => *start,
                    _ => 1,
                };
                if start > 1 && start > all.len() && quirks.has(&quirk::REFUSES_BEHIND) {
                    return Err(Refusal::bad("invalidValue", "There is no such page."));
                }
                let from = (start - 1).min(all.len());
                // the page before once more
                let from = if self.effects.repeat_page { from.saturating_sub(count) } else { from };
                let slots = all.iter().skip(from).take(count).copied().collect();
                let members = Map::from_iter([("startIndex".to_owned(), json!(start))]);
                Ok(Found { slots, total: all.len(), members })
            }
        }
    }

    fn by_cursor(
        &self,
        viewer: &Viewer<'_>,
        kinds: &[Kind],
        filter: Option<&Filter>,
        query: &ListQuery,
        cursor: &str,
        count: usize,
    ) -> Result<Found, Refusal> {
        let mut cursors = self.service.cursors();
        let now = self.now.micros;
        let walk = if cursor.is_empty() {
            let all: Arc<[Slot]> = self.matching(viewer, kinds, filter, query).into();
            Walk { all, at: 0, query: query.fingerprint(), since: now }
        } else {
            let walk = cursors.find(cursor, now, self.service.limits.cursor_timeout)?;
            if walk.query != query.fingerprint() {
                return Err(Refusal::bad("invalidCursor", "The cursor is of a request with other parameters."));
            }
            walk
        };
        let end = walk.all.len().min(walk.at + count);
        let slots = walk.all[walk.at..end].to_vec();
        let mut members = Map::new();
        if self.effects.repeat_page && !cursor.is_empty() {
            members.insert("nextCursor".to_owned(), Value::from(cursor));
        } else if end < walk.all.len() && count > 0 {
            members.insert(
                "nextCursor".to_owned(),
                Value::from(cursors.add(Walk { at: end, since: now, ..walk.clone() })),
            );
        }
        if walk.at > 0 {
            let at = walk.at.saturating_sub(count);
            members
                .insert("previousCursor".to_owned(), Value::from(cursors.add(Walk { at, since: now, ..walk.clone() })));
        }
        Ok(Found { slots, total: walk.all.len(), members })
    }

    /// Everything that passes the filter, in the order that is wanted.
    fn matching(&self, viewer: &Viewer<'_>, kinds: &[Kind], filter: Option<&Filter>, query: &ListQuery) -> Vec<Slot> {
        let store = viewer.store;
        let with_case = self.service.quirks().has(&quirk::CASE_SENSITIVE_USER_NAMES);
        let catalogue = if with_case { &self.service.exact_names } else { &*store.catalogue };
        let mut found = Vec::new();
        for kind in kinds {
            let parts = filter.map_or(Parts { links: false, back: false }, |filter| needed(store, *kind, filter));
            for slot in store.candidates(*kind, filter) {
                let Some(resource) = store.seen(slot, viewer.seen_at) else { continue };
                let passes =
                    |filter: &Filter| filter::passes(filter, catalogue, *kind, &viewer.view(slot, resource, parts));
                if filter.is_none_or(passes) {
                    found.push(slot);
                }
            }
        }
        if let Some(by) = &query.sort_by {
            sort::sort(viewer, &mut found, by, query.is_descending);
        }
        found
    }
}

/// The costly parts that a filter looks at.
fn needed(store: &Store, kind: Kind, filter: &Filter) -> Parts {
    let links = &store.catalogue.resource_type(kind).links;
    let mut back = store.catalogue.types().iter().flat_map(|other| &other.links).filter_map(|link| link.back.as_ref());
    Parts {
        links: links.iter().any(|link| filter.mentions(&link.attribute)),
        back: back.any(|name| filter.mentions(name)),
    }
}
