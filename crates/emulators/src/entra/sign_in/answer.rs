//! What the endpoint's answer means (`entra.md` 1.3 and 1.8). Pure.

use serde_json::Value;

use super::code::{self, Code};
use crate::entra::scenario::ActionSpelling;

/// What the endpoint wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// The password is right.
    MigratePassword,
    /// The password is right and must be changed.
    UpdatePassword,
    /// The password is wrong.
    Retry(Words),
    /// The user must not come in.
    Block(Words),
}

impl Action {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::MigratePassword => "MigratePassword",
            Self::UpdatePassword => "UpdatePassword",
            Self::Retry(_) => "Retry",
            Self::Block(_) => "Block",
        }
    }
}

/// What the endpoint says to the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
}

/// An answer as it arrived.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// How strict reading is.
pub(super) struct Expected<'a> {
    /// The nonce that must come back; none when it is not looked at.
    pub(super) nonce: Option<&'a str>,
    pub(super) actions: ActionSpelling,
}

const RESPONSE: &str = "microsoft.graph.onPasswordSubmitResponseData";
const DOCUMENTED: &str = "microsoft.graph.passwordSubmit.";
const OTHERS: [&str; 2] =
    ["microsoft.graph.authenticationEvent.passwordSubmit.", "microsoft.graph.customAuthenticationExtension."];

/// The action of an answer, or the code under which it fails.
pub(super) fn read(answer: &Answer<'_>, expected: &Expected<'_>) -> Result<Action, Code> {
    if answer.status != 200 {
        return Err(code::STATUS);
    }
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return Err(code::EMPTY);
    }
    let media = answer.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(code::CONTENT_TYPE);
    }
    let body: Value = serde_json::from_slice(answer.body).map_err(|_not_json| code::BODY)?;
    let data = body.get("data").and_then(Value::as_object).ok_or(code::BODY)?;
    let kind = data.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
    let actions = data.get("actions").and_then(Value::as_array).ok_or(code::BODY)?;
    if !kind.eq_ignore_ascii_case(RESPONSE) {
        return Err(code::BODY);
    }
    let [action] = actions.as_slice() else { return Err(code::ACTION_COUNT) };
    let action = read_action(action, expected.actions)?;
    match expected.nonce {
        Some(nonce) if data.get("nonce").and_then(Value::as_str) != Some(nonce) => Err(code::BODY),
        _ => Ok(action),
    }
}

fn read_action(action: &Value, spelling: ActionSpelling) -> Result<Action, Code> {
    let kind = action.get("@odata.type").and_then(Value::as_str).ok_or(code::ACTION_TYPE)?;
    let name = match spelling {
        ActionSpelling::Exact => kind.strip_prefix(DOCUMENTED),
        ActionSpelling::Documented => strip(kind, DOCUMENTED),
        ActionSpelling::Any => strip(kind, DOCUMENTED).or_else(|| OTHERS.iter().find_map(|prefix| strip(kind, prefix))),
    };
    let name = name.ok_or(code::ACTION_TYPE)?;
    let is = |known: &str| match spelling {
        ActionSpelling::Exact => name == known,
        ActionSpelling::Documented | ActionSpelling::Any => name.eq_ignore_ascii_case(known),
    };
    let text = |member: &str| action.get(member).and_then(Value::as_str).map(ToOwned::to_owned);
    let words = || Words { title: text("title"), message: text("message") };
    if is("MigratePassword") {
        Ok(Action::MigratePassword)
    } else if is("UpdatePassword") {
        Ok(Action::UpdatePassword)
    } else if is("Retry") {
        Ok(Action::Retry(words()))
    } else if is("Block") {
        Ok(Action::Block(words()))
    } else {
        Err(code::ACTION_TYPE)
    }
}

/// The rest of `text` after `prefix`, compared without case.
fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}
