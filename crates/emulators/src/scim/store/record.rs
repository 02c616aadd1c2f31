//! What the store keeps of one resource: its states, as far back as a read may look.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::clock::Micros;
use crate::scim::schema::Kind;

/// The number of a record.
pub(crate) type Slot = u32;

/// One state of a resource. The attributes are kept as text, which takes a fifth of the room that values do.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    text: Box<str>,
    /// Per link of the resource's type, the records that it leads to.
    pub(crate) links: Vec<Arc<BTreeSet<Slot>>>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// Counts the changes; the entity tag is made of it.
    pub(crate) version: u64,
}

impl Resource {
    /// A first state.
    pub(crate) fn new(data: &Map<String, Value>, links: Vec<Arc<BTreeSet<Slot>>>, at: Timestamp) -> Self {
        Self { text: text(data), links, created: at, modified: at, version: 1 }
    }

    /// The state after this one.
    pub(crate) fn next(&self, data: &Map<String, Value>, links: Vec<Arc<BTreeSet<Slot>>>, at: Timestamp) -> Self {
        Self { text: text(data), links, created: self.created, modified: at, version: self.version + 1 }
    }

    /// The attributes, without `id`, `schemas`, `meta` and what is linked.
    pub(crate) fn data(&self) -> Map<String, Value> {
        // our own text; it is valid
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Whether the other state says the same.
    pub(crate) fn says(&self, data: &Map<String, Value>, links: &[Arc<BTreeSet<Slot>>]) -> bool {
        self.text == text(data) && self.links == links
    }
}

fn text(data: &Map<String, Value>) -> Box<str> {
    serde_json::to_string(data).unwrap_or_default().into_boxed_str()
}

/// A value that a record is found by: the number of its path, and the value as it is compared.
pub(crate) type Key = (u16, Box<str>);

/// A state with the time since when it holds; without a resource it is deleted.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) since: Micros,
    pub(super) resource: Option<Arc<Resource>>,
    pub(super) keys: Vec<Key>,
}

/// A resource and its past.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: Box<str>,
    pub(super) kind: Kind,
    /// The oldest first; never empty.
    pub(super) versions: VecDeque<Version>,
}

impl Record {
    pub(super) fn latest(&self) -> Option<&Arc<Resource>> {
        self.versions.back().and_then(|version| version.resource.as_ref())
    }

    /// The state that held at a time.
    pub(super) fn at(&self, time: Micros) -> Option<&Arc<Resource>> {
        let version = self.versions.iter().rev().find(|version| version.since <= time);
        version.and_then(|version| version.resource.as_ref())
    }

    pub(super) fn has_key(&self, key: &Key) -> bool {
        self.versions.iter().any(|version| version.keys.contains(key))
    }
}
