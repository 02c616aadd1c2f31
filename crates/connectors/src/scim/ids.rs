//! Ids as texts, whatever a service writes them as. Pure.
//!
//! RFC 7643 3.1 has ids as texts; services over a table with numbered rows give numbers. In places ids are percent-encoded
//! (RFC 3986 2.1), as they are in the requests that are made with them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Lists of resources, or of what refers to one by `value`.
const LISTS: &[&str] = &["Resources", "resources", "members", "groups", "users", "roles"];

/// Reads JSON as a service writes it.
///
/// # Errors
/// When it is no JSON.
pub(super) fn parse(text: &[u8]) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::from_slice(text)?;
    as_texts(&mut value);
    Ok(value)
}

/// Makes texts of ids that are whole numbers: of a resource, of those in a list, and of what they refer to.
pub(super) fn as_texts(resource: &mut Value) {
    let Some(members) = resource.as_object_mut() else { return };
    for name in ["id", "value"] {
        if let Some(number) = members.get_mut(name)
            && (number.is_u64() || number.is_i64())
        {
            *number = Value::from(number.to_string());
        }
    }
    for name in LISTS {
        if let Some(Value::Array(list)) = members.get_mut(*name) {
            list.iter_mut().for_each(as_texts);
        }
    }
}

/// The id in the place of a user or a group: its last part. A place of all of them has none.
pub(super) fn of_place(location: &str) -> Option<String> {
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let last = path.rsplit('/').next().filter(|last| !last.is_empty())?;
    let is_endpoint = ["Users", "Groups"].iter().any(|endpoint| last.eq_ignore_ascii_case(endpoint));
    // what is no UTF-8 once it is decoded was not encoded
    let id = percent_decode_str(last).decode_utf8().map_or_else(|_| last.to_owned(), Cow::into_owned);
    (!is_endpoint).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), expected, "{text}");
    }

    #[test]
    fn numbers_become_texts_where_they_are_ids() {
        check(r#"{"id":17,"userName":"ana","age":3}"#, r#"{"age":3,"id":"17","userName":"ana"}"#);
        check(
            r#"{"totalResults":1,"Resources":[{"id":-1,"members":[{"value":4,"$ref":"x"},5]}]}"#,
            r#"{"Resources":[{"id":"-1","members":[{"$ref":"x","value":"4"},5]}],"totalResults":1}"#,
        );
        for same in [r#"{"id":1.5}"#, r#"{"id":"01"}"#, r#"{"id":null}"#, "[7]", "7"] {
            check(same, same);
        }
        assert!(parse(b"{").is_err());
    }

    #[test]
    fn ids_in_places_are_decoded_once() {
        for (location, id) in [
            ("https://h/scim/Users/u1", Some("u1")),
            ("/Users/ana%40example.org/", Some("ana@example.org")),
            ("Users/a%2Fb%2540%C3%A9?x=/y", Some("a/b%40é")),
            ("https://h/Users/100%", Some("100%")),
            ("https://h/Users/%FF", Some("%FF")),
            ("https://h/scim/v2/users/", None),
            ("", None),
        ] {
            assert_eq!(of_place(location).as_deref(), id, "{location}");
        }
    }
}
