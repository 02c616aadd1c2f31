//! Connecting, checking and preparing.

use std::collections::BTreeMap;

use serde_json::json;
use sterna_core::{
    account::Identity,
    code::{Code, Severity},
    ids::TargetId,
    port::{Answer, Needs, Target},
};
use sterna_emulators::entra::{Kind, Options};

use super::world::{World, context, made, person};

#[tokio::test]
async fn a_fresh_tenant_is_prepared_once_and_then_takes_accounts() {
    let world = World::external_id("extension_delay_ms = 1500").await;
    let target = world.connect(&world.connection()).await.unwrap();
    let needs = Needs { creates: 10, links: false, just_in_time: true };
    let findings = target.preflight(&needs).await;
    let missing = findings.iter().filter(|finding| finding.code == Code::E2007).collect::<Vec<_>>();
    assert_eq!(missing.len(), 2, "{findings:?}");
    assert!(missing.iter().all(|finding| finding.severity == Severity::Note));
    let made_now = target.prepare(&[]).await.unwrap();
    let mut names: Vec<&str> = made_now.iter().map(|made| made.name.rsplit('_').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["sternaLegacyId", "toBeMigrated"]);
    assert!(made_now.iter().all(|made| made.what == "extension-property" && made.id.contains('/')));
    made(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")])).await;
    assert_eq!(target.prepare(&[]).await.unwrap(), [], "a second time there is nothing to make");
    let again = target.preflight(&needs).await;
    assert!(
        again.iter().all(|finding| finding.severity != Severity::Error && finding.code != Code::E2007),
        "{again:?}"
    );
}

#[tokio::test]
async fn the_descriptor_is_what_the_tenant_says() {
    let world = World::b2c("[tenant]\nobject_quota = 100\ngenerated_users = 30").await;
    let target = world.connect(&world.connection()).await.unwrap();
    let descriptor = target.descriptor();
    assert_eq!(
        (descriptor.kind.as_str(), descriptor.local_issuer.as_str()),
        ("azure-ad-b2c", "contoso.onmicrosoft.com")
    );
    assert!(descriptor.room.is_some_and(|room| room < 100), "{:?}", descriptor.room);
    assert_eq!(descriptor.accounts, Some(world.users().await.len() as u64));
    assert!(descriptor.providers.as_ref().is_some_and(|list| list.contains(&"google.com".to_owned())));
    let findings = target.preflight(&Needs { creates: 1_000, ..Needs::default() }).await;
    assert!(findings.iter().any(|finding| finding.code == Code::E2006 && finding.severity == Severity::Error));
}

#[tokio::test]
async fn a_wrong_secret_says_what_to_do_and_never_shows_it() {
    let mut world = World::external_id("").await;
    world.context = context(BTreeMap::from([("SECRET".to_owned(), "hunter2-hunter2".to_owned())]));
    let error = world.connect(&world.connection()).await.err().expect("it cannot get in");
    assert_eq!(error.code, Code::E2002);
    assert!(error.message.contains("invalid_client") && error.hint.is_some(), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn missing_rights_and_wrong_domains_are_told_with_how_to_mend_them() {
    let id = "11111111-1111-4111-8111-111111111111";
    let scenario = format!(
        "[[app]]\nclient_id = '{id}'\nclient_secret = 's'\n\
         roles = ['User.Read.All', 'Application.Read.All', 'Domain.Read.All', 'Organization.Read.All']\n"
    );
    let mut world = World::external_id(&scenario).await;
    world.context = context(BTreeMap::from([("SECRET".to_owned(), "s".to_owned())]));
    let text = format!("{}local_issuer = 'fabrikam.example'\n", world.connection());
    let target = world.connect(&text).await.expect("reading is allowed");
    let needs = Needs { creates: 1, links: true, just_in_time: true };
    let findings = target.preflight(&needs).await;
    let has = |code: Code, text: &str| {
        findings
            .iter()
            .any(|f| f.code == code && f.severity == Severity::Error && f.message.contains(text) && !f.hints.is_empty())
    };
    assert!(has(Code::E2104, "User.ReadWrite.All"), "{findings:?}");
    assert!(has(Code::E2004, "User.ManageIdentities.All"), "{findings:?}");
    assert!(has(Code::E2011, "fabrikam.example"), "{findings:?}");
    assert!(has(Code::E2007, "toBeMigrated"), "the attribute is missing and may not be made: {findings:?}");
}

#[tokio::test]
async fn nobody_there_is_told_as_such() {
    let world = World::external_id("").await;
    let connection = world.connection().replace("graph_url", "#").replace("login_url", "#");
    let text = format!("{connection}\ngraph_url = 'http://127.0.0.1:9'\nlogin_url = 'http://127.0.0.1:9'\n");
    let error = world.connect(&text).await.err().expect("nobody there");
    assert_eq!(error.code, Code::E2001);
}

#[tokio::test]
async fn local_names_get_the_tenants_default_domain_and_keys_its_initial_one() {
    let scenario = "[tenant]\ndomains = ['login.contoso.example']\ndefault_domain = 'login.contoso.example'";
    let world = World::b2c(scenario).await;
    let target = world.target().await;
    assert_eq!(target.descriptor().local_issuer, "login.contoso.example");
    made(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")])).await;
    let user = world.users().await.remove(0);
    assert!(user["userPrincipalName"].as_str().unwrap().ends_with("@contoso.onmicrosoft.com"), "{user}");
}

#[tokio::test]
async fn over_tls_the_authority_has_to_be_known() {
    let mut options = Options::new(Kind::EntraExternalId);
    options.tls = true;
    options.read_delay_ms = Some(0);
    let world = World::with(options).await;
    let authority = world.emulator.ready().ca_file.clone().unwrap();
    let error = world.connect(&world.connection()).await.err().expect("the authority is not known");
    assert_eq!(error.code, Code::E2001);
    let text = format!("{}ca_file = '{}'\n", world.connection(), authority.display());
    let target = world.connect(&text).await.expect("now it is");
    assert_eq!(target.descriptor().name, "contoso.onmicrosoft.com");
}

#[tokio::test]
async fn further_attributes_are_made_when_they_are_listed_and_take_values_by_rule() {
    let world = World::external_id("").await;
    let text = format!("{}extensions = {{ loyaltyId = 'String', shoeSize = 'Integer' }}\n", world.connection());
    let target = world.connect(&text).await.unwrap();
    assert_eq!(target.prepare(&[]).await.unwrap().len(), 4);
    let mut ana = person("Ana", &[Identity::email("ana@example.com")]);
    ana.profile.attributes = [("loyaltyId".to_owned(), json!("L-7")), ("shoeSize".into(), json!("42"))].into();
    let id = made(target.as_ref(), &ana).await;
    let held = target.read_back(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
    let value = |bare: &str| {
        held.attributes.iter().find(|(name, _)| name.ends_with(&format!("_{bare}"))).map(|(_, v)| v.clone())
    };
    assert_eq!((value("loyaltyId"), value("shoeSize")), (Some(json!("L-7")), Some(json!(42))));
}

#[tokio::test]
async fn where_applications_may_not_be_read_the_configured_one_is_taken() {
    let id = "11111111-1111-4111-8111-111111111111";
    let scenario = format!(
        "[[app]]\nclient_id = '{id}'\nclient_secret = 's'\nroles = ['User.ReadWrite.All', 'Domain.Read.All']\n\
         [[extension]]\nname = 'toBeMigrated'\ndata_type = 'Boolean'\n[[extension]]\nname = 'sternaLegacyId'\n"
    );
    let mut world = World::external_id(&scenario).await;
    world.context = context(BTreeMap::from([("SECRET".to_owned(), "s".to_owned())]));
    let error = world.connect(&world.connection()).await.err().expect("it cannot know the application");
    assert_eq!(error.code, Code::E2004);
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("extension_app_id")), "{error:?}");
}

#[tokio::test]
async fn a_reminder_of_subjects_that_may_not_hold_goes_once_the_setting_is_there() {
    let world = World::external_id("").await;
    let reminded = async |more: &str| {
        let target = world.connect(&format!("{}{more}", world.connection())).await.unwrap();
        let findings = target.preflight(&Needs::default()).await;
        findings.iter().any(|finding| finding.code == Code::L2005 && finding.severity == Severity::Note)
    };
    assert!(reminded("").await);
    assert!(!reminded("relink_issuers = []\n").await);
}

#[tokio::test]
async fn preparing_waits_when_it_is_turned_away() {
    let world = World::external_id("").await;
    let target = world.connect(&world.connection()).await.unwrap();
    let path = "/extensionProperties";
    world
        .faults(json!([{ "kind": "storm_429", "on": "update", "match": path, "times": 2, "retry_after": "0.2" }]))
        .await;
    assert_eq!(target.prepare(&[]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_service_that_connected_before_the_flag_was_made_learns_of_it() {
    let world = World::external_id("").await;
    let reads = world.connect(&world.connection()).await.unwrap();
    let sets = world.connect(&world.connection()).await.unwrap();
    let target = world.target().await;
    let id = made(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")])).await;
    let awaiting = async |target: &dyn Target| {
        target.read_back(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap().awaiting
    };
    assert_eq!(awaiting(reads.as_ref()).await, Some(true));
    assert_eq!(sets.set_credential(&id, &"N3w!password".into()).await, Answer::Holds(id.clone()));
    assert_eq!(awaiting(reads.as_ref()).await, Some(false), "the flag goes with the password");
}

#[tokio::test]
async fn a_tenant_without_the_flag_is_asked_for_it_once_a_minute_at_most() {
    let world = World::external_id("").await;
    let target = world.connect(&world.connection()).await.unwrap();
    let nobody = TargetId("00000000-0000-4000-8000-00000000dead".into());
    let requests = async || world.state().await["counters"]["requests"].as_u64().unwrap();
    let read = async || {
        let before = requests().await;
        assert_eq!(target.read_back(std::slice::from_ref(&nobody)).await.unwrap(), [None]);
        requests().await - before
    };
    let (first, second, third) = (read().await, read().await, read().await);
    assert_eq!((first - second, second), (2, third), "whether there is activity, and whether there is a flag");
}
