//! Whether a value fits an attribute of the server, and in which form. Pure.

use email_address::{EmailAddress, Options};
use serde_json::Value;
use sterna_core::{code::Code, time::Timestamp};

use super::{
    dialect::{Dialect, UserNames},
    schema::Attribute,
};

/// Longest e-mail address, in characters (RFC 5321 4.5.3.1.3).
const EMAIL: usize = 254;

/// A text, trimmed, as the product can hold it.
///
/// # Errors
/// The loss: L1001 too long, L1002 empty or with control characters.
pub(super) fn text(dialect: &Dialect, text: &str) -> Result<String, Code> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
        return Err(Code::L1002);
    }
    if dialect.longest.is_some_and(|most| text.chars().count() > most) {
        return Err(Code::L1001);
    }
    Ok(text.to_owned())
}

/// An e-mail address, trimmed.
///
/// # Errors
/// [`Code::L1004`] when it is none.
pub(super) fn email(text: &str) -> Result<String, Code> {
    let text = text.trim();
    let options = Options::default().without_display_text().without_domain_literal();
    let valid = text.chars().count() <= EMAIL && EmailAddress::parse_with_options(text, options).is_ok();
    if valid { Ok(text.to_owned()) } else { Err(Code::L1004) }
}

/// A user name under the rule (wso2-scim.md 2.5).
pub(super) fn is_user_name(rule: UserNames, name: &str) -> bool {
    match rule {
        UserNames::Any => !name.is_empty() && !name.chars().any(char::is_control),
        UserNames::Email => email(name).is_ok(),
        UserNames::Store => {
            let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"*?%".contains(c);
            (3..=50).contains(&name.chars().count()) && name.chars().all(plain)
        }
    }
}

/// A BCP 47 tag with hyphens (RFC 7643 4.1.1 `preferredLanguage`, `locale`).
///
/// # Errors
/// [`Code::L1002`] when it is none.
pub(super) fn language(text: &str) -> Result<String, Code> {
    let text = text.trim().replace('_', "-");
    let right = text.split('-').enumerate().all(|(at, part)| {
        let length = if at == 0 { 2..=3 } else { 1..=8 };
        length.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if right { Ok(text) } else { Err(Code::L1002) }
}

/// The value as an extension's attribute can hold it.
///
/// # Errors
/// The loss: L1001 too long, L1002 not of its type or not one of its values, L1005 several values for one place.
pub(super) fn extension(dialect: &Dialect, attribute: &Attribute, value: &Value) -> Result<Value, Code> {
    if !attribute.is_list {
        return match value {
            Value::Array(list) if list.len() == 1 => one(dialect, attribute, &list[0]),
            Value::Array(_) => Err(Code::L1005),
            value => one(dialect, attribute, value),
        };
    }
    let list = match value {
        Value::Array(list) => list.as_slice(),
        value => std::slice::from_ref(value),
    };
    let splits =
        |value: &Value| value.as_str().zip(dialect.separator).is_some_and(|(text, separator)| text.contains(separator));
    if list.iter().any(splits) {
        return Err(Code::L1002);
    }
    list.iter().map(|value| one(dialect, attribute, value)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn one(dialect: &Dialect, attribute: &Attribute, value: &Value) -> Result<Value, Code> {
    let words = scalar(value);
    match attribute.sort.as_str() {
        "boolean" => match words.as_deref().map(str::trim) {
            Some(word) if word.eq_ignore_ascii_case("true") => Ok(Value::from(true)),
            Some(word) if word.eq_ignore_ascii_case("false") => Ok(Value::from(false)),
            _ => Err(Code::L1002),
        },
        "integer" => words.and_then(|text| text.trim().parse::<i64>().ok()).map(Value::from).ok_or(Code::L1002),
        "decimal" => words.and_then(|text| text.trim().parse::<f64>().ok()).map(Value::from).ok_or(Code::L1002),
        "dateTime" => {
            let at = words.and_then(|text| Timestamp::parse(text.trim())).ok_or(Code::L1002)?;
            Ok(Value::from(at.to_string()))
        }
        // members of a complex value are the server's to judge
        "complex" if value.is_object() => Ok(value.clone()),
        "complex" => Err(Code::L1002),
        _ => {
            let text = text(dialect, &words.ok_or(Code::L1002)?)?;
            if attribute.canonical.is_empty() {
                return Ok(Value::from(text));
            }
            // in the server's own writing
            let listed = attribute.canonical.iter().find(|known| known.eq_ignore_ascii_case(&text));
            listed.map(|known| Value::from(known.as_str())).ok_or(Code::L1002)
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::dialect::Product, *};

    fn attribute(sort: &str, is_list: bool) -> Attribute {
        let (name, canonical) = ("x".into(), Vec::new());
        Attribute { name, sort: sort.into(), is_list, is_writable: true, is_returned: true, canonical }
    }

    #[test]
    fn values_get_the_type_of_their_attribute() {
        let dialect = Product::Wso2Is.dialect();
        let check = |sort: &str, is_list: bool, value: Value, expected: Result<Value, Code>| {
            assert_eq!(extension(&dialect, &attribute(sort, is_list), &value), expected, "{sort} {value}");
        };
        check("string", false, json!(" a "), Ok(json!("a")));
        check("string", false, json!(7), Ok(json!("7")));
        check("string", false, json!(["a"]), Ok(json!("a")));
        check("string", false, json!(["a", "b"]), Err(Code::L1005));
        check("string", true, json!(["a", "b"]), Ok(json!(["a", "b"])));
        check("string", true, json!(["a,b"]), Err(Code::L1002));
        check("string", false, json!("x".repeat(1_025)), Err(Code::L1001));
        check("string", false, json!({}), Err(Code::L1002));
        check("boolean", false, json!("True"), Ok(json!(true)));
        check("boolean", false, json!(1), Err(Code::L1002));
        check("integer", false, json!("7"), Ok(json!(7)));
        check("dateTime", false, json!("2026-09-14T10:02:03Z"), Ok(json!("2026-09-14T10:02:03Z")));
        check("dateTime", false, json!("yesterday"), Err(Code::L1002));
        let gold = Attribute { canonical: vec!["gold".into()], ..attribute("string", false) };
        assert_eq!(extension(&dialect, &gold, &json!("tin")), Err(Code::L1002));
        assert_eq!(extension(&dialect, &gold, &json!("Gold")), Ok(json!("gold")));
    }

    #[test]
    fn user_names_follow_their_rule() {
        let check =
            |rule: UserNames, name: &str, expected: bool| assert_eq!(is_user_name(rule, name), expected, "{name}");
        for (name, store, email, any) in [
            ("ana", true, false, true),
            ("an", false, false, true),
            ("ana ruiz", false, false, true),
            ("ana%", false, false, true),
            ("ana@example.org", true, true, true),
            ("añá/ß", true, false, true),
            ("", false, false, false),
            ("a\u{0}na", false, false, false),
        ] {
            check(UserNames::Store, name, store);
            check(UserNames::Email, name, email);
            check(UserNames::Any, name, any);
        }
        check(UserNames::Store, &"x".repeat(51), false);
    }

    #[test]
    fn languages_are_tags() {
        assert_eq!(language("de_AT").as_deref(), Ok("de-AT"));
        for wrong in ["Deutsch", "", "d", "de-", "de AT"] {
            assert_eq!(language(wrong), Err(Code::L1002), "{wrong}");
        }
    }
}
