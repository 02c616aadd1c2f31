//! Sends prepared requests, by Bulk where it is offered and one by one otherwise; one answer each, in order.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use reqwest::Method;
use serde_json::Value;
use sterna_core::{code::Code, port::Answer};
use tokio::time::Instant;

use super::{
    again::Tries,
    answer::{Asked, Item, classify, silence, throttled, without_token},
    bulk::{self, Expected, Limits, Operation},
    bulking::Bulking,
    failure::unsent,
    service::{Change, Counted, Service},
};
use crate::http::together;

/// How many single requests of one batch are under way at once.
const SINGLES_AT_ONCE: usize = 4;

/// A request that is ready to be sent.
#[derive(Clone)]
pub(super) struct Request<'r> {
    /// What it asks for.
    pub(super) asked: Asked<'r>,
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub(super) method: &'static str,
    /// Below the base, with a leading slash.
    pub(super) path: String,
    /// Its body.
    pub(super) body: Option<Value>,
    /// The version that is to be changed.
    pub(super) version: Option<String>,
}

/// What sends.
pub(super) struct Sender<'s> {
    /// Where to.
    pub(super) service: &'s Service,
    /// What is known of its Bulk.
    pub(super) bulking: &'s Bulking,
    /// Until when all of it has to be over.
    pub(super) deadline: Instant,
}

/// A change of something else that people who are made are named in: a group that they are members of.
pub(super) struct Join {
    /// What is changed.
    pub(super) path: String,
    /// The change that names these ids.
    pub(super) body: fn(&[String]) -> Value,
    /// The requests that make the people, by their numbers.
    pub(super) who: BTreeSet<usize>,
}

/// What came of all requests.
#[derive(Default)]
pub(super) struct Sent {
    /// One answer each.
    pub(super) answers: Vec<Answer>,
    /// For each join, whose numbers are in it now.
    pub(super) joined: Vec<BTreeSet<usize>>,
}

/// What came of one bulk request.
enum Came {
    /// An answer each.
    Answers(Vec<Answer>),
    /// Nothing was done; it was too large.
    TooLarge,
    /// Nothing was done; there is no Bulk.
    NoBulk,
}

impl Sender<'_> {
    /// Sends all of them; one answer each, in order.
    pub(super) async fn send(&self, requests: &[Request<'_>]) -> Vec<Answer> {
        self.send_joined(requests, &[]).await.answers
    }

    /// Sends all of them, and those again that are put off or lost: only what may be done twice.
    pub(super) async fn send_again(&self, requests: &[Request<'_>]) -> Vec<Answer> {
        let mut answers = self.send(requests).await;
        let mut tries = Tries::new(self.deadline, Duration::ZERO);
        while let Some(open) = tries.next(&answers).await {
            let again: Vec<Request<'_>> = open.iter().map(|at| requests[*at].clone()).collect();
            for (at, answer) in open.into_iter().zip(self.send(&again).await) {
                answers[at] = answer;
            }
        }
        answers
    }

    /// Sends all of them, and in the same bulk requests what names the people that they make.
    pub(super) async fn send_joined(&self, requests: &[Request<'_>], joins: &[Join]) -> Sent {
        let mut answers: Vec<Option<Answer>> = requests.iter().map(|_| None).collect();
        let mut joined = vec![BTreeSet::new(); joins.len()];
        let mut singles: Vec<usize> = Vec::new();
        if requests.len() > 1 && self.bulking.limits().is_some() {
            singles = self.send_by_bulk(requests, joins, &mut answers, &mut joined).await;
        } else {
            singles.extend(0..requests.len());
        }
        let alone = singles.iter().map(|at| self.send_alone(&requests[*at])).collect();
        for (at, answer) in singles.iter().zip(together(alone, SINGLES_AT_ONCE).await) {
            answers[*at] = Some(answer);
        }
        let answers = answers.into_iter().map(|answer| answer.unwrap_or_else(|| silence("it has no answer")));
        Sent { answers: answers.collect(), joined }
    }

    /// Sends what goes into bulk requests; those that are left have to go alone.
    async fn send_by_bulk(
        &self,
        requests: &[Request<'_>],
        joins: &[Join],
        answers: &mut [Option<Answer>],
        joined: &mut [BTreeSet<usize>],
    ) -> Vec<usize> {
        let texts: Vec<String> = requests.iter().enumerate().map(|(at, request)| request.operation(at)).collect();
        let lengths: Vec<usize> = texts.iter().map(String::len).collect();
        let mut alone = Vec::new();
        let whole: Range<usize> = 0..requests.len();
        let mut open = Vec::from([whole]);
        while let Some(range) = open.pop() {
            let Some(limits) = self.bulking.limits() else {
                alone.extend(range);
                continue;
            };
            let (limits, joins) = with_room(limits, joins);
            let packed = bulk::pack(&lengths[range.clone()], limits);
            alone.extend(packed.alone.iter().map(|at| range.start + at));
            let mut parts = packed.requests.into_iter().map(|part| range.start + part.start..range.start + part.end);
            let Some(part) = parts.next() else { continue };
            // what is left is packed again: its limits may have changed until then
            if let Some(next) = parts.next() {
                open.push(next.start..range.end);
            }
            match self.send_one_bulk(requests, part.clone(), &texts, joins, joined).await {
                Came::Answers(came) => {
                    for (at, answer) in part.zip(came) {
                        if may_be_of_bulk(requests[at].method, &answer) {
                            alone.push(at);
                        } else {
                            answers[at] = Some(answer);
                        }
                    }
                }
                Came::TooLarge | Came::NoBulk => open.push(part),
            }
        }
        alone.sort_unstable();
        alone
    }

    async fn send_one_bulk(
        &self,
        all_requests: &[Request<'_>],
        part: Range<usize>,
        texts: &[String],
        joins: &[Join],
        joined: &mut [BTreeSet<usize>],
    ) -> Came {
        let requests = &all_requests[part.clone()];
        let all = |answer: &Answer| Came::Answers(vec![answer.clone(); requests.len()]);
        let tails = tails(joins, &part);
        let further = tails.iter().map(|tail| tail.text.as_str());
        let body = bulk::body(texts[part.clone()].iter().map(String::as_str).chain(further));
        let bytes = body.len();
        let url = self.service.url("/Bulk");
        let change = Change { method: Method::POST, url, body: Some(body), if_match: None, counted: Counted::Bulk };
        let answered = match self.service.send(change, self.deadline).await {
            Ok(answered) => answered,
            Err(error) => {
                let answer = unsent(&error);
                if matches!(answer, Answer::Silence { .. }) {
                    self.bulking.lost(requests.len());
                }
                return all(&answer);
            }
        };
        let usable = self.service.keep_access(&answered).await;
        let item = Item::from_reply(&answered.reply);
        match item.status {
            413 => {
                self.bulking.too_large(requests.len(), bytes);
                return Came::TooLarge;
            }
            // a right that only Bulk needs may be missing (wso2-scim.md 2.2); single requests show whether all are
            403..=405 | 501 => {
                self.bulking.unusable(item.status);
                return Came::NoBulk;
            }
            307 | 308 => return all(&classify(Asked::Create, Some(&item))),
            401 | 429 => {
                let answer = classify(Asked::Create, Some(&item));
                return all(&if usable { answer } else { without_token(answer) });
            }
            503 if item.retry_after.is_some() => return all(&classify(Asked::Create, Some(&item))),
            _ => {}
        }
        let ids: Vec<String> = part.map(bulk_id).collect();
        let expected = requests.iter().zip(&ids);
        let expected = expected
            .map(|(request, id)| Expected { bulk_id: id, method: request.method, path: &request.path })
            .chain(tails.iter().map(|tail| Expected {
                bulk_id: &tail.bulk_id,
                method: "PATCH",
                path: &joins[tail.join].path,
            }));
        let expected: Vec<Expected<'_>> = expected.collect();
        let read = if item.status == 200 { bulk::read(&item.body, &expected) } else { None };
        let Some(items) = read else {
            // earlier operations may have been committed before one made all of it fail (wso2-scim.md 2.11, 9)
            self.bulking.lost(requests.len());
            let why = format!("the service answered {} to the bulk request, which says nothing of each", item.status);
            return all(&silence(&why));
        };
        if items.iter().all(Option::is_none) {
            // an answer to nothing that was asked
            self.bulking.lost(requests.len());
        } else {
            self.bulking.answered();
        }
        for (tail, item) in tails.iter().zip(&items[requests.len()..]) {
            if item.as_ref().is_some_and(|item| matches!(item.status, 200 | 204)) {
                joined[tail.join].extend(&tail.who);
            }
        }
        let judged = requests.iter().zip(&items).map(|(request, item)| classify(request.asked, item.as_ref()));
        Came::Answers(judged.collect())
    }

    /// Sends one by itself.
    pub(super) async fn send_alone(&self, request: &Request<'_>) -> Answer {
        let Ok(method) = request.method.parse::<Method>() else { return silence("the method is unknown") };
        let change = Change {
            method,
            url: self.service.url(&request.path),
            body: request.body.as_ref().map(Value::to_string),
            if_match: request.version.as_deref(),
            counted: Counted::Scim,
        };
        match self.service.send(change, self.deadline).await {
            Ok(answered) => {
                let answer = classify(request.asked, Some(&Item::from_reply(&answered.reply)));
                if self.service.keep_access(&answered).await { answer } else { without_token(answer) }
            }
            Err(error) => unsent(&error),
        }
    }
}

/// Whether an operation was refused in words that services have for methods and paths which their Bulk does not know: by
/// itself it shows what is true. Nothing happened, so nothing happens twice.
fn may_be_of_bulk(method: &str, answer: &Answer) -> bool {
    let is_refused = matches!(
        answer,
        Answer::Lacks | Answer::Stops { code: Code::E2009, .. } | Answer::Refuses { code: Code::E2199, .. }
    );
    is_refused && method != "POST"
}

/// An operation that names people who are made in the same request.
struct Tail {
    join: usize,
    who: Vec<usize>,
    bulk_id: String,
    text: String,
}

/// Most people whom one of these operations names.
const NAMED: usize = 100;

fn tails(joins: &[Join], part: &Range<usize>) -> Vec<Tail> {
    let mut all = Vec::new();
    for (join, one) in joins.iter().enumerate() {
        let who: Vec<usize> = one.who.range(part.clone()).copied().collect();
        for who in who.chunks(NAMED) {
            let ids: Vec<String> = who.iter().map(|at| format!("bulkId:{}", bulk_id(*at))).collect();
            let bulk_id = format!("m{}", all.len());
            let (path, data) = (one.path.clone(), Some((one.body)(&ids)));
            let operation = Operation { method: "PATCH", path, bulk_id: bulk_id.clone(), version: None, data };
            let text = serde_json::to_string(&operation).unwrap_or_default();
            all.push(Tail { join, who: who.to_vec(), bulk_id, text });
        }
    }
    all
}

/// The limits that leave room for what comes behind the people; where that would be more than half, it comes afterwards.
fn with_room(limits: Limits, joins: &[Join]) -> (Limits, &[Join]) {
    let operations: usize = joins.iter().map(|join| join.who.len().div_ceil(NAMED)).sum();
    let bytes: usize = joins
        .iter()
        .map(|join| (join.who.len() + 1) * 32 + 256 * join.who.len().div_ceil(NAMED) + join.path.len())
        .sum();
    if operations > limits.operations / 2 || bytes > limits.bytes / 2 {
        return (limits, &[]);
    }
    (Limits { operations: limits.operations - operations, bytes: limits.bytes - bytes }, joins)
}

fn bulk_id(at: usize) -> String {
    format!("o{at}")
}

impl Request<'_> {
    fn operation(&self, at: usize) -> String {
        let Self { asked: _, method, path, body, version } = self;
        let operation = Operation {
            method,
            path: path.clone(),
            bulk_id: bulk_id(at),
            version: version.clone(),
            data: body.clone(),
        };
        // a JSON value always has a text
        serde_json::to_string(&operation).unwrap_or_default()
    }
}

/// The answer for something that could not be sent yet.
pub(super) fn not_sent(why: &str) -> Answer {
    throttled(Some(Duration::from_secs(1)), why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::write;

    fn join(who: impl IntoIterator<Item = usize>) -> Join {
        Join { path: "/Groups/g".into(), body: write::add_members, who: who.into_iter().collect() }
    }

    #[test]
    fn those_are_named_who_are_made_in_the_same_request() {
        let tails = tails(&[join([1, 4, 7]), join([9])], &(2..8));
        assert_eq!(tails.len(), 1);
        assert_eq!((tails[0].join, tails[0].who.as_slice(), tails[0].bulk_id.as_str()), (0, &[4, 7][..], "m0"));
        assert!(tails[0].text.contains(r#"[{"value":"bulkId:o4"},{"value":"bulkId:o7"}]"#), "{}", tails[0].text);
    }

    #[test]
    fn there_is_room_for_all_that_comes_behind_the_people() {
        for people in [1, 99, 100, 101, 250] {
            let joins = [join(0..people), join((0..people).step_by(3))];
            let announced = Limits { operations: 1_000, bytes: 1_000_000 };
            let (limits, used) = with_room(announced, &joins);
            let tails = tails(used, &(0..people));
            assert!(!tails.is_empty());
            assert!(limits.operations + tails.len() <= announced.operations);
            let bytes: usize = tails.iter().map(|tail| tail.text.len() + 1).sum();
            assert!(limits.bytes + bytes <= announced.bytes, "{people}: {bytes}");
        }
    }

    #[test]
    fn where_memberships_would_take_most_of_a_request_they_come_afterwards() {
        let joins: Vec<Join> = (0..10).map(|at| join([at])).collect();
        let few = Limits { operations: 15, bytes: 1_000_000 };
        assert_eq!(with_room(few, &joins).0, few);
        assert!(with_room(few, &joins).1.is_empty());
        let small = Limits { operations: 1_000, bytes: 4_000 };
        assert!(with_room(small, &joins).1.is_empty());
    }
}
