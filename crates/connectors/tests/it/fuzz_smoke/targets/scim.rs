//! What SCIM services answer: no garbage counts as done, and a walk ends.

use serde_json::Value;
use sterna_connectors::scim::outside::{self, Walked};
use sterna_core::port::{Answer, Cursor};

/// Most bytes of one input that are looked at.
const INPUT: usize = 16 << 10;

/// The answer to a bulk request: "holds" only where exactly one answer has the operation's id.
pub(super) fn bulk(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let body = &body[..body.len().min(INPUT)];
    let count = usize::from(first % 20) + 1;
    let removed = (first & 0x80 != 0).then_some("u1");
    let Some(answers) = outside::bulk_answers(body, count, removed) else { return };
    assert_eq!(answers.len(), count, "one answer for each operation");
    let said: Value = serde_json::from_slice(body).expect("what was read is JSON");
    let operations = said.get("Operations").or_else(|| said.get("operations")).and_then(Value::as_array);
    for (at, answer) in answers.iter().enumerate() {
        let id = format!("o{at}");
        let own = operations.into_iter().flatten().filter(|one| one["bulkId"] == id.as_str()).count();
        if own != 1 && removed.is_none() {
            assert!(matches!(answer, Answer::Silence { .. }), "{own} answers to operation {at}: {answer:?}");
        }
        if let Answer::Stops { detail, .. } = answer {
            assert!(detail.len() < 100, "what is shown quotes nothing");
        }
    }
}

/// The answer to one create: only one of success that has an id counts as done.
pub(super) fn answer(data: &[u8]) {
    let Some((status, body)) = data.split_first_chunk::<2>() else { return };
    let status = 100 + u16::from_le_bytes(*status) % 500;
    if let Answer::Holds(id) = outside::single_answer(status, &body[..body.len().min(INPUT)]) {
        assert!((200..300).contains(&status) && status != 202, "status {status} counts as done");
        assert!(!id.0.is_empty());
    }
}

/// Pages, one after the other, each a line: a walk that goes on has got something new, or the service gave a cursor.
pub(super) fn page(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    let mut at: Option<Cursor> = None;
    for line in data.split(|byte| *byte == b'\n') {
        match outside::walk(line, at.as_ref(), 3) {
            Some(Walked::More(got, next)) => {
                assert!(got > 0, "an empty page by index is the last");
                assert_ne!(Some(&next), at.as_ref(), "it stands still");
                at = Some(next);
            }
            Some(Walked::Last(_) | Walked::Again) | None => return,
        }
    }
}

/// A user, and after a line end the schemas that a service describes users by.
pub(super) fn user(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (user, schemas) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(held) = outside::user(user, schemas) else { return };
    let said: Value = serde_json::from_slice(user).expect("what was read is JSON");
    for held in held {
        assert_eq!(said["id"], held.id.0.as_str());
        assert!(!held.attributes.contains_key("password"), "a password that a service shows is not kept");
    }
}
