//! scim2-server, which nobody here wrote: everybody comes, by index and by cursor, with their groups.

use serde_json::{Value, json};
use sterna_core::{account::Identity, code::Code};

use super::{all, by_key, rest, source};
use crate::servers::scim::{Launch, Scim, TOKEN};

/// People on the server.
const PEOPLE: usize = 250;

async fn call(server: &Scim, path: &str, body: &Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}{path}", server.url(""))).bearer_auth(TOKEN);
    let answer = request.header("content-type", "application/scim+json").body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// People, and a group of the first three within another group.
async fn filled(server: &Scim) -> Vec<String> {
    let user = |n: usize| {
        json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName": format!("user{n}@example.org"), "externalId": format!("hr-{n}"), "password": "Pass!w0rd-1",
            "name": {"givenName": "Ana", "familyName": format!("Ruiz {n}")}, "active": n.is_multiple_of(2),
            "emails": [{"value": format!("user{n}@example.org"), "primary": true}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Books"}
        }})
    };
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": (1..=PEOPLE).map(user).collect::<Vec<_>>()});
    let made = call(server, "/Bulk", &bulk).await;
    let id = |one: &Value| one["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let ids: Vec<String> = made["Operations"].as_array().unwrap().iter().map(id).collect();
    let group = |name: &str, members: Vec<Value>| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members});
    let three = ids.iter().take(3).map(|id| json!({"value": id})).collect();
    let inner = call(server, "/Groups", &group("editors", three)).await;
    call(server, "/Groups", &group("staff", vec![json!({"value": inner["id"]})])).await;
    ids
}

#[tokio::test]
async fn everybody_on_a_real_server_comes_with_everything() {
    let Some(server) = Scim::start(&Launch::default()) else { return };
    let ids = filled(&server).await;
    let toml = format!("url = '{}'\ntoken = {{ env = 'TOKEN' }}\n", server.url(""));
    let findings = source(&toml).preflight().await;
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::E3014], "{findings:?}");
    let found = all(&format!("{toml}groups = 'from-groups'\n")).await;
    assert_eq!(found.len(), PEOPLE);
    let first = by_key(&found, &ids[0]);
    assert_eq!(first.identities, [Identity::email("user1@example.org")]);
    assert_eq!(first.profile.groups, ["editors", "staff"]);
    assert_eq!((first.profile.active, first.profile.family_name.as_deref()), (Some(false), Some("Ruiz 1")));
    assert_eq!(first.profile.attributes["department"], "Books");
    assert!(first.profile.times.created.is_some());
    assert!(by_key(&found, &ids[5]).profile.groups.is_empty());
    // a filter, another key, and an interrupted reading
    let few = all(&format!("{toml}filter = 'userName sw \"user24\"'\nkey = 'externalId'\n")).await;
    assert_eq!(few.len(), 11);
    assert!(few.iter().any(|account| account.key.as_str() == "hr-240"));
    let begun = source(&toml).read(None).await.unwrap();
    assert_eq!(begun.records.len(), 100);
    let (rest, _, error) = rest(&mut *source(&toml), begun.next).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(rest.len(), PEOPLE - 100);
    let wrong = source(&toml.replace("TOKEN", "WRONG")).read(None).await.err().unwrap();
    assert_eq!(wrong.code, Code::E3010);
}

#[tokio::test]
async fn a_real_server_that_announces_cursors_is_read_by_them() {
    let config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"], "patch": {"supported": true},
        "bulk": {"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576},
        "filter": {"supported": true, "maxResults": 1000}, "changePassword": {"supported": true}, "sort": {"supported": true},
        "etag": {"supported": true}, "authenticationSchemes": [],
        "pagination": {"cursor": true, "index": true, "defaultPaginationMethod": "index"}
    });
    let Some(server) = Scim::start(&Launch { config: Some(config), ..Launch::default() }) else { return };
    filled(&server).await;
    let toml = format!("url = '{}'\ntoken = {{ env = 'TOKEN' }}\n", server.url(""));
    let findings = source(&toml).preflight().await;
    assert!(findings[0].message.contains("by cursor"), "{findings:?}");
    assert_eq!(all(&toml).await.len(), PEOPLE);
}
