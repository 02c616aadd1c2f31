//! Sends a batch of writes and says what became of each.
//!
//! First the accounts, by Bulk where that is offered; then what belongs to accounts that are there now: sign-ins at other
//! providers, groups, roles. All of a call is over within [`ScimTarget::longest`], which the descriptor gives as the time of
//! one request: the ledger counts the settling time from there. What an account lacks afterwards shows when it is read back,
//! and `verify --repair` writes it.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use serde_json::Value;
use sterna_core::{
    account::Identity,
    code::Code,
    ids::TargetId,
    password::random,
    plan::{Draft, Password},
    port::{Answer, Operation, Sent, Write},
    secrecy::SecretString,
};
use tokio::time::Instant;

use super::{
    answer::{Asked, silence},
    associations::Wanted,
    failure::ReadError,
    lookup::user_path,
    memberships::Memberships,
    references::Naming,
    sending::{Request, Sender, not_sent},
    target::ScimTarget,
    write,
};

/// What one write comes to before anything is sent.
pub(super) enum Prepared<'w> {
    /// A request.
    Request(Box<Request<'w>>),
    /// Nothing but what comes afterwards: a change of memberships alone, or a link.
    After,
    /// Its answer is known.
    Answer(Answer),
}

impl ScimTarget {
    /// Sends a batch; one answer each, in order.
    pub(super) async fn send_batch(&self, batch: &[Write]) -> Sent {
        if batch.is_empty() {
            return Sent { answers: Vec::new(), pressure: None };
        }
        let deadline = Instant::now() + self.service.timeout();
        let mut answers: Vec<Option<Answer>> = batch.iter().map(|_| None).collect();
        let (mut places, mut requests) = (Vec::new(), Vec::new());
        for (at, one) in batch.iter().enumerate() {
            match self.prepare_write(one).await {
                Prepared::Request(request) => {
                    places.push(at);
                    requests.push(*request);
                }
                Prepared::After => {}
                Prepared::Answer(answer) => answers[at] = Some(answer),
            }
        }
        let sender = Sender { service: &self.service, bulking: &self.bulking, deadline };
        let memberships = self.memberships(&sender, batch).await;
        let joins = self.joins(&memberships.all, &places);
        let is_named = joins.iter().any(|join| !join.who.is_empty());
        let until = deadline - self.service.timeout() / 2;
        let naming = if is_named { self.references.next(until).await } else { Naming::Ids };
        let sent = sender.send_joined(&requests, if matches!(naming, Naming::Ids) { &[] } else { &joins }).await;
        for ((place, request), answer) in places.iter().zip(&requests).zip(sent.answers) {
            let again = request.method == "PATCH" && self.lacks_patch(&answer);
            answers[*place] = Some(if again { not_sent("accounts are written as a whole") } else { answer });
        }
        let done = sent.joined.into_iter().map(|numbers| numbers.into_iter().map(|at| places[at]).collect());
        let mut done: Vec<BTreeSet<usize>> = done.collect();
        done.resize_with(memberships.all.len(), BTreeSet::new);
        if let Naming::Trial(_turn) = naming {
            self.look_at_trial(&sender, &memberships.all, &mut done, &answers).await;
        }
        self.after(batch, &mut answers, &memberships, &done).await;
        let answers = answers.into_iter().map(|answer| answer.unwrap_or_else(|| silence("it has no answer")));
        Sent { answers: answers.collect(), pressure: None }
    }

    async fn prepare_write<'w>(&self, one: &'w Write) -> Prepared<'w> {
        let request = |asked, method, path, body| {
            Prepared::Request(Box::new(Request { asked, method, path, body, version: None }))
        };
        match &one.operation {
            Operation::Create { draft, password } => match self.create_body(draft, password.as_ref()) {
                Ok(body) => request(Asked::Create, "POST", "/Users".to_owned(), Some(body)),
                Err(answer) => Prepared::Answer(answer),
            },
            Operation::Update { id, changes } if self.patches.load(Ordering::Relaxed) => {
                match write::patch_body(&self.shape, changes) {
                    Ok(Some(body)) => request(Asked::Update(id), "PATCH", user_path(id), Some(body)),
                    Ok(None) => Prepared::After,
                    Err(answer) => Prepared::Answer(answer),
                }
            }
            Operation::Update { id, changes } => {
                self.rewrite(id, |user| write::put_body(&self.shape, user, changes)).await
            }
            Operation::Remove { id } => request(Asked::Remove(id), "DELETE", user_path(id), None),
            Operation::Link { .. } | Operation::Unlink { .. } => Prepared::After,
        }
    }

    /// Whether an answer to a PATCH of an account says that there is no PATCH, whatever is announced.
    pub(super) fn lacks_patch(&self, answer: &Answer) -> bool {
        let lacks = matches!(answer, Answer::Stops { code: Code::E2009, .. });
        if lacks && self.patches.swap(false, Ordering::Relaxed) {
            tracing::warn!("The service takes no PATCH of accounts; they are read and written as a whole from here on");
        }
        lacks
    }

    fn create_body(&self, draft: &Draft, password: Option<&SecretString>) -> Result<Value, Answer> {
        let made;
        let password = match (&draft.password, password) {
            (Password::None, _) if !self.shape.dialect.wants_passwords => None,
            (_, Some(password)) => Some(password),
            (Password::FromRecord, None) => {
                let detail = "the record's password is not at hand".to_owned();
                return Err(Answer::Refuses { code: Code::E2102, detail });
            }
            (Password::None | Password::AtSignIn | Password::Reset, None) => {
                let random = random::password(&self.shape.policy, self.service.entropy());
                made = random.map_err(|error| not_sent(&error.to_string()))?;
                Some(&made)
            }
        };
        Ok(write::create_body(&self.shape, draft, password))
    }

    /// Without PATCH an account is read, changed and written as a whole, where versions are kept only as the one that was read.
    pub(super) async fn rewrite<'w>(
        &self,
        id: &'w TargetId,
        body: impl FnOnce(&Value) -> Result<Option<Value>, Answer>,
    ) -> Prepared<'w> {
        let read = match self.service.get_if_there(&user_path(id)).await {
            Ok(Some(read)) => read,
            Ok(None) => return Prepared::Answer(Answer::Lacks),
            Err(error) => return Prepared::Answer(not_sent(&error.to_string())),
        };
        let version = read.get("meta").and_then(|meta| meta.get("version")).and_then(Value::as_str);
        let version = version.filter(|_| self.offers.etag).map(str::to_owned);
        match body(&read) {
            Ok(Some(body)) => Prepared::Request(Box::new(Request {
                asked: Asked::Update(id),
                method: "PUT",
                path: user_path(id),
                body: Some(body),
                version,
            })),
            Ok(None) => Prepared::After,
            Err(answer) => Prepared::Answer(answer),
        }
    }

    /// What belongs to accounts that are there now.
    async fn after(
        &self,
        batch: &[Write],
        answers: &mut [Option<Answer>],
        memberships: &Memberships,
        done: &[BTreeSet<usize>],
    ) {
        let deadline = Instant::now() + self.service.timeout();
        let sender = Sender { service: &self.service, bulking: &self.bulking, deadline };
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut forced: Vec<(TargetId, Value)> = Vec::new();
        for (one, answer) in batch.iter().zip(answers.iter_mut()) {
            match (&one.operation, &answer) {
                (Operation::Create { draft, .. }, Some(Answer::Holds(id))) => {
                    wanted.extend(Wanted::of(id, &draft.identities));
                    forced.extend(write::after_create(&self.shape, draft).map(|body| (id.clone(), body)));
                }
                // nothing but memberships is to be changed
                (Operation::Update { id, .. }, None) => *answer = Some(Answer::Holds(id.clone())),
                (Operation::Link { id, before, add }, _) => *answer = Some(self.link(id, before, add, deadline).await),
                (Operation::Unlink { id, remove }, _) => *answer = Some(self.unlink(id, remove, deadline).await),
                _ => {}
            }
        }
        self.associate(&wanted, deadline).await;
        self.write_memberships(&sender, memberships, done, answers).await;
        self.force_resets(&sender, &forced).await;
    }

    /// An account that was made without its sign-ins at other providers shows as different when it is read back.
    async fn associate(&self, wanted: &[Wanted], deadline: Instant) {
        let Some(associations) = self.associations.as_ref().filter(|_| !wanted.is_empty()) else { return };
        let answers = associations.make(&self.service, wanted, deadline).await;
        let failed = answers.iter().filter(|answer| !matches!(answer, Answer::Holds(_))).count();
        if failed > 0 {
            tracing::warn!(failed, "Sign-ins at other providers were not written; verify shows whose");
        }
    }

    async fn force_resets(&self, sender: &Sender<'_>, forced: &[(TargetId, Value)]) {
        let requests: Vec<Request<'_>> = forced
            .iter()
            .map(|(id, body)| Request {
                asked: Asked::Update(id),
                method: "PATCH",
                path: user_path(id),
                body: Some(body.clone()),
                version: None,
            })
            .collect();
        if requests.is_empty() {
            return;
        }
        let answers = sender.send_again(&requests).await;
        let failed = answers.iter().filter(|answer| !matches!(answer, Answer::Holds(_))).count();
        if failed > 0 {
            tracing::warn!(failed, "A new password was not demanded of some; nobody knows the one that they have");
        }
    }

    /// Adds identities, after reading that it still has those of before.
    async fn link(&self, id: &TargetId, before: &[Identity], add: &[Identity], deadline: Instant) -> Answer {
        let Some(associations) = &self.associations else { return cannot_link() };
        if add.iter().any(Identity::is_local) {
            return cannot_link();
        }
        let there = match self.associations_of(id).await {
            Ok(Some(there)) => there,
            Ok(None) => return Answer::Lacks,
            Err(error) => return not_sent(&error.to_string()),
        };
        let has = |wanted: &Identity| there.iter().any(|held| held.identity.canonical() == wanted.canonical());
        let missing: Vec<Identity> = add.iter().filter(|one| !has(one)).cloned().collect();
        if missing.is_empty() {
            return Answer::Holds(id.clone());
        }
        let expected = |held: &Identity| before.iter().chain(add).any(|one| one.canonical() == held.canonical());
        let is_as_before =
            before.iter().filter(|one| !one.is_local()).all(has) && there.iter().all(|one| expected(&one.identity));
        if !is_as_before {
            return Answer::Changed;
        }
        let answers = associations.make(&self.service, &Wanted::of(id, &missing), deadline).await;
        let failed = answers.into_iter().find(|answer| !matches!(answer, Answer::Holds(_)));
        failed.unwrap_or_else(|| Answer::Holds(id.clone()))
    }

    async fn unlink(&self, id: &TargetId, remove: &[Identity], deadline: Instant) -> Answer {
        let Some(associations) = &self.associations else { return cannot_link() };
        let there = match self.associations_of(id).await {
            Ok(Some(there)) => there,
            Ok(None) => return Answer::Lacks,
            Err(error) => return not_sent(&error.to_string()),
        };
        for held in there {
            if remove.iter().any(|one| one.canonical() == held.identity.canonical()) {
                match associations.remove(&self.service, id, &held, deadline).await {
                    Answer::Holds(_) | Answer::Lacks => {}
                    other => return other,
                }
            }
        }
        Answer::Holds(id.clone())
    }

    /// What is associated with an account; `None` when it is not there. An account without any may be answered like none.
    async fn associations_of(&self, id: &TargetId) -> Result<Option<Vec<super::associations::Held>>, ReadError> {
        let Some(associations) = &self.associations else { return Ok(Some(Vec::new())) };
        let read = associations.read(&self.service, std::slice::from_ref(id)).await?.pop().flatten();
        match read {
            Some(held) => Ok(Some(held)),
            None => Ok(self.service.get_if_there(&user_path(id)).await?.map(|_| Vec::new())),
        }
    }
}

fn cannot_link() -> Answer {
    let detail = "the service cannot be given further sign-ins of an account".to_owned();
    Answer::Refuses { code: Code::E2199, detail }
}
