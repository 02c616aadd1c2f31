//! First migrations of each B2C form, checked property by property against what the emulator then holds.
//!
//! The people are those of the published sample `UsersData.json`: James (local), Sara (social), David (both).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Emulator, World, adds_up, count, extension, stands, write_secret};

const ISSUERS: &str = "[social.issuers]\n\"Facebook.com\" = \"facebook.com\"\n";

/// The sample as it is published: a byte-order mark and comments included.
const USERS_DATA: &str = "\u{feff}{
  \"userType\": \"emailAddress\",
  \"Users\": [
    {
      // Local account only
      \"signInName\": \"James@contoso.com\",
      \"displayName\": \"James Martin\",
      \"firstName\": \"James\",
      \"lastName\": \"Martin\",
      \"password\": \"Pass!w0rd\"
    },
    {
      // Social account only
      \"issuer\": \"Facebook.com\",
      \"issuerUserId\": \"1234567890\",
      \"email\": \"sara@contoso.com\",
      \"displayName\": \"Sara Bell\",
      \"firstName\": \"Sara\",
      \"lastName\": \"Bell\"
    },
    {
      // Combine local account with social identity
      \"signInName\": \"david@contoso.com\",
      \"issuer\": \"Facebook.com\",
      \"issuerUserId\": \"0987654321\",
      \"displayName\": \"David Hor\",
      \"firstName\": \"David\",
      \"lastName\": \"Hor\",
      \"password\": \"Pass!w0rd\"
    }
  ]
}
";

fn successor() -> Value {
    let old = "old.onmicrosoft.com";
    json!({ "users": [
        { "displayName": "James Martin", "givenName": "James", "surname": "Martin", "password": "Pass!w0rd",
          "identities": [{ "signInType": "emailAddress", "issuer": old, "issuerAssignedId": "James@contoso.com" }] },
        { "displayName": "Sara Bell", "givenName": "Sara", "surname": "Bell", "otherMails": ["sara@contoso.com"],
          "identities": [{ "signInType": "federated", "issuer": "Facebook.com", "issuerAssignedId": "1234567890" }] },
        { "displayName": "David Hor", "givenName": "David", "surname": "Hor", "password": "Pass!w0rd",
          "identities": [
            { "signInType": "emailAddress", "issuer": old, "issuerAssignedId": "david@contoso.com" },
            { "signInType": "federated", "issuer": "Facebook.com", "issuerAssignedId": "0987654321" }] },
    ] })
}

/// Users of Azure AD Graph; the ids of the provider are in base64.
fn legacy_graph() -> Value {
    let password = json!({ "password": "Pass!w0rd", "forceChangePasswordNextLogin": false });
    let name = |value: &str| json!([{ "type": "emailAddress", "value": value }]);
    let social = |id: &str| json!([{ "issuer": "Facebook.com", "issuerUserId": id }]);
    json!([
        { "objectId": "a1", "accountEnabled": true, "creationType": "LocalAccount", "displayName": "James Martin",
          "givenName": "James", "surname": "Martin", "signInNames": name("James@contoso.com"), "userIdentities": [],
          "otherMails": [], "passwordProfile": password },
        { "objectId": "a2", "accountEnabled": true, "creationType": null, "displayName": "Sara Bell",
          "givenName": "Sara", "surname": "Bell", "signInNames": [], "userIdentities": social("MTIzNDU2Nzg5MA=="),
          "otherMails": ["sara@contoso.com"],
          "passwordProfile": { "password": "Test1234", "forceChangePasswordNextLogin": false } },
        { "objectId": "a3", "accountEnabled": true, "creationType": "LocalAccount", "displayName": "David Hor",
          "givenName": "David", "surname": "Hor", "signInNames": name("david@contoso.com"),
          "userIdentities": social("MDk4NzY1NDMyMQ=="), "otherMails": [], "passwordProfile": password },
    ])
}

/// The identities that somebody signs in with; the generated principal name aside.
fn identities(user: &Value) -> Vec<(String, String, String)> {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let all = user["identities"].as_array().unwrap().iter();
    let all = all.map(|one| (text(one, "signInType"), text(one, "issuer"), text(one, "issuerAssignedId")));
    all.filter(|(sort, ..)| sort != "userPrincipalName").collect()
}

/// The one key in its three places: a version 5 UUID.
fn check_key(user: &Value, tenant: &str) -> String {
    let key = user["mailNickname"].as_str().unwrap().to_owned();
    assert_eq!((key.len(), key.as_bytes()[14]), (36, b'5'), "{key}");
    assert!(b"89ab".contains(&key.as_bytes()[19]), "{key}");
    assert_eq!(user["userPrincipalName"], format!("{key}@{tenant}"));
    assert_eq!(extension(user, "sternaLegacyId"), &json!(key));
    key
}

/// Extracts, plans, applies and verifies `document`, and checks everybody as the reference's Graph form says.
fn check(kind: &str, document: &[u8]) -> World {
    let world = World::with_users_file(kind, document, "", ISSUERS);
    let extract = world.run("extract --json").exits(0).json();
    assert_eq!(extract["sources"][0]["new"], 3, "{extract:#}");
    // the tenant has neither attribute yet: a warning, since apply makes them
    let plan = world.plan_json();
    assert_eq!((&plan["planned"], &plan["passwords"]["set"]), (&json!(3), &json!(2)), "{plan:#}");
    assert_eq!(plan["passwords"]["not_needed"], 1, "{plan:#}");
    world.run("apply --yes").exits(0);
    check_people(&world.emulator);
    let verify = world.run("verify --json").exits(0).json();
    assert_eq!(verify["equal"], 3, "{verify:#}");
    let status = world.status();
    adds_up(&status);
    assert_eq!((count(&status, "profile", "verified"), &status["rejected"]), (3, &json!(0)), "{status:#}");
    stands(&status, "credential", &[("set", 2), ("not_needed", 1)]);
    world
}

fn check_people(emulator: &Emulator) {
    let tenant = emulator.ready["tenant"].as_str().unwrap();
    let local = |name: &str| ("emailAddress".to_owned(), tenant.to_owned(), name.to_owned());
    let social = |id: &str| ("federated".to_owned(), "facebook.com".to_owned(), id.to_owned());
    let people = [
        ("James Martin", "James", "Martin", vec![local("James@contoso.com")], json!("James@contoso.com"), Value::Null),
        ("Sara Bell", "Sara", "Bell", vec![social("1234567890")], Value::Null, json!(["sara@contoso.com"])),
        (
            "David Hor",
            "David",
            "Hor",
            vec![local("david@contoso.com"), social("0987654321")],
            json!("david@contoso.com"),
            Value::Null,
        ),
    ];
    assert_eq!(emulator.users().len(), people.len());
    let mut keys = BTreeSet::new();
    for (name, given, surname, expected, mail, others) in people {
        let user = emulator.user(name);
        keys.insert(check_key(&user, tenant));
        assert_eq!(identities(&user), expected, "{name}");
        assert_eq!((&user["givenName"], &user["surname"]), (&json!(given), &json!(surname)), "{name}");
        assert_eq!(user["mail"], mail, "{name}");
        let held = user["otherMails"].as_array().filter(|list| !list.is_empty());
        assert_eq!(held, others.as_array(), "{name}");
        assert_eq!(user["accountEnabled"], true, "{name}");
        let has_password = name != "Sara Bell";
        let password = if has_password { json!("Pass!w0rd") } else { Value::Null };
        assert_eq!(user["_password"], password, "{name}");
        let policies = if has_password { json!("DisablePasswordExpiration") } else { Value::Null };
        assert_eq!(user["passwordPolicies"], policies, "{name}");
        assert_eq!(extension(&user, "toBeMigrated"), &Value::Null, "{name}: nothing is to move at sign-in");
    }
    assert_eq!(keys.len(), 3);
}

#[test]
fn james_sara_and_david_of_the_published_users_data_arrive_in_graphs_form() {
    check("entra-external-id", USERS_DATA.as_bytes());
}

#[test]
fn the_successors_users_json_comes_to_the_same_people() {
    check("entra-external-id", successor().to_string().as_bytes());
}

#[test]
fn a_list_of_legacy_graph_users_comes_to_the_same_people_with_decoded_subjects() {
    check("entra-external-id", legacy_graph().to_string().as_bytes());
}

#[test]
fn azure_ad_b2c_is_a_target_too() {
    check("azure-ad-b2c", USERS_DATA.as_bytes());
}

#[test]
fn who_has_no_plaintext_gets_a_random_password_and_the_flag_and_nobody_else_does() {
    let document = json!({ "userType": "emailAddress", "Users": [
        { "signInName": "ana@example.com", "displayName": "Ana", "password": "" },
        { "signInName": "bo@example.com", "displayName": "Bo", "password": "short" },
        { "signInName": "cy@example.com", "displayName": "Cy", "password": "Pass!w0rd" },
    ] });
    let world = World::with_users_file("entra-external-id", document.to_string().as_bytes(), "", "");
    world.run("extract").exits(0);
    let plan = world.plan();
    assert!(plan.stderr.contains("E5007"), "no legacy check is a warning: {}", plan.stderr);
    assert!(plan.stdout.contains("L3001"), "the weak password is a named loss: {}", plan.stdout);
    world.run("apply --yes").exits(0);
    let mut passwords = BTreeSet::new();
    for name in ["Ana", "Bo"] {
        let user = world.emulator.user(name);
        assert_eq!(extension(&user, "toBeMigrated"), &json!(true), "{name}");
        let password = user["_password"].as_str().unwrap().to_owned();
        assert!(password.len() >= 32 && password != "short", "{name}");
        passwords.insert(password);
    }
    assert_eq!(passwords.len(), 2, "everybody has one of their own");
    let user = world.emulator.user("Cy");
    assert_eq!((&user["_password"], extension(&user, "toBeMigrated")), (&json!("Pass!w0rd"), &Value::Null));
    stands(&world.status(), "credential", &[("set", 1), ("awaiting_sign_in", 2)]);
}

/// A B2C tenant with people of every shape, a guest and two administrators.
const B2C_TENANT: &str = r#"
[tenant]
name = "old.onmicrosoft.com"
[[extension]]
name = "tier"
[[user]]
password = "Pass!w0rd"
[user.properties]
displayName = "Ana Local"
"{extension}_tier" = "gold"
identities = [{ signInType = "emailAddress", issuer = "old.onmicrosoft.com", issuerAssignedId = "ana@example.com" }]
[[user]]
[user.properties]
displayName = "Bo Social"
otherMails = ["bo@example.com"]
identities = [{ signInType = "federated", issuer = "facebook.com", issuerAssignedId = "4711" }]
[[user]]
[user.properties]
displayName = "Cy Both"
identities = [
    { signInType = "userName", issuer = "old.onmicrosoft.com", issuerAssignedId = "cy1" },
    { signInType = "emailAddress", issuer = "old.onmicrosoft.com", issuerAssignedId = "cy@example.com" },
    { signInType = "federated", issuer = "facebook.com", issuerAssignedId = "4712" },
]
[[user]]
[user.properties]
displayName = "Guest"
userType = "Guest"
userPrincipalName = "guest_elsewhere.example#EXT#@old.onmicrosoft.com"
[[user]]
roles = ["Global Administrator"]
[user.properties]
displayName = "Admin"
userPrincipalName = "admin@old.onmicrosoft.com"
[[user]]
roles = ["Global Administrator"]
[user.properties]
displayName = "Admin with a local name"
identities = [{ signInType = "emailAddress", issuer = "old.onmicrosoft.com", issuerAssignedId = "boss@example.com" }]
"#;

/// A source in a tenant of its own, and the project that reads it.
fn from_tenant(scenario: &str, more: &str) -> (Emulator, World) {
    let world = World::new("", "settling_secs = 1\nextensions = { tier = \"String\" }\n", "", "");
    world.folder.write("old.toml", scenario);
    let old = Emulator::start(&world.folder, "azure-ad-b2c", "--read-delay-ms 0 --scenario old.toml");
    write_secret(&world.folder, "old.secret", old.ready["client_secret"].as_str().unwrap());
    let source = format!(
        "[sources.old]\nconnector = \"azure-ad-b2c\"\ntenant = {}\nclient_id = {}\n\
         client_secret = {{ file = \"old.secret\" }}\ngraph_url = {}\nlogin_url = {}\n{more}\n[target]",
        old.ready["tenant"], old.ready["client_id"], old.ready["graph_url"], old.ready["login_url"]
    );
    world.reconfigure("[target]", &source);
    (old, world)
}

#[test]
fn a_b2c_tenant_is_read_page_by_page_and_guests_and_administrators_are_left_out_and_counted() {
    let (old, world) = from_tenant(B2C_TENANT, "page_size = 2");
    world.reconfigure("[target]", &format!("{ISSUERS}[target]"));
    let before = old.counter("writes");
    world.run("extract").exits(0);
    let plan = world.plan_json();
    assert_eq!((&plan["planned"], &plan["excluded"]), (&json!(3), &json!(3)), "{plan:#}");
    world.run("apply --yes").exits(0);
    world.run("verify").exits(0);
    let status = world.status();
    stands(&status, "profile", &[("verified", 3), ("excluded", 3)]);
    stands(&status, "credential", &[("awaiting_sign_in", 2), ("not_needed", 1), ("dormant", 3)]);
    assert_eq!(old.counter("writes"), before, "a source is never written to");
    let names: BTreeSet<String> =
        world.emulator.users().iter().map(|user| user["displayName"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["Ana Local", "Bo Social", "Cy Both"].map(str::to_owned).into());
    let [ana, bo, cy] = ["Ana Local", "Bo Social", "Cy Both"].map(|name| world.emulator.user(name));
    assert_eq!(extension(&ana, "tier"), "gold");
    assert_eq!(extension(&ana, "toBeMigrated"), &json!(true));
    assert_eq!((&bo["_password"], extension(&bo, "toBeMigrated")), (&Value::Null, &Value::Null));
    assert_eq!(bo["otherMails"], json!(["bo@example.com"]));
    let tenant = world.emulator.ready["tenant"].as_str().unwrap();
    let expected = [
        ("userName", tenant, "cy1"),
        ("emailAddress", tenant, "cy@example.com"),
        ("federated", "facebook.com", "4712"),
    ];
    assert_eq!(identities(&cy), expected.map(|(sort, issuer, id)| (sort.into(), issuer.into(), id.into())));
}

#[test]
fn a_source_whose_next_link_repeats_ends_in_an_error_and_keeps_what_was_read() {
    let fault = "[[fault]]\nkind = \"repeat_next_link\"\non = \"list\"\nmatch = \"/users\"\n";
    let (old, world) = from_tenant(&format!("{B2C_TENANT}{fault}"), "page_size = 2");
    world.reconfigure("[target]", &format!("{ISSUERS}[target]"));
    let first = world.run("extract").exits(1);
    assert!(first.stderr.contains("E3008"), "{}", first.stderr);
    let plan = world.run("plan").exits(1);
    assert!(plan.stderr.contains("E5015"), "half of a source is not planned: {}", plan.stderr);
    old.control("/faults", &json!({}));
    world.run("extract").exits(0);
    let status = world.status();
    adds_up(&status);
    assert_eq!((&status["accounts"], &status["rejected"]), (&json!(6), &json!(0)), "nobody lost, nobody doubled");
}
