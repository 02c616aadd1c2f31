//! Sends a batch of writes over one lane and says what became of each.
//!
//! All of a call is over within one request timeout, look-ups before a link included: the ledger counts the settling
//! time from there.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::Method;
use serde_json::Value;
use sterna_core::{
    code::Code,
    ids::TargetId,
    password::random,
    plan::{Draft, Password},
    port::{Answer, Operation, Sent, Write},
    secrecy::SecretString,
};
use tokio::time::Instant;

use super::{
    answer::{self, Asked, NOT_PROPAGATED, TOKEN_OVER, silence},
    batch::{self, Envelope, Item, Request},
    graph::Graph,
    limits::{BATCH, PROPAGATION},
    target::EntraTarget,
    write,
};
use crate::http::{
    caller::{Answered, Unsent},
    encode,
};

/// How long to wait before something is sent again that could not leave.
const NOT_SENT_WAIT: Duration = Duration::from_secs(1);

/// What one write asks for, once its request is made.
struct Prepared<'w> {
    asked: Asked<'w>,
    method: &'static str,
    path: String,
    body: Option<Value>,
}

impl EntraTarget {
    /// Sends a batch; one answer each, in order.
    pub(super) async fn send_batch(&self, lane: usize, batch: &[Write]) -> Sent {
        let deadline = Instant::now() + self.graph.timeout();
        let mut sent = Sent { answers: Vec::with_capacity(batch.len()), pressure: None };
        for chunk in batch.chunks(BATCH) {
            let part = self.send_chunk(lane, chunk, deadline).await;
            sent.answers.extend(part.answers);
            sent.pressure = larger(sent.pressure, part.pressure);
        }
        sent
    }

    async fn send_chunk(&self, lane: usize, chunk: &[Write], deadline: Instant) -> Sent {
        let read = self.read_before(chunk, deadline).await;
        let mut answers: Vec<Option<Answer>> = vec![None; chunk.len()];
        let (mut open, mut requests) = (Vec::new(), Vec::new());
        for (at, (one, read)) in chunk.iter().zip(read).enumerate() {
            match self.prepare_write(one, read) {
                Err(answer) => answers[at] = Some(answer),
                Ok(Prepared { asked, method, path, body }) => {
                    let number = requests.len();
                    requests.push(match body {
                        Some(body) => Request::with_body(number, method, path, body),
                        None => Request::delete(number, path),
                    });
                    open.push((at, asked));
                }
            }
        }
        let asked: Vec<Asked<'_>> = open.iter().map(|(_, asked)| *asked).collect();
        let part = if requests.is_empty() {
            Sent { answers: Vec::new(), pressure: None }
        } else {
            self.exchange(lane, &requests, &asked, deadline).await
        };
        for ((at, _), answer) in open.into_iter().zip(part.answers) {
            answers[at] = Some(answer);
        }
        let answers = answers.into_iter().map(|answer| answer.unwrap_or_else(|| silence("it has no answer")));
        let now = Instant::now();
        Sent { answers: answers.map(|answer| self.held_up.judge(answer, now)).collect(), pressure: part.pressure }
    }

    async fn exchange(&self, lane: usize, requests: &[Request], asked: &[Asked<'_>], deadline: Instant) -> Sent {
        let all = |answer: Answer| Sent { answers: vec![answer; asked.len()], pressure: None };
        let Ok(body) = serde_json::to_value(Envelope { requests }) else {
            return all(not_sent("the request cannot be written"));
        };
        let answered = match self.graph.send(lane, Method::POST, "/$batch", Some(&body), deadline).await {
            Ok(answered) => answered,
            Err(unsent) => return all(unsent_answer(unsent)),
        };
        let outer = Item::from_reply(&answered.reply);
        let items = batch::read(&answered.reply.body, asked.len(), self.graph.now());
        let over = |item: &Item| item.status == 401;
        let any_over = over(&outer) || items.iter().flatten().flatten().any(over);
        let usable = if any_over {
            self.graph.token_refused(lane, &answered).await
        } else {
            self.graph.token_accepted(lane);
            true
        };
        let mut pressure = outer.pressure;
        let answers = match &items {
            Some(items) => {
                pressure = items.iter().flatten().fold(pressure, |most, item| larger(most, item.pressure));
                asked.iter().zip(items).map(|(asked, item)| answer::classify(*asked, item.as_ref())).collect()
            }
            None => asked.iter().map(|asked| answer::classify_outer(*asked, &outer)).collect::<Vec<_>>(),
        };
        let answers = answers.into_iter().map(|answer| if usable { answer } else { without_token(answer) });
        Sent { answers: answers.collect(), pressure }
    }

    /// Reads the identities of every account that the chunk links or unlinks.
    async fn read_before(&self, chunk: &[Write], deadline: Instant) -> Vec<Option<Result<Item, Answer>>> {
        let mut found: Vec<Option<Result<Item, Answer>>> = vec![None; chunk.len()];
        let (mut places, mut urls) = (Vec::new(), Vec::new());
        for (at, one) in chunk.iter().enumerate() {
            let (Operation::Link { id, .. } | Operation::Unlink { id, .. }) = &one.operation else { continue };
            if let Some(path) = write::user_path(id) {
                places.push(at);
                urls.push(format!("{path}?$select={}", encode("id,identities")));
            }
        }
        if urls.is_empty() {
            return found;
        }
        // half of the time: the rest belongs to the write
        let until = deadline - self.graph.timeout() / 2;
        match tokio::time::timeout_at(until, self.graph.read_many(&urls)).await {
            Ok(Ok(items)) => {
                for (at, item) in places.into_iter().zip(items) {
                    found[at] = Some(Ok(item));
                }
            }
            Ok(Err(error)) => {
                for at in places {
                    found[at] = Some(Err(not_sent(&error.to_string())));
                }
            }
            Err(_) => {
                for at in places {
                    found[at] = Some(Err(not_sent("reading the identities first took too long")));
                }
            }
        }
        found
    }

    fn prepare_write<'w>(&self, one: &'w Write, read: Option<Result<Item, Answer>>) -> Result<Prepared<'w>, Answer> {
        let path = |id: &TargetId| write::user_path(id).ok_or_else(no_such_id);
        Ok(match &one.operation {
            Operation::Create { draft, password } => Prepared {
                asked: Asked::Create,
                method: "POST",
                path: "/users".into(),
                body: Some(self.create_body(draft, password.as_ref())?),
            },
            Operation::Update { id, changes } => Prepared {
                asked: Asked::Update(id),
                method: "PATCH",
                path: path(id)?,
                body: Some(write::update(&self.shape, changes.iter())?),
            },
            Operation::Link { id, before, add } => {
                let read = identities(&read.ok_or_else(no_such_id)??)?;
                let body = write::link(self.config.product, &self.local_issuer, id, &read, before, add)?;
                Prepared { asked: Asked::Link(id), method: "PATCH", path: path(id)?, body: Some(body) }
            }
            Operation::Unlink { id, remove } => {
                let read = identities(&read.ok_or_else(no_such_id)??)?;
                let body = write::unlink(id, &read, remove)?;
                Prepared { asked: Asked::Link(id), method: "PATCH", path: path(id)?, body: Some(body) }
            }
            Operation::Remove { id } => {
                Prepared { asked: Asked::Remove(id), method: "DELETE", path: path(id)?, body: None }
            }
        })
    }

    fn create_body(&self, draft: &Draft, password: Option<&SecretString>) -> Result<Value, Answer> {
        let made;
        let password = match (&draft.password, password) {
            (Password::None, _) => None,
            (_, Some(password)) => Some(password),
            (Password::FromRecord, None) => {
                let detail = "the record's password is not at hand".to_owned();
                return Err(Answer::Refuses { code: Code::E2102, detail });
            }
            (Password::AtSignIn | Password::Reset, None) => {
                let random = random::password(&self.shape.policy, self.graph.entropy());
                made = random.map_err(|error| not_sent(&error.to_string()))?;
                Some(&made)
            }
        };
        Ok(write::create(&self.shape, &self.local_issuer, draft, password))
    }

    /// Sends one write that is not part of a batch.
    pub(super) async fn send_one(&self, asked: Asked<'_>, method: Method, path: &str, body: &Value) -> Answer {
        let deadline = Instant::now() + self.graph.timeout();
        match self.graph.send(0, method, path, Some(body), deadline).await {
            Ok(answered) => {
                let answer = answer::classify(asked, Some(&Item::from_reply(&answered.reply)));
                if keep_token(&self.graph, 0, &answered).await { answer } else { without_token(answer) }
            }
            Err(unsent) => unsent_answer(unsent),
        }
    }
}

/// Since when writes have waited for attributes that have not propagated; not for ever.
#[derive(Default)]
pub(super) struct HeldUp(Mutex<Option<Instant>>);

impl HeldUp {
    /// The answer, or the end of the run when this has gone on for over [`PROPAGATION`].
    fn judge(&self, answer: Answer, now: Instant) -> Answer {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Answer::Throttled { reason, .. }
                if reason == NOT_PROPAGATED && now.duration_since(*since.get_or_insert(now)) > PROPAGATION =>
            {
                let detail = "extension attributes stay unavailable".to_owned();
                return Answer::Stops { code: Code::E2008, detail };
            }
            Answer::Holds(_) => *since = None,
            _ => {}
        }
        answer
    }
}

/// Renews the lane's token where it was refused; `false` when another would not help.
async fn keep_token(graph: &Graph, lane: usize, answered: &Answered) -> bool {
    if answered.reply.status == 401 {
        return graph.token_refused(lane, answered).await;
    }
    graph.token_accepted(lane);
    true
}

fn identities(item: &Item) -> Result<write::Read, Answer> {
    match item.status {
        200 => write::Read::new(&item.body).ok_or_else(|| not_sent("the account shows no identities")),
        404 => Err(Answer::Lacks),
        403 => Err(Answer::Stops { code: Code::E2004, detail: "users may not be read".into() }),
        _ => Err(not_sent("the identities could not be read first")),
    }
}

fn no_such_id() -> Answer {
    Answer::Refuses { code: Code::E2199, detail: "the id is none of Graph's".into() }
}

fn not_sent(why: &str) -> Answer {
    Answer::Throttled { wait: Some(NOT_SENT_WAIT), reason: why.to_owned() }
}

/// Fresh tokens are refused too: asking for more would go on for ever.
fn without_token(answer: Answer) -> Answer {
    match answer {
        Answer::Throttled { reason, .. } if reason == TOKEN_OVER => {
            Answer::Stops { code: Code::E2003, detail: "Graph refuses tokens that were just issued".into() }
        }
        answer => answer,
    }
}

fn unsent_answer(unsent: Unsent) -> Answer {
    match unsent {
        Unsent::NotSent(why) => not_sent(&why),
        Unsent::NoToken(error) => Answer::Stops { code: Code::E2002, detail: error.to_string() },
        Unsent::Lost(why) => silence(why),
    }
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_that_never_propagates_ends_the_run_and_a_success_starts_the_count_anew() {
        let (held_up, start) = (HeldUp::default(), Instant::now());
        let waits = || Answer::Throttled { wait: None, reason: NOT_PROPAGATED.to_owned() };
        let stops = |answer: &Answer| matches!(answer, Answer::Stops { code: Code::E2008, .. });
        let late = start + PROPAGATION + Duration::from_secs(1);
        assert_eq!(held_up.judge(waits(), start), waits());
        assert_eq!(held_up.judge(waits(), start + PROPAGATION), waits());
        assert!(stops(&held_up.judge(waits(), late)));
        let holds = Answer::Holds(TargetId("u1".into()));
        assert_eq!(held_up.judge(holds.clone(), late), holds);
        assert_eq!(held_up.judge(waits(), late), waits());
    }
}
