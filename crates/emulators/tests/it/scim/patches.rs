//! PATCH (RFC 7644 3.5.2): each operation with each form of path, as a table.

use serde_json::{Value, json};

use super::world::{ENTERPRISE, USER, World, patch};

fn ana() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": "ana",
        "active": true,
        "title": "Dr",
        "name": { "givenName": "Ana", "familyName": "Ruiz" },
        "emails": [
            { "value": "work@example.org", "type": "work", "primary": true },
            { "value": "home@example.org", "type": "home" },
        ],
        ENTERPRISE: { "department": "Sales" },
    })
}

/// Applies one operation to [`ana`] and gives what was answered.
async fn patched(world: &World, operation: &Value) -> (u16, Value) {
    let path = world.create(ana()).await;
    let got = world.patch(&path, json!([operation])).await;
    world.delete(&path).await;
    (got.status.as_u16(), got.body)
}

#[tokio::test]
async fn operations_do_what_the_table_says() {
    let world = World::new("").await;
    let department = format!("{ENTERPRISE}:department");
    let core = format!("{USER}:title");
    let cases = [
        (json!({ "op": "add", "path": "nickName", "value": "An" }), "/nickName", json!("An")),
        (json!({ "op": "Add", "path": "NICKNAME", "value": "An" }), "/nickName", json!("An")),
        (json!({ "op": "replace", "path": core, "value": "Prof" }), "/title", json!("Prof")),
        (json!({ "op": "replace", "path": "title", "value": null }), "/title", Value::Null),
        (json!({ "op": "remove", "path": "title" }), "/title", Value::Null),
        (
            json!({ "op": "replace", "path": "name", "value": { "givenName": "Anna" } }),
            "/name",
            json!({ "givenName": "Anna", "familyName": "Ruiz" }),
        ),
        (json!({ "op": "add", "path": "name.middleName", "value": "M" }), "/name/middleName", json!("M")),
        (json!({ "op": "remove", "path": "name.familyName" }), "/name", json!({ "givenName": "Ana" })),
        (json!({ "op": "remove", "path": "name" }), "/name", Value::Null),
        (json!({ "op": "replace", "value": { "title": "Prof", "active": false } }), "/title", json!("Prof")),
        (json!({ "op": "replace", "value": { "title": "Prof", "active": false } }), "/active", json!(false)),
        (json!({ "op": "replace", "value": { "name.givenName": "Anna" } }), "/name/givenName", json!("Anna")),
        (
            json!({ "op": "add", "value": { ENTERPRISE: { "division": "South" } } }),
            "/ENTERPRISE",
            json!({ "department": "Sales", "division": "South" }),
        ),
        (json!({ "op": "replace", "path": department, "value": "Law" }), "/ENTERPRISE/department", json!("Law")),
        (json!({ "op": "remove", "path": department }), "/ENTERPRISE", Value::Null),
        (json!({ "op": "remove", "path": ENTERPRISE }), "/schemas", json!([USER])),
        (
            json!({ "op": "add", "path": "emails", "value": [{ "value": "new@example.org", "primary": true }] }),
            "/emails",
            json!([
                { "value": "work@example.org", "type": "work", "primary": false },
                { "value": "home@example.org", "type": "home" },
                { "value": "new@example.org", "primary": true },
            ]),
        ),
        (
            json!({ "op": "add", "path": "emails", "value": { "value": "home@example.org", "type": "home" } }),
            "/emails/2",
            Value::Null,
        ),
        (
            json!({ "op": "replace", "path": "emails", "value": [{ "value": "only@example.org" }] }),
            "/emails",
            json!([{ "value": "only@example.org" }]),
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "h@example.org" }),
            "/emails/1/value",
            json!("h@example.org"),
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }),
            "/emails/0/primary",
            json!(false),
        ),
        (
            json!({ "op": "replace", "path": "emails[value ew \"]\" or type eq \"home\"]", "value": { "value": "x" } }),
            "/emails/1",
            json!({ "value": "x" }),
        ),
        (
            json!({ "op": "add", "path": "emails[type eq \"home\"]", "value": { "display": "Home" } }),
            "/emails/1",
            json!({ "value": "home@example.org", "type": "home", "display": "Home" }),
        ),
        (
            json!({ "op": "remove", "path": "emails[type eq \"home\" and not (primary eq true)]" }),
            "/emails",
            json!([{ "value": "work@example.org", "type": "work", "primary": true }]),
        ),
        (json!({ "op": "remove", "path": "emails[type eq \"none\"]" }), "/emails/1/type", json!("home")),
        (json!({ "op": "remove", "path": "emails[type eq \"work\"].type" }), "/emails/0/type", Value::Null),
        (json!({ "op": "remove", "path": "emails[value pr]" }), "/emails", Value::Null),
    ];
    for (operation, pointer, expected) in cases {
        let (status, mut body) = patched(&world, &operation).await;
        assert_eq!(status, 200, "{operation}: {body}");
        body["ENTERPRISE"] = body[ENTERPRISE].take();
        assert_eq!(body.pointer(pointer).unwrap_or(&Value::Null), &expected, "{operation}");
    }
}

#[tokio::test]
async fn operations_that_cannot_be_meant_are_refused_with_their_kind() {
    let world = World::new("").await;
    let long = format!("emails[{} value pr]", "(".repeat(40));
    let cases = [
        (json!({ "op": "remove" }), "noTarget"),
        (json!({ "op": "add", "path": "title" }), "invalidValue"),
        (json!({ "op": "add", "value": "title" }), "invalidValue"),
        (json!({ "op": "move", "path": "title" }), "invalidSyntax"),
        (json!({ "op": "add", "path": "shoeSize", "value": 43 }), "invalidPath"),
        (json!({ "op": "add", "path": "name.shoeSize", "value": 43 }), "invalidPath"),
        (json!({ "op": "add", "path": "title[value pr]", "value": "x" }), "invalidPath"),
        (json!({ "op": "add", "path": "emails[value pr", "value": "x" }), "invalidPath"),
        (json!({ "op": "add", "path": "emails[value pr]value", "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[value zz \"a\"]", "value": {} }), "invalidFilter"),
        (json!({ "op": "replace", "path": "emails[shoe eq \"a\"]", "value": {} }), "invalidFilter"),
        (json!({ "op": "replace", "path": long, "value": {} }), "invalidFilter"),
        (json!({ "op": "replace", "path": "emails[type eq \"none\"].value", "value": "x" }), "noTarget"),
        (json!({ "op": "replace", "path": "active", "value": "False" }), "invalidValue"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (json!({ "op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z" }), "mutability"),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), "mutability"),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (json!({ "op": "replace", "path": "userName", "value": "" }), "invalidValue"),
    ];
    for (operation, kind) in cases {
        let (status, body) = patched(&world, &operation).await;
        assert_eq!((status, body["scimType"].as_str()), (400, Some(kind)), "{operation}: {body}");
    }
}

#[tokio::test]
async fn a_patch_is_carried_out_as_a_whole_or_not_at_all() {
    let world = World::new("").await;
    let path = world.create(ana()).await;
    let operations = json!([
        { "op": "replace", "path": "title", "value": "Prof" },
        { "op": "replace", "path": "id", "value": "x" },
    ]);
    assert_eq!(world.patch(&path, operations).await.status.as_u16(), 400);
    assert_eq!(world.get(&path).await.body["title"], "Dr");
    for body in [json!({ "Operations": [{ "op": "remove", "path": "title" }] }), patch(json!([])), json!([])] {
        let got = world.send(reqwest::Method::PATCH, &path, Some(body)).await;
        assert_eq!((got.status.as_u16(), got.kind()), (400, "invalidSyntax"));
    }
}

#[tokio::test]
async fn a_password_is_changed_by_patch_and_not_shown() {
    let world = World::new("").await;
    let path = world.create(ana()).await;
    let got = world.patch(&path, json!([{ "op": "replace", "path": "password", "value": "N3w-Secret" }])).await;
    assert_eq!((got.status.as_u16(), &got.body["password"]), (200, &Value::Null));
    assert_eq!(world.state().await["users"][0]["_password"], "N3w-Secret");
    let off = World::new("[features]\npatch = false").await;
    let path = off.create(ana()).await;
    assert_eq!(off.patch(&path, json!([{ "op": "remove", "path": "title" }])).await.status.as_u16(), 501);
}
