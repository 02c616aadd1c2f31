//! Services of the emulator that differ in ways which have cost people accounts: ids that are no texts or have to be encoded, a
//! PATCH that is announced and not there.

use std::collections::BTreeMap;

use serde_json::json;
use sterna_core::{
    account::Identity,
    ids::TargetId,
    port::{Answer, Operation, Target},
};

use super::emulated::Emulated;
use crate::entra::world::{create, draft, found, person, write};

async fn send(target: &dyn Target, operation: Operation) -> Answer {
    target.apply(0, &[write(operation)]).await.answers.remove(0)
}

/// Makes three accounts by Bulk or singly; they are read back, looked up, changed and removed by the ids that were given.
async fn check(quirk: &str, bulk: &str, fits: fn(&str) -> bool) {
    let emulated = Emulated::start("scim", &format!("quirks = [\"{quirk}\"]")).await;
    let target = emulated.target(&format!("bulk = '{bulk}'\ngroups = 'create'")).await;
    let people: Vec<_> = (0..3)
        .map(|n| {
            let mut person = person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))]);
            person.profile.groups = vec!["staff".into()];
            person
        })
        .collect();
    let batch: Vec<_> = people.iter().map(|person| create(target.as_ref(), person)).collect();
    let answers = target.apply(0, &batch).await.answers;
    let ids: Vec<TargetId> = answers
        .into_iter()
        .map(|answer| match answer {
            Answer::Holds(id) => id,
            other => panic!("{quirk} {bulk}: {other:?}"),
        })
        .collect();
    for (person, id) in people.iter().zip(&ids) {
        assert!(fits(&id.0), "{quirk} {bulk}: {id:?}");
        assert_eq!(found(target.as_ref(), person).await.by_key, std::slice::from_ref(id));
        let held = target.read_back(std::slice::from_ref(id)).await.unwrap().remove(0).expect("it is there");
        assert_eq!(target.compare(&draft(target.as_ref(), person).0, &held), [], "{quirk} {bulk}");
        let changes = BTreeMap::from([("displayName".to_owned(), json!("Somebody"))]);
        let changed = send(target.as_ref(), Operation::Update { id: id.clone(), changes }).await;
        assert_eq!(changed, Answer::Holds(id.clone()));
        assert_eq!(send(target.as_ref(), Operation::Remove { id: id.clone() }).await, Answer::Holds(id.clone()));
        assert!(found(target.as_ref(), person).await.by_key.is_empty());
    }
}

#[tokio::test]
async fn ids_that_are_numbers_are_ids() {
    for bulk in ["on", "off"] {
        check("numeric_ids", bulk, |id| id.parse::<u64>().is_ok()).await;
    }
}

#[tokio::test]
async fn ids_that_are_encoded_in_places_are_decoded_once() {
    for bulk in ["on", "off"] {
        check("odd_ids", bulk, |id| id.ends_with("@é%41")).await;
    }
}

#[tokio::test]
async fn nobody_counts_as_gone_because_bulk_does_not_know_removals() {
    let emulated = Emulated::start("scim", "quirks = [\"bulk_posts_only\"]").await;
    let target = emulated.target("").await;
    let people: Vec<_> =
        (0..3).map(|n| person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))])).collect();
    let batch: Vec<_> = people.iter().map(|person| create(target.as_ref(), person)).collect();
    let made = target.apply(0, &batch).await.answers;
    let ids = made.iter().map(|answer| if let Answer::Holds(id) = answer { id.clone() } else { panic!("{answer:?}") });
    let removals: Vec<_> = ids.map(|id| write(Operation::Remove { id })).collect();
    assert_eq!(target.apply(0, &removals).await.answers, made);
    for person in &people {
        assert!(found(target.as_ref(), person).await.by_key.is_empty());
    }
    let again = target.apply(0, &removals).await.answers;
    assert!(again.iter().all(|answer| *answer == Answer::Lacks), "{again:?}");
}

#[tokio::test]
async fn where_patch_is_announced_and_not_there_accounts_are_written_as_a_whole() {
    let emulated = Emulated::start("scim", "quirks = [\"patch_501\"]").await;
    let target = emulated.target("").await;
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let Answer::Holds(id) = target.apply(0, &[create(target.as_ref(), &ana)]).await.answers.remove(0) else { panic!() };
    let changes = || BTreeMap::from([("displayName".to_owned(), json!("Anna"))]);
    let first = send(target.as_ref(), Operation::Update { id: id.clone(), changes: changes() }).await;
    assert!(matches!(first, Answer::Throttled { .. }), "{first:?}");
    let second = send(target.as_ref(), Operation::Update { id: id.clone(), changes: changes() }).await;
    assert_eq!(second, Answer::Holds(id.clone()));
    let held = target.read_back(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
    assert_eq!(held.attributes.get("displayName"), Some(&json!("Anna")));
    // a password too, though it is the first that is told so
    let fresh = emulated.target("").await;
    assert_eq!(fresh.set_credential(&id, &"Another-horse-8!".into()).await, Answer::Holds(id));
}
