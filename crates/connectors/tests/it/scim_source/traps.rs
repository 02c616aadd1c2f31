//! Services that do not keep to what they were asked (counterparts.md, wso2-scim.md 2.8): a reading is whole, or says why not.

use std::collections::BTreeSet;

use serde_json::json;
use sterna_core::{
    code::{Code, Severity},
    port::{Cursor, Record},
};

use super::{
    accounts, rest,
    service::{Answer, Read, Service, ok, page, users},
    source,
};

/// An honest page out of so many people.
fn honest(read: &Read, all: usize) -> Answer {
    let (from, count) = (read.number("startIndex").max(1), read.number("count"));
    page(&users(from, (from + count - 1).min(all)), Some(all))
}

/// Who comes of a service, in how many pages; page size 10.
async fn walked(service: &Service) -> (usize, usize) {
    let (records, pages, error) = rest(&mut *source(&service.toml("page_size = 10")), None).await;
    assert!(error.is_none(), "{error:?}");
    let keys: Vec<String> = accounts(records).into_iter().map(|account| account.key.as_str().to_owned()).collect();
    let different: BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len(), "nobody twice");
    (keys.len(), pages)
}

/// Who comes of a service that is known to count wrong.
async fn ignoring_totals(service: &Service) -> usize {
    let toml = service.toml("page_size = 10\ntotals = \"ignored\"");
    let (records, _, error) = rest(&mut *source(&toml), None).await;
    assert!(error.is_none(), "{error:?}");
    accounts(records).len()
}

async fn code(service: &Service) -> Code {
    let (_, _, error) = rest(&mut *source(&service.toml("page_size = 10")), None).await;
    let error = error.expect("an error");
    assert!(error.hint.is_some(), "{error}");
    error.code
}

#[tokio::test]
async fn honest_services_are_walked_over_once() {
    assert_eq!(walked(&Service::users(|read| honest(read, 0)).await).await, (0, 1));
    assert_eq!(walked(&Service::users(|read| honest(read, 25)).await).await, (25, 4));
    assert_eq!(walked(&Service::users(|read| honest(read, 20)).await).await, (20, 3));
}

#[tokio::test]
async fn a_service_that_does_not_page_is_noticed_or_gives_everybody_at_once() {
    // the first page for ever
    assert_eq!(code(&Service::users(|_| page(&users(1, 10), Some(25))).await).await, Code::E3008);
    // no count either: everybody is on the first page
    assert_eq!(walked(&Service::users(|_| page(&users(1, 25), Some(25))).await).await, (25, 2));
    // without a total it has to give fewer where fewer are asked for
    let all = Service::users(|read| page(&users(1, read.number("count").min(7)), None));
    assert_eq!(walked(&all.await).await, (7, 2));
    let fixed = Service::users(|_| page(&users(1, 7), None)).await;
    assert_eq!(code(&fixed).await, Code::E3008);
    assert_eq!(ignoring_totals(&fixed).await, 7);
    // a page of a size of its own, always the first: SCIMMY behind Express 5
    for size in [4, 20] {
        let fixed = Service::users(move |_| page(&users(1, size), Some(25)));
        assert_eq!(code(&fixed.await).await, Code::E3008, "{size}");
    }
    // larger pages than were asked for
    let large = Service::users(|read| {
        let from = read.number("startIndex");
        page(&users(from, (from + 19).min(45)), Some(45))
    });
    assert_eq!(walked(&large.await).await, (45, 4));
    // smaller pages than were asked for
    let capped = Service::users(|read| {
        let from = read.number("startIndex");
        page(&users(from, (from + 3).min(25)), Some(25))
    });
    assert_eq!(walked(&capped.await).await, (25, 8));
}

#[tokio::test]
async fn a_total_that_lies_neither_ends_nor_prolongs_a_walk_for_long() {
    let of_the_page = Service::users(|read| {
        let (status, headers, body) = honest(read, 25);
        (status, headers, body.replace("\"totalResults\":25", "\"totalResults\":10"))
    });
    assert_eq!(walked(&of_the_page.await).await.0, 25);
    let none = Service::users(|read| {
        let from = read.number("startIndex");
        page(&users(from, (from + 9).min(25)), None)
    });
    assert_eq!(walked(&none.await).await.0, 25);
}

#[tokio::test]
async fn a_page_behind_the_last_one_may_be_refused() {
    for status in [400, 404] {
        let behind = move |read: &Read, total: bool| {
            let (status_of_page, headers, body) = honest(read, 20);
            let body = if total { body } else { body.replace("\"totalResults\":20", "\"itemsPerPage\":10") };
            if read.number("startIndex") > 20 { (status, "", String::new()) } else { (status_of_page, headers, body) }
        };
        assert_eq!(walked(&Service::users(move |read| behind(read, true)).await).await, (20, 3));
        // where it says no total the page may be refused for something else
        let silent = Service::users(move |read| behind(read, false)).await;
        assert_eq!(code(&silent).await, Code::E3011);
        assert_eq!(ignoring_totals(&silent).await, 20);
    }
    // and one in the middle is no end
    let broken = Service::users(|read| match read.number("startIndex") {
        11 => (400, "", String::new()),
        _ => honest(read, 30),
    });
    assert_eq!(code(&broken.await).await, Code::E3011);
}

#[tokio::test]
async fn a_service_that_keeps_somebody_back_is_not_read_to_its_end() {
    let short = Service::users(|read| {
        let (status, headers, body) = honest(read, 25);
        (status, headers, body.replace("\"totalResults\":25", "\"totalResults\":99"))
    })
    .await;
    let toml = short.toml("page_size = 10");
    let mut reading = source(&toml);
    let (records, pages, error) = rest(&mut *reading, None).await;
    let error = error.expect("an error");
    assert_eq!((accounts(records).len(), pages, error.code), (25, 12, Code::E3012), "{error}");
    assert!(error.to_string().contains("99") && error.hint.is_some_and(|hint| hint.contains("totals")));
    // unless it is known to count wrong
    assert_eq!(ignoring_totals(&short).await, 25);
}

#[tokio::test]
async fn a_reading_that_came_out_short_begins_anew_and_does_not_end_well_the_next_time() {
    let short = Service::users(|read| {
        let (status, headers, body) = honest(read, 5);
        (status, headers, body.replace("\"totalResults\":5", "\"totalResults\":6"))
    })
    .await;
    let toml = short.toml("page_size = 10");
    let (mut reading, mut cursor) = (source(&toml), None);
    let ended = loop {
        match reading.read(cursor.as_ref()).await {
            Ok(page) => cursor = page.next,
            Err(error) => break error,
        }
    };
    assert_eq!(ended.code, Code::E3012);
    let again = source(&toml).read(cursor.as_ref()).await.err().unwrap();
    assert_eq!(again.code, Code::E3006);
}

#[tokio::test]
async fn people_that_moved_between_pages_come_once_and_nobody_is_lost() {
    // while the second page is read, somebody of the first goes: everybody behind moves up, and user11 falls between
    let shifting = Service::users(|read| {
        let all: Vec<_> = users(1, 25).into_iter().filter(|user| read.before == 0 || user["id"] != "u3").collect();
        let (from, count) = (read.number("startIndex"), read.number("count"));
        let slice = all.iter().skip(from - 1).take(count).cloned().collect::<Vec<_>>();
        page(&slice, Some(all.len()))
    });
    assert_eq!(walked(&shifting.await).await.0, 25);
    // somebody comes first: the last of a page is the first of the next
    let growing = Service::users(|read| {
        let all: Vec<_> = users(usize::from(read.before == 0), 25);
        let (from, count) = (read.number("startIndex"), read.number("count"));
        let slice = all.iter().skip(from - 1).take(count).cloned().collect::<Vec<_>>();
        page(&slice, Some(all.len()))
    });
    assert_eq!(walked(&growing.await).await.0, 26);
}

#[tokio::test]
async fn throttling_and_failures_are_waited_out_within_bounds() {
    let throttled = Service::users(|read| match read.before {
        1 => (429, "Retry-After: 1\r\n", String::new()),
        3 => (503, "Retry-After: 0\r\n", String::new()),
        _ => honest(read, 25),
    })
    .await;
    let began = std::time::Instant::now();
    assert_eq!(walked(&throttled).await.0, 25);
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
    let broken = Service::users(|_| (500, "Retry-After: 0\r\n", String::new())).await;
    assert_eq!(code(&broken).await, Code::E3009);
    assert!(broken.asked().len() <= 10, "{}", broken.asked().len());
    for (status, expected) in [(401, Code::E3010), (403, Code::E3010), (400, Code::E3011), (404, Code::E3011)] {
        assert_eq!(code(&Service::users(move |_| (status, "", String::new())).await).await, expected, "{status}");
    }
    assert_eq!(code(&Service::users(|_| (200, "", "<html>".to_owned())).await).await, Code::E3007);
    assert_eq!(code(&Service::users(|_| ok(&json!({"id": "u1"}))).await).await, Code::E3007);
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let endless = Service::users(|_| (200, "", " ".repeat(40 << 20))).await;
    assert_eq!(code(&endless).await, Code::E3009);
}

#[tokio::test]
async fn a_reading_goes_on_at_its_cursor() {
    let service = Service::users(|read| honest(read, 25)).await;
    let toml = service.toml("page_size = 10");
    let first = source(&toml).read(None).await.unwrap();
    let (records, _, error) = rest(&mut *source(&toml), first.next).await;
    assert!(error.is_none());
    let rest_of_it = accounts(records);
    assert_eq!((rest_of_it.len(), rest_of_it[0].key.as_str()), (15, "u11"));
    for cursor in ["", "{}", "[1]"] {
        let error = source(&toml).read(Some(&Cursor(cursor.to_owned()))).await.err().unwrap();
        assert_eq!(error.code, Code::E3006, "{cursor}");
    }
}

#[tokio::test]
async fn cursors_are_used_where_they_are_announced_and_one_that_expired_begins_anew() {
    let service = |expires: bool| {
        Service::start(move |read| match read.path.as_str() {
            "/ServiceProviderConfig" => ok(&json!({"pagination": {"cursor": true, "index": true}})),
            "/Users" if expires && read.text("cursor") == "c2" => {
                (400, "", json!({"status": "400", "scimType": "expiredCursor"}).to_string())
            }
            "/Users" => {
                let (from, next) = match read.text("cursor") {
                    "" => (1, Some("c1")),
                    "c1" => (11, Some("c2")),
                    _ => (21, None),
                };
                let mut body = json!({"totalResults": 25, "Resources": users(from, (from + 9).min(25))});
                if let Some(next) = next {
                    body["nextCursor"] = next.into();
                }
                ok(&body)
            }
            _ => (404, "", String::new()),
        })
    };
    let whole = service(false).await;
    assert_eq!(walked(&whole).await, (25, 3));
    assert!(whole.asked().iter().all(|asked| !asked.contains("startIndex")), "{:?}", whole.asked());
    assert_eq!(code(&service(true).await).await, Code::E3006);
}

#[tokio::test]
async fn what_is_asked_for_is_what_the_settings_say() {
    let service = Service::users(|read| honest(read, 3)).await;
    let more = "filter = 'userName sw \"a b\"'\nattributes = ['emails', 'active']\n";
    let _ = rest(&mut *source(&service.toml(more)), None).await;
    let asked = service.asked().into_iter().find(|asked| asked.starts_with("/Users?")).unwrap();
    assert_eq!(
        asked,
        "/Users?startIndex=1&count=100&filter=userName%20sw%20%22a%20b%22&attributes=active%2Cemails%2Cid%2CuserName"
    );
    let _ = rest(&mut *source(&service.toml("groups = 'leave-out'")), None).await;
    assert!(service.asked().last().unwrap().ends_with("&excludedAttributes=groups%2Croles"));
}

#[tokio::test]
async fn a_check_beforehand_says_what_will_be_read_and_what_is_wrong() {
    let service = Service::users(|_| page(&users(1, 25), Some(25))).await;
    let findings = source(&service.toml("")).preflight().await;
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::E3014, Code::E3014]);
    assert_eq!((findings[0].severity, findings[1].severity), (Severity::Note, Severity::Warning));
    let refused = Service::users(|_| (401, "", String::new())).await;
    assert_eq!(source(&refused.toml("")).preflight().await[0].code, Code::E3010);
    let nobody = source("url = 'http://127.0.0.1:9/scim'\nrequest_timeout_secs = 1\n").preflight().await;
    assert_eq!(nobody[0].code, Code::E3009);
}

#[tokio::test]
async fn resources_without_an_id_cost_themselves_and_come_back_mended() {
    let service = Service::users(|read| match read.number("startIndex") {
        1 => page(
            &[json!({"userName": "ana"}), json!({"id": "u2", "userName": 7}), json!({"id": "u3", "userName": "bo"})],
            Some(3),
        ),
        _ => page(&[], Some(3)),
    })
    .await;
    let mut reading = source(&service.toml(""));
    let (records, _, error) = rest(&mut *reading, None).await;
    assert!(error.is_none(), "{error:?}");
    let rejected: Vec<_> = records
        .iter()
        .filter_map(|record| if let Record::Rejected(rejected) = record { Some(rejected) } else { None })
        .collect();
    let told: Vec<_> = rejected.iter().map(|rejected| (rejected.code, rejected.position.as_str())).collect();
    assert_eq!(told, [(Code::E3102, "a user without an id"), (Code::E3108, "user u2")]);
    let mended = String::from_utf8(rejected[1].raw.clone()).unwrap().replace('7', "\"seven\"");
    assert!(matches!(reading.mend(mended.as_bytes()), Record::Account(_)));
    assert!(matches!(reading.mend(b"{"), Record::Rejected(_)));
}
