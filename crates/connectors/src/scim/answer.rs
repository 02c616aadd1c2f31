//! What an answer of a SCIM service to a changing request means: the one place where that is decided. Pure.
//!
//! Sources: RFC 7644 3.12 (statuses and `scimType`), wso2-scim.md 2.4, 2.7 and 2.11 (WSO2's own), counterparts.md ("How SCIM
//! servers misbehave").

use std::time::Duration;

use serde_json::Value;
use sterna_core::{code::Code, ids::TargetId, port::Answer};

use super::ids;
use crate::http::exchange::Reply;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// A new resource.
    Create,
    /// A change of attributes.
    Update(&'a TargetId),
    /// A new password.
    Credential(&'a TargetId),
    /// Removal.
    Remove(&'a TargetId),
}

/// The reason that is shown when a token was over.
pub(super) const TOKEN_OVER: &str = "the access token was over and is renewed";

/// One answer: of a single request, or of one operation of a bulk request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item {
    /// The HTTP status.
    pub(super) status: u16,
    /// When to come back.
    pub(super) retry_after: Option<Duration>,
    /// Where the resource is.
    pub(super) location: Option<String>,
    /// The body, or null.
    pub(super) body: Value,
}

impl Item {
    /// The answer to a single request.
    pub(super) fn from_reply(reply: &Reply) -> Self {
        Self {
            status: reply.status,
            retry_after: reply.retry_after,
            location: reply.header("location").map(str::to_owned),
            body: ids::parse(&reply.body).unwrap_or_default(),
        }
    }

    /// The id of the resource that was made: in the body, else the last part of its place.
    pub(super) fn id(&self) -> Option<TargetId> {
        let body = self.body.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        body.or_else(|| ids::of_place(self.location.as_deref()?)).map(TargetId)
    }

    /// `scimType` of an error; WSO2 puts any text there (wso2-scim.md 1.4), so only what looks like a word is taken.
    pub(super) fn scim_type(&self) -> &str {
        word(self.body.get("scimType").and_then(Value::as_str))
    }

    fn detail(&self) -> &str {
        self.body.get("detail").and_then(Value::as_str).unwrap_or_default()
    }
}

/// A word that may be shown: error texts quote people's values.
pub(super) fn word(text: Option<&str>) -> &str {
    let is_word = |text: &&str| text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.filter(is_word).unwrap_or_default()
}

/// Says what `item` means for a request that asked for `asked`. `None` is an answer that is missing or makes no sense.
pub(super) fn classify(asked: Asked<'_>, item: Option<&Item>) -> Answer {
    let Some(item) = item else { return silence("the answer to this request is missing") };
    match item.status {
        // held by a workflow, or a swallowed error (wso2-scim.md 2.4): it may come to be or not
        202 => silence("the service took the request and did not say what became of it"),
        200..=299 => done(asked, item),
        401 => throttled(Some(Duration::ZERO), TOKEN_OVER),
        429 => throttled(item.retry_after, "the service allows no more requests for now"),
        503 if item.retry_after.is_some() => throttled(item.retry_after, "the service is overloaded"),
        // the method is the same at the other place, so nothing was done at this one (RFC 9110 15.4.8, 15.4.9)
        307 | 308 => Answer::Stops {
            code: Code::E2009,
            detail: format!("the service answered {}: it is elsewhere, set `url` to where it leads", item.status),
        },
        408 | 500 | 502..=599 => {
            silence(&format!("the service answered {}: whether it did what was asked is not known", item.status))
        }
        400..=499 | 501 => refused(asked, item),
        _ => silence(&format!("the service answered {}, which says nothing of what became of it", item.status)),
    }
}

fn done(asked: Asked<'_>, item: &Item) -> Answer {
    match asked {
        Asked::Create => match item.id() {
            Some(id) => Answer::Holds(id),
            None => silence("the account was made but the answer has no id"),
        },
        Asked::Update(id) | Asked::Credential(id) | Asked::Remove(id) => Answer::Holds(id.clone()),
    }
}

fn refused(asked: Asked<'_>, item: &Item) -> Answer {
    match (item.status, asked) {
        (409, _) => Answer::Clashes { on: "a value that is unique there".to_owned() },
        // somebody was between our reading and our writing: read and written again
        (412, _) => throttled(Some(Duration::ZERO), "somebody else changes the account at this moment"),
        (403, _) if item.scim_type() == "userLimitReached" => stops(Code::E2006, asked, item),
        // the right may be there and this one account protected: WSO2 gives up no super administrator (wso2-scim.md 2.4)
        (403, Asked::Remove(_)) => Answer::Refuses { code: Code::E2199, detail: words(item) },
        (403, Asked::Create) => stops(Code::E2104, asked, item),
        (403, _) => stops(Code::E2004, asked, item),
        (404, Asked::Create) => stops(Code::E2009, asked, item),
        (404 | 410, _) => Answer::Lacks,
        // one after the other may be told so; they are named, and somebody removes them by hand
        (405 | 501, Asked::Remove(_)) => Answer::Refuses { code: Code::E2199, detail: words(item) },
        (405 | 406 | 415 | 501, _) => stops(Code::E2009, asked, item),
        (400, _) => bad_request(asked, item),
        _ => Answer::Refuses { code: Code::E2199, detail: words(item) },
    }
}

fn bad_request(asked: Asked<'_>, item: &Item) -> Answer {
    if !item.body.is_object() {
        // a proxy's page, perhaps: the service itself did not answer, and whether it acted is not known
        return silence("the answer is not the service's own");
    }
    if item.scim_type() == "uniqueness" || is_taken(item.detail()) {
        return Answer::Clashes { on: "a value that is unique there".to_owned() };
    }
    let sets_password = matches!(asked, Asked::Create | Asked::Credential(_));
    let code = if sets_password && is_about_password(item.detail()) { Code::E2102 } else { Code::E2101 };
    Answer::Refuses { code, detail: words(item) }
}

/// WSO2 answers 400 `invalidValue` where a unique claim is taken, without a code of its own (wso2-scim.md 2.7).
fn is_taken(detail: &str) -> bool {
    ["already in use", "already exists"].iter().any(|words| detail.contains(words))
}

/// The number that WSO2 puts before a text: `30003 - Credential is not valid` (wso2-scim.md 2.7).
fn leading_code(detail: &str) -> Option<u32> {
    let (number, rest) = detail.trim_start().split_once(" - ")?;
    (!rest.is_empty()).then(|| number.parse().ok()).flatten()
}

fn is_about_password(detail: &str) -> bool {
    match leading_code(detail) {
        // store regex, policy, history
        Some(30_003 | 20_035 | 22_001) => true,
        Some(_) => false,
        None => {
            let lower = detail.to_lowercase();
            lower.contains("password") || lower.contains("credential")
        }
    }
}

/// The service's words, cut; they may quote the value, so the ledger seals them.
fn words(item: &Item) -> String {
    let text = format!("{} {}: {}", item.status, item.scim_type(), item.detail());
    text.chars().take(600).collect()
}

/// Only the status and the type: these words are shown and logged.
fn stops(code: Code, asked: Asked<'_>, item: &Item) -> Answer {
    let what = match asked {
        Asked::Create => "a creation",
        Asked::Update(_) => "a change",
        Asked::Credential(_) => "a new password",
        Asked::Remove(_) => "a removal",
    };
    let named = format!("the service answered {what} with {} {}", item.status, item.scim_type());
    Answer::Stops { code, detail: named.trim_end().to_owned() }
}

/// Turned away before anything happened.
pub(super) fn throttled(wait: Option<Duration>, reason: &str) -> Answer {
    Answer::Throttled { wait, reason: reason.to_owned() }
}

/// The answer when nothing can be known.
pub(super) fn silence(why: &str) -> Answer {
    Answer::Silence { why: why.to_owned() }
}

/// Fresh tokens, or the only credential, are refused too: asking for more would go on for ever.
pub(super) fn without_token(answer: Answer) -> Answer {
    match answer {
        Answer::Throttled { reason, .. } if reason == TOKEN_OVER => {
            Answer::Stops { code: Code::E2003, detail: "the service does not accept how we prove who we are".into() }
        }
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id() -> TargetId {
        TargetId("u1".into())
    }

    fn error(scim_type: &str, detail: &str) -> Value {
        let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": detail});
        if !scim_type.is_empty() {
            body["scimType"] = scim_type.into();
        }
        body
    }

    fn check(asked: Asked<'_>, status: u16, body: Value, expected: &str) {
        let shown = body.to_string();
        let item = Item { status, body, ..Item::default() };
        let came = match classify(asked, Some(&item)) {
            Answer::Holds(id) => format!("holds {}", id.0),
            Answer::Lacks => "lacks".into(),
            Answer::Clashes { .. } => "clashes".into(),
            Answer::Throttled { wait, .. } => format!("throttled {:?}", wait.map(|wait| wait.as_secs())),
            Answer::Changed => "changed".into(),
            Answer::Refuses { code, .. } => format!("refuses {code}"),
            Answer::Stops { code, .. } => format!("stops {code}"),
            Answer::Silence { .. } => "silence".into(),
        };
        assert_eq!(came, expected, "{asked:?} {status} {shown}");
    }

    #[test]
    fn a_create_is_done_only_with_an_id() {
        let create = |status, body, expected: &str| check(Asked::Create, status, body, expected);
        create(201, json!({"id": "u7"}), "holds u7");
        create(200, json!({"id": "u7"}), "holds u7");
        create(201, Value::Null, "silence");
        create(202, Value::Null, "silence");
        create(202, json!({"id": "u7"}), "silence");
        create(302, Value::Null, "silence");
        create(303, Value::Null, "silence");
        create(307, Value::Null, "stops E2009");
        create(308, Value::Null, "stops E2009");
        check(Asked::Remove(&id()), 405, Value::Null, "refuses E2199");
        check(Asked::Update(&id()), 405, Value::Null, "stops E2009");
        create(0, Value::Null, "silence");
        assert!(matches!(classify(Asked::Create, None), Answer::Silence { .. }));
        let location = Some("https://h/scim2/Users/u8/".to_owned());
        let item = Item { status: 201, location, ..Item::default() };
        assert_eq!(classify(Asked::Create, Some(&item)), Answer::Holds(TargetId("u8".into())));
    }

    #[test]
    fn conflicts_are_told_in_all_their_forms() {
        let create = |status, body| check(Asked::Create, status, body, "clashes");
        create(409, error("uniqueness", "One or more of the attribute values are already in use or are reserved"));
        create(409, error("", "User with the name: ana already exists in the system."));
        create(409, Value::Null);
        create(400, error("uniqueness", "x"));
        create(400, error("invalidValue", "The value defined for Email is already in use by a different user!"));
        check(Asked::Update(&id()), 409, Value::Null, "clashes");
    }

    #[test]
    fn refusals_of_a_value_are_told_from_those_of_a_password() {
        let create = |detail, expected: &str| check(Asked::Create, 400, error("invalidValue", detail), expected);
        create("31301 - Username x is not valid. Password and so on", "refuses E2101");
        create("30003 - Credential is not valid", "refuses E2102");
        create("20035 - The minimum length is 8", "refuses E2102");
        create("22001 - used before", "refuses E2102");
        create("The password is too short", "refuses E2102");
        create("Extra inputs are not permitted", "refuses E2101");
        let update = error("invalidValue", "The password is too short");
        check(Asked::Update(&id()), 400, update.clone(), "refuses E2101");
        check(Asked::Credential(&id()), 400, update, "refuses E2102");
    }

    #[test]
    fn what_ends_a_run_is_told_from_what_is_one_accounts_own() {
        let create = |status, body, expected: &str| check(Asked::Create, status, body, expected);
        create(403, error("userLimitReached", "Maximum number of allowed users have been reached."), "stops E2006");
        create(403, error("", "Operation is not permitted."), "stops E2104");
        create(404, error("", "no such endpoint"), "stops E2009");
        create(406, error("", "text/plain is not supported."), "stops E2009");
        create(413, error("", "too large"), "refuses E2199");
        check(Asked::Update(&id()), 403, Value::Null, "stops E2004");
        check(Asked::Remove(&id()), 403, error("", "super admin"), "refuses E2199");
    }

    #[test]
    fn what_may_have_happened_is_silence_and_what_cannot_is_sent_again() {
        for status in [408, 500, 502, 503, 504, 507] {
            check(Asked::Create, status, error("", "x"), "silence");
        }
        check(Asked::Create, 400, Value::from("<html>"), "silence");
        check(Asked::Create, 401, Value::Null, "throttled Some(0)");
        check(Asked::Create, 429, Value::Null, "throttled None");
        check(Asked::Update(&id()), 412, Value::Null, "throttled Some(0)");
        let retry_after = Some(Duration::from_secs(3));
        let item = Item { status: 503, retry_after, ..Item::default() };
        assert!(matches!(classify(Asked::Create, Some(&item)), Answer::Throttled { wait: Some(_), .. }));
    }

    #[test]
    fn changes_of_what_is_there_answer_with_its_id_or_that_it_is_gone() {
        for asked in [Asked::Update(&id()), Asked::Credential(&id()), Asked::Remove(&id())] {
            check(asked, 200, json!({"id": "other"}), "holds u1");
            check(asked, 204, Value::Null, "holds u1");
            check(asked, 404, error("", "Specified resource does not exist."), "lacks");
        }
    }

    #[test]
    fn words_that_are_shown_quote_no_values() {
        let item = Item { status: 403, body: error("ana@example.com", "ana may not"), ..Item::default() };
        let Answer::Stops { detail, .. } = classify(Asked::Create, Some(&item)) else { panic!("it stops") };
        assert!(!detail.contains("ana"), "{detail}");
    }
}
