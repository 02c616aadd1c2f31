//! WSO2 Identity Server over SCIM: its bases, its stores, its mixed forms, and identities at other providers.

use serde_json::json;
use sterna_core::{account::Identity, code::Code};

use super::{
    accounts, by_key, rest,
    service::{Answer, Read, Service, ok, page},
    try_source,
};

const SYSTEM: &str = "urn:scim:wso2:schema";

fn people() -> Vec<serde_json::Value> {
    vec![
        json!({"id": "w1", "userName": "PRIMARY/ana", "emails": ["ana@example.org", {"type": "work", "value": "ana@work.example"}],
            "groups": [{"display": "PRIMARY/staff", "value": "g1"}], "roles": [{"display": "editor", "value": "r1"}],
            SYSTEM: {"emailVerified": "true", "accountLocked": "true", "lockedReason": "ADMIN_INITIATED", "lastLogonTime": "1704164645000", "country": "ES"}}),
        json!({"id": "w2", "userName": "bo@example.org", "active": "true",
            SYSTEM: {"accountLocked": true, "lockedReason": "MAX_ATTEMPTS_EXCEEDED"}}),
        json!({"id": "w3", "userName": "cy", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"accountDisabled": "true"},
            "urn:scim:schemas:extension:custom:User": {"is_migrated": "false"}}),
    ]
}

fn answers(read: &Read) -> Answer {
    let below = read.path.trim_start_matches("/t/acme.example").trim_start_matches("/o");
    match below {
        "/scim2/Users" if read.number("startIndex") == 1 => page(&people(), Some(3)),
        "/scim2/Users" => page(&[], Some(3)),
        "/api/users/v1/w1/federated-associations" => {
            ok(&json!([{"id": "a1", "idp": {"id": "i1", "name": "Google"}, "federatedUserId": "10987"}]))
        }
        path if path.ends_with("/w2/federated-associations") => (404, "", String::new()),
        path if path.ends_with("/federated-associations") => ok(&json!([])),
        _ => (404, "", String::new()),
    }
}

fn toml(service: &Service, more: &str) -> String {
    format!(
        "via = 'scim'\nurl = '{}'\ntenant = 'acme.example'\nusername = 'admin'\npassword = {{ env = 'TOKEN' }}\n{more}\n",
        service.url
    )
}

#[tokio::test]
async fn people_of_a_tenant_come_without_their_store_and_with_their_state() {
    let service = Service::start(answers).await;
    let mut source = try_source("wso2-is", &toml(&service, "user_store = 'PRIMARY'\nfederated = true")).unwrap();
    let (records, _, error) = rest(&mut *source, None).await;
    assert!(error.is_none(), "{error:?}");
    let found = accounts(records);
    let ana = by_key(&found, "w1");
    assert_eq!(ana.identities, [Identity::user_name("ana"), Identity::federated("Google", "10987")]);
    assert_eq!(
        (ana.profile.groups.as_slice(), ana.profile.roles.as_slice()),
        (&["staff".to_owned()][..], &["editor".to_owned()][..])
    );
    assert_eq!((ana.profile.active, ana.profile.emails[0].verified), (Some(false), Some(true)));
    assert_eq!(ana.profile.times.last_sign_in.unwrap().0, 1_704_164_645_000);
    assert_eq!(ana.profile.attributes["country"], "ES");
    assert_eq!(by_key(&found, "w2").profile.active, Some(true), "a lock after wrong passwords passes by itself");
    assert_eq!(by_key(&found, "w3").profile.active, Some(false));
    assert_eq!(by_key(&found, "w3").profile.attributes["is_migrated"], "false");
    let asked = service.asked();
    let list = asked.iter().find(|asked| asked.contains("/Users?")).unwrap();
    assert_eq!(list, "/t/acme.example/scim2/Users?startIndex=1&count=100&domain=PRIMARY");
    assert!(asked.iter().any(|asked| asked == "/t/acme.example/api/users/v1/w1/federated-associations"), "{asked:?}");
}

#[tokio::test]
async fn organisations_have_their_own_base_and_identities_are_read_where_asked_for_only() {
    let service = Service::start(answers).await;
    let mut source = try_source("wso2-is", &toml(&service, "child_organization = true")).unwrap();
    assert_eq!(accounts(rest(&mut *source, None).await.0).len(), 3);
    let asked = service.asked();
    assert!(
        asked.iter().any(|asked| asked.starts_with("/t/acme.example/o/scim2/Users?startIndex=1&count=100")),
        "{asked:?}"
    );
    assert!(!asked.iter().any(|asked| asked.contains("federated")), "{asked:?}");
}

#[test]
fn settings_of_the_other_way_are_refused() {
    for toml in [
        "via = 'scim'\nurl = 'https://h:9443'\nidentity_url = 'mysql://u@h/db'",
        "via = 'scim'\nurl = 'https://h:9443'\npassword_digest = 'SHA-256'",
        "via = 'database'\nurl = 'mysql://u@h/db'\nusername = 'admin'",
        "via = 'scim'\nurl = 'postgres://u@h/db'",
        "via = 'scim'\nurl = 'https://h:9443'\ntenant = 'a/b'",
    ] {
        let findings = try_source("wso2-is", toml).err().unwrap();
        assert_eq!(
            findings.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            [Code::E1005],
            "{toml}: {findings:?}"
        );
    }
}
