//! Create, read, replace, patch and delete (RFC 7644 3.3, 3.4.1, 3.5, 3.6).

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::draft::Draft;
use super::incoming::{self, Leniency};
use super::patch;
use super::projection::Projection;
use super::view::{Viewer, entity_tag};
use crate::scim::answer::Answer;
use crate::scim::call::{Call, Outcome};
use crate::scim::product::{Change, Shown};
use crate::scim::quirk;
use crate::scim::refusal::Refusal;
use crate::scim::schema::attribute::{Mutability, Returned};
use crate::scim::schema::{Catalogue, Kind};
use crate::scim::store::{Resource, Slot, Store};

/// A list of names in a query parameter.
pub(crate) fn names(text: Option<&str>) -> Vec<String> {
    let names = text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(ToOwned::to_owned).collect()
}

impl Call<'_> {
    pub(crate) fn leniency(&self) -> Leniency {
        let quirks = self.service.quirks();
        Leniency {
            text_booleans: quirks.has(&quirk::TEXT_BOOLEANS),
            unknown_attributes: quirks.has(&quirk::UNKNOWN_ATTRIBUTES),
            ..self.service.profile.leniency
        }
    }

    fn projection(&self, kind: Kind) -> Result<Projection, Refusal> {
        let (only, without) = (self.item.parameter("attributes"), self.item.parameter("excludedAttributes"));
        Projection::new(&self.service.profile.catalogue, kind, &names(only), &names(without))
    }

    /// What resources are looked at with. Writes are answered as they left the resource.
    pub(crate) fn viewer<'s>(&'s self, store: &'s Store, seen_at: u64) -> Viewer<'s> {
        let is_relative = self.service.quirks().has(&quirk::RELATIVE_LOCATION);
        let base = if is_relative { "" } else { &self.item.base };
        let numeric_ids = self.service.quirks().has(&quirk::NUMERIC_IDS);
        Viewer { store, base, features: self.service.features, numeric_ids, seen_at }
    }

    pub(crate) fn show(&self, viewer: &Viewer<'_>, slot: Slot, resource: &Resource, projection: &Projection) -> Value {
        let kind = viewer.store.kind(slot);
        let catalogue = &viewer.store.catalogue;
        let view = viewer.view(slot, resource, projection.parts(catalogue, kind));
        let mut view = projection.apply(catalogue, kind, view);
        self.service.profile.product.show(self.service, kind, Shown::Alone, &mut view);
        Value::Object(view)
    }

    fn new_id(&self) -> String {
        let (id, quirks) = (Uuid::new_v4(), self.service.quirks());
        if quirks.has(&quirk::NUMERIC_IDS) {
            // as long as every reader of JSON can tell apart
            return (id.as_u128() >> 76).to_string();
        }
        if quirks.has(&quirk::ODD_IDS) { format!("{}@é%41", id.simple()) } else { id.to_string() }
    }

    /// `POST` of a resource.
    pub(crate) fn create(&self, kind: Kind) -> Outcome {
        let projection = self.projection(kind)?;
        let mut body = self.item.json()?;
        self.service.profile.product.incoming(self, kind, Change::Create, &mut body)?;
        let data = incoming::resource(&self.service.profile.catalogue, kind, body, self.leniency())?;
        let mut store = self.service.store();
        let draft = Draft::new(&store, kind, data)?;
        let draft = self.admissible(&store, kind, Change::Create, None, draft)?;
        let resource = Resource::new(&draft.data, draft.links, self.now.wall);
        let slot = store.insert(kind, self.new_id(), resource, self.now.micros);
        self.service.counters.creates.add(1);
        let mut answer = self.written(&store, slot, 201, &projection);
        answer.made = Some(store.id(slot).to_owned());
        if let Some(location) = &answer.location {
            answer.headers.push(("Location", location.clone()));
        }
        drop(store);
        self.service.profile.product.after(self, kind, Change::Create, &draft.data, &mut answer);
        if self.effects.accepted {
            return Ok(Answer::empty(202));
        }
        if self.service.quirks().has(&quirk::ERROR_AFTER_STORE) {
            return Err(Refusal::new(500, "Something went wrong."));
        }
        Ok(answer)
    }

    /// What may be stored of a draft: after the product's look at it, the required attributes and the check for doubles.
    fn admissible(
        &self,
        store: &Store,
        kind: Kind,
        change: Change,
        at: Option<Slot>,
        mut draft: Draft,
    ) -> Result<Draft, Refusal> {
        let before = at.and_then(|slot| store.latest(slot)).map(|resource| resource.data());
        let service = self.service;
        service.profile.product.before(service, kind, change, before.as_ref(), &mut draft.data)?;
        if service.quirks().has(&quirk::FORGETS_EXTERNAL_ID) {
            draft.data.remove("externalId");
        }
        incoming::required(&store.catalogue, kind, &draft.data)?;
        let with_case = service.quirks().has(&quirk::CASE_SENSITIVE_USER_NAMES);
        let is_clash = |attribute: &str, other: &Resource| {
            !with_case || attribute != "userName" || other.data().get(attribute) == draft.data.get(attribute)
        };
        if let Some(attribute) = store.taken(kind, &draft.data, at, self.now.micros, is_clash) {
            service.counters.conflicts.add(1);
            let refusal = service.profile.product.conflict(service, kind, &attribute, &draft.data);
            return Err(if service.quirks().has(&quirk::DUPLICATE_500) {
                Refusal::new(500, refusal.detail)
            } else if service.quirks().has(&quirk::DUPLICATE_WITHOUT_TYPE) {
                Refusal::new(409, refusal.detail)
            } else {
                refusal
            });
        }
        Ok(draft)
    }

    /// The answer to a change, with the resource as it is now.
    fn written(&self, store: &Store, slot: Slot, status: u16, projection: &Projection) -> Answer {
        let Some(resource) = store.latest(slot) else { return Answer::empty(204) };
        let viewer = self.viewer(store, u64::MAX);
        let mut answer = Answer::json(status, self.show(&viewer, slot, resource, projection));
        answer.location = Some(viewer.location(store.kind(slot), store.id(slot)));
        if self.service.features.etag {
            let tag = entity_tag(resource.version);
            answer.headers.push(("ETag", tag.clone()));
            answer.version = Some(tag);
        }
        answer
    }

    /// `GET` of a resource.
    pub(crate) fn read(&self, kind: Kind, id: &str) -> Outcome {
        let projection = self.projection(kind)?;
        let store = self.service.store();
        let seen_at = self.seen_at(&store);
        let slot = store.slot_of(kind, id).ok_or_else(|| self.missing(kind))?;
        let resource = store.seen(slot, seen_at).ok_or_else(|| self.missing(kind))?;
        let tag = entity_tag(resource.version);
        let is_known = self.item.header("if-none-match").is_some_and(|tags| matches_tag(tags, &tag));
        if self.service.features.etag && is_known {
            return Ok(Answer::empty(304).with("ETag", tag));
        }
        let viewer = self.viewer(&store, seen_at);
        let mut answer = Answer::json(200, self.show(&viewer, slot, resource, &projection));
        answer.location = Some(viewer.location(kind, id));
        if self.service.features.etag {
            answer.headers.push(("ETag", tag.clone()));
            answer.version = Some(tag);
        }
        Ok(answer)
    }

    fn missing(&self, kind: Kind) -> Refusal {
        Refusal::not_found(&format!("{} of this id", self.service.profile.catalogue.resource_type(kind).name))
    }

    /// The record of a resource that is to be changed, when it is in the version that the client wants.
    fn target(&self, store: &Store, kind: Kind, id: &str) -> Result<(Slot, Arc<Resource>), Refusal> {
        let slot = store.slot_of(kind, id).ok_or_else(|| self.missing(kind))?;
        let resource = store.latest(slot).cloned().ok_or_else(|| self.missing(kind))?;
        let tag = entity_tag(resource.version);
        let is_other = self.item.header("if-match").is_some_and(|tags| !matches_tag(tags, &tag));
        if self.service.features.etag && is_other {
            return Err(Refusal::new(412, "The resource has been changed since that version."));
        }
        Ok((slot, resource))
    }

    /// `PUT`
    pub(crate) fn replace(&self, kind: Kind, id: &str) -> Outcome {
        let projection = self.projection(kind)?;
        let mut body = self.item.json()?;
        self.service.profile.product.incoming(self, kind, Change::Replace, &mut body)?;
        let mut data = incoming::resource(&self.service.profile.catalogue, kind, body, self.leniency())?;
        let mut store = self.service.store();
        let (slot, before) = self.target(&store, kind, id)?;
        keep(&store.catalogue, kind, &before.data(), &mut data)?;
        if self.service.quirks().has(&quirk::PUT_KEEPS) {
            for (name, value) in before.data() {
                data.entry(name).or_insert(value);
            }
        }
        let draft = Draft::new(&store, kind, data)?;
        self.store_change(&mut store, slot, &before, Change::Replace, draft, &projection)
    }

    /// `PATCH`
    pub(crate) fn patch(&self, kind: Kind, id: &str) -> Outcome {
        if !self.service.features.patch {
            return Err(Refusal::new(501, "PATCH is not supported."));
        }
        let projection = self.projection(kind)?;
        let mut body = self.item.json()?;
        self.service.profile.product.incoming(self, kind, Change::Patch, &mut body)?;
        let operations = patch::operations(body, self.leniency())?;
        let mut store = self.service.store();
        let (slot, before) = self.target(&store, kind, id)?;
        let viewer = self.viewer(&store, u64::MAX);
        let patcher = patch::Patcher { viewer: &viewer, kind, leniency: self.leniency() };
        let mut draft = Draft::of(&before);
        for operation in operations {
            patcher.apply(operation, &mut draft)?;
        }
        self.store_change(&mut store, slot, &before, Change::Patch, draft, &projection)
    }

    fn store_change(
        &self,
        store: &mut Store,
        slot: Slot,
        before: &Resource,
        change: Change,
        draft: Draft,
        projection: &Projection,
    ) -> Outcome {
        let kind = store.kind(slot);
        let draft = self.admissible(store, kind, change, Some(slot), draft)?;
        let Draft { data, links } = draft;
        if !before.says(&data, &links) {
            store.write(slot, Some(before.next(&data, links, self.now.wall)), self.now.micros);
        }
        let mut answer = self.written(store, slot, 200, projection);
        self.service.profile.product.after(self, kind, change, &data, &mut answer);
        if change == Change::Patch && self.service.quirks().has(&quirk::PATCH_204) {
            (answer.status, answer.body) = (204, None);
        }
        Ok(answer)
    }

    /// `DELETE`
    pub(crate) fn delete(&self, kind: Kind, id: &str) -> Outcome {
        let mut store = self.service.store();
        let (slot, resource) = self.target(&store, kind, id)?;
        self.service.profile.product.before_delete(self.service, kind, &resource.data())?;
        let location = self.viewer(&store, u64::MAX).location(kind, id);
        store.write(slot, None, self.now.micros);
        let mut answer = Answer::empty(204);
        answer.location = Some(location);
        Ok(answer)
    }
}

/// What a replace leaves as it is: what clients never see, so cannot send back; and immutable attributes, which may not
/// become others (RFC 7644 3.5.1).
fn keep(
    catalogue: &Catalogue,
    kind: Kind,
    before: &Map<String, Value>,
    data: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    for attribute in catalogue.core(kind) {
        let Some(value) = before.get(&attribute.name) else { continue };
        match data.get(&attribute.name) {
            None if attribute.returned == Returned::Never || attribute.mutability == Mutability::Immutable => {
                data.insert(attribute.name.clone(), value.clone());
            }
            Some(other) if attribute.mutability == Mutability::Immutable && other != value => {
                return Err(Refusal::bad("mutability", format!("{} cannot be changed.", attribute.name)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a list of entity tags has this one; weak ones are compared by what they stand for (RFC 9110 13.1).
fn matches_tag(tags: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    tags.split(',').any(|candidate| candidate.trim() == "*" || opaque(candidate) == opaque(tag))
}
