//! Users as servers write them.

use serde_json::json;

use super::{
    super::{
        dialect::Product,
        testing::{CUSTOM, key, shape},
    },
    *,
};
use Product::{Asgardeo, Scim, Wso2Is};

fn held_by(shape: &Shape, user: &Value) -> Held {
    held(shape, user, Beside::default()).unwrap()
}

/// What one attribute reads as.
fn check(product: Product, user: &Value, name: &str, expected: &Value) {
    let mut user = user.clone();
    user["id"] = json!("u1");
    let held = held_by(&shape(product), &user);
    assert_eq!(held.attributes.get(name).unwrap_or(&Value::Null), expected, "{user}");
}

#[test]
fn servers_write_the_same_in_many_ways() {
    check(Wso2Is, &json!({"userName": "PRIMARY/ana"}), "userName", &json!("ana"));
    check(Asgardeo, &json!({"userName": "DEFAULT/ana@example.org"}), "userName", &json!("ana@example.org"));
    check(Wso2Is, &json!({"userName": "ana/x"}), "userName", &json!("ana/x"));
    check(Scim, &json!({"userName": "PRIMARY/ana"}), "userName", &json!("PRIMARY/ana"));
    check(Scim, &json!({"username": "ana"}), "userName", &json!("ana"));
    for (given, expected) in
        [(json!(true), true), (json!("True"), true), (json!("false"), false), (json!(false), false)]
    {
        check(Scim, &json!({"active": given}), "active", &json!(expected));
    }
    check(Scim, &json!({}), "active", &Value::Null);
    let both =
        json!({"emails": [{"type": "home", "value": "b@x.org"}, "a@x.org", {"type": "work", "value": "a@x.org"}]});
    check(Wso2Is, &both, "emails", &json!(["a@x.org", "b@x.org"]));
    let primary = json!({"emails": [{"value": "b@x.org"}, {"value": "a@x.org", "primary": "true"}, {"no": 1}, 7]});
    check(Scim, &primary, "emails", &json!(["a@x.org", "b@x.org"]));
    check(Scim, &json!({"emails": "a@x.org"}), "emails", &json!(["a@x.org"]));
    check(Scim, &json!({"emails": []}), "emails", &Value::Null);
    let numbers = json!({"phoneNumbers": [{"type": "work", "value": "3"}, {"type": "mobile", "value": "1"}, {"type": "home", "value": "2"}]});
    check(Wso2Is, &numbers, "phoneNumbers", &json!(["1", "2", "3"]));
    check(Scim, &json!({"name": {"givenName": "Ana", "x": 1}}), "name.givenName", &json!("Ana"));
    check(Scim, &json!({"title": 7}), "title", &Value::Null);
    check(Scim, &json!({CUSTOM: {"tier": "gold"}}), &format!("{CUSTOM}:tier"), &json!("gold"));
}

#[test]
fn the_postal_address_is_the_main_one_or_the_one_of_our_type() {
    let one = |sort: &str, city: &str| json!({"type": sort, "locality": city, "formatted": "x", "region": null});
    let check = |list: Value, expected: &Value| check(Scim, &json!({"addresses": list}), "addresses", expected);
    check(json!([one("work", "A"), one("home", "B")]), &json!({"locality": "B"}));
    check(json!([one("work", "A"), {"primary": true, "locality": "C"}]), &json!({"locality": "C"}));
    check(json!([one("work", "A")]), &json!({"locality": "A"}));
    check(one("work", "A"), &json!({"locality": "A"}));
    check(json!([]), &Value::Null);
    check(json!(["x"]), &Value::Null);
}

#[test]
fn memberships_are_names_without_stores_and_without_what_comes_through_other_groups() {
    let groups = json!({"groups": [
        {"display": "PRIMARY/staff", "value": "1"}, {"display": "all", "type": "indirect"}, {"display": "PRIMARY/staff"}]});
    check(Wso2Is, &groups, "groups", &json!(["staff"]));
    // before roles had ids they stood in one text
    check(
        Wso2Is,
        &json!({"roles": [{"type": "default", "value": "everyone,admin"}]}),
        "roles",
        &json!(["admin", "everyone"]),
    );
    check(Wso2Is, &json!({"roles": [{"display": "agent", "value": "4f1c", "$ref": "x"}]}), "roles", &json!(["agent"]));
    // an id alone is no name
    check(Scim, &json!({"groups": [{"value": "1", "$ref": "https://h/Groups/1"}]}), "groups", &json!([]));
    check(Scim, &json!({}), "groups", &Value::Null);
    let beside = Beside { groups: Some(vec!["x".into()]), ..Beside::default() };
    let held = held(&shape(Scim), &json!({"id": "1"}), beside).unwrap();
    assert_eq!(held.attributes["groups"], json!(["x"]));
}

#[test]
fn a_user_name_is_an_identity_unless_it_is_the_accounts_own_key() {
    let check = |user: Value, expected: &[Identity]| {
        let item = inventory_item(&shape(Wso2Is), &user).unwrap();
        assert_eq!(item.identities, expected, "{user}");
    };
    let ours = key().to_string();
    check(json!({"id": "1", "userName": "PRIMARY/ana"}), &[Identity::user_name("ana")]);
    check(json!({"id": "1", "userName": "ana@example.org"}), &[Identity::email("ana@example.org")]);
    check(json!({"id": "1", "userName": ours, "externalId": ours}), &[]);
    check(json!({"id": "1", "userName": format!("{ours}@federated.invalid"), "externalId": ours}), &[]);
    check(json!({"id": "1", "userName": ours}), &[Identity::user_name(&ours)]);
    check(json!({"id": "1"}), &[]);
    assert_eq!(inventory_item(&shape(Scim), &json!({"userName": "ana"})), None);
    assert_eq!(held(&shape(Scim), &json!({"id": ""}), Beside::default()), None);
    let item = inventory_item(&shape(Scim), &json!({"id": "1", "externalId": ours.to_uppercase()})).unwrap();
    assert_eq!(item.key, Some(key()));
}

#[test]
fn the_flag_says_that_a_password_was_moved_and_is_read_as_awaited() {
    let check = |value: Value, expected: Option<bool>| {
        let user = json!({"id": "1", CUSTOM: {"is_migrated": value}});
        assert_eq!(held_by(&shape(Wso2Is), &user).awaiting, expected, "{user}");
        assert_eq!(held_by(&shape(Scim), &user).awaiting, None, "no flag is known there");
    };
    check(json!("true"), Some(false));
    check(json!("TRUE"), Some(false));
    check(json!(true), Some(false));
    check(json!("false"), Some(true));
    check(json!("soon"), Some(true));
    check(Value::Null, None);
}

#[test]
fn instants_are_texts_or_milliseconds_and_no_note_of_a_sign_in_is_no_proof() {
    let read = |shape: &Shape, urn: &str, value: &Value| {
        let user = json!({"id": "1", urn: {"lastLogonTime": value, "lastPasswordUpdateTime": value},
            "meta": {"created": "2026-01-02T03:04:05Z"}});
        let held = held_by(shape, &user);
        assert!(held.created.is_some());
        (held.signed_in, held.password_changed)
    };
    let at = Timestamp(1_767_322_000_000);
    let wso2 = shape(Wso2Is);
    for urn in [WSO2_SYSTEM, ENTERPRISE] {
        for value in [json!("1767322000000"), json!(1_767_322_000_000_u64), json!(at.to_string())] {
            assert_eq!(read(&wso2, urn, &value), (Activity::At(at), Some(at)), "{urn} {value}");
        }
    }
    for value in [json!(""), json!("0"), json!("never"), Value::Null, json!({})] {
        assert_eq!(read(&wso2, WSO2_SYSTEM, &value), (Activity::Unknown, None), "{value}");
    }
    let new = Shape { nobody_signs_in: true, ..shape(Wso2Is) };
    assert_eq!(read(&new, WSO2_SYSTEM, &Value::Null).0, Activity::Never);
    assert_eq!(read(&new, WSO2_SYSTEM, &json!("1767322000000")).0, Activity::At(at));
}
