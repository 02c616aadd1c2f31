//! Federated associations through the network (wso2-scim.md 6).

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, user};

#[tokio::test]
async fn a_user_is_linked_shown_and_parted() {
    let world = World::server("").await;
    let id = world.create(user("ana")).await.id();
    let path = format!("/{id}/federated-associations");
    let google = json!({ "idp": "Google", "federatedUserId": "1098" });
    let made = world.links(Method::POST, &path, google.clone()).await;
    assert_eq!((made.status.as_u16(), made.body), (200, json!("")));
    let double = world.links(Method::POST, &path, google.clone()).await;
    assert_eq!((double.status.as_u16(), &double.body["code"]), (400, &json!("UAA-10012")));
    assert_eq!(double.body["message"], format!("Error while adding federated user association: {id}"));
    let unknown = world.links(Method::POST, &path, json!({ "idp": "Nobody", "federatedUserId": "1" })).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["code"]), (400, &json!("UAA-10007")));
    let shown = world.links(Method::GET, &path, Value::Null).await.body;
    assert_eq!((&shown[0]["idp"]["name"], &shown[0]["federatedUserId"]), (&json!("Google"), &json!("1098")));
    let state = world.control(Method::GET, "", Value::Null).await.body;
    assert_eq!(state["federatedAssociations"][&id], json!([google]));
    let one = format!("{path}/{}", shown[0]["id"].as_str().unwrap());
    assert_eq!(world.links(Method::DELETE, &one, Value::Null).await.status, 204);
    assert_eq!(world.links(Method::GET, &path, Value::Null).await.body, json!([]));
    assert_eq!(world.links(Method::GET, "/nobody/federated-associations", Value::Null).await.status, 404);
}

#[tokio::test]
async fn links_are_made_in_bulk_from_7_2_and_one_by_one_from_7_1() {
    for (version, single, bulk) in [("7.0", 405, 404), ("7.1", 200, 404), ("7.2", 200, 200)] {
        let world = World::server(&format!("[product]\nversion = \"{version}\"")).await;
        let id = world.create(user("ana")).await.id();
        let google = json!({ "idp": "Google", "federatedUserId": "1" });
        let path = format!("/{id}/federated-associations");
        assert_eq!(world.links(Method::POST, &path, google).await.status, single, "{version}");
        let operation = |bulk_id: &str, idp: &str| json!({ "method": "POST", "bulkId": bulk_id, "path": path, "data": { "idp": idp, "federatedUserId": "2" } });
        let body = json!({ "failOnErrors": 0, "operations": [operation("1", "Apple"), operation("2", "Apple")] });
        let got = world.links(Method::POST, "/federated-associations/bulk", body).await;
        assert_eq!(got.status, bulk, "{version}");
        if bulk == 200 {
            let status = |at: usize| &got.body["operations"][at]["status"];
            assert_eq!((&status(0)["statusCode"], &status(1)["errorCode"]), (&json!(201), &json!("UAA-10012")));
        }
    }
    let world = World::server("quirks = [\"link_made_201\"]").await;
    let id = world.create(user("ana")).await.id();
    let google = json!({ "idp": "Google", "federatedUserId": "1" });
    assert_eq!(world.links(Method::POST, &format!("/{id}/federated-associations"), google).await.status, 201);
}

#[tokio::test]
async fn who_is_deleted_leaves_the_link_free() {
    let world = World::asgardeo("").await;
    let google = json!({ "idp": "Google", "federatedUserId": "1" });
    for _ in 0..2 {
        let id = world.create(user("ana@example.org")).await.id();
        let made = world.links(Method::POST, &format!("/{id}/federated-associations"), google.clone()).await;
        assert_eq!(made.status, 200, "{:?}", made.body);
        assert_eq!(world.send(Method::DELETE, &format!("/Users/{id}"), Value::Null).await.status, 204);
    }
}
