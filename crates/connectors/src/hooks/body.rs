//! Reading the JSON body of a call. Everything that a stranger may send ends in a refusal, never in a panic.

use std::net::IpAddr;

use secrecy::SecretString;
use serde_json::{Map, Value};
use sterna_core::hook::{Call, HookAnswer, Next, Refusal};
use zeroize::Zeroize;

/// Longest password that is taken, in bytes; the longest that any target stores is shorter.
pub const PASSWORD_BYTES: usize = 4_096;

/// Longest name or id that is taken, in bytes.
pub const NAME_BYTES: usize = 1_024;

/// A JSON object whose texts are wiped when it goes: one of them is a password.
pub struct Body(Map<String, Value>);

impl Body {
    /// The body of a call as a JSON object. The content type must be JSON.
    ///
    /// # Errors
    /// What the caller is answered: 400 without a word.
    pub fn read(call: &Call<'_>) -> Result<Self, Next> {
        if !call.headers.says_json() {
            return Err(malformed());
        }
        Self::from_slice(call.body)
    }

    /// The same from bytes, whatever the content type says.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Next> {
        serde_json::from_slice(bytes).map(Self).map_err(|_| malformed())
    }

    /// A member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value under a path of member names.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }

    /// A text that is not empty and not longer than [`NAME_BYTES`].
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        let text = self.at(path)?.as_str()?;
        (!text.is_empty() && text.len() <= NAME_BYTES).then_some(text)
    }

    /// A password: a text of at most [`PASSWORD_BYTES`], which may be empty (no check is asked for an empty one).
    pub fn password(&self, path: &[&str]) -> Option<SecretString> {
        let text = self.at(path)?.as_str()?;
        (text.len() <= PASSWORD_BYTES).then(|| text.into())
    }

    /// A flag; some callers write it as a text (entra.md 8.1).
    pub fn flag(&self, path: &[&str]) -> Option<bool> {
        match self.at(path)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// An IP address.
    pub fn address(&self, path: &[&str]) -> Option<IpAddr> {
        self.text(path)?.parse().ok()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

/// Wipes every text in a value.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The refusal of a message that is not of the dialect's form.
pub fn malformed() -> Next {
    Next::Refuse(Refusal::Malformed, HookAnswer::empty(400))
}

/// The answer to an address that is not there.
pub fn not_found() -> Next {
    Next::Answer(HookAnswer::empty(404))
}
