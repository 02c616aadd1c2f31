//! What counts as a difference, as tables.

use proptest::prelude::*;
use serde_json::json;
use sterna_core::{
    account::{Account, Address, Contact, Credential},
    ids::{SourceKey, TargetId},
    plan::{self, DRAFT_VERSION, Drafted, Password},
    port::Activity,
};

use super::{
    super::{
        dialect::Product,
        record::{self, Beside},
        testing::{CUSTOM, drafted_by, key, shape, stored},
        write,
    },
    *,
};

fn draft() -> Draft {
    let identities = vec![Identity::email("ana@example.com"), Identity::federated("Google", "Aa")];
    Draft { version: DRAFT_VERSION, key: key(), attributes: [].into(), identities, password: Password::AtSignIn }
}

fn held_as(draft: &Draft) -> Held {
    Held {
        id: TargetId("u1".into()),
        key: Some(draft.key),
        attributes: draft.attributes.clone(),
        identities: draft.identities.clone(),
        awaiting: Some(false),
        signed_in: Activity::Never,
        password_changed: None,
        created: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a table of literals")]
fn check(name: &str, planned: Value, held: Value, expected: Option<DifferenceSort>) {
    let draft = Draft { attributes: [(name.to_owned(), planned.clone())].into(), ..draft() };
    let there = Held { attributes: [(name.to_owned(), held.clone())].into(), ..held_as(&draft) };
    let found = compare(&shape(Product::Wso2Is), &draft, &there);
    assert_eq!(found.first().map(|difference| difference.sort), expected, "{name}: {planned} {held}");
}

#[test]
fn values_are_compared_with_what_servers_make_of_them() {
    use DifferenceSort::{Acceptable, Differs};
    check("displayName", json!("Ana"), json!("Ana"), None);
    check("displayName", json!("Ana"), json!(" Ana "), Some(Acceptable));
    check("displayName", json!("Ana"), json!("ana"), Some(Differs));
    check("displayName", json!("Ana"), Value::Null, Some(Differs));
    check("userName", json!("Ana"), json!("ana"), Some(Acceptable));
    check("userName", json!("ana"), json!("bo"), Some(Differs));
    check("preferredLanguage", json!("de-AT"), json!("de_at"), Some(Acceptable));
    check("active", json!(true), Value::Null, None);
    check("active", json!(false), Value::Null, Some(Differs));
    check("active", json!(true), json!(false), Some(Differs));
    check("emails", json!(["a@x.org", "b@x.org"]), json!(["B@x.org", "a@x.org"]), Some(Acceptable));
    check("emails", json!(["a@x.org"]), json!(["a@x.org", "c@x.org"]), Some(Differs));
    check("emails", json!(["a@x.org"]), Value::Null, Some(Differs));
    check("phoneNumbers", json!(["+34 600-00"]), json!(["tel:+3460000"]), Some(Acceptable));
    check("phoneNumbers", json!(["+3460000"]), json!(["+3460001"]), Some(Differs));
    check("addresses", json!({"locality": "A"}), json!({"locality": "A", "country": "ES"}), Some(Acceptable));
    check("addresses", json!({"locality": "A"}), json!({"locality": "B"}), Some(Differs));
    check("groups", json!(["a", "b"]), json!(["b", "a"]), None);
    check("groups", json!(["a"]), json!(["A", "everyone"]), Some(Acceptable));
    check("groups", json!(["a", "b"]), json!(["a"]), Some(Differs));
    check("groups", json!([]), Value::Null, None);
    check("roles", json!(["a"]), Value::Null, Some(Differs));
    let of = |name: &str| format!("{CUSTOM}:{name}");
    check(&of("visits"), json!(7), json!("7"), Some(Acceptable));
    check(&of("visits"), json!(7), json!(8), Some(Differs));
    check(&of("flag"), json!(true), json!("true"), Some(Acceptable));
    check(&of("at"), json!("2026-01-01T00:00:00Z"), json!("2026-01-01T00:00:00.000Z"), Some(Acceptable));
    check(&of("tags"), json!(["a", "b"]), json!(["b", "a"]), Some(Acceptable));
    check(&of("tags"), json!(["a"]), json!("a"), Some(Acceptable));
    check(&of("tags"), json!(["a", "a"]), json!(["a", "b"]), Some(Differs));
    check(&of("manager"), json!({"value": "1"}), json!({"value": "1", "displayName": "Bo"}), Some(Acceptable));
    // never given back, so never known
    check(&of("pin"), json!("1234"), Value::Null, None);
    check(&of("pin"), json!("1234"), json!("4321"), Some(Differs));
}

#[test]
fn identities_may_come_in_any_order_and_with_more_but_none_may_be_missing() {
    let check = |held: &[Identity], expected: Option<DifferenceSort>| {
        let there = Held { identities: held.to_vec(), ..held_as(&draft()) };
        let found = compare(&shape(Product::Wso2Is), &draft(), &there);
        assert_eq!(found.first().map(|difference| difference.sort), expected, "{held:?}");
    };
    let (email, social) = (Identity::email("ana@example.com"), Identity::federated("Google", "Aa"));
    check(&[social.clone(), email.clone()], None);
    check(&[Identity::email("ANA@example.com"), social.clone()], Some(DifferenceSort::Acceptable));
    check(&[email.clone(), social, Identity::federated("Facebook", "9")], Some(DifferenceSort::Acceptable));
    check(std::slice::from_ref(&email), Some(DifferenceSort::Differs));
    check(&[email, Identity::federated("Google", "aa")], Some(DifferenceSort::Differs));
}

#[test]
fn the_flag_and_the_password_are_never_a_difference() {
    let draft = draft();
    for awaiting in [None, Some(true), Some(false)] {
        assert_eq!(compare(&shape(Product::Wso2Is), &draft, &Held { awaiting, ..held_as(&draft) }), []);
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ a-zA-Z0-9]{0,12}", "\\PC{0,20}", "[a-z]{1,6}@[a-z]{1,6}\\.org"]
}

fn person() -> impl Strategy<Value = Account> {
    let names = prop::collection::vec(prop::option::of(text()), 8);
    let lists = (prop::collection::vec(text(), 0..6), prop::collection::vec(text(), 0..6));
    let given = prop::collection::btree_map(prop_oneof!["tags|tier|visits|department|locale", text()], text(), 0..5);
    (names, lists, prop::collection::vec(text(), 0..4), given, any::<Option<bool>>(), "[a-z]{3,9}").prop_map(
        |(names, (emails, phones), groups, attributes, active, name)| {
            let mut account = Account::new(SourceKey::new("1").unwrap());
            let contacts = |list: Vec<String>| {
                let one = |(at, value)| Contact { value, verified: Some(at == 0), primary: at == 1 };
                list.into_iter().enumerate().map(one).collect()
            };
            let mut names = names.into_iter();
            let mut next = || names.next().flatten();
            let profile = &mut account.profile;
            (profile.display_name, profile.given_name, profile.family_name) = (next(), next(), next());
            (profile.title, profile.preferred_language, profile.nick_name) = (next(), next(), next());
            profile.address = Some(Address { locality: next(), country: next(), ..Address::default() });
            (profile.emails, profile.phones) = (contacts(emails), contacts(phones));
            (profile.groups, profile.active) = (groups.clone(), active);
            profile.roles = groups;
            profile.attributes = attributes.into_iter().map(|(name, text)| (name, Value::from(text))).collect();
            account.identities = vec![Identity::user_name(name), Identity::federated("google.com", "4711")];
            account.credential = Credential::HeldByLegacy;
            account
        },
    )
}

/// As WSO2 gives back what it holds: names with a store, the main address as a text, lists in another order, flags as texts.
fn as_wso2_writes_it(mut user: Value) -> Value {
    user["userName"] = Value::from(format!("PRIMARY/{}", user["userName"].as_str().unwrap().to_uppercase()));
    user["active"] = Value::from(user["active"].to_string());
    for name in ["emails", "phoneNumbers"] {
        if let Some(list) = user.get_mut(name).and_then(Value::as_array_mut) {
            list.reverse();
            for one in list.iter_mut().filter(|one| one.get("primary").is_some() && name == "emails") {
                *one = one["value"].clone();
            }
        }
    }
    user.as_object_mut().unwrap().remove("schemas");
    user
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_sent_reads_back_as_what_was_planned(account in person(), at in 0_usize..3) {
        let product = [Product::Scim, Product::Wso2Is, Product::Asgardeo][at];
        let mut shape = shape(product);
        shape.user_names = super::super::dialect::UserNames::Store;
        let Drafted::Draft { draft, .. } = drafted_by(&shape, &account, plan::Strategy::JustInTime, &[]) else {
            panic!("a good user name holds nobody")
        };
        let user = stored(&write::create_body(&shape, &draft, None));
        let names = |name: &str| {
            let list = draft.attributes.get(name)?.as_array()?;
            Some(list.iter().map(|one| one.as_str().unwrap().to_owned()).collect())
        };
        let beside = || Beside {
            identities: draft.identities.iter().filter(|one| !one.is_local()).cloned().collect(),
            groups: names(GROUPS),
            roles: names(ROLES),
        };
        let held = record::held(&shape, &user, beside()).unwrap();
        prop_assert_eq!(compare(&shape, &draft, &held), []);
        prop_assert_eq!((held.key, held.awaiting), (Some(key()), shape.flag.as_ref().map(|_| true)));
        if product != Product::Scim {
            let held = record::held(&shape, &as_wso2_writes_it(user), beside()).unwrap();
            let differences = compare(&shape, &draft, &held);
            prop_assert!(differences.iter().all(|one| one.sort == DifferenceSort::Acceptable), "{:?}", differences);
        }
    }
}
