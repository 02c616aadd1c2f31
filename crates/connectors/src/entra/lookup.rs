//! Looking things up: by key, by identity, by id, and everything page by page.

use std::collections::BTreeMap;

use serde_json::Value;
use sterna_core::{
    account::Identity,
    code::Code,
    ids::{AccountKey, TargetId},
    port::{Activity, Cursor, Found, Held, InventoryItem, InventoryPage, Probe, TargetError},
    time::Timestamp,
};

use super::{
    attributes::{ATTRIBUTES, OWN},
    batch::Item,
    dto::{List, ObjectIdentity, User, last_activity},
    failure::ReadError,
    graph::code_of,
    limits::PAGE,
    paging::Trail,
    shape::Shape,
    target::EntraTarget,
    tenant::quoted,
    write,
};
use crate::http::encode;

/// What one request of a look-up is for.
enum Wanted<'p> {
    /// The probe's key.
    Key(usize),
    /// One of its identities.
    Identity(usize, &'p Identity),
}

impl EntraTarget {
    /// Looks accounts up by key (user principal name and legacy id) and by every identity.
    pub(super) async fn look_up(&self, probes: &[Probe]) -> Result<Vec<Found>, TargetError> {
        let by_legacy_id = self.has_legacy_id();
        let (mut wanted, mut urls) = (Vec::new(), Vec::new());
        for (at, probe) in probes.iter().enumerate() {
            let select = encode("id,identities");
            let principal = format!("{}@{}", probe.key, self.shape.upn_domain);
            wanted.push(Wanted::Key(at));
            urls.push(format!("/users/{}?$select={select}", encode(&principal)));
            if by_legacy_id {
                let name = self.shape.full_name(&self.shape.legacy_id);
                let filter = format!("{name} eq {}", quoted(&probe.key.to_string()));
                wanted.push(Wanted::Key(at));
                urls.push(format!("/users?$filter={}&$select={select}", encode(&filter)));
            }
            for identity in &probe.identities {
                wanted.push(Wanted::Identity(at, identity));
                urls.push(format!("/users?$filter={}&$select={select}", encode(&self.identity_filter(identity))));
            }
        }
        let items = self.graph.read_many(&urls).await;
        let items = items.map_err(|error| error.during("looking accounts up"))?;
        let mut found = vec![Found::default(); probes.len()];
        for (wanted, item) in wanted.iter().zip(items) {
            let users = users(item).map_err(|error| error.during("looking accounts up"))?;
            match wanted {
                Wanted::Key(at) => {
                    for user in users {
                        add_once(&mut found[*at].by_key, TargetId(user.id));
                    }
                }
                Wanted::Identity(at, identity) => {
                    for user in users.into_iter().filter(|user| holds(user, identity)) {
                        add_once(&mut found[*at].by_identity, ((*identity).clone(), TargetId(user.id)));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Both parts are needed, the issuer of local names too although it is ignored (entra.md 4.2).
    fn identity_filter(&self, identity: &Identity) -> String {
        let wire = ObjectIdentity::from_identity(identity, &self.local_issuer);
        let (id, issuer) = (quoted(&wire.issuer_assigned_id), quoted(&wire.issuer));
        format!("identities/any(c:c/issuerAssignedId eq {id} and c/issuer eq {issuer})")
    }

    /// Reads a page of everything: ids, keys, identities.
    pub(super) async fn read_inventory(&self, cursor: Option<&Cursor>) -> Result<InventoryPage, TargetError> {
        let doing = "reading what the tenant holds";
        let trail = match cursor {
            None => Trail::start(self.graph.url(&self.inventory_path())),
            Some(cursor) => Trail::from_cursor(cursor).ok_or_else(|| ReadError::Shape.during(doing))?,
        };
        let page: List<User> = self.graph.follow(&trail.link).await.map_err(|error| error.during(doing))?;
        let next = page.next.map(|next| trail.step(next)).transpose().map_err(|circle| {
            TargetError::new(Code::E2010, "reading what the tenant holds goes in a circle").caused_by(circle)
        })?;
        let held = page.value.into_iter().map(|user| InventoryItem {
            key: key_of(&self.shape, &user),
            identities: user.identities.iter().filter_map(ObjectIdentity::to_identity).collect(),
            id: TargetId(user.id),
        });
        Ok(InventoryPage { held: held.collect(), next: next.map(|trail| trail.to_cursor()) })
    }

    fn inventory_path(&self) -> String {
        let mut select = "id,identities,userPrincipalName,mailNickname".to_owned();
        if self.has_legacy_id() {
            select = format!("{select},{}", self.shape.full_name(&self.shape.legacy_id));
        }
        format!("/users?$select={}&$top={PAGE}", encode(&select))
    }

    /// Reads accounts back with everything that is compared.
    pub(super) async fn read_accounts(&self, ids: &[TargetId]) -> Result<Vec<Option<Held>>, TargetError> {
        let doing = "reading accounts back";
        let with_activity = self.shows_activity().await.map_err(|error| error.during(doing))?;
        // without the flag's name in the question nobody would seem to wait for a sign-in
        self.has_flag().await;
        let select = encode(&self.read_back_select(with_activity));
        let paths = ids.iter().map(write::user_path);
        let places: Vec<Option<String>> = paths.map(|path| Some(format!("{}?$select={select}", path?))).collect();
        let urls: Vec<String> = places.iter().flatten().cloned().collect();
        let items = self.graph.read_many(&urls).await.map_err(|error| error.during(doing))?;
        let mut items = items.into_iter();
        let mut all = Vec::with_capacity(ids.len());
        for place in places {
            let held = match place.and_then(|_| items.next()) {
                None => None,
                Some(item) => users(item).map_err(|error| error.during(doing))?.into_iter().next(),
            };
            all.push(held.map(|user| held_of(&self.shape, user, with_activity)));
        }
        Ok(all)
    }

    fn read_back_select(&self, with_activity: bool) -> String {
        let mut names =
            vec!["id".to_owned(), "identities".into(), "lastPasswordChangeDateTime".into(), "createdDateTime".into()];
        names.extend(ATTRIBUTES.iter().map(|(name, _)| (*name).to_owned()));
        names.extend(OWN.iter().map(|name| (*name).to_owned()));
        names.extend(self.known_extensions());
        if with_activity {
            names.push("signInActivity".into());
        }
        names.join(",")
    }

    /// Whether sign-in activity may be read: asked once, with one user.
    async fn shows_activity(&self) -> Result<bool, ReadError> {
        let asked = self.activity.get_or_try_init(|| async {
            let path = format!("/users?$select={}&$top=1", encode("id,signInActivity"));
            match self.graph.get::<List<Value>>(&path).await {
                Ok(_) => Ok(true),
                Err(error) if error.is_refusal() => Ok(false),
                Err(error) => Err(error),
            }
        });
        asked.await.copied()
    }
}

/// The users in an answer: one, a page of some, or none when it is not there.
fn users(item: Item) -> Result<Vec<User>, ReadError> {
    match item.status {
        200 if item.body.get("value").is_some() => {
            let list: List<User> = serde_json::from_value(item.body).map_err(|_| ReadError::Shape)?;
            Ok(list.value)
        }
        200 => serde_json::from_value(item.body).map(|user| vec![user]).map_err(|_| ReadError::Shape),
        404 => Ok(Vec::new()),
        status => Err(ReadError::Status { status, code: code_of(item.error) }),
    }
}

/// Filters compare without case and ignore the issuer of local names; a subject has to be the same to the letter.
fn holds(user: &User, identity: &Identity) -> bool {
    let wanted = identity.canonical();
    user.identities.iter().filter_map(ObjectIdentity::to_identity).any(|held| held.canonical() == wanted)
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}

/// Our key: the legacy id, else the local part of the user principal name, else the mail nickname.
fn key_of(shape: &Shape, user: &User) -> Option<AccountKey> {
    let legacy = user.text(&shape.full_name(&shape.legacy_id));
    let principal = user.text("userPrincipalName").and_then(|name| name.split_once('@')).map(|(local, _)| local);
    let texts = [legacy, principal, user.text("mailNickname")];
    texts.into_iter().flatten().find_map(AccountKey::parse)
}

fn held_of(shape: &Shape, user: User, with_activity: bool) -> Held {
    let flag = shape.full_name(&shape.flag);
    let instant = |value: Option<&Value>| value.and_then(Value::as_str).and_then(Timestamp::parse);
    let awaiting = user.more.get(&flag).and_then(Value::as_bool);
    let signed_in = match last_activity(user.more.get("signInActivity")) {
        _ if !with_activity => Activity::Unknown,
        Some(at) => Activity::At(at),
        // activity is written late; the flag is set to false by a sign-in alone
        None if awaiting == Some(false) => Activity::Unknown,
        None => Activity::Never,
    };
    let attributes: BTreeMap<String, Value> = user
        .more
        .iter()
        .filter(|(name, value)| {
            let about = ["signInActivity", "lastPasswordChangeDateTime", "createdDateTime"].contains(&name.as_str());
            !about && !value.is_null() && **name != flag && !name.starts_with('@')
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Held {
        key: key_of(shape, &user),
        identities: user.identities.iter().filter_map(ObjectIdentity::to_identity).collect(),
        awaiting,
        password_changed: instant(user.more.get("lastPasswordChangeDateTime")),
        created: instant(user.more.get("createdDateTime")),
        signed_in,
        attributes,
        id: TargetId(user.id),
    }
}
