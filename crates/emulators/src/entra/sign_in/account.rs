//! The user behind a name that was typed, and what a sign-in changes about it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::super::directory::Directory;
use super::super::directory::index::{Key, Slot};
use super::super::directory::record::{Life, Record};
use super::super::directory::seed::signed_in;
use super::super::directory::user::{Identity, Name, User, same_text};

/// The account of a name: by a local identity, else by user principal name. Sign-ins see the last write at once; the
/// read delay is Graph's.
pub(super) fn find(directory: &Directory, name: &str) -> Option<(Slot, Arc<User>)> {
    let name = name.trim();
    let named = |one: &Identity| one.is_local() && same_text(&one.assigned_id, name);
    let by_identity = first(directory, Key::of_identity(name), |user| user.identities.iter().any(named));
    by_identity.or_else(|| {
        first(directory, Key::of("userPrincipalName", name), |user| same_text(user.text("userPrincipalName"), name))
    })
}

fn first(directory: &Directory, key: Key, matches: impl Fn(&User) -> bool) -> Option<(Slot, Arc<User>)> {
    let mut users = directory.candidates(key).iter().filter_map(|slot| Some((*slot, live(directory, *slot)?)));
    users.find(|(_, user)| matches(user))
}

/// The user of a slot as the last write left it, unless it was deleted.
pub(super) fn live(directory: &Directory, slot: Slot) -> Option<Arc<User>> {
    directory.record(slot).map(Record::latest).and_then(Life::live).cloned()
}

pub(super) fn is_disabled(user: &User) -> bool {
    user.get("accountEnabled") == Some(&Value::Bool(false))
}

/// Whether the user's password has not moved yet. Absent and `null` are "moved"; only local accounts can wait.
pub(super) fn is_waiting(user: &User, flag: Option<&Name>) -> bool {
    user.has_local_identity() && flag.is_some_and(|flag| user.get(flag) == Some(&Value::Bool(true)))
}

pub(super) fn has_password(user: &User, entered: &str) -> bool {
    !entered.is_empty() && user.password.as_deref() == Some(entered)
}

/// What a successful sign-in leaves: its time, no flag, and the password when it is a new one.
pub(super) fn came_in(user: &Arc<User>, at: Timestamp, flag: Option<&Name>, new_password: Option<&str>) -> Life {
    let waiting = flag.filter(|flag| user.get(flag) == Some(&Value::Bool(true)));
    let mut user = signed_in(user, at, waiting);
    if let Some(password) = new_password {
        user.set_password(password, at);
    }
    Life::Live(Arc::new(user))
}
