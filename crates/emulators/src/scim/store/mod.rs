//! What the service holds: resources of all types in one table, with the indices that keep a look-up quick among a
//! hundred thousand.
//!
//! A write holds at once; reads see it after the read delay, and a stale read sees the table as it was earlier still.
//! References between resources (`members`) are sets of record numbers, so that a large group is neither parsed nor
//! written anew when a member comes.

mod index;
mod record;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value};

use self::index::Index;
use self::record::{Record, Version};
use super::filter::Filter;
use super::schema::{Catalogue, Kind};
use crate::clock::Micros;

pub(crate) use record::{Resource, Slot};

/// How reads lag behind writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Delays {
    /// Until a write shows in reads.
    pub(crate) read: Micros,
    /// How much older a stale read may be.
    pub(crate) stale: Micros,
    /// Whether uniqueness is checked against what reads show.
    pub(crate) lagging_uniqueness: bool,
}

/// The table.
pub(crate) struct Store {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) delays: Delays,
    records: Vec<Record>,
    by_id: HashMap<Box<str>, Slot>,
    by_kind: Vec<Vec<Slot>>,
    index: Index,
    /// By record, who links to it: (the linking record, the number of its link).
    linked_from: HashMap<Slot, BTreeSet<(Slot, usize)>>,
}

impl Store {
    pub(crate) fn new(catalogue: Arc<Catalogue>, delays: Delays) -> Self {
        let index = Index::new(&catalogue);
        let by_kind = vec![Vec::new(); catalogue.types().len()];
        let (records, by_id, linked_from) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { catalogue, delays, records, by_id, by_kind, index, linked_from }
    }

    /// The record of an id, whatever has become of it.
    pub(crate) fn slot(&self, id: &str) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// The record of an id of this type.
    pub(crate) fn slot_of(&self, kind: Kind, id: &str) -> Option<Slot> {
        self.slot(id).filter(|slot| self.kind(*slot) == kind)
    }

    fn record(&self, slot: Slot) -> &Record {
        &self.records[slot as usize]
    }

    pub(crate) fn kind(&self, slot: Slot) -> Kind {
        self.record(slot).kind
    }

    pub(crate) fn id(&self, slot: Slot) -> &str {
        &self.record(slot).id
    }

    /// As the last write left it.
    pub(crate) fn latest(&self, slot: Slot) -> Option<&Arc<Resource>> {
        self.record(slot).latest()
    }

    /// As a read sees it that begins now.
    pub(crate) fn seen(&self, slot: Slot, at: Micros) -> Option<&Arc<Resource>> {
        self.record(slot).at(at)
    }

    /// All records of a type, the oldest first, deleted ones too.
    pub(crate) fn all(&self, kind: Kind) -> &[Slot] {
        &self.by_kind[kind]
    }

    /// The records among which those that pass the filter are, the oldest first.
    pub(crate) fn candidates(&self, kind: Kind, filter: Option<&Filter>) -> Vec<Slot> {
        let found = filter.and_then(|filter| self.index.candidates(&self.catalogue, kind, filter));
        found.unwrap_or_else(|| self.all(kind).to_vec())
    }

    /// Who links to a record now.
    pub(crate) fn linked_from(&self, slot: Slot) -> impl Iterator<Item = (Slot, usize)> {
        self.linked_from.get(&slot).into_iter().flatten().copied()
    }

    /// The unique attribute of these values that another resource has already. `is_clash` is asked about each other
    /// resource whose value is equal as the attribute is compared.
    pub(crate) fn taken(
        &self,
        kind: Kind,
        data: &Map<String, Value>,
        by: Option<Slot>,
        now: Micros,
        is_clash: impl Fn(&str, &Resource) -> bool,
    ) -> Option<String> {
        let at = if self.delays.lagging_uniqueness { now.saturating_sub(self.delays.read) } else { Micros::MAX };
        let keys = self.index.keys(kind, data);
        for (number, path) in self.index.unique(kind) {
            let holds = |slot: Slot, key: &record::Key| {
                let record = self.record(slot);
                let seen = record.versions.iter().rev().find(|version| version.since <= at);
                let seen =
                    seen.filter(|version| version.keys.contains(key)).and_then(|version| version.resource.as_ref());
                seen.is_some_and(|resource| is_clash(&path.name, resource))
            };
            let mut own = keys.iter().filter(|key| key.0 == number);
            if own.any(|key| self.index.slots(key).iter().any(|slot| Some(*slot) != by && holds(*slot, key))) {
                return Some(path.name.clone());
            }
        }
        None
    }

    /// Adds a resource under an id that nobody has.
    pub(crate) fn insert(&mut self, kind: Kind, id: String, resource: Resource, now: Micros) -> Slot {
        // 4 billion resources do not fit in memory
        let slot = Slot::try_from(self.records.len()).unwrap_or(Slot::MAX);
        let id = id.into_boxed_str();
        self.by_id.insert(id.clone(), slot);
        self.by_kind[kind].push(slot);
        self.records.push(Record { id, kind, versions: VecDeque::with_capacity(1) });
        self.write(slot, Some(resource), now);
        slot
    }

    /// Writes the next state of a record; `None` deletes it, and takes it out of whatever links to it.
    pub(crate) fn write(&mut self, slot: Slot, resource: Option<Resource>, now: Micros) {
        let kind = self.kind(slot);
        let keys = resource.as_ref().map(|resource| self.index.keys(kind, &resource.data())).unwrap_or_default();
        for key in &keys {
            self.index.add(key, slot);
        }
        let before = self.latest(slot).cloned();
        self.relink(slot, before.as_deref(), resource.as_ref());
        let is_deleted = resource.is_none();
        let resource = resource.map(Arc::new);
        self.records[slot as usize].versions.push_back(Version { since: now, resource, keys });
        self.forget(slot, now);
        if is_deleted {
            self.unlink(slot, now);
        }
    }

    fn relink(&mut self, slot: Slot, before: Option<&Resource>, after: Option<&Resource>) {
        let nothing = Arc::new(BTreeSet::new());
        let count = before.map_or(0, |resource| resource.links.len()).max(after.map_or(0, |now| now.links.len()));
        for number in 0..count {
            let of = |resource: Option<&Resource>| {
                resource.and_then(|resource| resource.links.get(number)).unwrap_or(&nothing).clone()
            };
            let (before, after) = (of(before), of(after));
            if Arc::ptr_eq(&before, &after) {
                continue;
            }
            for gone in before.difference(&after) {
                if let Some(from) = self.linked_from.get_mut(gone) {
                    from.remove(&(slot, number));
                }
            }
            for new in after.difference(&before) {
                self.linked_from.entry(*new).or_default().insert((slot, number));
            }
        }
    }

    /// A resource that is gone is a member of nothing.
    fn unlink(&mut self, slot: Slot, now: Micros) {
        for (from, number) in self.linked_from.remove(&slot).unwrap_or_default() {
            let Some(holder) = self.latest(from).cloned() else { continue };
            let mut links = holder.links.clone();
            if let Some(link) = links.get_mut(number) {
                Arc::make_mut(link).remove(&slot);
            }
            let next = holder.next(&holder.data(), links, holder.modified);
            self.write(from, Some(next), now);
        }
    }

    /// Drops the states that no read can see any more.
    fn forget(&mut self, slot: Slot, now: Micros) {
        let oldest = now.saturating_sub(self.delays.read + self.delays.stale);
        loop {
            let record = &mut self.records[slot as usize];
            let is_hidden = record.versions.get(1).is_some_and(|next| next.since <= oldest);
            if !is_hidden {
                return;
            }
            let Some(dropped) = record.versions.pop_front() else { return };
            for key in dropped.keys {
                if !self.records[slot as usize].has_key(&key) {
                    self.index.remove(&key, slot);
                }
            }
        }
    }
}
