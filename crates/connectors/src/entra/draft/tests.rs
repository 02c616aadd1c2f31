//! Tables of what becomes of accounts: what is sent, what is lost, what is held.

use std::collections::BTreeSet;

use serde_json::json;
use sterna_core::{
    account::{Consent, Contact, Factor},
    ids::{AccountKey, SourceKey},
    password::policy::PasswordPolicy,
};

use super::*;
use crate::entra::config::{EmailSignIn, Product};

const KEY: &str = "5df41881-3aed-5c88-9d0d-2f4f0b3b4c11";

fn shape() -> Shape {
    Shape {
        product: Product::ExternalId,
        upn_domain: "contoso.onmicrosoft.com".into(),
        prefix: "extension_0123456789abcdef0123456789abcdef_".into(),
        flag: "toBeMigrated".into(),
        legacy_id: "sternaLegacyId".into(),
        extensions: BTreeMap::from([("loyaltyId".into(), "String".into()), ("toBeMigrated".into(), "Boolean".into())]),
        providers: None,
        relink_issuers: Vec::new(),
        email_sign_in: EmailSignIn::Verified,
        policy: PasswordPolicy::entra(),
        disable_strong_password: false,
    }
}

fn person(identities: &[Identity]) -> Account {
    let mut account = Account::new(SourceKey::new("1").unwrap());
    account.profile.display_name = Some("Ana".into());
    account.identities = identities.to_vec();
    account
}

fn ana() -> Identity {
    Identity::email("ana@example.com")
}

#[expect(clippy::needless_pass_by_value, reason = "tables read better without ampersands")]
/// A draft under `rules`-like choices; issuers facebook.com and google.com are listed.
fn make(shape: &Shape, account: &Account, strategy: Strategy, mapped: Value) -> Drafted {
    let issuers = ["facebook.com", "google.com"].map(|issuer| (issuer.to_owned(), issuer.to_owned())).into();
    let mapped = mapped.as_object().cloned().unwrap_or_default().into_iter().collect();
    let (key, taken) = (AccountKey::parse(KEY).unwrap(), BTreeSet::from(["shoe".to_owned()]));
    draft(shape, account, &DraftRules { key, mapped, strategy, issuers: &issuers, taken: &taken })
}

fn sent(shape: &Shape, account: &Account, mapped: Value) -> (Draft, Vec<String>) {
    match make(shape, account, Strategy::JustInTime, mapped) {
        Drafted::Draft { draft, losses } => {
            (draft, losses.iter().map(|loss| format!("{} {}", loss.code, loss.what)).collect())
        }
        Drafted::Hold(loss) => panic!("held: {loss:?}"),
    }
}

fn held(shape: &Shape, account: &Account) -> String {
    match make(shape, account, Strategy::JustInTime, Value::Null) {
        Drafted::Hold(loss) => format!("{} {}", loss.code, loss.what),
        Drafted::Draft { losses, .. } => panic!("not held, loses {losses:?}"),
    }
}

#[test]
fn a_plain_local_account_loses_nothing_and_carries_its_key_three_times() {
    let (draft, losses) = sent(&shape(), &person(&[ana()]), Value::Null);
    assert_eq!(losses, Vec::<String>::new());
    let expected = json!({
        "displayName": "Ana",
        "mail": "ana@example.com",
        "accountEnabled": true,
        "mailNickname": KEY,
        "userPrincipalName": format!("{KEY}@contoso.onmicrosoft.com"),
        "passwordPolicies": "DisablePasswordExpiration",
        "extension_0123456789abcdef0123456789abcdef_sternaLegacyId": KEY,
    });
    assert_eq!(serde_json::to_value(&draft.attributes).unwrap(), expected);
    assert_eq!((draft.identities, draft.password), (vec![ana()], Password::AtSignIn));
}

#[test]
fn a_social_account_has_no_password_no_policies_and_its_address_in_other_mails() {
    let mut account = person(&[Identity::federated("Facebook.com", "1")]);
    account.profile.add_email("ana@example.com", None);
    let (draft, losses) = sent(&shape(), &account, Value::Null);
    assert_eq!(losses, Vec::<String>::new());
    assert_eq!(draft.identities, [Identity::federated("facebook.com", "1")]);
    assert_eq!(draft.password, Password::None);
    assert_eq!(draft.attributes.get("otherMails"), Some(&json!(["ana@example.com"])));
    assert!(!draft.attributes.contains_key("mail") && !draft.attributes.contains_key("passwordPolicies"));
}

#[test]
fn the_password_is_set_where_it_is_held_and_good_and_else_the_strategy_decides() {
    let hash = || Credential::hash("bcrypt", "$2b$10$x");
    let check = |credential: Credential, strategy: Strategy, expected: Password, losses: &[&str]| {
        let mut account = person(&[ana()]);
        account.credential = credential;
        let Drafted::Draft { draft, losses: found } = make(&shape(), &account, strategy, Value::Null) else {
            panic!("held")
        };
        assert_eq!(draft.password, expected, "{strategy:?}");
        let found: Vec<String> = found.iter().map(|loss| format!("{} {}", loss.code, loss.what)).collect();
        assert_eq!(found, losses);
    };
    let good = || Credential::Plaintext("Pass!w0rd".into());
    let weak = || Credential::Plaintext("1234".into());
    check(good(), Strategy::JustInTime, Password::FromRecord, &[]);
    check(good(), Strategy::Reset, Password::FromRecord, &[]);
    check(weak(), Strategy::JustInTime, Password::AtSignIn, &["L3001 password: too short"]);
    check(weak(), Strategy::Set, Password::Reset, &["L3001 password: too short"]);
    check(hash(), Strategy::JustInTime, Password::AtSignIn, &[]);
    check(hash(), Strategy::CarryHash, Password::Reset, &["L3002 bcrypt"]);
    check(hash(), Strategy::Reset, Password::Reset, &[]);
    check(Credential::HeldByLegacy, Strategy::JustInTime, Password::AtSignIn, &[]);
    check(Credential::Nothing, Strategy::Set, Password::Reset, &[]);
}

#[test]
fn without_complexity_weaker_held_passwords_are_set_and_the_policy_says_so() {
    let mut account = person(&[ana()]);
    account.credential = Credential::Plaintext("password".into());
    let policy = PasswordPolicy::entra_without_complexity();
    let shape = Shape { disable_strong_password: true, policy, ..shape() };
    let (draft, _) = sent(&shape, &account, Value::Null);
    assert_eq!(draft.password, Password::FromRecord);
    assert_eq!(draft.attributes["passwordPolicies"], "DisablePasswordExpiration, DisableStrongPassword");
}

#[test]
fn identities_that_the_tenant_cannot_hold_are_lost_by_name() {
    let check = |identity: Identity, expected: &str| {
        let (draft, losses) = sent(&shape(), &person(&[ana(), identity.clone()]), Value::Null);
        assert_eq!(draft.identities, [ana()], "{identity:?}");
        assert_eq!(losses, [expected]);
        let alone = held(&shape(), &person(&[identity]));
        assert_eq!(alone, expected, "with nothing else it is held for the same reason");
    };
    check(Identity::Local { name: LocalName::Phone, value: "+34600".into() }, "L2001 phoneNumber identity");
    check(Identity::user_name("ana.perez"), "L2002 userName identity");
    check(Identity::user_name("ana@home"), "L2002 userName identity");
    check(Identity::user_name("_ana"), "L2002 userName identity");
    check(Identity::user_name("a".repeat(65)), "L2002 userName identity");
    check(Identity::email("not an address"), "L1004 emailAddress identity");
    check(Identity::federated("facebook.com", " "), "L2008 facebook.com");
    assert_eq!(held(&shape(), &person(&[])), "L4004 identities");
}

#[test]
fn an_issuer_that_is_not_listed_holds_the_account_whatever_else_it_has() {
    assert_eq!(held(&shape(), &person(&[ana(), Identity::federated("Twitter.com", "1")])), "L4003 Twitter.com");
}

#[test]
fn a_missing_provider_and_subjects_of_an_old_application_are_lost_or_hold() {
    let both = person(&[ana(), Identity::federated("google.com", "1")]);
    let social = person(&[Identity::federated("google.com", "1")]);
    let missing = Shape { providers: Some(vec!["facebook.com".into()]), ..shape() };
    assert_eq!(sent(&missing, &both, Value::Null).1, ["L2004 google.com"]);
    assert_eq!(held(&missing, &social), "L2004 google.com");
    let relink = Shape { relink_issuers: vec!["Google.com".into()], ..shape() };
    assert_eq!(sent(&relink, &both, Value::Null).1, ["L2005 google.com"]);
    assert_eq!(held(&relink, &social), "L2005 google.com");
    let there = Shape { providers: Some(vec!["GOOGLE.com".into()]), ..shape() };
    assert_eq!(sent(&there, &social, Value::Null).1, Vec::<String>::new());
}

#[test]
fn the_same_name_twice_is_sent_once_and_eleven_are_too_many() {
    let twice = person(&[ana(), Identity::email("ANA@example.com")]);
    assert_eq!(sent(&shape(), &twice, Value::Null).0.identities, [ana()]);
    let many = |count: usize| (0..count).map(|n| Identity::federated("google.com", n.to_string())).collect::<Vec<_>>();
    assert_eq!(sent(&shape(), &person(&many(10)), Value::Null).0.identities.len(), 10);
    assert_eq!(held(&shape(), &person(&many(11))), "L2007 identities");
}

#[test]
fn a_user_name_alone_has_no_reset_unless_a_verified_address_becomes_a_sign_in_name() {
    let with = |verified: Option<bool>| {
        let mut account = person(&[Identity::user_name("ana1")]);
        account.profile.emails.push(Contact { value: "ana@example.com".into(), verified, primary: true });
        account
    };
    let check = |email_sign_in: EmailSignIn, account: &Account, identities: usize, losses: &[&str]| {
        let (draft, found) = sent(&Shape { email_sign_in, ..shape() }, account, Value::Null);
        assert_eq!((draft.identities.len(), found), (identities, losses.iter().map(|l| (*l).to_owned()).collect()));
    };
    let lost = ["L2003 userName identity"];
    check(EmailSignIn::Verified, &person(&[Identity::user_name("ana1")]), 1, &lost);
    check(EmailSignIn::Verified, &with(None), 1, &lost);
    check(EmailSignIn::Verified, &with(Some(true)), 2, &[]);
    check(EmailSignIn::Always, &with(None), 2, &[]);
    check(EmailSignIn::Never, &with(Some(true)), 1, &lost);
}

#[test]
fn a_display_name_is_made_of_what_there_is_and_hostile_ones_are_left_out() {
    let check = |change: &dyn Fn(&mut Account), product: Product, expected: &str, losses: &[&str]| {
        let mut account = person(&[ana()]);
        account.profile.display_name = None;
        change(&mut account);
        let (draft, found) = sent(&Shape { product, ..shape() }, &account, Value::Null);
        assert_eq!(draft.attributes["displayName"], expected);
        assert_eq!(found, losses);
    };
    let names = |account: &mut Account| {
        account.profile.given_name = Some("Ana".into());
        account.profile.family_name = Some("Pérez".into());
    };
    check(&|_| {}, Product::B2c, "ana@example.com", &[]);
    check(&names, Product::B2c, "Ana Pérez", &[]);
    let tag = |account: &mut Account| account.profile.display_name = Some("<b>".into());
    check(&tag, Product::B2c, "ana@example.com", &["L1002 displayName"]);
    check(&tag, Product::ExternalId, "<b>", &[]);
    let long = |account: &mut Account| account.profile.display_name = Some("x".repeat(257));
    check(&long, Product::B2c, "ana@example.com", &["L1001 displayName"]);
    let mut social = person(&[Identity::federated("google.com", "1")]);
    social.profile.display_name = Some("  ".into());
    assert_eq!(held(&shape(), &social), "L4006 displayName");
}

#[test]
fn what_has_no_place_is_named_once_and_what_a_rule_takes_is_not() {
    let mut account = person(&[ana()]);
    let profile = &mut account.profile;
    profile.middle_name = Some("M".into());
    profile.groups = vec!["staff".into(), "all".into()];
    profile.consents = vec![Consent { purpose: "tos".into(), version: None, at: None }; 2];
    profile.attributes = [
        ("shoe".to_owned(), json!(42)),
        ("hat".into(), json!("L")),
        ("nothing".into(), json!(null)),
        ("empty".into(), json!(" ")),
    ]
    .into();
    profile.attributes.insert("loyaltyId".into(), json!("L-7"));
    profile.attributes.insert("department".into(), json!("Sales"));
    profile.attributes.insert("toBeMigrated".into(), json!(true));
    let number = |value: &str| Contact { value: value.into(), verified: None, primary: false };
    profile.phones = vec![number("+34 600"), number("+34 601")];
    account.factors = vec![Factor { kind: "totp".into(), value: None }, Factor { kind: "totp".into(), value: None }];
    let (draft, losses) = sent(&shape(), &account, Value::Null);
    let expected = [
        "L1003 groups",
        "L1003 hat",
        "L1003 middle_name",
        "L1003 toBeMigrated",
        "L1005 phones",
        "L3003 totp",
        "L3004 consents",
    ];
    assert_eq!(losses, expected);
    assert_eq!(draft.attributes["extension_0123456789abcdef0123456789abcdef_loyaltyId"], "L-7");
    assert_eq!(draft.attributes["department"], "Sales");
    assert_eq!(draft.attributes["mobilePhone"], "+34 600");
}

#[test]
fn mapping_rules_win_and_can_leave_out_but_never_reach_keys_or_credentials() {
    let mut account = person(&[ana()]);
    account.profile.given_name = Some("x".repeat(65));
    let mapped = json!({
        "displayName": "Ana P.",
        "givenName": "Ana",
        "mail": null,
        "extension.loyaltyId": 7,
        "extension.unknown": "x",
        "shoeSize": "42",
        "userPrincipalName": "ana@contoso.onmicrosoft.com",
        "extension.toBeMigrated": true,
        "passwordProfile": {"password": "x"},
        "usageLocation": "Spain",
    });
    let (draft, losses) = sent(&shape(), &account, mapped);
    assert_eq!(draft.attributes["displayName"], "Ana P.");
    assert_eq!(draft.attributes["givenName"], "Ana", "a rule makes up for a value that was too long");
    assert!(!draft.attributes.contains_key("mail"));
    assert_eq!(draft.attributes["extension_0123456789abcdef0123456789abcdef_loyaltyId"], "7");
    assert_eq!(draft.attributes["userPrincipalName"], format!("{KEY}@contoso.onmicrosoft.com"));
    let expected = [
        "L1002 usageLocation",
        "L1003 extension.toBeMigrated",
        "L1003 extension.unknown",
        "L1003 passwordProfile",
        "L1003 shoeSize",
        "L1003 userPrincipalName",
    ];
    assert_eq!(losses, expected);
    assert!(
        !draft
            .attributes
            .keys()
            .any(|name| name.contains("toBeMigrated") || name.contains("assword") && name != "passwordPolicies")
    );
}

#[test]
fn the_same_account_gives_the_same_draft_to_the_byte() {
    let mut account = person(&[ana(), Identity::federated("google.com", "1")]);
    account.profile.attributes = (0..20).map(|n| (format!("a{n}"), json!(n))).collect();
    let write = || match make(&shape(), &account, Strategy::Reset, json!({"city": "Sevilla"})) {
        Drafted::Draft { draft, .. } => serde_json::to_string(&draft).unwrap(),
        Drafted::Hold(loss) => panic!("{loss:?}"),
    };
    assert_eq!(write(), write());
}

#[test]
fn more_than_a_hundred_extension_attributes_hold_the_account() {
    let names = |count: usize| (0..count).map(|n| (format!("a{n}"), json!("x"))).collect::<BTreeMap<_, _>>();
    let extensions = names(99).into_keys().map(|name| (name, "String".to_owned())).collect();
    let shape = Shape { extensions, ..shape() };
    let mut account = person(&[ana()]);
    account.profile.attributes = names(98);
    assert_eq!(sent(&shape, &account, Value::Null).1, Vec::<String>::new());
    account.profile.attributes = names(99);
    assert_eq!(held(&shape, &account), "L1003 more than 100 extension attributes");
}
