//! What Graph and the login service answer: no garbage counts as done, and nothing leads elsewhere.

use std::time::Duration;

use serde_json::Value;
use sterna_connectors::entra::outside::{self, Token};
use sterna_core::{
    codec,
    port::{Answer, REJECT_BYTES, Record},
    time::Timestamp,
};

/// Most bytes of one input that are looked at.
const INPUT: usize = 16 << 10;

/// A page of users: each is one record, and a record is bounded.
pub(super) fn users(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    bounded(&outside::user(data));
    let Some((records, next)) = outside::users_page(data) else { return };
    records.iter().for_each(bounded);
    let Some(page) = whole(data) else { return };
    assert_eq!(Some(records.len()), page["value"].as_array().map(Vec::len), "one record for each user");
    assert_eq!(next.as_deref(), page["@odata.nextLink"].as_str());
}

/// The whole body, to compare with what was read of it. What is read leaves out members that it does not know, and so
/// takes some bodies that are no JSON for their sake alone.
fn whole(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

fn bounded(record: &Record) {
    match record {
        Record::Account(account) | Record::Excluded(account, _) => {
            let bytes = codec::encode(account).expect("an account can be sealed");
            let back = codec::decode(&bytes).expect("and read again");
            assert_eq!(back.identities, account.identities);
            assert_eq!(back.profile, account.profile);
        }
        Record::Rejected(rejected) => assert!(rejected.raw.len() <= REJECT_BYTES),
    }
}

/// The answer to a batch: "holds" only where exactly one answer says so.
pub(super) fn batch(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let body = &body[..body.len().min(INPUT)];
    let count = usize::from(first % 20) + 1;
    let changed = (first & 0x80 != 0).then_some("u1");
    let Some(answers) = outside::batch_answers(body, count, changed) else { return };
    assert_eq!(answers.len(), count, "one answer for each request");
    answers.iter().for_each(plausible);
    let Some(said) = whole(body) else { return };
    for (at, answer) in answers.iter().enumerate() {
        let own: Vec<&Value> =
            said["responses"].as_array().into_iter().flatten().filter(|one| is(&one["id"], at)).collect();
        if own.len() != 1 {
            assert!(matches!(answer, Answer::Silence { .. }), "{} answers to request {at}: {answer:?}", own.len());
        }
        if let Answer::Holds(id) = answer {
            let one = own[0];
            assert!((200..300).any(|status| is(&one["status"], status)), "{one}");
            assert_eq!(Some(id.0.as_str()), changed.or(one["body"]["id"].as_str()), "{one}");
            assert!(!id.0.is_empty());
        }
    }
}

/// A number, written as one or as text.
fn is(value: &Value, number: usize) -> bool {
    let read = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    read == Some(number as u64)
}

/// Waits are bounded, and what is shown quotes no value.
fn plausible(answer: &Answer) {
    match answer {
        Answer::Throttled { wait, .. } => assert!(wait.is_none_or(|wait| wait <= Duration::from_hours(24))),
        Answer::Stops { detail, .. } => {
            let rest = detail.strip_prefix("Graph answered ").expect("our own words");
            assert!(rest.len() <= 80 && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{rest}");
        }
        Answer::Refuses { detail, .. } => assert!(detail.chars().count() <= 600),
        Answer::Clashes { on } => assert!(!on.is_empty()),
        Answer::Holds(_) | Answer::Lacks | Answer::Changed | Answer::Silence { .. } => {}
    }
}

/// An answer that is no batch answer, or to a request that was sent alone: an error never counts as done.
pub(super) fn errors(data: &[u8]) {
    let Some((status, body)) = data.split_first_chunk::<2>() else { return };
    let status = 100 + u16::from_le_bytes(*status) % 500;
    let body = &body[..body.len().min(INPUT)];
    let outer = outside::outer_answer(status, body);
    assert!(!matches!(outer, Answer::Holds(_) | Answer::Lacks), "{status}: {outer:?}");
    plausible(&outer);
    let single = outside::single_answer(status, body);
    plausible(&single);
    match (&single, status) {
        (Answer::Holds(id), 200..=299) => {
            let said = whole(body).expect("what names the new user is JSON");
            assert_eq!(said["id"].as_str(), Some(id.0.as_str()));
        }
        (Answer::Holds(_), _) => panic!("status {status} counts as done"),
        (Answer::Silence { .. } | Answer::Throttled { .. }, _) => {}
        (_, 400..=499) => {
            let text = String::from_utf8_lossy(body);
            assert!(text.contains("error") || text.contains('\\'), "only Graph's own error decides about an account");
        }
        (other, _) => panic!("{status}: {other:?}"),
    }
}

/// The token endpoint: a token only from a 200 that has one.
pub(super) fn token(data: &[u8]) {
    let Some((status, body)) = data.split_first_chunk::<2>() else { return };
    let status = if status[0] & 1 == 0 { 200 } else { 100 + u16::from_le_bytes(*status) % 500 };
    let body = &body[..body.len().min(INPUT)];
    match outside::token(status, body) {
        Token::Given(seconds) => {
            assert_eq!(status, 200);
            let Some(said) = whole(body) else { return };
            let read = said["expires_in"].as_u64().or_else(|| said["expires_in"].as_str()?.parse().ok());
            assert_eq!(read.unwrap_or(0), seconds, "what is not said is none");
            assert!(said["access_token"].is_string());
        }
        Token::Later => {
            let passing = status == 200 || status == 429 || status >= 500;
            assert!(passing || whole(body).is_none_or(|said| said["error"] == "temporarily_unavailable"));
        }
        Token::Refused => assert!(status != 200 && status != 429 && status < 500),
    }
}

/// `Retry-After` and the early warning: within their bounds, and never sooner than the text says.
pub(super) fn retry_after(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(&data[..data.len().min(200)]) else { return };
    let now = Timestamp(1_789_380_123_000);
    if let Some(wait) = outside::retry_after(text, now) {
        assert!(wait <= Duration::from_hours(24), "{text}: {wait:?}");
        if let Ok(seconds) = text.trim().parse::<f64>() {
            // a whole millisecond, give or take what a float can tell apart
            assert!((0.0..0.001_1).contains(&(wait.as_secs_f64() - seconds + 1e-9)), "{text}: {wait:?}");
        } else {
            assert!(wait >= Duration::from_secs(1), "a date has no fraction");
        }
    }
    if let Some(part) = outside::pressure(text) {
        assert!((0.0..=100.0).contains(&part));
    }
}

/// Next links: only to the same server and API, and none twice within sixteen pages.
pub(super) fn next_link(data: &[u8]) {
    const ROOT: &str = "https://graph.microsoft.com/v1.0";
    let Ok(text) = std::str::from_utf8(&data[..data.len().min(INPUT)]) else { return };
    let links: Vec<&str> = text.lines().take(400).collect();
    let followed = outside::follow(ROOT, links.iter().copied());
    assert!(followed <= links.len());
    for (at, link) in links[..followed].iter().enumerate() {
        assert!(!links[at.saturating_sub(16)..at].contains(link), "{link} was followed twice");
        // as URLs are read: without control characters around, and without tabs
        let link = link.trim_matches(|c: char| c <= ' ').replace(['\t', '\r'], "");
        let (scheme, rest) = link.split_once(':').expect("an absolute URL");
        assert!(scheme.eq_ignore_ascii_case("https"), "{link}");
        let rest = rest.trim_start_matches(['/', '\\']);
        let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        assert!(!authority.ends_with(".example"), "{link}");
    }
    if let Some(cursor) = outside::cursor(text) {
        assert_eq!(outside::cursor(&cursor.0).as_ref(), Some(&cursor), "a cursor is read as it was written");
    }
}
