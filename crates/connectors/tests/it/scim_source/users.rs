//! Users in all the forms that services give them, and what becomes of them.

use serde_json::{Value, json};
use sterna_core::{account::Identity, code::Code, port::Record};

use super::{
    all, by_key, rest,
    service::{Service, ok, page},
    source,
};

/// One page with these users, and schemas.
async fn service(users: Vec<Value>, groups: Vec<Value>, schemas: Vec<Value>) -> Service {
    Service::start(move |read| {
        let first = read.number("startIndex") <= 1;
        match read.path.as_str() {
            "/Users" => page(if first { &users } else { &[] }, Some(users.len())),
            "/Groups" => page(if first { &groups } else { &[] }, Some(groups.len())),
            "/Groups/g2" => ok(&json!({"id": "g2", "displayName": "editors", "members": [{"value": "u1"}]})),
            "/Schemas" => ok(&json!({"totalResults": schemas.len(), "Resources": schemas})),
            _ => (404, "", String::new()),
        }
    })
    .await
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[tokio::test]
async fn everything_that_rfc_7643_has_finds_its_place() {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": "u1", "externalId": "hr-7", "userName": "ana@example.org", "password": "never kept",
        "name": {"formatted": "Dr. Ana Ruiz", "givenName": "Ana", "familyName": "Ruiz", "middleName": "María", "honorificPrefix": "Dr."},
        "displayName": "Ana R.", "nickName": "ani", "title": "Editor", "preferredLanguage": "es-ES", "locale": "es", "userType": "staff",
        "active": true,
        "emails": [{"value": "ana@home.example", "type": "home"}, {"value": "ana@example.org", "primary": true}],
        "phoneNumbers": [{"value": "+34600000001", "type": "mobile"}],
        "addresses": [{"type": "work", "streetAddress": "Calle 1", "locality": "Madrid", "postalCode": "28001", "country": "ES", "primary": true}],
        "groups": [{"value": "g1", "display": "staff"}, {"value": "g2"}],
        "roles": [{"value": "editor"}, "reader"],
        "entitlements": [{"value": "printing"}],
        "x509Certificates": [{"value": "MIIB"}],
        "meta": {"created": "2020-05-06T07:08:09Z", "lastModified": "2021-05-06T07:08:09Z"},
        ENTERPRISE: {"department": "Books", "manager": {"value": "u9"}},
        "urn:example:shop:User": {"plan": "gold", "department": "IT"}
    });
    let schema = |urn: &str, names: &[&str]| json!({"id": urn, "attributes": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()});
    let schemas =
        vec![schema(ENTERPRISE, &["department", "manager"]), schema("urn:example:shop:User", &["plan", "department"])];
    let service = service(vec![user], Vec::new(), schemas).await;
    let found = all(&service.toml("")).await;
    let ana = &found[0];
    let profile = &ana.profile;
    assert_eq!(ana.key.as_str(), "u1");
    assert_eq!(ana.identities, [Identity::email("ana@example.org")]);
    assert_eq!((profile.email(), profile.phone()), (Some("ana@example.org"), Some("+34600000001")));
    assert_eq!(profile.emails.len(), 2);
    assert_eq!(profile.middle_name.as_deref(), Some("María"));
    assert_eq!(profile.address.as_ref().unwrap().postal_code.as_deref(), Some("28001"));
    assert_eq!(
        (profile.groups.as_slice(), profile.roles.as_slice()),
        (&["g2".to_owned(), "staff".into()][..], &["editor".to_owned(), "reader".into()][..])
    );
    assert_eq!(profile.times.created.unwrap().0, 1_588_748_889_000);
    assert_eq!(profile.active, Some(true));
    let attributes = json!({
        "externalId": "hr-7", "name.formatted": "Dr. Ana Ruiz", "name.honorificPrefix": "Dr.", "locale": "es", "userType": "staff",
        "entitlements": [{"value": "printing"}], "manager": {"value": "u9"}, "plan": "gold",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Books", "urn:example:shop:User:department": "IT"
    });
    assert_eq!(json!(profile.attributes), attributes);
    let by_hr = all(&service.toml("key = 'externalId'")).await;
    assert_eq!((by_hr[0].key.as_str(), by_hr[0].profile.attributes.contains_key("externalId")), ("hr-7", false));
}

#[tokio::test]
async fn services_write_the_same_in_many_ways() {
    let users = vec![
        json!({"id": "u1", "userName": "ana", "active": "False", "emails": ["ana@example.org"], "phoneNumbers": "+34600000001"}),
        json!({"id": "u2", "userName": "bo", "active": "true", "emails": ["bo@example.org", {"type": "work", "value": "bo@work.example"}]}),
        json!({"id": "u3", "userName": "cy", "active": null, "emails": null, "name": null, "groups": null, "displayName": ""}),
    ];
    let service = service(users, Vec::new(), Vec::new()).await;
    let found = all(&service.toml("")).await;
    let active: Vec<_> = found.iter().map(|account| account.profile.active).collect();
    assert_eq!(active, [Some(false), Some(true), None]);
    assert_eq!(found[0].profile.email(), Some("ana@example.org"));
    assert_eq!(found[0].profile.phone(), Some("+34600000001"));
    assert_eq!(
        found[1].profile.emails.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(),
        ["bo@example.org", "bo@work.example"]
    );
    assert!(found[2].profile.attributes.is_empty());
}

#[tokio::test]
async fn a_member_of_a_wrong_type_costs_its_record() {
    let users = vec![
        json!({"id": "u1", "userName": "ana", "active": "perhaps"}),
        json!({"id": "u2", "userName": "bo", "name": "Bo"}),
        json!({"id": "u3", "userName": "c\0"}),
        json!({"id": "u4"}),
        json!("u5"),
    ];
    let service = service(users, Vec::new(), Vec::new()).await;
    let (records, _, _) = rest(&mut *source(&service.toml("")), None).await;
    let codes =
        records.iter().map(|record| if let Record::Rejected(rejected) = record { rejected.code } else { Code::E1005 });
    assert_eq!(codes.collect::<Vec<_>>(), [Code::E3108, Code::E3108, Code::E3106, Code::E3102, Code::E3108]);
}

#[tokio::test]
async fn groups_come_by_their_members_where_users_do_not_name_them() {
    let users = vec![
        json!({"id": "u1", "userName": "ana"}),
        json!({"id": "u2", "userName": "bo", "groups": [{"display": "wrong"}]}),
    ];
    let groups = vec![
        json!({"id": "g1", "displayName": "staff", "members": [{"value": "u2"}, {"value": "g2", "type": "Group"}]}),
        // a list may leave members out
        json!({"id": "g2", "displayName": "editors"}),
    ];
    let service = service(users, groups, Vec::new()).await;
    let found = all(&service.toml("groups = 'from-groups'")).await;
    assert_eq!(by_key(&found, "u1").profile.groups, ["editors", "staff"]);
    assert_eq!(by_key(&found, "u2").profile.groups, ["staff"]);
    let (_, _, error) = rest(&mut *source(&service.toml("groups = 'from-groups'\nmax_memberships = 1")), None).await;
    assert_eq!(error.unwrap().code, Code::E3012);
    let without = all(&service.toml("groups = 'leave-out'")).await;
    assert!(without.iter().all(|account| account.profile.groups.is_empty()));
}
