//! `/directory/deletedItems`: list, read, restore, delete for good (`entra.md` 4.9).

use serde_json::{Map, Value};

use super::Call;
use super::answer::Answer;
use super::paging::{self, Shown};
use super::permission::{READ_USERS, WRITE_USERS};
use crate::clock::graph_time;
use crate::entra::directory::Directory;
use crate::entra::directory::index::Slot;
use crate::entra::directory::record::{Life, Record};
use crate::entra::directory::user::User;
use crate::entra::refusal::Refusal;

pub(super) fn dispatch(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (call.item.method.as_str(), path) {
        ("GET", ["microsoft.graph.user"]) => list(call),
        ("GET", [id]) => read(call, id),
        ("DELETE", [id]) => purge(call, id),
        ("POST", [id, "restore"]) => restore(call, id),
        (_, [_, segment]) if *segment != "restore" => Err(Refusal::unknown_segment(segment)),
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn render(directory: &Directory, slot: Slot, user: &User, select: Option<&[String]>) -> Map<String, Value> {
    let mut entry = user.select(select);
    if let Some(Life::Deleted(_, at)) = directory.record(slot).map(Record::latest) {
        entry.insert("deletedDateTime".to_owned(), Value::from(graph_time(*at)));
    }
    entry
}

fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    call.caller.needs(READ_USERS)?;
    let directory = call.directory();
    let select = call.select(&directory)?;
    let entry = |slot: Slot, user: &User| render(&directory, slot, user, select.as_deref());
    Ok(Answer::json(200, paging::list(call, &directory, Shown::Deleted, entry)?))
}

fn find(call: &Call<'_>, directory: &Directory, id: &str) -> Result<Slot, Refusal> {
    let slot = directory.slot(id).filter(|slot| Shown::Deleted.user(directory, *slot, call).is_some());
    slot.ok_or_else(|| Refusal::missing(id))
}

fn read(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    call.caller.needs(READ_USERS)?;
    let directory = call.directory();
    let select = call.select(&directory)?;
    let slot = find(call, &directory, id)?;
    let user = Shown::Deleted.user(&directory, slot, call).ok_or_else(|| Refusal::missing(id))?;
    let entry = render(&directory, slot, user, select.as_deref());
    Ok(call.entity(200, "directoryObjects", Value::Object(entry)))
}

fn restore(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    call.caller.needs(WRITE_USERS)?;
    let mut directory = call.directory();
    let slot = find(call, &directory, id)?;
    let user = directory.restore(slot, call.now)?.ok_or_else(|| Refusal::missing(id))?;
    Ok(call.entity(200, "directoryObjects", Value::Object(user.select(None))))
}

fn purge(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    call.caller.needs(WRITE_USERS)?;
    let mut directory = call.directory();
    if !directory.switches.permanent_delete {
        return Err(Refusal::denied());
    }
    let slot = find(call, &directory, id)?;
    if directory.purge(slot, call.now) { Ok(Answer::no_content()) } else { Err(Refusal::missing(id)) }
}
