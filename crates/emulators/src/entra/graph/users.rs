//! `/users`: create, read, list, count, change, delete (`entra.md` 4).

use serde_json::{Map, Value, json};

use super::Call;
use super::answer::Answer;
use super::paging::{self, Shown};
use super::permission::{MANAGE_IDENTITIES, READ_ROLES, READ_SIGN_INS, READ_USERS, WRITE_PASSWORDS, WRITE_USERS};
use super::{delta, matching, only_get, roles};
use crate::entra::directory::index::Slot;
use crate::entra::directory::user::User;
use crate::entra::refusal::Refusal;
use crate::entra::scenario::SignInActivity;

pub(super) fn dispatch(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (call.item.method.as_str(), path) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("GET", ["$count"]) => count(call),
        ("GET", ["delta"]) => delta::delta(call),
        ("GET", [id]) => read(call, id),
        ("PATCH", [id]) => update(call, id),
        ("DELETE", [id]) => delete(call, id),
        (_, [_, "memberOf"]) => {
            only_get(call)?;
            call.caller.needs(READ_ROLES)?;
            roles::of_user(call, path[0])
        }
        (_, [] | [_]) => Err(Refusal::method_not_allowed()),
        (_, [_, segment, ..]) => Err(Refusal::unknown_segment(segment)),
    }
}

fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    call.caller.needs(WRITE_USERS)?;
    let body = call.body()?;
    let mut directory = call.directory();
    let rules = directory.rules(call.now.micros);
    let change = rules.read(body)?;
    rules.check_create(&change)?;
    let user = directory.create(change, call.now)?;
    drop(directory);
    call.service.counters.created();
    let location = format!("{}/v1.0/users/{}", call.service.root(), user.id);
    Ok(call.entity(201, "users", Value::Object(user.select(None))).with("Location", location))
}

impl Call<'_> {
    /// `$select`, allowed for the caller.
    pub(super) fn select(
        &self,
        directory: &crate::entra::directory::Directory,
    ) -> Result<Option<Vec<String>>, Refusal> {
        let names = self.item.query.select(&directory.extensions)?;
        if names.as_ref().is_some_and(|names| names.iter().any(|name| name == "signInActivity")) {
            self.caller.needs(READ_SIGN_INS)?;
            if directory.switches.sign_in_activity == SignInActivity::Forbidden {
                return Err(Refusal::new(
                    403,
                    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                    "Neither tenant is B2C or tenant doesn't have premium license",
                ));
            }
        }
        Ok(names)
    }

    /// The user that reads show, by id or user principal name.
    pub(super) fn find(&self, directory: &crate::entra::directory::Directory, id: &str) -> Result<Slot, Refusal> {
        directory.seen(id, self.seen_at).map(|(slot, _)| slot).ok_or_else(|| Refusal::missing(id))
    }
}

fn read(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    call.caller.needs(READ_USERS)?;
    call.item.query.only(&["$select"])?;
    let directory = call.directory();
    let select = call.select(&directory)?;
    let (_, user) = directory.seen(id, call.seen_at).ok_or_else(|| Refusal::missing(id))?;
    let user = std::sync::Arc::clone(user);
    drop(directory);
    Ok(call.entity(200, "users", Value::Object(user.select(select.as_deref()))))
}

fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    call.caller.needs(READ_USERS)?;
    let directory = call.directory();
    let select = call.select(&directory)?;
    let render = |_slot: Slot, user: &User| user.select(select.as_deref());
    Ok(Answer::json(200, paging::list(call, &directory, Shown::Live, render)?))
}

fn count(call: &Call<'_>) -> Result<Answer, Refusal> {
    call.caller.needs(READ_USERS)?;
    if !call.is_eventual() {
        return Err(Refusal::bad("$count is not currently supported."));
    }
    call.item.query.only(&["$filter"])?;
    let directory = call.directory();
    let (filter, narrowed) = call.filter(&directory)?;
    let matches = |user: &User| filter.as_ref().is_none_or(|filter| matching::matches(filter, user));
    let count = paging::count(&directory, narrowed.as_deref(), |slot| {
        Shown::Live.user(&directory, slot, call).is_some_and(matches)
    });
    Ok(Answer::text(count.to_string()))
}

fn update(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    call.caller.needs(WRITE_USERS)?;
    let body = call.body()?;
    let mut directory = call.directory();
    let slot = call.find(&directory, id)?;
    let change = directory.rules(call.now.micros).read(body)?;
    if change.identities.is_some() {
        call.caller.needs(MANAGE_IDENTITIES)?;
    }
    if change.has_credential() {
        call.caller.needs(WRITE_PASSWORDS)?;
    }
    directory.update(slot, change, call.now)?;
    Ok(Answer::no_content())
}

fn delete(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    call.caller.needs(WRITE_USERS)?;
    let mut directory = call.directory();
    let slot = call.find(&directory, id)?;
    directory.delete(slot, call.now)?;
    Ok(Answer::no_content())
}

/// An entry that says only that a user is gone.
pub(super) fn removed(id: &str, reason: &str) -> Map<String, Value> {
    Map::from_iter([("id".to_owned(), Value::from(id)), ("@removed".to_owned(), json!({ "reason": reason }))])
}
