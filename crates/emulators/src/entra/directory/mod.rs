//! The directory: users, their visibility to reads, uniqueness, and the extension properties.
//!
//! Start at [`Directory`]. `rules.rs` checks a body by itself, [`Directory::create`] and its sisters check it against
//! the other users and carry it out. Every write shows in reads only after the read delay; `record.rs` keeps both
//! sides of that.

mod changes;
pub(crate) mod extension;
mod identity;
pub(crate) mod index;
pub(crate) mod property;
pub(crate) mod record;
pub(crate) mod rules;
pub(crate) mod seed;
pub(crate) mod text;
pub(crate) mod user;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use self::changes::Changes;
use self::extension::Extensions;
use self::index::{Index, Key, Slot, keys_of};
use self::record::{Life, Record};
use self::rules::{Change, shared};
use self::user::{Identity, IdentityKind, Name, User, same_text};
use super::options::Kind;
use super::refusal::Refusal;
use super::scenario::Switches;
use super::tenant::TenantNames;
use crate::clock::{Micros, Now, graph_time};

/// How the directory behaves towards reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delays {
    /// Until a write shows in reads.
    pub(crate) read: Micros,
    /// How much older than that a read may be asked to be, by a fault.
    pub(crate) stale: Micros,
    /// Whether uniqueness checks see only what reads see.
    pub(crate) lagging_uniqueness: bool,
}

/// The users of the tenant.
pub(crate) struct Directory {
    records: Vec<Record>,
    by_id: HashMap<Uuid, Slot>,
    index: Index,
    pub(crate) changes: Changes,
    pub(crate) extensions: Extensions,
    delays: Delays,
    pub(crate) kind: Kind,
    pub(crate) names: Arc<TenantNames>,
    pub(crate) switches: Arc<Switches>,
    object_quota: u64,
    pub(crate) counts: Counts,
}

/// How many users there are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) live: u64,
    pub(crate) deleted: u64,
    pub(crate) gone: u64,
}

impl Directory {
    pub(crate) fn new(
        kind: Kind,
        names: Arc<TenantNames>,
        switches: Arc<Switches>,
        delays: Delays,
        object_quota: u64,
    ) -> Self {
        Self {
            records: Vec::new(),
            by_id: HashMap::new(),
            index: Index::default(),
            changes: Changes::default(),
            extensions: Extensions::default(),
            delays,
            kind,
            names,
            switches,
            object_quota,
            counts: Counts::default(),
        }
    }

    /// The rules for a body that arrives now.
    pub(crate) fn rules(&self, now: Micros) -> rules::Rules<'_> {
        rules::Rules {
            kind: self.kind,
            names: &self.names,
            switches: &self.switches,
            extensions: &self.extensions,
            now,
        }
    }

    /// Objects that count against the quota, and the quota: deleted users in full while they can be restored, then a
    /// quarter (`entra.md` 4.10).
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.counts.live + self.counts.deleted + self.counts.gone / 4, self.object_quota)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn record(&self, slot: Slot) -> Option<&Record> {
        self.records.get(slot as usize)
    }

    /// The user that reads show under this id or user principal name at `at`.
    pub(crate) fn seen(&self, key: &str, at: Micros) -> Option<(Slot, &Arc<User>)> {
        if let Ok(id) = Uuid::parse_str(key) {
            let slot = *self.by_id.get(&id)?;
            return Some((slot, self.seen_live(slot, at)?));
        }
        let slots = self.index.candidates(Key::of("userPrincipalName", key)).iter();
        slots
            .filter_map(|slot| Some((*slot, self.seen_live(*slot, at)?)))
            .find(|(_, user)| same_text(user.text("userPrincipalName"), key))
    }

    /// The live user that reads show in a slot.
    pub(crate) fn seen_live(&self, slot: Slot, at: Micros) -> Option<&Arc<User>> {
        self.record(slot)?.seen(at)?.live()
    }

    /// The slot of an id, whatever became of the user.
    pub(crate) fn slot(&self, id: &str) -> Option<Slot> {
        self.by_id.get(&Uuid::parse_str(id).ok()?).copied()
    }

    /// Users that may have a value; see [`index`].
    pub(crate) fn candidates(&self, key: Key) -> &[Slot] {
        self.index.candidates(key)
    }

    /// Creates a user from a checked body.
    pub(crate) fn create(&mut self, change: Change, now: Now) -> Result<Arc<User>, Refusal> {
        let (count, quota) = self.size();
        if count >= quota {
            return Err(Refusal::quota_exceeded());
        }
        let user = self.complete(change, now);
        self.check_unique(&user, None, now.micros)?;
        Ok(self.insert(user, now.micros + self.delays.read))
    }

    /// Puts a user in, shown to reads from `from` on.
    pub(crate) fn insert(&mut self, user: User, from: Micros) -> Arc<User> {
        let user = Arc::new(user);
        let slot = Slot::try_from(self.records.len()).unwrap_or(Slot::MAX);
        if let Ok(id) = Uuid::parse_str(&user.id) {
            self.by_id.insert(id, slot);
        }
        for key in keys_of(&user) {
            self.index.add(key, slot);
        }
        self.records.push(Record::new(Life::Live(Arc::clone(&user)), from));
        self.changes.note(from, slot);
        self.counts.live += 1;
        user
    }

    /// What the directory itself adds to a new user.
    fn complete(&self, change: Change, now: Now) -> User {
        let id = Uuid::new_v4();
        let consumer = change.identities.is_some();
        let mut user = User {
            id: Name::from(id.to_string()),
            properties: Vec::with_capacity(change.properties.len() + 6),
            identities: change.identities.unwrap_or_default(),
            password: change.password,
            last_sign_in: None,
            roles: Vec::new(),
        };
        user.properties.extend(change.properties.into_iter().filter(|(_, value)| !value.is_null()));
        let named = user.identities.iter().find(|one| one.kind() == IdentityKind::PrincipalName);
        if let Some(named) = named.map(|one| Value::from(&*one.assigned_id)) {
            user.set(&shared("userPrincipalName"), named);
        }
        if user.get("userPrincipalName").is_none() {
            let name = format!("{id}@{}", self.names.initial_domain);
            user.set(&shared("userPrincipalName"), Value::from(name));
        }
        let at = Value::from(graph_time(now.wall));
        user.set(&shared("createdDateTime"), at.clone());
        if user.password.is_some() {
            user.set(&shared("lastPasswordChangeDateTime"), at);
        }
        if consumer && user.has_local_identity() {
            user.set(&shared("creationType"), Value::from("LocalAccount"));
        }
        self.default_properties(&mut user);
        user
    }

    /// Fills in what every user has and what was not given.
    pub(crate) fn default_properties(&self, user: &mut User) {
        let name = user.text("userPrincipalName").to_owned();
        let nickname = name.split('@').next().unwrap_or_default().to_owned();
        let defaults = [
            ("mailNickname", Value::from(nickname)),
            ("accountEnabled", Value::from(true)),
            ("userType", Value::from("Member")),
        ];
        for (property, value) in defaults {
            if user.get(property).is_none() {
                user.set(&shared(property), value);
            }
        }
        self.name_identity(user);
    }

    /// Keeps the identity that mirrors the user principal name.
    fn name_identity(&self, user: &mut User) {
        let name: Box<str> = user.text("userPrincipalName").into();
        match user.identities.iter_mut().find(|one| one.kind() == IdentityKind::PrincipalName) {
            Some(identity) => identity.assigned_id = name,
            None => user.identities.push(Identity {
                sign_in_type: "userPrincipalName".into(),
                issuer: Arc::from(self.names.default_domain.as_str()),
                assigned_id: name,
            }),
        }
    }

    /// Applies a body to a user. One that was deleted is missing, even while reads still show it.
    pub(crate) fn update(&mut self, slot: Slot, change: Change, now: Now) -> Result<(), Refusal> {
        let Some(old) = self.record(slot).and_then(|record| record.latest().live()) else {
            return Err(Refusal::missing(self.id_of(slot)));
        };
        self.rules(now.micros).check_update(old, &change)?;
        let mut user = User::clone(old);
        if let Some(identities) = change.identities {
            let name = identities.iter().find(|one| one.kind() == IdentityKind::PrincipalName);
            if let Some(name) = name.map(|one| Value::from(&*one.assigned_id)) {
                user.set(&shared("userPrincipalName"), name);
            }
            user.identities = identities;
        }
        if change.password.is_some() {
            user.password = change.password;
            user.set(&shared("lastPasswordChangeDateTime"), Value::from(graph_time(now.wall)));
        }
        for (name, value) in change.properties {
            user.set(&name, value);
        }
        self.name_identity(&mut user);
        self.check_unique(&user, Some(slot), now.micros)?;
        self.replace(slot, Life::Live(Arc::new(user)), now.micros);
        Ok(())
    }

    /// Gives a slot a new state, which reads show after the read delay.
    pub(crate) fn replace(&mut self, slot: Slot, life: Life, now: Micros) {
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        count(&mut self.counts, record.latest(), false);
        count(&mut self.counts, &life, true);
        if let Some(user) = life.user() {
            for key in keys_of(user) {
                self.index.add(key, slot);
            }
        }
        let from = now + self.delays.read;
        let dropped = record.push(life, from, now.saturating_sub(self.delays.stale));
        let kept: Vec<Key> = record.lives().filter_map(Life::user).flat_map(|user| keys_of(user)).collect();
        let old = dropped.iter().filter_map(Life::user).flat_map(|user| keys_of(user));
        for key in old.filter(|key| !kept.contains(key)) {
            self.index.remove(key, slot);
        }
        self.changes.note(from, slot);
    }

    /// Deletes a user; it can be restored until it is deleted for good. Missing as in [`Self::update`].
    pub(crate) fn delete(&mut self, slot: Slot, now: Now) -> Result<(), Refusal> {
        let latest = self.record(slot).map(Record::latest).and_then(Life::live).cloned();
        let user = latest.ok_or_else(|| Refusal::missing(self.id_of(slot)))?;
        self.replace(slot, Life::Deleted(user, now.wall), now.micros);
        Ok(())
    }

    fn id_of(&self, slot: Slot) -> &str {
        match self.record(slot).map(Record::latest) {
            Some(Life::Live(user) | Life::Deleted(user, _)) => &user.id,
            Some(Life::Gone(id)) => id,
            None => "",
        }
    }

    /// Deletes a deleted user for good. False when there is none.
    pub(crate) fn purge(&mut self, slot: Slot, now: Now) -> bool {
        let Some(Life::Deleted(user, _)) = self.record(slot).map(Record::latest) else { return false };
        let id = user.id.clone();
        self.replace(slot, Life::Gone(id), now.micros);
        true
    }

    /// Brings a deleted user back, unless its names were taken meanwhile.
    pub(crate) fn restore(&mut self, slot: Slot, now: Now) -> Result<Option<Arc<User>>, Refusal> {
        let Some(Life::Deleted(user, _)) = self.record(slot).map(Record::latest) else { return Ok(None) };
        let user = Arc::clone(user);
        self.check_unique(&user, Some(slot), now.micros)?;
        self.replace(slot, Life::Live(Arc::clone(&user)), now.micros);
        Ok(Some(user))
    }

    /// Unregisters an extension property and drops its value on every user.
    pub(crate) fn remove_extension(&mut self, app_object_id: &str, id: &str) -> bool {
        let Some(extension) = self.extensions.remove(app_object_id, id) else { return false };
        for user in self.records.iter_mut().flat_map(Record::users_mut) {
            if user.get(&extension.name).is_some() {
                Arc::make_mut(user).set(&extension.name, Value::Null);
            }
        }
        true
    }

    /// Whether nobody else has the names of `user`.
    fn check_unique(&self, user: &User, except: Option<Slot>, now: Micros) -> Result<(), Refusal> {
        for property in ["userPrincipalName", "mailNickname"] {
            let value = user.text(property);
            if value.is_empty() {
                continue;
            }
            let same = |other: &User| same_text(other.text(property), value);
            if self.has_other(Key::of(property, value), except, now, same) {
                return Err(Refusal::conflict(property));
            }
        }
        for identity in user.identities.iter().filter(|one| one.kind() != IdentityKind::PrincipalName) {
            let same = |other: &User| other.identities.iter().any(|one| one.clashes_with(identity));
            if self.has_other(Key::of_identity(&identity.assigned_id), except, now, same) {
                return Err(self.identity_conflict(identity));
            }
        }
        if self.switches.unique_mail {
            self.check_mail(user, except, now)?;
        }
        Ok(())
    }

    fn identity_conflict(&self, identity: &Identity) -> Refusal {
        match identity.kind() {
            IdentityKind::Email => Refusal::conflict("proxyAddresses"),
            IdentityKind::Federated if self.switches.duplicate_federated_is_net_id => Refusal::net_id(),
            _ => Refusal::conflict("identities"),
        }
    }

    fn check_mail(&self, user: &User, except: Option<Slot>, now: Micros) -> Result<(), Refusal> {
        let mail = user.text("mail");
        if mail.is_empty() {
            return Ok(());
        }
        let signs_in = |other: &User| {
            other.identities.iter().any(|one| one.kind() == IdentityKind::Email && same_text(&one.assigned_id, mail))
        };
        let taken = self.has_other(Key::of("mail", mail), except, now, |other| same_text(other.text("mail"), mail))
            || self.has_other(Key::of_identity(mail), except, now, signs_in);
        if taken { Err(Refusal::conflict("proxyAddresses")) } else { Ok(()) }
    }

    fn has_other(&self, key: Key, except: Option<Slot>, now: Micros, same: impl Fn(&User) -> bool) -> bool {
        self.index.candidates(key).iter().filter(|slot| Some(**slot) != except).any(|slot| {
            let Some(record) = self.record(*slot) else { return false };
            let life = if self.delays.lagging_uniqueness { record.seen(now) } else { Some(record.latest()) };
            match life {
                Some(Life::Live(other)) => same(other),
                Some(Life::Deleted(other, _)) => !self.switches.deleted_names_are_free && same(other),
                Some(Life::Gone(_)) | None => false,
            }
        })
    }

    /// Keeps old states so long that a read can be asked to be `stale` older than usual.
    pub(crate) fn keep_for(&mut self, stale: Micros) {
        self.delays.stale = self.delays.stale.max(stale);
    }

    /// A collection of identities that somebody else (a test) gives a user, unchecked but for its form.
    pub(crate) fn identities(value: &Value) -> Result<Vec<Identity>, String> {
        identity::read_identities(value).map_err(|refusal| refusal.message)
    }

    /// Every user as the last write left it, for the state that tests look at.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Life> {
        self.records.iter().map(Record::latest)
    }
}

fn count(counts: &mut Counts, life: &Life, more: bool) {
    let number = match life {
        Life::Live(_) => &mut counts.live,
        Life::Deleted(..) => &mut counts.deleted,
        Life::Gone(_) => &mut counts.gone,
    };
    *number = if more { *number + 1 } else { number.saturating_sub(1) };
}
