//! What a draft holds and loses, as tables.

use serde_json::json;
use sterna_core::account::{Address, Contact, Factor};

use super::{
    super::{
        dialect::{Product, UserNames},
        schema::{ENTERPRISE, Schemas, WSO2_SYSTEM},
        testing::{CUSTOM, ana, drafted_by, key, made, shape},
    },
    *,
};
use Product::{Asgardeo, Scim, Wso2Is};

/// What a change to Ana's account makes of one attribute, and the losses.
fn check(product: Product, change: impl Fn(&mut Account), name: &str, expected: &Value, losses: &[&str]) {
    let mut account = ana();
    account.identities.truncate(1);
    change(&mut account);
    let (draft, lost) = made(&shape(product), &account, Strategy::Reset, &[]);
    assert_eq!(draft.attributes.get(name).unwrap_or(&Value::Null), expected, "{name}");
    assert_eq!(lost, losses, "{name}");
}

#[test]
fn what_the_model_knows_has_its_place_in_the_core() {
    check(Scim, |_| {}, "name.givenName", &json!("Ana"), &[]);
    check(Scim, |_| {}, "emails", &json!(["ana@example.org", "second@example.org"]), &[]);
    check(Scim, |_| {}, "active", &json!(true), &[]);
    check(Scim, |a| a.profile.active = Some(false), "active", &json!(false), &[]);
    check(Scim, |_| {}, "externalId", &json!(key().to_string()), &[]);
    check(Wso2Is, |_| {}, &format!("{WSO2_SYSTEM}:emailVerified"), &json!(true), &[]);
    check(
        Scim,
        |a| a.profile.preferred_language = Some("Deutsch".into()),
        "preferredLanguage",
        &Value::Null,
        &["L1002 preferredLanguage"],
    );
    check(
        Scim,
        |a| a.profile.address = Some(Address { locality: Some("Sevilla".into()), ..Address::default() }),
        "addresses",
        &json!({ "locality": "Sevilla" }),
        &[],
    );
    check(Scim, |a| a.profile.groups = vec!["b".into(), "a".into(), "b".into()], "groups", &json!(["a", "b"]), &[]);
    check(Scim, |a| a.profile.roles = vec!["admin".into()], "roles", &Value::Null, &["L1003 roles"]);
    check(Wso2Is, |a| a.profile.roles = vec!["admin".into()], "roles", &json!(["admin"]), &[]);
    let many = |a: &mut Account| {
        (0..9).for_each(|n| a.profile.add_email(&format!("n{n}@example.org"), None));
    };
    check(Wso2Is, many, "displayName", &json!("Ana Ruiz"), &["L1005 emails"]);
    check(Scim, many, "displayName", &json!("Ana Ruiz"), &[]);
    check(Wso2Is, |a| a.profile.title = Some("x".repeat(1_025)), "title", &Value::Null, &["L1001 title"]);
}

#[test]
fn source_attributes_go_where_the_server_has_one_of_that_name() {
    let check = |name: &str, value: Value, path: &str, expected: Value, losses: &[&str]| {
        let give = |a: &mut Account| drop(a.profile.attributes.insert(name.to_owned(), value.clone()));
        check(Wso2Is, give, path, &expected, losses);
    };
    check("department", json!("Sales"), &format!("{ENTERPRISE}:department"), json!("Sales"), &[]);
    check("TIER", json!("gold"), &format!("{CUSTOM}:tier"), json!("gold"), &[]);
    check("tier", json!("tin"), &format!("{CUSTOM}:tier"), Value::Null, &["L1002 tier"]);
    check("tags", json!(["a", "b"]), &format!("{CUSTOM}:tags"), json!(["a", "b"]), &[]);
    check("tags", json!(["a,b"]), &format!("{CUSTOM}:tags"), Value::Null, &["L1002 tags"]);
    check("shoeSize", json!(43), "shoeSize", Value::Null, &["L1003 shoeSize"]);
    check("timezone", json!("Europe/Madrid"), "timezone", json!("Europe/Madrid"), &[]);
    check("timezone", json!("Moon/Sea"), "timezone", Value::Null, &["L1002 timezone"]);
    // what does something when it is written, what the server alone writes, and the flag
    check("askPassword", json!(true), &format!("{WSO2_SYSTEM}:askPassword"), Value::Null, &["L1003 askPassword"]);
    check("lastLogonTime", json!("1"), &format!("{WSO2_SYSTEM}:lastLogonTime"), Value::Null, &["L1003 lastLogonTime"]);
    check("is_migrated", json!("true"), &format!("{CUSTOM}:is_migrated"), Value::Null, &["L1003 is_migrated"]);
    // what the server knows itself
    check("totpEnabled", json!("true"), &format!("{WSO2_SYSTEM}:totpEnabled"), Value::Null, &["L1003 totpEnabled"]);
    check("country", json!("ES"), &format!("{WSO2_SYSTEM}:country"), json!("ES"), &[]);
}

#[test]
fn who_is_not_active_is_locked_where_the_product_asks_for_it() {
    let lock = format!("{WSO2_SYSTEM}:accountLocked");
    let gone = |a: &mut Account| a.profile.active = Some(false);
    check(Wso2Is, gone, &lock, &json!(true), &[]);
    check(Wso2Is, |_| {}, &lock, &Value::Null, &[]);
    check(Scim, gone, &lock, &Value::Null, &[]);
    let mut bare = shape(Asgardeo);
    bare.schemas = Schemas::read(&[], &[]);
    bare.user_names = UserNames::Any;
    let mut account = ana();
    account.identities.truncate(1);
    gone(&mut account);
    let (_, losses) = made(&bare, &account, Strategy::Reset, &[]);
    assert_eq!(losses, ["L1003 accountLocked"]);
}

#[test]
fn numbers_are_held_by_type_and_marked_where_they_were_verified() {
    let numbers = |count: usize| {
        move |a: &mut Account| {
            let one = |n| Contact { value: format!("+34 60{n}"), verified: Some(n == 1), primary: n == 1 };
            a.profile.phones = (0..count).map(one).collect();
        }
    };
    let mark = format!("{WSO2_SYSTEM}:phoneVerified");
    check(Wso2Is, numbers(2), "phoneNumbers", &json!(["+34 601", "+34 600"]), &[]);
    check(Wso2Is, numbers(2), &mark, &json!(true), &[]);
    check(Scim, numbers(2), &mark, &Value::Null, &[]);
    check(Wso2Is, numbers(5), &mark, &json!(true), &["L1005 phoneNumbers"]);
    check(Scim, numbers(5), &mark, &Value::Null, &[]);
}

#[test]
fn names_of_groups_are_no_stores() {
    let groups = |a: &mut Account| a.profile.groups = vec!["HR/staff".into(), " all ".into()];
    check(Wso2Is, groups, "groups", &json!(["all"]), &["L1002 groups"]);
    check(Scim, groups, "groups", &json!(["HR/staff", "all"]), &[]);
    let mut left_out = shape(Scim);
    left_out.groups = GroupUse::LeaveOut;
    let mut account = ana();
    account.identities.truncate(1);
    groups(&mut account);
    assert_eq!(made(&left_out, &account, Strategy::Reset, &[]).1, ["L1003 groups"]);
}

#[test]
fn one_local_name_becomes_the_user_name_and_the_others_are_named() {
    let check = |product: Product, identities: &[Identity], expected: Result<(&str, usize, &[&str]), Code>| {
        let account = Account { identities: identities.to_vec(), ..ana() };
        let text = match drafted_by(&shape(product), &account, Strategy::Reset, &[]) {
            Drafted::Hold(loss) => Err(loss.code),
            Drafted::Draft { draft, losses } => {
                let losses: Vec<String> = losses.iter().map(|loss| format!("{} {}", loss.code, loss.what)).collect();
                Ok((draft.attributes["userName"].as_str().unwrap().to_owned(), draft.identities.len(), losses))
            }
        };
        let expected = expected.map(|(name, count, losses)| {
            (name.to_owned(), count, losses.iter().map(|loss| (*loss).to_owned()).collect::<Vec<_>>())
        });
        assert_eq!(text, expected, "{identities:?}");
    };
    let (name, email) = (Identity::user_name("ana"), Identity::email("ana@example.org"));
    let google = Identity::federated("google.com", "4711");
    check(Scim, &[email.clone(), name.clone()], Ok(("ana", 1, &["L2009 emailAddress identity"])));
    check(Asgardeo, &[name.clone(), email.clone()], Ok(("ana@example.org", 1, &["L2009 userName identity"])));
    check(Asgardeo, std::slice::from_ref(&name), Err(Code::L2002));
    check(Wso2Is, &[Identity::user_name("a b")], Err(Code::L2002));
    check(Wso2Is, &[Identity::user_name("a/nna")], Err(Code::L2002));
    check(Wso2Is, &[name.clone(), google.clone()], Ok(("ana", 2, &[])));
    check(Scim, &[name, google.clone()], Ok(("ana", 1, &["L2004 Google"])));
    // nobody types the name of somebody who signs in elsewhere
    check(Scim, std::slice::from_ref(&google), Err(Code::L2004));
    check(Wso2Is, std::slice::from_ref(&google), Ok((&key().to_string(), 1, &[])));
    check(Asgardeo, &[google], Ok((&format!("{}@federated.invalid", key()), 1, &[])));
    check(Wso2Is, &[Identity::federated("unknown.com", "1")], Err(Code::L4003));
    check(Wso2Is, &[], Err(Code::L4004));
}

#[test]
fn passwords_follow_the_strategy_and_what_the_server_would_take() {
    let check = |product: Product, credential: Credential, strategy: Strategy, expected: Password, losses: &[&str]| {
        let mut account = Account { credential, ..ana() };
        account.identities.truncate(1);
        let (draft, lost) = made(&shape(product), &account, strategy, &[]);
        assert_eq!(
            (draft.password, lost),
            (expected, losses.iter().map(|loss| (*loss).to_owned()).collect::<Vec<_>>())
        );
    };
    let clear = |text: &str| Credential::Plaintext(text.into());
    let legacy = || Credential::HeldByLegacy;
    check(Scim, clear("long enough"), Strategy::JustInTime, Password::FromRecord, &[]);
    check(Scim, clear(" long enough"), Strategy::Set, Password::FromRecord, &[]);
    check(Wso2Is, clear(" long enough"), Strategy::Set, Password::Reset, &["L3001 password: blanks at its ends"]);
    check(Wso2Is, legacy(), Strategy::JustInTime, Password::AtSignIn, &[]);
    check(Scim, legacy(), Strategy::JustInTime, Password::Reset, &["L3005 password"]);
    check(Wso2Is, clear("short"), Strategy::JustInTime, Password::AtSignIn, &["L3001 password: too short"]);
    check(Scim, Credential::hash("bcrypt", "$2b$"), Strategy::CarryHash, Password::Reset, &["L3002 bcrypt"]);
}

#[test]
fn rules_of_the_project_win() {
    let check = |mapped: (&str, Value), name: &str, expected: Value, losses: &[&str]| {
        let mut account = ana();
        account.identities.truncate(1);
        let (draft, lost) = made(&shape(Wso2Is), &account, Strategy::Reset, std::slice::from_ref(&mapped));
        assert_eq!(draft.attributes.get(name).unwrap_or(&Value::Null), &expected, "{mapped:?}");
        assert_eq!(lost, losses, "{mapped:?}");
    };
    check(("userName", json!("ana2")), "userName", json!("ana2"), &[]);
    check(("title", json!("Dr")), "title", json!("Dr"), &[]);
    check(("displayName", Value::Null), "displayName", Value::Null, &[]);
    check(("emails", json!("new@example.org")), "emails", json!(["new@example.org"]), &[]);
    check(("emails", json!("nonsense")), "emails", Value::Null, &["L1004 emails", "L2003 password"]);
    check(("groups", json!(["x"])), "groups", json!(["x"]), &[]);
    let department = format!("{ENTERPRISE}:department");
    check(("extension.department", json!("HR")), &department, json!("HR"), &[]);
    check((&department, json!("HR")), &department, json!("HR"), &[]);
    check(("password", json!("x")), "password", Value::Null, &["L1003 password"]);
    check(("emails", json!("new@example.org")), &format!("{WSO2_SYSTEM}:emailVerified"), Value::Null, &[]);
    check(
        (&format!("{WSO2_SYSTEM}:emailVerified"), json!(true)),
        &format!("{WSO2_SYSTEM}:emailVerified"),
        json!(true),
        &[],
    );
    check(("askPassword", json!(true)), &format!("{WSO2_SYSTEM}:askPassword"), Value::Null, &["L1003 askPassword"]);
    check(("active", json!(false)), &format!("{WSO2_SYSTEM}:accountLocked"), json!(true), &[]);
    check(("externalId", json!("x")), "externalId", json!(key().to_string()), &["L1003 externalId"]);
    check(("shoe", json!("x")), "shoe", Value::Null, &["L1003 shoe"]);
}

#[test]
fn second_factors_and_consents_are_named() {
    let mut account = ana();
    account.identities.truncate(1);
    account.factors = vec![Factor { kind: "totp".into(), value: None }];
    account.profile.must_change_password = true;
    let (_, losses) = made(&shape(Scim), &account, Strategy::Reset, &[]);
    assert_eq!(losses, ["L1003 must_change_password", "L3003 totp"]);
}

#[test]
fn whoever_has_no_address_has_no_way_to_reset() {
    let mut account = ana();
    account.identities.truncate(1);
    account.profile.emails.clear();
    let losses = |strategy| made(&shape(Wso2Is), &account, strategy, &[]).1;
    assert_eq!(losses(Strategy::Reset), ["L2003 password"]);
    assert!(losses(Strategy::JustInTime).is_empty());
}
