//! Everybody is read page by page, by index and by cursor, and many are looked up.

use serde_json::json;
use sterna_core::{
    account::Identity,
    port::{Probe, Target},
};

use super::World;
use crate::entra::world::{create, draft, key, person};

async fn fill(target: &dyn Target, count: u32) {
    let people: Vec<_> = (0..count)
        .map(|n| person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))]))
        .map(|person| create(target, &person))
        .collect();
    for batch in people.chunks(100) {
        target.apply(0, batch).await;
    }
}

/// How many accounts and pages the inventory has; each account once, with its key.
async fn walk(target: &dyn Target) -> (usize, usize) {
    let (mut cursor, mut seen, mut pages) = (None, std::collections::BTreeSet::new(), 0);
    loop {
        let page = target.inventory(cursor.as_ref()).await.unwrap();
        pages += 1;
        for item in page.held {
            assert!(item.key.is_some() && item.identities.len() == 1);
            assert!(seen.insert(item.id), "nobody twice");
        }
        cursor = page.next;
        if cursor.is_none() {
            return (seen.len(), pages);
        }
    }
}

#[tokio::test]
async fn everybody_is_read_by_index() {
    let Some(world) = World::announcing(&json!({"filter": {"supported": true, "maxResults": 50}})) else { return };
    let target = world.target("").await;
    assert_eq!(target.descriptor().accounts, Some(0));
    assert_eq!(walk(target.as_ref()).await, (0, 1));
    fill(target.as_ref(), 120).await;
    assert_eq!(walk(target.as_ref()).await, (120, 3));
}

#[tokio::test]
async fn everybody_is_read_by_cursor_where_that_is_announced() {
    let pagination = json!({"cursor": true, "index": false, "defaultPaginationMethod": "cursor", "maxPageSize": 50});
    let Some(world) = World::announcing(&json!({"pagination": pagination})) else { return };
    let target = world.target("").await;
    fill(target.as_ref(), 120).await;
    assert_eq!(walk(target.as_ref()).await, (120, 3));
}

#[tokio::test]
async fn many_are_looked_up_at_once_and_none_is_mistaken_for_another() {
    let Some(world) = World::start() else { return };
    let target = world.target("").await;
    fill(target.as_ref(), 60).await;
    let probes: Vec<Probe> = (0..90)
        .map(|n| {
            let person = person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))]);
            let (draft, _) = draft(target.as_ref(), &person);
            Probe { key: draft.key, identities: draft.identities }
        })
        .collect();
    for _ in 0..2 {
        let found = target.find(&probes).await.unwrap();
        for (at, found) in found.iter().enumerate() {
            let there = usize::from(at < 60);
            assert_eq!((found.by_key.len(), found.by_identity.len()), (there, there), "{at}");
        }
        let ids: Vec<_> = found[..60].iter().map(|found| found.by_key[0].clone()).collect();
        let held = target.read_back(&ids).await.unwrap();
        for (at, held) in held.into_iter().enumerate() {
            assert_eq!(held.unwrap().key, Some(key(&format!("P{at}"))));
        }
    }
}
