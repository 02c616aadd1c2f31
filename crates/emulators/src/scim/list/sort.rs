//! `sortBy` and `sortOrder` (RFC 7644 3.4.2.3).

use std::cmp::Ordering;

use serde_json::Value;

use crate::scim::filter::{compare_values, values};
use crate::scim::resource::view::{Parts, Viewer};
use crate::scim::schema::attribute::Attribute;
use crate::scim::schema::{Place, Spot};
use crate::scim::store::Slot;

/// Puts resources in order. Of several values the primary one counts, else the first; resources without a value come
/// last, when descending first. An attribute that a type lacks has no value.
pub(super) fn sort(viewer: &Viewer<'_>, slots: &mut Vec<Slot>, by: &str, is_descending: bool) {
    let mut keyed: Vec<(Option<(Value, &Attribute)>, Slot)> =
        slots.iter().map(|slot| (key(viewer, *slot, by), *slot)).collect();
    keyed.sort_by(|(one, _), (other, _)| {
        let order = match (one, other) {
            (Some((one, attribute)), Some((other, _))) => {
                compare_values(attribute, one, other).unwrap_or(Ordering::Equal)
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if is_descending { order.reverse() } else { order }
    });
    *slots = keyed.into_iter().map(|(_, slot)| slot).collect();
}

fn key<'v>(viewer: &'v Viewer<'_>, slot: Slot, by: &str) -> Option<(Value, &'v Attribute)> {
    let store = viewer.store;
    let Some(Place::Attribute(spot)) = store.catalogue.resolve(store.kind(slot), by) else { return None };
    let resource = store.seen(slot, viewer.seen_at)?;
    let view = viewer.view(slot, resource, Parts { links: false, back: false });
    let whole = values(&Spot { sub: None, ..spot }, &view);
    let value = whole.iter().find(|value| value["primary"] == true).or_else(|| whole.first())?;
    let leaf = spot.sub.or_else(|| spot.attribute.sub("value")).unwrap_or(spot.attribute);
    let value = if value.is_object() { value.get(&leaf.name)? } else { value };
    Some((value.clone(), leaf))
}
