//! A service that misbehaves as real ones do (wso2-scim.md 2.11, counterparts.md): what it did is never guessed.

use serde_json::{Value, json};
use sterna_core::{
    account::Identity,
    code::Code,
    port::{Answer, Target},
};

use super::responder::{Answers, Service, announces};
use crate::entra::world::{create, found, person};

async fn make(target: &dyn Target, count: u32) -> Vec<Answer> {
    let people = (0..count).map(|n| person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))]));
    let batch: Vec<_> = people.map(|person| create(target, &person)).collect();
    target.apply(0, &batch).await.answers
}

/// Sends five accounts to a service that answers bulk requests by `answers`; each gets an answer that `fits`.
async fn check_bulk(answers: Answers, fits: fn(&Answer) -> bool) -> Service {
    let service = Service::start(answers).await;
    let target = service.target("").await;
    let came = make(target.as_ref(), 5).await;
    assert_eq!(came.len(), 5);
    assert!(came.iter().all(fits), "{came:?}");
    service
}

fn is_silence(answer: &Answer) -> bool {
    matches!(answer, Answer::Silence { .. })
}

#[tokio::test]
async fn after_a_bulk_request_that_fails_as_a_whole_everything_is_unknown() {
    // committed before one operation made all of it fail; taken and not said what of; failed; cut; no bulk answer
    let table: [Answers; 5] = [
        |_, path, _| announces(path).unwrap_or((400, json!({"scimType": "invalidSyntax", "detail": "x"}).to_string())),
        |_, path, _| announces(path).unwrap_or((202, String::new())),
        |_, path, _| announces(path).unwrap_or((500, String::new())),
        |_, path, _| announces(path).unwrap_or((0, String::new())),
        |_, path, _| announces(path).unwrap_or((200, "{}".to_owned())),
    ];
    for answers in table {
        let service = check_bulk(answers, is_silence).await;
        assert_eq!(service.count("POST /Bulk"), 1, "nothing is sent again");
        assert_eq!(service.count("POST /Users"), 0);
    }
}

#[tokio::test]
async fn a_rest_that_was_left_out_is_unknown_and_answers_are_told_by_their_ids() {
    let answers: Answers = |method, path, body| {
        announces(path).unwrap_or_else(|| {
            assert_eq!((method, path), ("POST", "/Bulk"));
            let ids: Vec<&str> =
                body["Operations"].as_array().unwrap().iter().filter_map(|one| one["bulkId"].as_str()).collect();
            // WSO2's form, the other way round, and the first one dropped
            let done = ids.iter().skip(1).rev().map(|id| {
                let response = json!({"id": format!("made-{id}")}).to_string();
                json!({"bulkId": id, "method": "POST", "status": {"code": 201}, "response": response})
            });
            (200, json!({"Operations": done.collect::<Vec<_>>()}).to_string())
        })
    };
    let service = Service::start(answers).await;
    let target = service.target("").await;
    let came = make(target.as_ref(), 3).await;
    assert!(is_silence(&came[0]));
    let id = |answer: &Answer| match answer {
        Answer::Holds(id) => id.0.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((id(&came[1]), id(&came[2])), ("made-o1".to_owned(), "made-o2".to_owned()));
}

#[tokio::test]
async fn what_is_too_large_is_halved_until_it_is_not() {
    let answers: Answers = |_, path, body| {
        announces(path).unwrap_or_else(|| {
            let operations = body["Operations"].as_array().unwrap();
            if operations.len() > 2 {
                return (413, json!({"detail": "too many", "status": "413"}).to_string());
            }
            let done = operations.iter().map(|one| json!({"bulkId": one["bulkId"], "method": "POST", "status": "201", "location": "https://h/Users/u"}));
            (200, json!({"Operations": done.collect::<Vec<_>>()}).to_string())
        })
    };
    let service = check_bulk(answers, |answer| matches!(answer, Answer::Holds(_))).await;
    assert_eq!(service.count("POST /Bulk"), 1 + 3, "five are too many, then two, two and one");
}

#[tokio::test]
async fn a_service_that_takes_no_bulk_after_all_gets_single_requests() {
    for status in [403, 404, 501] {
        let answers: Answers = match status {
            403 => |_, path, _| single_only(path, 403),
            404 => |_, path, _| single_only(path, 404),
            _ => |_, path, _| single_only(path, 501),
        };
        let service = check_bulk(answers, |answer| matches!(answer, Answer::Holds(_))).await;
        assert_eq!((service.count("POST /Bulk"), service.count("POST /Users")), (1, 5));
    }
}

fn single_only(path: &str, status: u16) -> (u16, String) {
    let made = || if path == "/Users" { (201, json!({"id": "u1"}).to_string()) } else { (status, String::new()) };
    announces(path).unwrap_or_else(made)
}

#[tokio::test]
async fn a_service_whose_bulk_never_answers_gets_single_requests_in_the_end() {
    let answers: Answers = |_, path, _| {
        let made = || if path == "/Users" { (201, json!({"id": "u1"}).to_string()) } else { (0, String::new()) };
        announces(path).unwrap_or_else(made)
    };
    let service = Service::start(answers).await;
    let target = service.target("").await;
    for _ in 0..2 {
        assert!(make(target.as_ref(), 4).await.iter().all(is_silence));
    }
    // the third is smaller, and the last
    let third = make(target.as_ref(), 4).await;
    assert_eq!(third.iter().map(is_silence).collect::<Vec<_>>(), [true, true, false, false]);
    assert!(make(target.as_ref(), 4).await.iter().all(|answer| matches!(answer, Answer::Holds(_))));
    assert_eq!((service.count("POST /Bulk"), service.count("POST /Users")), (3, 6));
}

#[tokio::test]
async fn throttling_is_waited_for_and_not_counted_as_done() {
    let answers: Answers = |_, path, _| announces(path).unwrap_or((429, String::new()));
    check_bulk(answers, |answer| matches!(answer, Answer::Throttled { .. })).await;
    let answers: Answers = |_, path, _| announces(path).unwrap_or((401, String::new()));
    check_bulk(answers, |answer| matches!(answer, Answer::Stops { code: Code::E2003, .. })).await;
}

#[tokio::test]
async fn a_service_that_ignores_filters_finds_nobody_for_somebody() {
    let answers: Answers = |_, path, _| {
        announces(path).unwrap_or_else(|| {
            let users = (0..5)
                .map(|n| json!({"id": format!("u{n}"), "userName": format!("p{n}@example.com"), "externalId": "x"}));
            (200, json!({"totalResults": 5, "Resources": users.collect::<Vec<_>>()}).to_string())
        })
    };
    let service = Service::start(answers).await;
    let target = service.target("").await;
    let there = found(target.as_ref(), &person("P3", &[Identity::email("P3@example.com")])).await;
    assert_eq!(there.by_key, []);
    let ids: Vec<&str> = there.by_identity.iter().map(|(_, id)| id.0.as_str()).collect();
    assert_eq!(ids, ["u3"]);
    assert!(found(target.as_ref(), &person("Q", &[Identity::email("q@example.com")])).await.by_identity.is_empty());
}

#[tokio::test]
async fn a_service_that_gives_the_same_page_for_ever_is_noticed() {
    let answers: Answers = |_, path, _| {
        announces(path).unwrap_or_else(|| {
            let users = (0..100).map(|n| json!({"id": format!("u{n}"), "userName": format!("p{n}@example.com")}));
            (200, json!({"totalResults": 250, "Resources": users.collect::<Vec<_>>()}).to_string())
        })
    };
    let service = Service::start(answers).await;
    let target = service.target("").await;
    let first = target.inventory(None).await.unwrap();
    assert_eq!(first.held.len(), 100);
    let error = target.inventory(first.next.as_ref()).await.unwrap_err();
    assert_eq!(error.code, Code::E2010);
}

#[tokio::test]
async fn people_are_named_as_members_in_the_request_that_makes_them() {
    let answers: Answers = |method, path, body| {
        announces(path).unwrap_or_else(|| match (method, path.split('?').next().unwrap()) {
            ("GET", "/Groups") => (200, json!({"Resources": [{"id": "g7", "displayName": "staff"}], "totalResults": 1}).to_string()),
            ("POST", "/Bulk") => {
                let operations = body["Operations"].as_array().unwrap().iter().map(|one| {
                    let status = if one["method"] == "POST" { 201 } else { 200 };
                    json!({"bulkId": one["bulkId"], "method": one["method"], "status": {"code": status}, "location": "https://h/Users/u"})
                });
                (200, json!({"Operations": operations.collect::<Vec<_>>()}).to_string())
            }
            other => panic!("{other:?}"),
        })
    };
    let service = Service::start(answers).await;
    let target = service.target("groups = 'existing'").await;
    let people = (0..3).map(|n| {
        let mut person = person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))]);
        person.profile.groups = vec!["Staff".into()];
        person
    });
    let batch: Vec<_> = people.map(|person| create(target.as_ref(), &person)).collect();
    target.apply(0, &batch).await;
    let asked = service.asked.lock().unwrap();
    let bulk: Vec<&Value> = asked.iter().filter(|(asked, _)| asked == "POST /Bulk").map(|(_, body)| body).collect();
    assert_eq!(bulk.len(), 1, "and in no further one");
    let operations = bulk[0]["Operations"].as_array().unwrap();
    assert_eq!(operations.len(), 4);
    assert_eq!(operations[3]["path"], "/Groups/g7");
    let members = &operations[3]["data"]["Operations"][0]["value"];
    let named = |operation: &Value| json!({"value": format!("bulkId:{}", operation["bulkId"].as_str().unwrap())});
    assert_eq!(members, &json!([named(&operations[0]), named(&operations[1]), named(&operations[2])]));
}
