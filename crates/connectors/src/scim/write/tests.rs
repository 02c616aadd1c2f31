//! Bodies as servers take them.

use sterna_core::{account::Identity, plan::Strategy};

use super::{
    super::{
        dialect::Product,
        schema::{ENTERPRISE, Schemas, WSO2_SYSTEM},
        testing::{CUSTOM, ana, made, shape},
    },
    *,
};

fn draft_of(shape: &Shape, strategy: Strategy) -> Draft {
    let mut account = ana();
    account.identities.truncate(1);
    made(shape, &account, strategy, &[]).0
}

#[test]
fn a_create_has_all_that_belongs_to_the_account() {
    let shape = Shape { user_store: Some("LEGACY".into()), reset: ResetUse::Invite, ..shape(Product::Wso2Is) };
    let draft = draft_of(&shape, Strategy::Reset);
    let body = create_body(&shape, &draft, Some(&SecretString::from("s3cret")));
    assert_eq!(body["userName"], json!("LEGACY/ana"));
    assert_eq!(body["password"], json!("s3cret"));
    assert_eq!(body["name"], json!({"givenName": "Ana"}));
    assert_eq!(body[WSO2_SYSTEM]["askPassword"], json!(true));
    assert_eq!(body[CUSTOM]["is_migrated"], json!("true"));
    assert_eq!(body["schemas"], json!([CORE, CUSTOM, WSO2_SYSTEM]));
    let addresses =
        json!([{"value": "ana@example.org", "primary": true}, {"value": "second@example.org", "type": "home"}]);
    assert_eq!(body["emails"], addresses);
    assert_eq!(create_body(&shape, &draft, None), create_body(&shape, &draft, None), "the same for every resend");
}

#[test]
fn nobody_is_invited_who_has_a_password_or_no_address() {
    let shape = Shape { reset: ResetUse::Invite, ..shape(Product::Wso2Is) };
    let invited = |draft: &Draft| create_body(&shape, draft, None)[WSO2_SYSTEM]["askPassword"].clone();
    let mut draft = draft_of(&shape, Strategy::Reset);
    assert_eq!(invited(&draft), json!(true));
    draft.attributes.remove("emails");
    assert_eq!(invited(&draft), json!(false));
    assert_eq!(invited(&draft_of(&shape, Strategy::JustInTime)), json!(false));
}

#[test]
fn the_flag_is_a_text_unless_the_server_made_it_one() {
    let text = shape(Product::Wso2Is);
    let draft = draft_of(&text, Strategy::JustInTime);
    assert_eq!(create_body(&text, &draft, None)[CUSTOM]["is_migrated"], json!("false"));
    let attributes = json!([{"name": "is_migrated", "type": "boolean"}]);
    let types = json!({"name": "User", "schemaExtensions": [{"schema": CUSTOM}]});
    let schemas = Schemas::read(&[json!({"id": CUSTOM, "attributes": attributes})], &[types]);
    let boolean = Shape { schemas, ..text };
    assert_eq!(create_body(&boolean, &draft, None)[CUSTOM]["is_migrated"], json!(false));
    let cleared = credential_body(&boolean, &SecretString::from("new"));
    assert_eq!(cleared["Operations"][1], json!({"op": "replace", "value": {CUSTOM: {"is_migrated": true}}}));
}

#[test]
fn a_new_password_is_demanded_after_the_account_is_there() {
    let forced = Shape { reset: ResetUse::Force, ..shape(Product::Wso2Is) };
    let after = after_create(&forced, &draft_of(&forced, Strategy::Reset)).unwrap();
    assert_eq!(after["Operations"], json!([{"op": "replace", "value": {WSO2_SYSTEM: {"forcePasswordReset": true}}}]));
    assert_eq!(after_create(&forced, &draft_of(&forced, Strategy::JustInTime)), None);
    let random = Shape { reset: ResetUse::Random, ..forced };
    assert_eq!(after_create(&random, &draft_of(&random, Strategy::Reset)), None);
}

fn changes() -> BTreeMap<String, Value> {
    let changes = [
        ("title", Value::Null),
        ("groups", json!(["x"])),
        (&format!("{ENTERPRISE}:department"), json!("HR")),
        ("name.givenName", json!("Anna")),
        ("emails", json!(["a@example.org", "b@example.org"])),
    ];
    changes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn a_patch_names_each_attribute_by_its_path() {
    let path = format!("{ENTERPRISE}:department");
    let emails = json!([{"value": "a@example.org", "primary": true}, {"value": "b@example.org", "type": "home"}]);
    let expected = |department: Value| {
        json!({"schemas": [PATCH_OP], "Operations": [
            {"op": "replace", "path": "emails", "value": emails},
            {"op": "replace", "path": "name.givenName", "value": "Anna"},
            {"op": "remove", "path": "title"},
            department]})
    };
    let by_path = json!({"op": "replace", "path": path, "value": "HR"});
    assert_eq!(patch_body(&shape(Product::Scim), &changes()), Ok(Some(expected(by_path))));
    let by_value = json!({"op": "replace", "value": {ENTERPRISE: {"department": "HR"}}});
    assert_eq!(patch_body(&shape(Product::Wso2Is), &changes()), Ok(Some(expected(by_value))));
    let memberships = [("groups".to_owned(), json!(["x"])), ("identities".to_owned(), json!([]))].into();
    assert_eq!(patch_body(&shape(Product::Scim), &memberships), Ok(None));
}

#[test]
fn a_put_gives_back_what_was_read_but_for_what_only_the_server_writes() {
    let read = json!({"schemas": [CORE], "id": "1", "title": "Dr", "meta": {"version": "a"}, "name": {"familyName": "Ruiz"},
        "groups": [{"value": "g"}], "phoneNumbers": [{"value": "1", "type": "work"}], "nickName": "N"});
    let expected = json!({
        "schemas": [CORE, ENTERPRISE], "id": "1", "name": {"familyName": "Ruiz", "givenName": "Anna"},
        "emails": [{"value": "a@example.org", "primary": true}, {"value": "b@example.org", "type": "home"}],
        "phoneNumbers": [{"value": "1", "type": "work"}], "nickName": "N", ENTERPRISE: {"department": "HR"}});
    assert_eq!(put_body(&shape(Product::Scim), &read, &changes()), Ok(Some(expected)));
    // WSO2 gives the main address as a text, and takes an object (wso2-scim.md 2.8)
    let read = json!({"emails": ["a@example.org"]});
    let nick = [("nickName".to_owned(), json!("N"))].into();
    let body = put_body(&shape(Product::Wso2Is), &read, &nick).unwrap().unwrap();
    assert_eq!(body["emails"], json!([{"value": "a@example.org", "primary": true}]));
    assert_eq!(put_body(&shape(Product::Scim), &read, &BTreeMap::new()), Ok(None));
}

#[test]
fn no_credential_gets_into_a_change() {
    let shape = shape(Product::Wso2Is);
    for name in ["password", "id", "meta", "schemas", &format!("{CUSTOM}:is_migrated"), "urn", "x"] {
        let changes = [(name.to_owned(), json!("x"))].into();
        let refused = |answer| matches!(answer, Err(Answer::Refuses { code: Code::E2199, .. }));
        assert!(refused(patch_body(&shape, &changes)), "{name}");
        assert!(refused(put_body(&shape, &json!({"id": "1"}), &changes)), "{name}");
    }
    let system = format!("{WSO2_SYSTEM}:askPassword");
    assert!(patch_body(&shape, &[(system, json!(true))].into()).is_err(), "it would throw the password away");
}

/// The historic request of WSO2's migration guide for one person, and ours for the same person.
///
/// What differs, and where the reference has it:
/// - `password`: a strong random one instead of the word `random` (the guide itself asks for it; wso2-scim.md 1.0).
/// - `askPassword` is a flag and no text: RFC 7643 2.3.2; WSO2 takes both (2.4).
/// - `askPassword` stands in `urn:scim:wso2:schema` where the server has it, as from 7.1; before, in the enterprise extension (2.6).
/// - `externalId`: the account's key, for look-ups (2.4, 4.1).
/// - `active`: said, for it is what is compared afterwards (RFC 7643 4.1.1).
/// - the custom schema with `is_migrated`: for the silent migration that the guide recommends (1.2.1).
#[test]
fn our_request_for_the_guides_person_differs_from_the_guides_only_where_the_reference_says_so() {
    let mut account = sterna_core::account::Account::new(sterna_core::ids::SourceKey::new("jesse").unwrap());
    account.identities = vec![Identity::user_name("jesse")];
    let body_for = |shape: &Shape| {
        let (draft, _) = made(shape, &account, Strategy::JustInTime, &[]);
        create_body(shape, &draft, Some(&SecretString::from("long-and-random")))
    };
    let guide = json!({
        "schemas": [CORE, ENTERPRISE], "userName": "jesse", "password": "random", ENTERPRISE: {"askPassword": "false"}});
    let differing = |ours: &Value| {
        let names: BTreeSet<&String> =
            ours.as_object().unwrap().keys().chain(guide.as_object().unwrap().keys()).collect();
        names.into_iter().filter(|name| ours.get(*name) != guide.get(*name)).cloned().collect::<Vec<_>>()
    };
    let newer = body_for(&shape(Product::Wso2Is));
    assert_eq!(differing(&newer), ["active", "externalId", "password", "schemas", ENTERPRISE, CUSTOM, WSO2_SYSTEM]);
    assert_eq!(newer[WSO2_SYSTEM], json!({"askPassword": false}));
    assert_eq!(newer[CUSTOM], json!({"is_migrated": "false"}));

    let attributes = json!([{"name": "askPassword", "type": "boolean"}]);
    let types = json!({"name": "User", "schemaExtensions": [{"schema": ENTERPRISE}]});
    let schemas = Schemas::read(&[json!({"id": ENTERPRISE, "attributes": attributes})], &[types]);
    let older = body_for(&Shape { schemas, flag: None, ..shape(Product::Wso2Is) });
    assert_eq!(differing(&older), ["active", "externalId", "password", ENTERPRISE]);
    assert_eq!(older[ENTERPRISE], json!({"askPassword": false}));
    assert_eq!(older["schemas"], guide["schemas"]);
}
