//! Everything that the tenant holds, page by page.

use serde_json::json;
use sterna_core::{account::Identity, code::Code};

use super::world::{World, key, made, person};

#[tokio::test]
async fn the_inventory_has_everybody_once_with_key_and_identities() {
    let world = World::external_id("[tenant]\ngenerated_users = 2500").await;
    let target = world.target().await;
    let id = made(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")])).await;
    let (mut cursor, mut all, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = target.inventory(cursor.as_ref()).await.unwrap();
        all.extend(page.held);
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    let mut ids: Vec<_> = all.iter().map(|item| &item.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), all.len()), (world.users().await.len(), all.len()));
    let ana = all.iter().find(|item| item.id == id).unwrap();
    assert_eq!(
        (ana.key, ana.identities.as_slice()),
        (Some(key("Ana")), [Identity::email("ana@example.com")].as_slice())
    );
    assert_eq!(all.iter().filter(|item| item.key.is_some()).count(), 1, "foreign accounts carry no key of ours");
}

#[tokio::test]
async fn a_next_link_that_comes_twice_ends_in_an_error() {
    let world = World::external_id("[tenant]\ngenerated_users = 3500").await;
    let target = world.target().await;
    world.faults(json!([{ "kind": "repeat_next_link", "on": "list" }])).await;
    let (mut cursor, mut pages) = (None, 0);
    let error = loop {
        match target.inventory(cursor.as_ref()).await {
            Ok(page) => cursor = Some(page.next.expect("it goes on")),
            Err(error) => break error,
        }
        pages += 1;
        assert!(pages < 10, "it never ends");
    };
    assert_eq!(error.code, Code::E2010);
}
