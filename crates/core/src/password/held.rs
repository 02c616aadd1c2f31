//! What a source's text of a password hash becomes in an account: its format fixed where that is certain, nothing where
//! the text marks an account that has no usable password.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::formats::{Bounds, Format, Recognised, Refusal, Stored, all, find, recognise};
use crate::{
    account::{Credential, StoredHash, UNKNOWN_FORMAT},
    settings::nearest,
};

/// The word by which settings leave the format to each hash's own text.
pub const AUTO: &str = "auto";

/// Texts that stand where a hash would, for an account that cannot sign in with a password (shadow(5), Django).
const NO_PASSWORD: &[&str] = &["*", "x", "*LK*", "*NP*", "NP"];

/// The name that stands for every plain bcrypt, whatever letter its prefix has.
const BCRYPT: (&str, &[&str]) = ("bcrypt", &["bcrypt-2b", "bcrypt-2a", "bcrypt-2y", "bcrypt-2x"]);

/// Which formats the settings allow: one, or several with commas between, of which each hash's text tells its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated(Vec<&'static Format>);

impl Stated {
    /// Reads what settings say: names of docs/password-hashes.md, or `bcrypt` for every plain bcrypt. `None` for
    /// [`AUTO`].
    ///
    /// # Errors
    /// A name that is none, and the nearest one.
    pub fn parse(text: &str) -> Result<Option<Self>, (String, Option<&'static str>)> {
        if text.trim() == AUTO {
            return Ok(None);
        }
        let mut formats = Vec::new();
        for name in text.split(',').map(str::trim) {
            let names = if name == BCRYPT.0 { BCRYPT.1 } else { &[name][..] };
            for name in names {
                let unknown = || ((*name).to_owned(), nearest(name, all().map(|format| format.name)));
                formats.push(find(name).ok_or_else(unknown)?);
            }
        }
        Ok(Some(Self(formats)))
    }

    /// The format of a hash among these: the only one, or the first that its text may have.
    pub fn choose(&self, text: &str) -> Option<&'static Format> {
        if let [only] = self.0.as_slice() {
            return Some(only);
        }
        let may_be = recognise(text).formats();
        self.0.iter().copied().find(|format| may_be.contains(format))
    }
}

/// The credential of an account whose source holds `text` in a hash's place.
///
/// `format` is what the settings or the record state ([`Stated`]); without it, or with [`AUTO`], the text tells the format,
/// and [`UNKNOWN_FORMAT`] stays where several look alike. `beside` are the values in columns of their own that the
/// format needs (`salt`, `iterations`); they go into the hash's JSON form.
pub fn credential(text: &str, format: Option<&str>, beside: &BTreeMap<String, String>) -> Credential {
    match stored_hash(text, format, beside) {
        Some(StoredHash { format, value }) => Credential::Hash { format, value, also: Vec::new() },
        None => Credential::Nothing,
    }
}

/// One hash, or none where the text marks an account without a usable password.
pub fn stored_hash(text: &str, format: Option<&str>, beside: &BTreeMap<String, String>) -> Option<StoredHash> {
    if text.is_empty() {
        return None;
    }
    let stated = format.filter(|format| *format != AUTO && *format != UNKNOWN_FORMAT);
    let Some(name) = stated else {
        if text.starts_with('!') || NO_PASSWORD.contains(&text) {
            return None;
        }
        let format = match recognise(text) {
            Recognised::One(format) => format.name,
            Recognised::Several(_) | Recognised::None => UNKNOWN_FORMAT,
        };
        return Some(StoredHash { format: format.to_owned(), value: joined(text, None, beside) });
    };
    let known = match Stated::parse(name) {
        Ok(Some(stated)) => match stated.choose(text) {
            Some(format) => Some(format),
            None if text.starts_with('!') || NO_PASSWORD.contains(&text) => return None,
            None => None,
        },
        _ => None,
    };
    let several = name.contains(',') || name == BCRYPT.0;
    let name = known.map_or(if several { UNKNOWN_FORMAT } else { name }, |format| format.name);
    if let Some(format) = known
        && matches!(Stored::parse_with(format, text, beside, &Bounds::OFFLINE), Err(Refusal::Unusable))
    {
        return None;
    }
    let main = known.and_then(|format| format.main);
    Some(StoredHash { format: name.to_owned(), value: joined(text, main, beside) })
}

/// The text alone, or as JSON together with the values beside it.
fn joined(text: &str, main: Option<&str>, beside: &BTreeMap<String, String>) -> secrecy::SecretString {
    if beside.is_empty() {
        return text.into();
    }
    let mut members: Map<String, Value> =
        beside.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    members.insert(main.unwrap_or("hash").to_owned(), Value::from(text));
    let joined = Zeroizing::new(Value::Object(members).to_string());
    joined.as_str().into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn check(text: &str, format: Option<&str>, beside: &[(&str, &str)], expected: Option<(&str, &str)>) {
        let beside = beside.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = stored_hash(text, format, &beside);
        let found = found.as_ref().map(|hash| (hash.format.as_str(), hash.value.expose_secret()));
        assert_eq!(found, expected, "{text} {format:?}");
    }

    #[test]
    fn the_text_tells_the_format_where_it_is_certain_and_settings_tell_it_elsewhere() {
        let ssha = "{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a";
        check(ssha, None, &[], Some(("ldap-ssha", ssha)));
        check(ssha, Some(AUTO), &[], Some(("ldap-ssha", ssha)));
        let md5 = "5f4dcc3b5aa765d61d8327deb882cf99";
        check(md5, None, &[], Some((UNKNOWN_FORMAT, md5)));
        check(md5, Some("hex-md5"), &[], Some(("hex-md5", md5)));
        let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        check(bcrypt, None, &[], Some((UNKNOWN_FORMAT, bcrypt)));
        check(bcrypt, Some("bcrypt"), &[], Some(("bcrypt-2y", bcrypt)));
        check(bcrypt, Some("hex-md5, bcrypt"), &[], Some(("bcrypt-2y", bcrypt)));
        check(md5, Some("hex-md5, bcrypt"), &[], Some(("hex-md5", md5)));
        check("else", Some("hex-md5, bcrypt"), &[], Some((UNKNOWN_FORMAT, "else")));
        check("!", Some("hex-md5, bcrypt"), &[], None);
        assert_eq!(Stated::parse("hexmd5"), Err(("hexmd5".into(), Some("hex-md5"))));
        check("anything", Some("no-such-format"), &[], Some(("no-such-format", "anything")));
    }

    #[test]
    fn a_mark_for_no_password_is_no_hash() {
        check("", None, &[], None);
        check("!FwX2zzz", None, &[], None);
        check("!FwX2zzz", Some("django-pbkdf2-sha256"), &[], None);
        check("*LK*", None, &[], None);
    }

    #[test]
    fn values_in_other_columns_go_along() {
        let hash = "aGFzaA==";
        let joined = r#"{"passwordHash":"aGFzaA==","salt":"c2FsdA=="}"#;
        check(hash, Some("firebase-scrypt"), &[("salt", "c2FsdA==")], Some(("firebase-scrypt", joined)));
    }
}
