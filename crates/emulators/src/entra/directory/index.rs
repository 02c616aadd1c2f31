//! Finding users by value without looking at all of them.
//!
//! One map from the hash of (property, value without case) to the users that have or had that value. It only proposes
//! candidates: whoever asks compares the value itself, so neither an old entry nor two values with one hash can lie.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::user::User;

/// The number of a user in the directory's list.
pub(crate) type Slot = u32;

/// What is looked for: a property and a value, hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

impl Key {
    /// The key of a text property.
    pub(crate) fn of(property: &str, value: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        property.hash(&mut hasher);
        if value.is_ascii() {
            value.bytes().for_each(|byte| byte.to_ascii_lowercase().hash(&mut hasher));
        } else {
            value.to_lowercase().bytes().for_each(|byte| byte.hash(&mut hasher));
        }
        Self(hasher.finish())
    }

    /// The key of an identity's `issuerAssignedId`, whatever its issuer.
    pub(crate) fn of_identity(assigned_id: &str) -> Self {
        Self::of("identities", assigned_id)
    }
}

/// Text properties that are indexed, beside identities and every extension property that holds a text.
pub(crate) const INDEXED: [&str; 4] = ["displayName", "mail", "mailNickname", "userPrincipalName"];

/// Whether `eq` on this property can use the index.
pub(crate) fn is_indexed(property: &str) -> bool {
    INDEXED.contains(&property) || property.starts_with("extension_")
}

#[derive(Debug)]
enum Slots {
    One(Slot),
    /// Sorted: a new user has the highest number, so that adding one is cheap however many share the value.
    Many(Vec<Slot>),
}

/// The map. Entries go when the last version of a user that has the value goes.
#[derive(Debug, Default)]
pub(crate) struct Index(HashMap<Key, Slots>);

impl Index {
    pub(crate) fn candidates(&self, key: Key) -> &[Slot] {
        match self.0.get(&key) {
            None => &[],
            Some(Slots::One(slot)) => std::slice::from_ref(slot),
            Some(Slots::Many(slots)) => slots,
        }
    }

    pub(crate) fn add(&mut self, key: Key, slot: Slot) {
        use std::collections::hash_map::Entry;
        match self.0.entry(key) {
            Entry::Vacant(free) => drop(free.insert(Slots::One(slot))),
            Entry::Occupied(mut taken) => match taken.get_mut() {
                Slots::One(known) if *known == slot => {}
                Slots::One(known) => {
                    let pair = vec![slot.min(*known), slot.max(*known)];
                    taken.insert(Slots::Many(pair));
                }
                Slots::Many(slots) => {
                    if let Err(place) = slots.binary_search(&slot) {
                        slots.insert(place, slot);
                    }
                }
            },
        }
    }

    pub(crate) fn remove(&mut self, key: Key, slot: Slot) {
        match self.0.get_mut(&key) {
            Some(Slots::One(known)) if *known == slot => drop(self.0.remove(&key)),
            Some(Slots::Many(slots)) => {
                if let Ok(place) = slots.binary_search(&slot) {
                    slots.remove(place);
                }
            }
            _ => {}
        }
    }
}

/// Every key of a user.
pub(crate) fn keys_of(user: &User) -> impl Iterator<Item = Key> {
    let properties = user.properties.iter().filter(|(name, _)| is_indexed(name));
    let texts = properties.filter_map(|(name, value)| Some(Key::of(name, value.as_str()?)));
    let mails = user.get("otherMails").and_then(Value::as_array).into_iter().flatten();
    let mails = mails.filter_map(|mail| Some(Key::of("otherMails", mail.as_str()?)));
    texts.chain(mails).chain(user.identities.iter().map(|identity| Key::of_identity(&identity.assigned_id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_many_share_stays_sorted_and_loses_only_who_leaves() {
        let (mut index, key) = (Index::default(), Key::of("displayName", "Ana"));
        for slot in [3, 1, 2, 3, 9] {
            index.add(key, slot);
        }
        assert_eq!(index.candidates(Key::of("displayName", "ANA")), [1, 2, 3, 9]);
        index.remove(key, 2);
        index.remove(key, 7);
        assert_eq!(index.candidates(key), [1, 3, 9]);
        assert!(index.candidates(Key::of("mail", "Ana")).is_empty());
    }

    #[test]
    fn a_hundred_thousand_namesakes_are_no_burden() {
        let (mut index, key) = (Index::default(), Key::of("displayName", "Ana"));
        (0..100_000).for_each(|slot| index.add(key, slot));
        assert_eq!(index.candidates(key).len(), 100_000);
    }
}
