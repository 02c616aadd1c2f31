//! Azure AD B2C as a source.

use serde_json::json;
use sterna_core::{
    account::{Account, Credential, Identity, LocalName},
    code::{Code, Severity},
    port::{Record, Source},
};

use super::world::World;

const SEEDS: &str = r#"
[[extension]]
name = "loyaltyId"

[[user]]
last_sign_in = "2026-05-01T10:00:00Z"
[user.properties]
displayName = "Ana Pérez"
givenName = "Ana"
surname = "Pérez"
mail = "ana@example.com"
otherMails = ["ana@example.org"]
mobilePhone = "+34 600 000 000"
city = "Sevilla"
department = "Sales"
"{extension}_loyaltyId" = "L-7"
identities = [
  { signInType = "emailAddress", issuer = "contoso.onmicrosoft.com", issuerAssignedId = "ana@example.com" },
  { signInType = "federated", issuer = "facebook.com", issuerAssignedId = "5eecb0cd" },
]

[[user]]
[user.properties]
displayName = "Sara"
accountEnabled = false
identities = [{ signInType = "federated", issuer = "google.com", issuerAssignedId = "1" }]

[[user]]
[user.properties]
displayName = "Guest"
userType = "Guest"
userPrincipalName = "guest_fabrikam.example#EXT#@contoso.onmicrosoft.com"

[[user]]
roles = ["Global Administrator"]
[user.properties]
displayName = "Admin"
userPrincipalName = "admin@contoso.onmicrosoft.com"
"#;

async fn read_all(source: &mut dyn Source) -> Vec<Record> {
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let page = source.read(cursor.as_ref()).await.expect("a page");
        all.extend(page.records);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

fn named<'r>(records: &'r [Record], name: &str) -> (&'r Account, Option<Code>) {
    let found = records.iter().find_map(|record| match record {
        Record::Account(account) if account.profile.display_name.as_deref() == Some(name) => {
            Some((account.as_ref(), None))
        }
        Record::Excluded(account, code) if account.profile.display_name.as_deref() == Some(name) => {
            Some((account.as_ref(), Some(*code)))
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nobody is called {name}"))
}

#[tokio::test]
async fn everything_of_an_account_is_read_and_guests_and_administrators_are_left_out() {
    let world = World::b2c(SEEDS).await;
    let mut source = world.source(&format!("{}sign_in_activity = true\n", world.connection()));
    let findings = source.preflight().await;
    assert!(findings.iter().all(|finding| finding.severity != Severity::Error), "{findings:?}");
    let records = read_all(source.as_mut()).await;
    let (ana, left_out) = named(&records, "Ana Pérez");
    assert_eq!(left_out, None);
    assert_eq!(ana.identities, [Identity::email("ana@example.com"), Identity::federated("facebook.com", "5eecb0cd")]);
    assert_eq!(ana.credential, Credential::HeldByLegacy);
    let emails: Vec<&str> = ana.profile.emails.iter().map(|contact| contact.value.as_str()).collect();
    assert_eq!(emails, ["ana@example.com", "ana@example.org"]);
    assert_eq!(ana.profile.attributes.get("loyaltyId"), Some(&json!("L-7")));
    assert_eq!(ana.profile.attributes.get("department"), Some(&json!("Sales")));
    assert_eq!(ana.profile.address.as_ref().unwrap().locality.as_deref(), Some("Sevilla"));
    assert!(ana.profile.times.created.is_some() && ana.profile.times.last_sign_in.is_some());
    let (sara, _) = named(&records, "Sara");
    assert_eq!((sara.credential.clone(), sara.profile.active), (Credential::Nothing, Some(false)));
    assert!(!sara.identities.iter().any(|identity| matches!(identity, Identity::Local { name: LocalName::Email, .. })));
    assert_eq!(named(&records, "Guest").1, Some(Code::E3201));
    assert_eq!(named(&records, "Admin").1, Some(Code::E3202));
}

#[tokio::test]
async fn pages_are_followed_to_the_end_and_a_new_reader_goes_on_from_a_cursor() {
    let world = World::b2c("[tenant]\ngenerated_users = 250").await;
    let text = format!("{}page_size = 100\n", world.connection());
    let mut source = world.source(&text);
    let first = source.read(None).await.unwrap();
    assert_eq!(first.records.len(), 100);
    let mut rest = world.source(&text);
    let second = rest.read(first.next.as_ref()).await.unwrap();
    let third = rest.read(second.next.as_ref()).await.unwrap();
    assert!(third.next.is_none());
    let all = first.records.len() + second.records.len() + third.records.len();
    assert_eq!(all, world.users().await.len());
}

#[tokio::test]
async fn a_repeated_page_ends_in_an_error() {
    let world = World::b2c("[tenant]\ngenerated_users = 350").await;
    let mut source = world.source(&format!("{}page_size = 100\n", world.connection()));
    world.faults(json!([{ "kind": "repeat_next_link", "on": "list" }])).await;
    let (mut cursor, mut pages) = (None, 0);
    let error = loop {
        match source.read(cursor.as_ref()).await {
            Ok(page) => cursor = Some(page.next.expect("it goes on")),
            Err(error) => break error,
        }
        pages += 1;
        assert!(pages < 10, "it never ends");
    };
    assert_eq!(error.code, Code::E3008);
}

#[tokio::test]
async fn throttling_is_waited_for() {
    let world = World::b2c("[tenant]\ngenerated_users = 20").await;
    let mut source = world.source(&world.connection());
    world.faults(json!([{ "kind": "storm_429", "on": "list", "times": 2, "retry_after": "0.2" }])).await;
    assert_eq!(read_all(source.as_mut()).await.len(), world.users().await.len());
}
