//! The attributes of a user that can be written, and what fits into each (entra.md 4.4). Pure.

use email_address::{EmailAddress, Options};
use serde_json::Value;
use sterna_core::code::Code;

use super::{config::Product, limits};

/// What fits into an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Text of one line, at most so many UTF-16 units.
    Text(usize),
    /// Text of several lines.
    Lines(usize),
    /// A name that Azure AD B2C allows no `<` or `>` in.
    DisplayName(usize),
    /// An e-mail address.
    Email,
    /// E-mail addresses.
    Emails,
    /// A list of at most one text.
    OneOf(usize),
    /// `true` or `false`.
    Flag,
    /// A country by two letters (ISO 3166-1).
    Country,
    /// A language, `en` or `en-US`.
    Language,
}

/// What can be written besides identities, credentials, keys and extension attributes.
pub(super) const ATTRIBUTES: &[(&str, Fit)] = &[
    ("accountEnabled", Fit::Flag),
    ("businessPhones", Fit::OneOf(64)),
    ("city", Fit::Text(128)),
    ("companyName", Fit::Text(64)),
    ("country", Fit::Text(128)),
    ("department", Fit::Text(64)),
    ("displayName", Fit::DisplayName(256)),
    ("givenName", Fit::Text(64)),
    ("jobTitle", Fit::Text(128)),
    ("mail", Fit::Email),
    ("mobilePhone", Fit::Text(64)),
    ("otherMails", Fit::Emails),
    ("postalCode", Fit::Text(40)),
    ("preferredLanguage", Fit::Language),
    ("state", Fit::Text(128)),
    ("streetAddress", Fit::Lines(1_024)),
    ("surname", Fit::Text(64)),
    ("usageLocation", Fit::Country),
];

/// Attributes that this connector itself gives; no mapping rule may.
pub(super) const OWN: &[&str] = &["mailNickname", "passwordPolicies", "userPrincipalName"];

/// What fits into the attribute `name`; `None` when there is none of that name.
pub(super) fn fit_of(name: &str) -> Option<Fit> {
    ATTRIBUTES.iter().find(|(known, _)| *known == name).map(|(_, fit)| *fit)
}

/// The value as it can be written: trimmed, of the right type.
///
/// # Errors
/// The loss: L1001 too long, L1002 not allowed, L1004 not an e-mail address.
pub(super) fn fitted(fit: Fit, value: &Value, product: Product) -> Result<Value, Code> {
    match fit {
        Fit::Flag => flag(value),
        Fit::Emails => {
            let list = match value {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            list.iter().map(|one| address(&text(one)?, product)).collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        Fit::OneOf(most) => line(&text(value)?, most).map(|text| Value::from(vec![text])),
        Fit::Text(most) => line(&text(value)?, most).map(Value::from),
        Fit::Lines(most) => {
            let text = text(value)?;
            let allowed = text.chars().all(|c| !c.is_control() || "\n\r\t".contains(c));
            if allowed { bounded(&text, most).map(Value::from) } else { Err(Code::L1002) }
        }
        Fit::DisplayName(most) => {
            let text = line(&text(value)?, most)?;
            let allowed = product == Product::ExternalId || !text.contains(['<', '>']);
            if allowed { Ok(Value::from(text)) } else { Err(Code::L1002) }
        }
        Fit::Email => email(&text(value)?).map(Value::from),
        Fit::Country => {
            let text = text(value)?.trim().to_ascii_uppercase();
            let right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
            if right { Ok(Value::from(text)) } else { Err(Code::L1002) }
        }
        Fit::Language => language(&text(value)?).map(Value::from),
    }
}

/// The value as an extension attribute of `data_type` can hold it (entra.md 3.1, 4.4).
///
/// # Errors
/// The loss: L1001 too long, L1002 not of that type.
pub(super) fn extension(data_type: &str, value: &Value) -> Result<Value, Code> {
    match data_type {
        "Boolean" => flag(value),
        "Integer" => whole(value).filter(|n| i32::try_from(*n).is_ok()).map(Value::from).ok_or(Code::L1002),
        "LargeInteger" => whole(value).map(Value::from).ok_or(Code::L1002),
        "DateTime" => {
            let text = text(value)?;
            let at = sterna_core::time::Timestamp::parse(text.trim()).ok_or(Code::L1002)?;
            Ok(Value::from(at.to_string()))
        }
        "String" => line(&text(value)?, limits::EXTENSION_TEXT).map(Value::from),
        _ => Err(Code::L1002),
    }
}

/// An e-mail address as Graph takes it, trimmed.
///
/// Only ASCII before the `@` and in the domain: whether Graph takes more is not documented, and a refused request is
/// worse than a named loss.
///
/// # Errors
/// [`Code::L1004`] when it is none.
pub(super) fn email(text: &str) -> Result<String, Code> {
    let text = text.trim();
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    let usable = text.is_ascii() && text.len() <= limits::EMAIL && !text.contains(['"', '(', ')']);
    let valid = usable && EmailAddress::parse_with_options(text, options).is_ok();
    if valid { Ok(text.to_owned()) } else { Err(Code::L1004) }
}

/// A further address: Azure AD B2C takes none with accents (entra.md 4.4), and [`email`] none at all.
fn address(text: &str, _product: Product) -> Result<String, Code> {
    email(text)
}

fn line(text: &str, most: usize) -> Result<String, Code> {
    if text.trim().chars().any(char::is_control) { Err(Code::L1002) } else { bounded(text, most) }
}

fn bounded(text: &str, most: usize) -> Result<String, Code> {
    let text = text.trim();
    // the directory counts UTF-16 units
    if text.is_empty() {
        Err(Code::L1002)
    } else if text.encode_utf16().count() > most {
        Err(Code::L1001)
    } else {
        Ok(text.to_owned())
    }
}

fn language(text: &str) -> Result<String, Code> {
    let text = text.trim().replace('_', "-");
    let (language, region) = text.split_once('-').map_or((text.as_str(), None), |(l, r)| (l, Some(r)));
    let letters = |part: &str, least: usize, most: usize| {
        (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let regions = region.is_none_or(|region| region.split('-').all(|part| letters(part, 2, 8)));
    if letters(language, 2, 3) && regions { Ok(text) } else { Err(Code::L1002) }
}

fn text(value: &Value) -> Result<String, Code> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Array(list) if list.len() == 1 => text(&list[0]),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Code::L1002),
    }
}

fn flag(value: &Value) -> Result<Value, Code> {
    match value {
        Value::Bool(flag) => Ok(Value::from(*flag)),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::from(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::from(false)),
        _ => Err(Code::L1002),
    }
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a table reads better without ampersands")]
    fn check(name: &str, value: Value, expected: Result<Value, Code>) {
        assert_eq!(fitted(fit_of(name).unwrap(), &value, Product::B2c), expected, "{name} {value}");
    }

    #[test]
    fn values_are_trimmed_and_kept_within_the_published_limits() {
        check("givenName", json!(" Ana "), Ok(json!("Ana")));
        check("givenName", json!("x".repeat(64)), Ok(json!("x".repeat(64))));
        check("givenName", json!("x".repeat(65)), Err(Code::L1001));
        check("givenName", json!("𝔸".repeat(33)), Err(Code::L1001));
        check("displayName", json!("x".repeat(256)), Ok(json!("x".repeat(256))));
        check("displayName", json!("x".repeat(257)), Err(Code::L1001));
        check("displayName", json!("<b>Ana</b>"), Err(Code::L1002));
        check("displayName", json!("A\u{0}na"), Err(Code::L1002));
        check("streetAddress", json!("Main St 1\n2nd floor"), Ok(json!("Main St 1\n2nd floor")));
        check("postalCode", json!(12345), Ok(json!("12345")));
        check("postalCode", json!("1".repeat(41)), Err(Code::L1001));
        check("businessPhones", json!("+1 425"), Ok(json!(["+1 425"])));
        check("businessPhones", json!(["1", "2"]), Err(Code::L1002));
        check("accountEnabled", json!("True"), Ok(json!(true)));
        check("usageLocation", json!("es"), Ok(json!("ES")));
        check("usageLocation", json!("Spain"), Err(Code::L1002));
        check("preferredLanguage", json!("de_AT"), Ok(json!("de-AT")));
        check("preferredLanguage", json!("Deutsch!"), Err(Code::L1002));
    }

    #[test]
    fn addresses_are_addresses() {
        for right in ["ana@example.com", "o'brien@example.com", "a+b@sub.example.co.uk"] {
            assert_eq!(email(right).as_deref(), Ok(right));
        }
        for wrong in [
            "ana",
            "ana@",
            "ana@localhost",
            "a b@example.com",
            "ana@exa_mple..com",
            "Ana <a@example.com>",
            "añα@example.com",
        ] {
            assert_eq!(email(wrong), Err(Code::L1004), "{wrong}");
        }
        check("otherMails", json!(["ana@example.com", "nonsense"]), Err(Code::L1004));
    }

    #[test]
    fn extension_values_have_the_type_of_their_attribute() {
        let check = |sort: &str, value: Value, expected: Result<Value, Code>| {
            assert_eq!(extension(sort, &value), expected, "{sort} {value}");
        };
        check("String", json!("x".repeat(250)), Ok(json!("x".repeat(250))));
        check("String", json!("x".repeat(251)), Err(Code::L1001));
        check("Boolean", json!("false"), Ok(json!(false)));
        check("Boolean", json!(1), Err(Code::L1002));
        check("Integer", json!("42"), Ok(json!(42)));
        check("Integer", json!(3_000_000_000_i64), Err(Code::L1002));
        check("LargeInteger", json!(3_000_000_000_i64), Ok(json!(3_000_000_000_i64)));
        check("DateTime", json!("2026-09-14T10:02:03Z"), Ok(json!("2026-09-14T10:02:03Z")));
        check("DateTime", json!("yesterday"), Err(Code::L1002));
        check("Binary", json!("AA=="), Err(Code::L1002));
    }
}
