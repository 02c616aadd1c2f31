//! What an answer of Graph to a changing request means: the one place where that is decided (entra.md 4.6, 5). Pure.

use std::time::Duration;

use sterna_core::{code::Code, ids::TargetId, port::Answer};

use super::{batch::Item, dto::GraphError, limits::PROPAGATION_WAIT};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// A new user.
    Create,
    /// A change of attributes.
    Update(&'a TargetId),
    /// A change of identities.
    Link(&'a TargetId),
    /// A new password.
    Credential(&'a TargetId),
    /// Removal.
    Remove(&'a TargetId),
}

/// The reason that is shown while a new attribute makes writes wait; the target counts how long it goes on.
pub(super) const NOT_PROPAGATED: &str = "an extension attribute has not propagated yet";

/// The reason that is shown when a token was over.
pub(super) const TOKEN_OVER: &str = "the access token was over and is renewed";

/// Says what `item` means for a request that asked for `asked`. `None` is an answer that is missing or makes no sense.
pub(super) fn classify(asked: Asked<'_>, item: Option<&Item>) -> Answer {
    let Some(item) = item else { return silence("the answer to this request is missing") };
    match item.status {
        200..=299 => done(asked, item),
        401 => throttled(Some(Duration::ZERO), TOKEN_OVER),
        // nobody ran it: 424 stands for throttling of the batch (entra.md 5)
        424 => throttled(item.retry_after, "Graph turned the batch away"),
        429 => throttled(item.retry_after, "Graph allows no more writes for now"),
        503 if item.retry_after.is_some() => throttled(item.retry_after, "Graph is overloaded"),
        408 | 500..=599 => silence("Graph failed while it worked on the request"),
        400..=499 => refused(asked, item.status, item.error.as_ref()),
        _ => silence("the answer makes no sense"),
    }
}

/// Says what the answer to a whole batch means for each of its requests, when it is no batch answer.
pub(super) fn classify_outer(asked: Asked<'_>, outer: &Item) -> Answer {
    match (outer.status, &outer.error) {
        // the envelope itself was turned away, so nothing in it was run
        (400 | 404 | 405 | 413 | 414 | 415, Some(error)) => stops(Code::E2009, error),
        (200..=299, _) => silence("the answer to the batch cannot be read"),
        _ => classify(asked, Some(outer)),
    }
}

fn done(asked: Asked<'_>, item: &Item) -> Answer {
    match asked {
        Asked::Create => match item.body.get("id").and_then(|id| id.as_str()).filter(|id| !id.is_empty()) {
            Some(id) => Answer::Holds(TargetId(id.to_owned())),
            None => silence("the user was made but the answer has no id"),
        },
        Asked::Update(id) | Asked::Link(id) | Asked::Credential(id) | Asked::Remove(id) => Answer::Holds(id.clone()),
    }
}

fn refused(asked: Asked<'_>, status: u16, error: Option<&GraphError>) -> Answer {
    let Some(error) = error else {
        // a proxy's page, perhaps: Graph itself did not answer, and whether it acted is not known
        return silence("the answer is not Graph's");
    };
    if error.code == "Directory_ConcurrencyViolation" {
        return throttled(None, "somebody else changes the object at this moment");
    }
    if let Some(on) = conflict(status, error) {
        return Answer::Clashes { on };
    }
    match status {
        403 if error.code.contains("QuotaExceeded") => stops(Code::E2006, error),
        403 if asked == Asked::Create => stops(Code::E2104, error),
        403 => stops(Code::E2004, error),
        404 if asked != Asked::Create => Answer::Lacks,
        400 if error.message.contains("extension properties are not available") => {
            throttled(Some(PROPAGATION_WAIT), NOT_PROPAGATED)
        }
        400 if is_about_password(error) => Answer::Refuses { code: Code::E2102, detail: words(error) },
        400 => Answer::Refuses { code: Code::E2101, detail: words(error) },
        _ => Answer::Refuses { code: Code::E2199, detail: words(error) },
    }
}

/// The property that somebody else holds, where that is the reason. Codes are matched first, texts change.
fn conflict(status: u16, error: &GraphError) -> Option<String> {
    if let Some(detail) = error.details.iter().find(|detail| detail.code == "ObjectConflict") {
        let named =
            if detail.target.is_empty() { named_property(&detail.message) } else { Some(detail.target.clone()) };
        return Some(named.unwrap_or_else(|| "identities".to_owned()));
    }
    if status == 409 || error.code == "Request_MultipleObjectsWithSameKeyValue" {
        return Some(named_property(&error.message).unwrap_or_else(|| "one or more properties".to_owned()));
    }
    if status != 400 {
        return None;
    }
    // seen in public for a federated identity that somebody else has (entra.md 4.6)
    if error.message.contains("netId is invalid") {
        return Some("identities".to_owned());
    }
    named_property(&error.message)
}

/// The name in "Another object with the same value for property NAME already exists."
fn named_property(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("same value for property ")?;
    let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    (!name.is_empty()).then_some(name)
}

fn is_about_password(error: &GraphError) -> bool {
    let targets = error.details.iter().any(|detail| detail.target.eq_ignore_ascii_case("passwordProfile"));
    targets || error.message.contains("specified password")
}

/// The target's words, cut; they may quote the value, so the ledger seals them.
fn words(error: &GraphError) -> String {
    let targets: Vec<&str> = error.details.iter().map(|detail| detail.target.as_str()).collect();
    let text = format!("{}: {} [{}]", error.code, error.message, targets.join(", "));
    text.chars().take(600).collect()
}

/// Only the code: these words are shown and logged.
fn stops(code: Code, error: &GraphError) -> Answer {
    let named: String = error.code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect();
    Answer::Stops { code, detail: format!("Graph answered {named}") }
}

fn throttled(wait: Option<Duration>, reason: &str) -> Answer {
    Answer::Throttled { wait, reason: reason.to_owned() }
}

/// The answer when nothing can be known.
pub(super) fn silence(why: &str) -> Answer {
    Answer::Silence { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn item(status: u16, body: Value) -> Item {
        let error = body.get("error").cloned().and_then(|error| serde_json::from_value(error).ok());
        Item { status, error, body, ..Item::default() }
    }

    fn error(code: &str, message: &str) -> Value {
        json!({"error": {"code": code, "message": message}})
    }

    fn detailed(message: &str, code: &str, target: &str) -> Value {
        json!({"error": {"code": "Request_BadRequest", "message": message, "details": [{"code": code, "target": target}]}})
    }

    fn id() -> TargetId {
        TargetId("u1".into())
    }

    /// What an answer comes to, in a word, so that the table below reads as one.
    fn word(asked: Asked<'_>, item: Option<&Item>) -> String {
        match classify(asked, item) {
            Answer::Holds(id) => format!("holds {}", id.0),
            Answer::Lacks => "lacks".into(),
            Answer::Clashes { on } => format!("clashes {on}"),
            Answer::Throttled { wait, .. } => format!("throttled {:?}", wait.map(|wait| wait.as_millis())),
            Answer::Changed => "changed".into(),
            Answer::Refuses { code, .. } => format!("refuses {code}"),
            Answer::Stops { code, .. } => format!("stops {code}"),
            Answer::Silence { .. } => "silence".into(),
        }
    }

    #[test]
    fn every_answer_to_a_create_means_one_thing() {
        let same = "Another object with the same value for property proxyAddresses already exists.";
        let gone = "Resource 'x' does not exist or one of its queried reference-property objects are not present.";
        let missing = "The following extension properties are not available: extension_a_b.";
        let weak = "The specified password does not comply with password complexity requirements.";
        let issuer = "Issuer should match tenants domainName for non federated identity.";
        let bad = "Request_BadRequest";
        let table = [
            (201, json!({"id": "u7"}), "holds u7"),
            (201, json!({}), "silence"),
            (201, Value::Null, "silence"),
            (400, detailed(same, "ObjectConflict", "userPrincipalName"), "clashes userPrincipalName"),
            (400, detailed(same, "ObjectConflict", ""), "clashes identities"),
            (400, error(bad, same), "clashes proxyAddresses"),
            (400, error(bad, "Property netId is invalid."), "clashes identities"),
            (
                409,
                error("Request_MultipleObjectsWithSameKeyValue", "A conflicting object"),
                "clashes one or more properties",
            ),
            (409, error("Directory_ConcurrencyViolation", "x"), "throttled None"),
            (412, error("Directory_ConcurrencyViolation", "x"), "throttled None"),
            (400, error(bad, missing), "throttled Some(5000)"),
            (400, detailed(weak, "InvalidValue", "passwordProfile"), "refuses E2102"),
            (400, error(bad, weak), "refuses E2102"),
            (400, error(bad, issuer), "refuses E2101"),
            (400, detailed("x", "InvalidValue", "userPrincipalName"), "refuses E2101"),
            (401, error("InvalidAuthenticationToken", "x"), "throttled Some(0)"),
            (403, error("Authorization_RequestDenied", "x"), "stops E2104"),
            (403, error("Directory_QuotaExceeded", "x"), "stops E2006"),
            (404, error("Request_ResourceNotFound", gone), "refuses E2199"),
            (413, error("RequestEntityTooLarge", "x"), "refuses E2199"),
            (424, error("FailedDependency", "x"), "throttled None"),
            (429, error("TooManyRequests", "x"), "throttled None"),
            (400, Value::from("<html>"), "silence"),
            (408, Value::Null, "silence"),
            (500, error("Service_InternalServerError", "x"), "silence"),
            (502, Value::Null, "silence"),
            (503, error("serviceNotAvailable", "x"), "silence"),
            (504, error("UnknownError", "x"), "silence"),
            (302, Value::Null, "silence"),
            (0, Value::Null, "silence"),
        ];
        for (status, body, expected) in table {
            assert_eq!(word(Asked::Create, Some(&item(status, body.clone()))), expected, "{status} {body}");
        }
        assert_eq!(word(Asked::Create, None), "silence");
    }

    #[test]
    fn changes_of_what_is_there_answer_with_its_id_or_that_it_is_gone() {
        let gone = item(404, error("Request_ResourceNotFound", "x"));
        for asked in [Asked::Update(&id()), Asked::Link(&id()), Asked::Credential(&id()), Asked::Remove(&id())] {
            assert_eq!(word(asked, Some(&item(204, Value::Null))), "holds u1");
            assert_eq!(word(asked, Some(&gone)), "lacks");
            assert_eq!(word(asked, Some(&item(403, error("Authorization_RequestDenied", "x")))), "stops E2004");
        }
    }

    #[test]
    fn an_answer_to_the_whole_batch_is_no_answer_to_one_request() {
        let check = |status, body: Value, expected: &str| {
            let answer = match classify_outer(Asked::Remove(&id()), &item(status, body)) {
                Answer::Stops { code, .. } => format!("stops {code}"),
                Answer::Throttled { .. } => "throttled".into(),
                Answer::Silence { .. } => "silence".into(),
                other => format!("{other:?}"),
            };
            assert_eq!(answer, expected, "{status}");
        };
        check(404, error("ResourceNotFound", "x"), "stops E2009");
        check(400, error("BadRequest", "x"), "stops E2009");
        check(403, error("Authorization_RequestDenied", "x"), "stops E2004");
        check(401, error("InvalidAuthenticationToken", "x"), "throttled");
        check(429, error("TooManyRequests", "x"), "throttled");
        check(424, Value::Null, "throttled");
        check(200, Value::from("cut off"), "silence");
        check(502, Value::Null, "silence");
        check(404, Value::from("<html>"), "silence");
    }

    #[test]
    fn waits_are_the_services_own_and_503_without_one_is_no_promise() {
        let mut item = item(429, error("TooManyRequests", "x"));
        item.retry_after = Some(Duration::from_millis(2_128));
        assert_eq!(word(Asked::Create, Some(&item)), "throttled Some(2128)");
        item.status = 503;
        assert_eq!(word(Asked::Create, Some(&item)), "throttled Some(2128)");
    }

    #[test]
    fn words_that_are_shown_quote_no_values() {
        let denied = item(403, error("Authorization_RequestDenied", "ana@example.com may not"));
        let Answer::Stops { detail, .. } = classify(Asked::Create, Some(&denied)) else { panic!("it stops") };
        assert!(!detail.contains("ana@"), "{detail}");
    }
}
