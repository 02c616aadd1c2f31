//! What an answer may tell of a person, for dialects that hand over a profile. Each of them names its own members; here is
//! where the values come from.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde_json::Value;
use sterna_core::{
    account::{Account, Contact},
    legacy::login_name,
    mapping::lookup,
    settings::{Kind, Need, Setting, Values},
};
use url::Url;

/// `attributes`.
pub const ATTRIBUTES: Setting = Setting {
    name: "attributes",
    kind: Kind::TextTable,
    need: Need::Optional,
    doc: "More of a person that is handed over: the product's name = the account's, as in mapping rules.",
};

/// `assume_verified`.
pub const ASSUME_VERIFIED: Setting = Setting {
    name: "assume_verified",
    kind: Kind::Flag,
    need: Need::Default("false"),
    doc: "Whether addresses and numbers count as verified of which the source does not say whether they are.",
};

/// What is told of people, as the settings say.
pub struct Telling {
    attributes: BTreeMap<String, String>,
    assume_verified: bool,
}

impl Telling {
    /// Reads [`ATTRIBUTES`] and [`ASSUME_VERIFIED`].
    pub fn new(values: &Values) -> Self {
        Self {
            attributes: values.text_table("attributes"),
            assume_verified: values.flag("assume_verified").unwrap_or_default(),
        }
    }

    /// The further attributes that the account has, by the product's name.
    pub fn attributes<'a>(&'a self, account: &'a Account) -> impl Iterator<Item = (&'a str, Value)> {
        let there = self.attributes.iter().filter_map(|(name, path)| Some((name.as_str(), lookup(account, path)?)));
        there.filter(|(_, value)| !texts(value).is_empty())
    }

    /// Whether the main e-mail address is known to be the person's.
    pub fn email_verified(&self, account: &Account) -> bool {
        self.verified(&account.profile.emails, email(account).as_deref())
    }

    /// Whether the main phone number is known to be the person's.
    pub fn phone_verified(&self, account: &Account) -> bool {
        self.verified(&account.profile.phones, text(account, "phone").as_deref())
    }

    fn verified(&self, contacts: &[Contact], wanted: Option<&str>) -> bool {
        let Some(wanted) = wanted else { return false };
        let contact = contacts.iter().find(|contact| contact.value == wanted);
        contact.and_then(|contact| contact.verified).unwrap_or(self.assume_verified)
    }
}

/// The main e-mail address.
pub fn email(account: &Account) -> Option<String> {
    text(account, "email")
}

/// The main phone number, where it is written internationally (E.164): products refuse all others.
pub fn phone(account: &Account) -> Option<String> {
    let number = text(account, "phone")?;
    let plain: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    is_international(&plain).then_some(plain)
}

/// The user name.
pub fn user_name(account: &Account) -> Option<String> {
    text(account, "user_name")
}

/// The name that the person is known by: the user name, else the e-mail address, else the first name to sign in with.
pub fn main_name(account: &Account) -> Option<String> {
    user_name(account).or_else(|| email(account)).or_else(|| login_name(account, None))
}

/// The name to show: the source's, else given and family name.
pub fn display_name(account: &Account) -> Option<String> {
    let parts = [&account.profile.given_name, &account.profile.family_name];
    let joined = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    account.profile.display_name.clone().or_else(|| (!joined.is_empty()).then_some(joined))
}

/// Whether the source lets the person in.
pub fn is_active(account: &Account) -> bool {
    account.profile.active != Some(false)
}

/// One attribute as text.
pub fn text(account: &Account, path: &str) -> Option<String> {
    texts(&lookup(account, path)?).into_iter().next()
}

/// A value as texts, without empty ones; numbers and flags are written out, what holds other values as JSON.
pub fn texts(value: &Value) -> Vec<String> {
    let mut texts = match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    };
    texts.retain(|text| !text.is_empty());
    texts
}

/// A name in an answer with its value, where there is one.
pub fn put(members: &mut serde_json::Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), value.into());
    }
}

/// An authenticator app's shared secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// Base32 without padding, in capitals (RFC 4648 6).
    pub secret: String,
    /// 6 or 8.
    pub digits: u32,
    /// Seconds.
    pub period: u32,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub algorithm: &'static str,
}

/// The person's authenticator apps: factors `totp` that hold a Base32 text or an `otpauth` address. Others cannot be
/// carried: a secret that is read wrongly locks its owner out.
pub fn totps(account: &Account) -> Vec<Totp> {
    factors(account, "totp").filter_map(Totp::read).collect()
}

/// The person's phone numbers that are second factors.
pub fn sms_factors(account: &Account) -> impl Iterator<Item = &str> {
    factors(account, "sms").filter(|number| is_international(number))
}

fn factors<'a>(account: &'a Account, kind: &'static str) -> impl Iterator<Item = &'a str> {
    let of_kind = account.factors.iter().filter(move |factor| factor.kind == kind);
    of_kind.filter_map(|factor| Some(factor.value.as_ref()?.expose_secret()))
}

fn is_international(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Totp {
    fn read(text: &str) -> Option<Self> {
        let mut totp = Self { secret: String::new(), digits: 6, period: 30, algorithm: "SHA1" };
        let Some(url) = text.strip_prefix("otpauth://totp").and_then(|_| Url::parse(text).ok()) else {
            totp.secret = base32(text)?;
            return Some(totp);
        };
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "secret" => totp.secret = base32(&value)?,
                "digits" => totp.digits = value.parse().ok().filter(|digits| [6, 8].contains(digits))?,
                "period" => totp.period = value.parse().ok().filter(|period| (1..=300).contains(period))?,
                "algorithm" => {
                    let known = ["SHA1", "SHA256", "SHA512"].into_iter();
                    totp.algorithm = known.into_iter().find(|known| value.eq_ignore_ascii_case(known))?;
                }
                _ => {}
            }
        }
        (!totp.secret.is_empty()).then_some(totp)
    }
}

/// Apps show secrets in small letters and groups of four.
fn base32(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '=')).collect();
    let plain = plain.to_ascii_uppercase();
    (!plain.is_empty() && plain.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))).then_some(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sterna_core::{
        account::{Factor, Identity},
        ids::SourceKey,
    };

    use super::*;

    fn account() -> Account {
        Account::new(SourceKey::new("4711").unwrap())
    }

    #[test]
    fn a_secret_is_carried_only_where_it_can_be_read_for_sure() {
        let check = |text: &str, expected: Option<(&str, u32, u32, &str)>| {
            let mut account = account();
            account.factors = vec![Factor { kind: "totp".into(), value: Some(text.into()) }];
            let read = totps(&account).pop();
            let read = read.as_ref().map(|totp| (totp.secret.as_str(), totp.digits, totp.period, totp.algorithm));
            assert_eq!(read, expected, "{text}");
        };
        check("JBSWY3DPEHPK3PXP", Some(("JBSWY3DPEHPK3PXP", 6, 30, "SHA1")));
        check("jbsw y3dp ehpk 3pxp====", Some(("JBSWY3DPEHPK3PXP", 6, 30, "SHA1")));
        check(
            "otpauth://totp/Acme:ana?secret=JBSWY3DP&issuer=Acme&algorithm=sha256&digits=8&period=60",
            Some(("JBSWY3DP", 8, 60, "SHA256")),
        );
        check("otpauth://totp/Acme:ana?secret=JBSWY3DP&algorithm=MD5", None);
        check("otpauth://totp/Acme:ana?issuer=Acme", None);
        check("otpauth://hotp/Acme:ana?secret=JBSWY3DP", None);
        check("00ff18", None);
        check("", None);
    }

    #[test]
    fn what_the_source_does_not_say_is_verified_only_by_the_settings() {
        let mut account = account();
        account.identities = vec![Identity::email("ana@example.org")];
        let telling = |flag: bool| Telling::new(&Values::default().with("assume_verified", json!(flag)));
        assert!(!telling(false).email_verified(&account) && telling(true).email_verified(&account));
        account.profile.add_email("ana@example.org", Some(false));
        assert!(!telling(true).email_verified(&account));
        assert!(!telling(true).phone_verified(&account));
    }

    #[test]
    fn only_international_numbers_are_handed_over() {
        let mut account = account();
        for (number, taken) in [("+34600000000", true), ("600 000 000", false), ("+", false), ("+34x", false)] {
            account.profile.phones = vec![Contact { value: number.into(), verified: None, primary: true }];
            assert_eq!(phone(&account).is_some(), taken, "{number}");
        }
    }

    #[test]
    fn people_are_named_by_what_the_source_has() {
        let mut account = account();
        assert_eq!((main_name(&account), display_name(&account)), (None, None));
        account.identities = vec![Identity::email("ana@example.org"), Identity::user_name("Ana")];
        account.profile.given_name = Some("Ana".into());
        account.profile.family_name = Some("Pérez".into());
        assert_eq!(main_name(&account).as_deref(), Some("Ana"));
        assert_eq!(display_name(&account).as_deref(), Some("Ana Pérez"));
    }
}
