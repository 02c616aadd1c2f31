//! What the service says about itself (RFC 7643 5 to 7).

use serde_json::json;

use super::world::{ENTERPRISE, GROUP, USER, World};

#[tokio::test]
async fn the_configuration_announces_what_is_kept() {
    let world = World::new("[limits]\nmax_operations = 7\nmax_payload_bytes = 900\nmax_results = 30\ndefault_page = 12\n[features]\nsort = false").await;
    let config = world.get("/ServiceProviderConfig").await.body;
    assert_eq!(config["bulk"], json!({ "supported": true, "maxOperations": 7, "maxPayloadSize": 900 }));
    assert_eq!(config["filter"], json!({ "supported": true, "maxResults": 30 }));
    assert_eq!((&config["sort"]["supported"], &config["etag"]["supported"]), (&json!(false), &json!(true)));
    let pagination = &config["pagination"];
    assert_eq!((&pagination["cursor"], &pagination["index"]), (&json!(true), &json!(true)));
    assert_eq!((&pagination["defaultPageSize"], &pagination["maxPageSize"]), (&json!(12), &json!(30)));
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(config["meta"]["location"], world.url("/ServiceProviderConfig"));
}

#[tokio::test]
async fn resource_types_and_schemas_can_be_had_alone_and_together() {
    let world = World::new("").await;
    let types = world.get("/ResourceTypes").await.body;
    assert_eq!(types["totalResults"], 2);
    let user = world.get("/ResourceTypes/User").await.body;
    assert_eq!(user, types["Resources"][0]);
    assert_eq!((&user["endpoint"], &user["schema"]), (&json!("/Users"), &json!(USER)));
    assert_eq!(user["schemaExtensions"], json!([{ "schema": ENTERPRISE, "required": false }]));
    let schemas = world.get("/Schemas").await.body;
    for (at, id) in [USER, ENTERPRISE, GROUP].into_iter().enumerate() {
        let alone = world.get(&format!("/Schemas/{id}")).await.body;
        assert_eq!((&alone, &alone["id"]), (&schemas["Resources"][at], &json!(id)));
    }
    let attributes = schemas["Resources"][0]["attributes"].as_array().unwrap();
    let of = |name: &str| attributes.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!((&of("userName")["uniqueness"], &of("userName")["caseExact"]), (&json!("server"), &json!(false)));
    assert_eq!((&of("password")["returned"], &of("password")["mutability"]), (&json!("never"), &json!("writeOnly")));
    assert_eq!(of("emails")["subAttributes"][0]["name"], "value");
}

#[tokio::test]
async fn discovery_is_not_filtered_and_knows_no_others() {
    let world = World::new("").await;
    for (path, status) in [
        ("/Schemas?filter=id%20pr", 403),
        ("/ResourceTypes/Nobody", 404),
        ("/Schemas/urn:example:none", 404),
        ("/ServiceProviderConfig/x", 404),
    ] {
        assert_eq!(world.get(path).await.status.as_u16(), status, "{path}");
    }
}
