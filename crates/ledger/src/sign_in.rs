//! What a sign-in needs of the ledger: the one account that is meant, where it stands, and a durable record of every
//! attempt. Everything a person could be known by is kept as keyed digests.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use sterna_core::{
    account::{Account, Identity},
    hook::Who,
    ids::{AccountKey, Ordinal, Pseudonym, SourceUid, TargetId},
    plan::{Action, Planned},
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    audit,
    error::LedgerError,
    ledger::Ledger,
    planning::PLAN,
    reading::open_record,
    schema,
    seal::{Digest, DigestKind, Seal},
    sending::{Outcome, held_id, settle},
    steps::{Standing, standing, step},
};

/// The account that a sign-in is about.
pub struct Candidate {
    /// Its number.
    pub ordinal: Ordinal,
    /// The name of the source that it was read from.
    pub source: String,
    /// Its key.
    pub key: AccountKey,
    /// The target's id, where it has one.
    pub target: Option<TargetId>,
    /// Where it stands.
    pub standing: Standing,
    /// The account, as the source had it.
    pub account: Account,
}

/// Whom a name means.
pub struct Meant {
    /// The account; `None` when there is none, or more than one.
    pub candidate: Option<Candidate>,
    /// Whether a request that we sent about somebody is still without a known outcome.
    pub open_doubts: bool,
}

/// One attempt, to be recorded.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// When it arrived.
    pub at: Timestamp,
    /// The hook's name.
    pub hook: Arc<str>,
    /// The account, where one was found.
    pub ordinal: Option<Ordinal>,
    /// Digest of what the caller named the account by.
    pub who: Digest,
    /// Digest of the person's address.
    pub address: Option<Digest>,
    /// Digest of the range that the address is in.
    pub range: Option<Digest>,
    /// Digest of the tenant and hook that asked.
    pub tenant: Digest,
    /// Whether it counts against the limits: a wrong password, or an account that is not let in.
    pub counted: bool,
    /// What the old system said, where it was asked.
    pub verdict: Option<&'static str>,
    /// What was answered.
    pub decision: &'static str,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What comes of collecting the decision of an attempt of several calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The decision's name.
    Decision(String),
    /// It is under way.
    Pending,
    /// It was begun with another sign-in name; it is gone now.
    OtherLogin,
    /// There is none, or it was collected already.
    Unknown,
}

/// Doubts that are looked through for one key at most: a write lasts no longer than 20 ms.
const DOUBTS: i64 = 500;

/// When it was begun, with which sign-in name, its decision, and when that was collected.
type Begun = (i64, Option<Digest>, Option<String>, Option<i64>);

/// A decision that was collected can be collected again for so many milliseconds.
const COLLECTED_MS: i64 = 10_000;

/// An attempt of several calls is forgotten after so many milliseconds.
const CONTEXT_MS: i64 = 120_000;

/// An account whose password waits to be read back from the target.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its number.
    pub ordinal: Ordinal,
    /// The target's id.
    pub target: TargetId,
    /// Where it stands.
    pub standing: Standing,
}

/// An attempt of the past, as far as limits need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastAttempt {
    /// When.
    pub at: Timestamp,
    /// Digest of what the caller named the account by.
    pub who: Digest,
    /// Digest of the account, where it was known which one was meant.
    pub account: Option<Digest>,
    /// Digest of the person's address.
    pub address: Option<Digest>,
    /// Digest of the range that the address is in.
    pub range: Option<Digest>,
    /// Digest of the tenant and hook that asked.
    pub tenant: Digest,
    /// Whether it was accepted; else it was wrong.
    pub accepted: bool,
}

impl Ledger {
    /// Makes the ledger ready for sign-ins.
    pub async fn begin_serving(&self, now: Timestamp) -> Result<(), LedgerError> {
        self.store
            .write(move |store| {
                schema::sign_ins(store)?;
                audit::append(store, now, "serve began")
            })
            .await
    }

    /// Records that serving ended.
    pub async fn end_serving(&self, now: Timestamp, outcome: String) -> Result<(), LedgerError> {
        self.store.write(move |store| audit::append(store, now, &format!("serve ended: {outcome}"))).await
    }

    /// The account that a hook's caller means. A sign-in name that several accounts have means nobody: an old password of
    /// one namesake must never become the other's.
    pub async fn meant(&self, who: Who) -> Result<Meant, LedgerError> {
        let (seal, namespace) = (Arc::clone(&self.seal), self.namespace());
        self.store.read(move |store| meant(store, &seal, &namespace, &who)).await
    }

    /// The same on the caller's own thread, which must be one that may wait for a disk.
    pub fn meant_here(&self, who: &Who) -> Result<Meant, LedgerError> {
        self.store.read_here(|store| meant(store, &self.seal, &self.namespace(), who))
    }

    /// The digest that limits and records know what a caller named an account by.
    pub fn who_digest(&self, who: &Who) -> Digest {
        match who {
            Who::TargetId(id) => self.seal.digest(DigestKind::TargetId, &[id.0.as_bytes()]),
            Who::SignInName(name) => {
                let canonical = Identity::user_name(name).canonical();
                self.seal.digest(DigestKind::Identity, &[canonical.as_bytes()])
            }
            Who::SourceKey(key) => self.seal.digest(DigestKind::Record, &[key.as_bytes()]),
        }
    }

    /// The digest that limits know an account by, however it was named.
    pub fn account_digest(&self, ordinal: Ordinal) -> Digest {
        limits_digest(&self.seal, ordinal.0)
    }

    /// The digest of an address or a range of them.
    pub fn address_digest(&self, bytes: &[u8]) -> Digest {
        self.seal.digest(DigestKind::Address, &[bytes])
    }

    /// Records attempts.
    pub async fn record_attempts(&self, attempts: Vec<AttemptRecord>) -> Result<(), LedgerError> {
        self.store.write(move |store| attempts.iter().try_for_each(|attempt| insert(store, attempt))).await
    }

    /// Records an attempt that is about to be answered with yes, together with the credential's step and an entry of the
    /// audit log. Durable when it returns; the account must still stand as it did when it was looked at.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] when it has taken another step meanwhile: then nothing may be answered.
    pub async fn answer_yes(
        &self,
        ordinal: Ordinal,
        seen: Standing,
        event: Option<CredentialEvent>,
        attempt: AttemptRecord,
    ) -> Result<Standing, LedgerError> {
        let who = self.pseudonym(ordinal);
        self.store
            .write(move |store| {
                let now = standing(store, ordinal)?;
                // the same yes on another line is no change; anything else is
                let waits = matches!(now.credential, CredentialState::AwaitingSignIn | CredentialState::Answered);
                if now.profile != seen.profile && !now.profile.is_at_target() || !waits {
                    return Err(LedgerError::Moved);
                }
                let after = match event {
                    Some(_) => step(store, ordinal, attempt.at, None, event)?,
                    None => now,
                };
                insert(store, &attempt)?;
                audit_attempt(store, &attempt, who)?;
                Ok(after)
            })
            .await
    }

    /// Moves credentials by what was read back from the target, with an entry of the audit log for each. Accounts that have
    /// taken another step meanwhile are left out; returns how many were moved.
    pub async fn credential_steps(
        &self,
        steps: Vec<(Ordinal, CredentialEvent)>,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let named: Vec<_> =
            steps.into_iter().map(|(ordinal, event)| (ordinal, event, self.pseudonym(ordinal))).collect();
        self.store
            .write(move |store| {
                let mut moved = 0;
                for (ordinal, event, who) in &named {
                    let before = standing(store, *ordinal)?;
                    match before.credential.after(*event) {
                        Ok(after) if after != before.credential => {}
                        // the same again, or a step that another process took in between
                        Ok(_) | Err(_) => continue,
                    }
                    let after = step(store, *ordinal, now, None, Some(*event))?;
                    audit::append(store, now, &format!("{who}: password {}", after.credential.name()))?;
                    moved += 1;
                }
                Ok(moved)
            })
            .await
    }

    /// Accounts after `after` whose credential awaits a sign-in or was answered, at most `limit` of them; with
    /// `answered_only` the latter alone.
    pub async fn waiting(
        &self,
        after: Option<Ordinal>,
        limit: usize,
        answered_only: bool,
    ) -> Result<Vec<Waiting>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store.read(move |store| waiting(store, &seal, after, limit, answered_only)).await
    }

    /// Whether a bulk phase is running now.
    pub fn is_busy(&self) -> bool {
        matches!(self.lock("a sign-in's look-up"), Err(LedgerError::Locked { .. }))
    }

    /// Settles the doubt about a create that the target turns out to hold under our own key: whose sign-in is waiting need
    /// not wait for the next `apply`. Only while no bulk phase runs, which would look the doubt up itself.
    ///
    /// Returns whether there was such a doubt.
    pub async fn resolve_doubt(&self, key: AccountKey, target: TargetId, now: Timestamp) -> Result<bool, LedgerError> {
        let _lock = match self.lock("a sign-in's look-up") {
            Ok(lock) => lock,
            Err(LedgerError::Locked { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let seal = Arc::clone(&self.seal);
        self.store.write(move |store| resolve_doubt(store, &seal, key, target, now)).await
    }

    /// Begins an attempt that takes several calls, under a name that only its digest is kept of.
    pub async fn begin_context(&self, context: &str, login: Option<&str>, now: Timestamp) -> Result<(), LedgerError> {
        let digest = self.seal.digest(DigestKind::Context, &[context.as_bytes()]);
        let login = login.map(|login| self.login_digest(login));
        self.store
            .write(move |store| {
                let doing = LedgerError::store("beginning an attempt");
                let old = now.0.saturating_sub(CONTEXT_MS);
                store.execute("DELETE FROM context WHERE at < ?1", [old]).map_err(&doing)?;
                store
                    .execute(
                        "INSERT INTO context (digest, at, login) VALUES (?1, ?2, ?3)",
                        params![digest, now.0, login],
                    )
                    .map_err(&doing)
                    .map(drop)
            })
            .await
    }

    /// Writes what an attempt of several calls came to.
    pub async fn end_context(&self, context: &str, decision: &'static str) -> Result<(), LedgerError> {
        let digest = self.seal.digest(DigestKind::Context, &[context.as_bytes()]);
        self.store
            .write(move |store| {
                store
                    .execute("UPDATE context SET decision = ?2 WHERE digest = ?1", params![digest, decision])
                    .map_err(LedgerError::store("ending an attempt"))
                    .map(drop)
            })
            .await
    }

    /// Whether an attempt of several calls has come to its decision.
    pub async fn context_is_complete(&self, context: &str) -> Result<bool, LedgerError> {
        let digest = self.seal.digest(DigestKind::Context, &[context.as_bytes()]);
        self.store
            .read(move |store| {
                store
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM context WHERE digest = ?1 AND decision IS NOT NULL)")
                    .and_then(|mut select| select.query_row([digest], |row| row.get(0)))
                    .map_err(LedgerError::store("looking at an attempt"))
            })
            .await
    }

    /// Takes the decision of an attempt of several calls out; a repeat within ten seconds, as callers make them after a
    /// timeout, gets it again. `login` must be the one that it was begun with.
    pub async fn collect_context(
        &self,
        context: &str,
        login: Option<&str>,
        now: Timestamp,
    ) -> Result<Taken, LedgerError> {
        let digest = self.seal.digest(DigestKind::Context, &[context.as_bytes()]);
        let login = login.map(|login| self.login_digest(login));
        self.store
            .write(move |store| {
                let doing = LedgerError::store("collecting an attempt");
                let found: Option<Begun> = store
                    .query_row(
                        "SELECT at, login, decision, collected FROM context WHERE digest = ?1",
                        [digest],
                        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
                    )
                    .optional()
                    .map_err(&doing)?;
                let Some((at, begun_with, decision, collected)) = found else { return Ok(Taken::Unknown) };
                let is_spent = collected.is_some_and(|collected| now.0.saturating_sub(collected) > COLLECTED_MS);
                if is_spent || now.0.saturating_sub(at) > CONTEXT_MS {
                    return Ok(Taken::Unknown);
                }
                let Some(decision) = decision else { return Ok(Taken::Pending) };
                if begun_with != login {
                    store.execute("DELETE FROM context WHERE digest = ?1", [digest]).map_err(&doing)?;
                    return Ok(Taken::OtherLogin);
                }
                store
                    .execute(
                        "UPDATE context SET collected = coalesce(collected, ?2) WHERE digest = ?1",
                        params![digest, now.0],
                    )
                    .map_err(&doing)?;
                Ok(Taken::Decision(decision))
            })
            .await
    }

    fn login_digest(&self, login: &str) -> Digest {
        self.seal.digest(DigestKind::Context, &[b"login", login.as_bytes()])
    }

    /// Appends a summary of what was turned away to the audit log.
    pub async fn audit_refusals(&self, now: Timestamp, summary: String) -> Result<(), LedgerError> {
        self.audit(now, summary).await
    }

    /// Attempts since `since` that count against limits, or those that were accepted, the oldest first, at most `limit` of
    /// the newest.
    pub async fn attempts_since(
        &self,
        since: Timestamp,
        accepted: bool,
        limit: usize,
    ) -> Result<Vec<PastAttempt>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store.read(move |store| attempts_since(store, &seal, since, accepted, limit)).await
    }

    /// Forgets single attempts older than `before`; the audit log keeps what was answered with yes.
    pub async fn forget_attempts(&self, before: Timestamp) -> Result<(), LedgerError> {
        loop {
            let forgotten = self
                .store
                .write(move |store| {
                    let doing = LedgerError::store("forgetting old attempts");
                    // few at a time: no write lasts over 20 ms
                    let sql = "DELETE FROM attempt WHERE seq IN
                               (SELECT seq FROM attempt WHERE at < ?1 ORDER BY seq LIMIT 500)";
                    store.execute(sql, [before.0]).map_err(doing)
                })
                .await?;
            if forgotten == 0 {
                return Ok(());
            }
        }
    }
}

fn meant(store: &Connection, seal: &Seal, namespace: &Uuid, who: &Who) -> Result<Meant, LedgerError> {
    let mut ordinals = match who {
        Who::TargetId(id) => held_under(store, &seal.digest(DigestKind::TargetId, &[id.0.as_bytes()]))?,
        Who::SignInName(name) => {
            let canonical = Identity::user_name(name).canonical();
            let digest = seal.digest(DigestKind::Identity, &[canonical.as_bytes()]);
            crate::named::with_digest(store, &digest, DigestKind::Identity)?
        }
        Who::SourceKey(key) => {
            let mut all = Vec::new();
            for uid in crate::named::source_uids(store)? {
                let digest = seal.digest(DigestKind::Record, &[uid.as_bytes(), key.as_bytes()]);
                all.extend(crate::named::with_digest(store, &digest, DigestKind::Record)?);
            }
            all
        }
    };
    ordinals.sort_unstable();
    ordinals.dedup();
    let candidate = match ordinals.as_slice() {
        [one] => candidate(store, seal, namespace, Ordinal(*one))?,
        _ => None,
    };
    Ok(Meant { candidate, open_doubts: open_doubts(store)? })
}

fn held_under(store: &Connection, digest: &Digest) -> Result<Vec<i64>, LedgerError> {
    let doing = LedgerError::store("looking an account up");
    let mut statement =
        store.prepare_cached("SELECT ordinal FROM holding WHERE digest = ?1 LIMIT 3").map_err(&doing)?;
    let rows = statement.query_map([digest], |row| row.get(0)).map_err(&doing)?;
    rows.collect::<Result<_, _>>().map_err(doing)
}

fn open_doubts(store: &Connection) -> Result<bool, LedgerError> {
    let (intended, in_doubt) = (ProfileState::Intended.number(), ProfileState::InDoubt.number());
    // numbers and not parameters: whether a partial index can be used depends on them, and SQLite would prepare the
    // statement anew each time
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM account WHERE profile IN (5, 6, 7) AND profile IN ({intended}, {in_doubt}))"
    );
    store
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(LedgerError::store("looking for requests under way"))
}

/// Source, its id, the two states, the sealed record, the sealed id at the target.
type Columns = (String, Vec<u8>, u8, u8, Vec<u8>, Option<Vec<u8>>);

fn candidate(
    store: &Connection,
    seal: &Seal,
    namespace: &Uuid,
    ordinal: Ordinal,
) -> Result<Option<Candidate>, LedgerError> {
    let doing = LedgerError::store("reading an account");
    let mut statement = store
        .prepare_cached(
            "SELECT s.name, s.uid, a.profile, a.credential, r.sealed, h.sealed FROM account a
             JOIN source s ON s.id = a.source JOIN record r ON r.ordinal = a.ordinal
             LEFT JOIN holding h ON h.ordinal = a.ordinal WHERE a.ordinal = ?1",
        )
        .map_err(&doing)?;
    let found: Option<Columns> = statement
        .query_row([ordinal.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        })
        .optional()
        .map_err(&doing)?;
    let Some((source, uid, profile, credential, record, holding)) = found else { return Ok(None) };
    let account = open_record(seal, ordinal, &record)?;
    let uid = SourceUid(Uuid::from_slice(&uid).map_err(|_| LedgerError::Stored { what: "source" })?);
    Ok(Some(Candidate {
        ordinal,
        source,
        key: AccountKey::make(namespace, uid, &account.key),
        target: holding.map(|sealed| held_id(seal, ordinal, &sealed)).transpose()?,
        standing: Standing::from_numbers(profile, credential)?,
        account,
    }))
}

fn resolve_doubt(
    store: &Connection,
    seal: &Seal,
    key: AccountKey,
    target: TargetId,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let doing = LedgerError::store("looking for a doubt");
    let mut statement = store
        .prepare_cached(
            "SELECT a.ordinal, p.sealed FROM account a JOIN plan p ON p.ordinal = a.ordinal
             WHERE a.profile = ?1 AND a.profile IN (5, 6, 7) AND a.credential = ?2 ORDER BY a.ordinal LIMIT ?3",
        )
        .map_err(&doing)?;
    let (doubt, dormant) = (ProfileState::InDoubt.number(), CredentialState::Dormant.number());
    let mut rows = statement.query(params![doubt, dormant, DOUBTS]).map_err(&doing)?;
    while let Some(row) = rows.next().map_err(&doing)? {
        let ordinal = Ordinal(row.get(0).map_err(&doing)?);
        let sealed: Vec<u8> = row.get(1).map_err(&doing)?;
        let planned: Planned = serde_json::from_slice(&seal.open(PLAN, ordinal.0, &sealed)?)
            .map_err(|_| LedgerError::Stored { what: "plan" })?;
        if planned.draft.key != key || planned.again {
            continue;
        }
        let outcome = Outcome {
            credential: Some(CredentialEvent::Created(planned.draft.password.state_once_created())),
            target: Some(target),
            origin: Some(Action::Create),
            ..Outcome::step(ordinal, ProfileEvent::Holds)
        };
        settle(store, seal, &outcome, now)?;
        return Ok(true);
    }
    Ok(false)
}

fn insert(store: &Connection, attempt: &AttemptRecord) -> Result<(), LedgerError> {
    let took = i64::try_from(attempt.took_ms).unwrap_or(i64::MAX);
    store
        .prepare_cached(
            "INSERT INTO attempt (at, hook, ordinal, who, address, verdict, decision, took_ms, range, tenant, counted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                attempt.at.0,
                &*attempt.hook,
                attempt.ordinal.map(|ordinal| ordinal.0),
                attempt.who,
                attempt.address,
                attempt.verdict,
                attempt.decision,
                took,
                attempt.range,
                attempt.tenant,
                attempt.counted
            ])
        })
        .map_err(LedgerError::store("recording an attempt"))?;
    Ok(())
}

fn audit_attempt(store: &Connection, attempt: &AttemptRecord, who: Pseudonym) -> Result<(), LedgerError> {
    let verdict = attempt.verdict.unwrap_or("none");
    let entry = format!("{who}: hook {} answered {} after {verdict}", attempt.hook, attempt.decision);
    audit::append(store, attempt.at, &entry)
}

fn attempts_since(
    store: &Connection,
    seal: &Seal,
    since: Timestamp,
    accepted: bool,
    limit: usize,
) -> Result<Vec<PastAttempt>, LedgerError> {
    let doing = LedgerError::store("reading past attempts");
    let mut statement = store
        .prepare_cached(
            "SELECT at, who, ordinal, address, range, tenant FROM attempt
             WHERE at >= ?1 AND CASE ?2 WHEN 1 THEN decision LIKE 'accept%' ELSE counted END ORDER BY at DESC LIMIT ?3",
        )
        .map_err(&doing)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![since.0, accepted, limit], |row| {
            let ordinal: Option<i64> = row.get(2)?;
            Ok(PastAttempt {
                at: Timestamp(row.get(0)?),
                who: row.get(1)?,
                account: ordinal.map(|ordinal| limits_digest(seal, ordinal)),
                address: row.get(3)?,
                range: row.get(4)?,
                tenant: row.get(5)?,
                accepted,
            })
        })
        .map_err(&doing)?;
    let mut all: Vec<PastAttempt> = rows.collect::<Result<_, _>>().map_err(&doing)?;
    all.reverse();
    Ok(all)
}

fn limits_digest(seal: &Seal, ordinal: i64) -> Digest {
    seal.digest(DigestKind::Pseudonym, &[b"limits", &ordinal.to_be_bytes()])
}

fn waiting(
    store: &Connection,
    seal: &Seal,
    after: Option<Ordinal>,
    limit: usize,
    answered_only: bool,
) -> Result<Vec<Waiting>, LedgerError> {
    let doing = LedgerError::store("reading who waits");
    let awaits = if answered_only { CredentialState::Answered } else { CredentialState::AwaitingSignIn };
    let mut statement = store
        .prepare_cached(
            "SELECT a.ordinal, a.profile, a.credential, h.sealed FROM account a JOIN holding h ON h.ordinal = a.ordinal
             WHERE a.ordinal > ?1 AND a.credential IN (?2, ?3) ORDER BY a.ordinal LIMIT ?4",
        )
        .map_err(&doing)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let after = after.map_or(0, |after| after.0);
    let mut rows =
        statement.query(params![after, awaits.number(), CredentialState::Answered.number(), limit]).map_err(&doing)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next().map_err(&doing)? {
        let ordinal = Ordinal(row.get(0).map_err(&doing)?);
        let sealed: Vec<u8> = row.get(3).map_err(&doing)?;
        all.push(Waiting {
            ordinal,
            target: held_id(seal, ordinal, &sealed)?,
            standing: Standing::from_numbers(row.get(1).map_err(&doing)?, row.get(2).map_err(&doing)?)?,
        });
    }
    Ok(all)
}
