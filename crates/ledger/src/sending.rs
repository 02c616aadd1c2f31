//! The apply side: what is to be sent, durable intents that are leases, answers, doubts.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use sterna_core::{
    account::Credential,
    code::Code,
    ids::{Ordinal, TargetId},
    plan::{Action, Planned},
    secrecy::SecretString,
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
    time::{Moment, Timestamp},
};

use crate::{
    error::LedgerError,
    ledger::Ledger,
    planning::{PLAN, numbers},
    reading::open_record,
    seal::{DigestKind, Place, Seal},
    steps::{INTEND, SENT, Standing, UNDO_INTENDED, step},
};

pub(crate) const HOLDING: Place = Place { table: "holding", column: "sealed" };
const DETAIL: Place = Place { table: "detail", column: "sealed" };

/// Which accounts a phase works on.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// In one of these states.
    pub states: Vec<ProfileState>,
    /// Of this cohort.
    pub cohort: Option<u32>,
    /// After this account.
    pub after: Option<Ordinal>,
    /// At most so many.
    pub limit: usize,
}

/// An account with its plan.
pub struct Case {
    /// Whose it is.
    pub ordinal: Ordinal,
    /// Where it stands.
    pub standing: Standing,
    /// What is to happen, or happened.
    pub action: Option<Action>,
    /// How it got to the target.
    pub origin: Option<Action>,
    /// How often it was sent.
    pub attempt: u32,
    /// Why it stands there.
    pub code: Option<Code>,
    /// The plan, where there is one.
    pub planned: Option<Planned>,
    /// The target's account.
    pub target: Option<TargetId>,
    /// When the last request can have ended at the latest.
    pub until: Option<Moment>,
    /// Who sent it.
    pub worker: Option<i64>,
    /// Whether an earlier undo was about to remove it.
    pub undoing: bool,
    /// How often in this run no answer came for it.
    pub doubts: u32,
}

/// What became of an account.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whose it is.
    pub ordinal: Ordinal,
    /// The profile's step.
    pub event: Option<ProfileEvent>,
    /// The credential's step.
    pub credential: Option<CredentialEvent>,
    /// Why, for refusals and clashes; replaces what stood there.
    pub code: Option<Code>,
    /// The target's words, sealed.
    pub detail: Option<String>,
    /// The target's account, where it is known now.
    pub target: Option<TargetId>,
    /// How it got there, where that is known now.
    pub origin: Option<Action>,
    /// When the request ended, for doubts.
    pub until: Option<Moment>,
}

impl Outcome {
    /// A step of the profile alone.
    pub fn step(ordinal: Ordinal, event: ProfileEvent) -> Self {
        let event = Some(event);
        Self { ordinal, event, credential: None, code: None, detail: None, target: None, origin: None, until: None }
    }
}

impl Ledger {
    /// Accounts with their plans, in order.
    pub async fn cases(&self, selection: Selection) -> Result<Vec<Case>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store.read(move |store| cases(store, &seal, &selection)).await
    }

    /// The plaintext that is set when an account is created, for drafts whose password is in the record.
    pub async fn plaintexts(&self, ordinals: Vec<Ordinal>) -> Result<Vec<Option<SecretString>>, LedgerError> {
        if ordinals.is_empty() {
            return Ok(Vec::new()); // mostly: every batch in the air would have a reader of its own, with its cache
        }
        let seal = Arc::clone(&self.seal);
        self.store.read(move |store| ordinals.iter().map(|ordinal| plaintext(store, &seal, *ordinal)).collect()).await
    }

    /// Makes intents durable: they lease the accounts to `worker`, and may be in doubt from `until` on.
    ///
    /// Nothing that changes the target may leave before this returns.
    pub async fn intend(
        &self,
        worker: i64,
        ordinals: Vec<Ordinal>,
        until: Moment,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.store
            .write(move |store| {
                let doing = LedgerError::store("writing an intent");
                for ordinal in &ordinals {
                    step(store, *ordinal, now, Some(ProfileEvent::Intend), None)?;
                    store
                        .prepare_cached(
                            "UPDATE account SET attempt = attempt + 1, worker = ?2, until_wall = ?3, until_boot = ?4,
                             until_ms = ?5 WHERE ordinal = ?1",
                        )
                        .and_then(|mut update| {
                            update.execute(params![
                                ordinal.0,
                                worker,
                                until.wall.0,
                                as_stored(until.boot),
                                as_stored(until.since_boot_ms)
                            ])
                        })
                        .map_err(&doing)?;
                }
                Ok(())
            })
            .await
    }

    /// Writes what became of accounts.
    pub async fn settle(&self, outcomes: Vec<Outcome>, now: Timestamp) -> Result<(), LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store.write(move |store| outcomes.iter().try_for_each(|outcome| settle(store, &seal, outcome, now))).await
    }

    /// Intents of workers that are gone become doubts, since their own durable time. Returns how many.
    pub async fn orphans_to_doubts(&self, worker: i64, now: Timestamp) -> Result<u64, LedgerError> {
        let mut total = 0;
        loop {
            let moved = self
                .store
                .write(move |store| {
                    let doing = LedgerError::store("looking for lost requests");
                    let sql = "SELECT ordinal FROM account WHERE profile = ?1 AND worker <> ?2 LIMIT 500";
                    let mut statement = store.prepare_cached(sql).map_err(&doing)?;
                    let orphans: Vec<i64> = statement
                        .query_map(params![ProfileState::Intended.number(), worker], |row| row.get(0))
                        .and_then(Iterator::collect)
                        .map_err(&doing)?;
                    for ordinal in &orphans {
                        step(store, Ordinal(*ordinal), now, Some(ProfileEvent::Silence), None)?;
                    }
                    Ok(orphans.len() as u64)
                })
                .await?;
            total += moved;
            if moved == 0 {
                return Ok(total);
            }
        }
    }

    /// Repairs that were planned, refused or met a conflict and are not under way go back to being differences: an
    /// account that the target holds is never planned from its source alone. Returns how many.
    pub async fn lay_repairs_aside(&self, now: Timestamp) -> Result<u64, LedgerError> {
        let states = numbers(&[ProfileState::Planned, ProfileState::Clash, ProfileState::Refused]);
        let mut total = 0;
        loop {
            let sql = format!(
                "SELECT h.ordinal FROM holding h CROSS JOIN account a ON a.ordinal = h.ordinal
                 WHERE a.profile IN ({states}) LIMIT 500"
            );
            let moved = self
                .store
                .write(move |store| {
                    let doing = LedgerError::store("looking for unfinished repairs");
                    let mut statement = store.prepare_cached(&sql).map_err(&doing)?;
                    let repairs: Vec<i64> =
                        statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(&doing)?;
                    for ordinal in &repairs {
                        step(store, Ordinal(*ordinal), now, Some(ProfileEvent::LayAside), None)?;
                        store
                            .execute(
                                "UPDATE account SET code = ?2 WHERE ordinal = ?1",
                                params![ordinal, Code::E5011.as_str()],
                            )
                            .map_err(&doing)?;
                    }
                    Ok(repairs.len() as u64)
                })
                .await?;
            total += moved;
            if moved == 0 {
                return Ok(total);
            }
        }
    }

    /// Makes durable that removals are about to be sent. The accounts' states move with the answers; a removal that is
    /// repeated does no harm.
    pub async fn intend_undo(&self, ordinals: Vec<Ordinal>, now: Timestamp) -> Result<(), LedgerError> {
        self.store
            .write(move |store| {
                ordinals.iter().try_for_each(|ordinal| {
                    let doing = LedgerError::store("writing an intent");
                    store
                        .prepare_cached("INSERT INTO step (ordinal, at, event) VALUES (?1, ?2, ?3)")
                        .and_then(|mut append| append.execute(params![ordinal.0, now.0, UNDO_INTENDED]))
                        .map_err(&doing)?;
                    store
                        .prepare_cached("UPDATE account SET undoing = 1 WHERE ordinal = ?1")
                        .and_then(|mut update| update.execute([ordinal.0]))
                        .map(drop)
                        .map_err(&doing)
                })
            })
            .await
    }

    /// When anything was last sent or answered.
    pub async fn last_sent(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.store
            .read(|store| {
                let events = SENT.map(|event| event.to_string()).join(", ");
                let sql = format!("SELECT at FROM step WHERE event IN ({events}) ORDER BY seq DESC LIMIT 1");
                store
                    .query_row(&sql, [], |row| row.get(0))
                    .optional()
                    .map(|at| at.map(Timestamp))
                    .map_err(LedgerError::store("looking for the last step"))
            })
            .await
    }

    /// Writes that were sent since `since`: (when, how many), so that a new run keeps to the quota.
    pub async fn sent_since(&self, since: Timestamp) -> Result<Vec<(Timestamp, u32)>, LedgerError> {
        self.store
            .read(move |store| {
                let doing = LedgerError::store("counting recent requests");
                let sql =
                    "SELECT at / 500 * 500, count(*) FROM (SELECT at, event FROM step ORDER BY seq DESC LIMIT 2000000)
                           WHERE event IN (?1, ?3) AND at >= ?2 GROUP BY 1 ORDER BY 1";
                let mut statement = store.prepare(sql).map_err(&doing)?;
                statement
                    .query_map(params![INTEND, since.0, UNDO_INTENDED], |row| Ok((Timestamp(row.get(0)?), row.get(1)?)))
                    .and_then(Iterator::collect)
                    .map_err(&doing)
            })
            .await
    }

    /// Begins a run of a phase; the number is its worker id.
    pub async fn begin_run(&self, phase: &'static str, now: Timestamp) -> Result<i64, LedgerError> {
        self.store
            .write(move |store| {
                store
                    .execute("INSERT INTO run (phase, began) VALUES (?1, ?2)", params![phase, now.0])
                    .map_err(LedgerError::store("beginning a run"))?;
                crate::audit::append(store, now, &format!("{phase} began"))?;
                Ok(store.last_insert_rowid())
            })
            .await
    }

    /// Ends a run with a sentence of counts.
    pub async fn end_run(&self, run: i64, phase: &str, outcome: String, now: Timestamp) -> Result<(), LedgerError> {
        let entry = format!("{phase} ended: {outcome}");
        self.store
            .write(move |store| {
                store
                    .execute("UPDATE run SET ended = ?2, outcome = ?3 WHERE id = ?1", params![run, now.0, outcome])
                    .map_err(LedgerError::store("ending a run"))?;
                crate::audit::append(store, now, &entry)
            })
            .await
    }

    /// Moves an account's credential, found by the target's id: for sign-ins. Durable when it returns.
    ///
    /// `None` when no account of this ledger has that id.
    pub async fn credential_step(
        &self,
        target: &TargetId,
        event: CredentialEvent,
        now: Timestamp,
    ) -> Result<Option<Standing>, LedgerError> {
        let digest = self.seal.digest(DigestKind::TargetId, &[target.0.as_bytes()]);
        self.store
            .write(move |store| {
                let found: Option<i64> = store
                    .prepare_cached("SELECT ordinal FROM holding WHERE digest = ?1")
                    .and_then(|mut statement| statement.query_row([digest], |row| row.get(0)).optional())
                    .map_err(LedgerError::store("looking an account up"))?;
                found.map(|ordinal| step(store, Ordinal(ordinal), now, None, Some(event))).transpose()
            })
            .await
    }

    /// The target's words on a refusal or clash.
    pub async fn detail(&self, ordinal: Ordinal) -> Result<Option<String>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store
            .read(move |store| {
                let sealed: Option<Vec<u8>> = store
                    .query_row("SELECT sealed FROM detail WHERE ordinal = ?1", [ordinal.0], |row| row.get(0))
                    .optional()
                    .map_err(LedgerError::store("reading a refusal"))?;
                let Some(sealed) = sealed else { return Ok(None) };
                Ok(Some(String::from_utf8_lossy(&seal.open(DETAIL, ordinal.0, &sealed)?).into_owned()))
            })
            .await
    }
}

const CASE: &str = "a.ordinal, a.profile, a.credential, a.action, a.origin, a.attempt, a.code, p.sealed, h.sealed,
    a.until_wall, a.until_boot, a.until_ms, a.worker, a.undoing";

fn cases(store: &Connection, seal: &Seal, selection: &Selection) -> Result<Vec<Case>, LedgerError> {
    let doing = LedgerError::store("reading accounts");
    // the partial index serves the states that apply works on; others walk the narrow table
    let sql = format!(
        "SELECT {CASE} FROM account a LEFT JOIN plan p ON p.ordinal = a.ordinal
         LEFT JOIN holding h ON h.ordinal = a.ordinal
         WHERE a.profile IN ({}) AND a.ordinal > ?1 {} ORDER BY a.ordinal LIMIT ?2",
        numbers(&selection.states),
        selection.cohort.map(|cohort| format!("AND a.cohort = {cohort}")).unwrap_or_default()
    );
    let mut statement = store.prepare_cached(&sql).map_err(&doing)?;
    let after = selection.after.map_or(0, |after| after.0);
    let limit = i64::try_from(selection.limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![after, limit]).map_err(&doing)?;
    let mut cases = Vec::new();
    while let Some(row) = rows.next().map_err(&doing)? {
        cases.push(case(seal, row)?);
    }
    Ok(cases)
}

fn case(seal: &Seal, row: &Row<'_>) -> Result<Case, LedgerError> {
    let doing = LedgerError::store("reading accounts");
    let ordinal = Ordinal(row.get(0).map_err(&doing)?);
    let action = |at: usize| -> Result<Option<Action>, LedgerError> {
        Ok(row.get::<_, Option<u8>>(at).map_err(&doing)?.and_then(Action::from_number))
    };
    let sealed = |at: usize, place: Place| -> Result<Option<_>, LedgerError> {
        let blob = row.get::<_, Option<Vec<u8>>>(at).map_err(&doing)?;
        blob.map(|blob| seal.open(place, ordinal.0, &blob)).transpose()
    };
    let planned = sealed(7, PLAN)?
        .map(|plain| serde_json::from_slice(&plain).map_err(|_| LedgerError::Stored { what: "plan" }))
        .transpose()?;
    let (wall, boot, ms): (Option<i64>, Option<i64>, Option<i64>) =
        (row.get(9).map_err(&doing)?, row.get(10).map_err(&doing)?, row.get(11).map_err(&doing)?);
    let until = wall.zip(boot).zip(ms).map(|((wall, boot), ms)| Moment {
        wall: Timestamp(wall),
        boot: boot.cast_unsigned(),
        since_boot_ms: ms.cast_unsigned(),
    });
    Ok(Case {
        ordinal,
        standing: Standing::from_numbers(row.get(1).map_err(&doing)?, row.get(2).map_err(&doing)?)?,
        action: action(3)?,
        origin: action(4)?,
        attempt: row.get(5).map_err(&doing)?,
        code: row.get::<_, Option<String>>(6).map_err(&doing)?.as_deref().and_then(Code::parse),
        planned,
        target: sealed(8, HOLDING)?.map(|plain| id_of(&plain)),
        until,
        worker: row.get(12).map_err(&doing)?,
        undoing: row.get(13).map_err(&doing)?,
        doubts: 0,
    })
}

fn id_of(plain: &[u8]) -> TargetId {
    TargetId(String::from_utf8_lossy(plain).into_owned())
}

/// Opens the target's id of an account.
pub(crate) fn held_id(seal: &Seal, ordinal: Ordinal, sealed: &[u8]) -> Result<TargetId, LedgerError> {
    Ok(id_of(&seal.open(HOLDING, ordinal.0, sealed)?))
}

/// Numbers without sign are stored as the signed ones of the same bits.
fn as_stored(number: u64) -> i64 {
    number.cast_signed()
}

fn plaintext(store: &Connection, seal: &Seal, ordinal: Ordinal) -> Result<Option<SecretString>, LedgerError> {
    let sealed: Vec<u8> = store
        .prepare_cached("SELECT sealed FROM record WHERE ordinal = ?1")
        .and_then(|mut statement| statement.query_row([ordinal.0], |row| row.get(0)))
        .map_err(LedgerError::store("reading a record"))?;
    Ok(match open_record(seal, ordinal, &sealed)?.credential {
        Credential::Plaintext(secret) => Some(secret),
        Credential::Nothing | Credential::Hash { .. } | Credential::HeldByLegacy => None,
    })
}

pub(crate) fn settle(store: &Connection, seal: &Seal, outcome: &Outcome, now: Timestamp) -> Result<(), LedgerError> {
    let doing = LedgerError::store("writing an answer");
    let ordinal = outcome.ordinal;
    step(store, ordinal, now, outcome.event, outcome.credential)?;
    if outcome.event.is_some() {
        store
            .prepare_cached("UPDATE account SET code = ?2, origin = coalesce(?3, origin) WHERE ordinal = ?1")
            .and_then(|mut update| {
                update.execute(params![ordinal.0, outcome.code.map(Code::as_str), outcome.origin.map(Action::number)])
            })
            .map_err(&doing)?;
    }
    if let Some(until) = outcome.until {
        let sql = "UPDATE account SET until_wall = ?2, until_boot = ?3, until_ms = ?4 WHERE ordinal = ?1";
        store
            .prepare_cached(sql)
            .and_then(|mut update| {
                update.execute(params![ordinal.0, until.wall.0, as_stored(until.boot), as_stored(until.since_boot_ms)])
            })
            .map_err(&doing)?;
    }
    if let Some(detail) = &outcome.detail {
        let sealed = seal.seal(DETAIL, ordinal.0, detail.as_bytes())?;
        let sql = "INSERT OR REPLACE INTO detail (ordinal, sealed) VALUES (?1, ?2)";
        store.prepare_cached(sql).and_then(|mut put| put.execute(params![ordinal.0, sealed])).map_err(&doing)?;
    }
    if let Some(target) = &outcome.target {
        let digest = seal.digest(DigestKind::TargetId, &[target.0.as_bytes()]);
        let sealed = seal.seal(HOLDING, ordinal.0, target.0.as_bytes())?;
        let sql = "INSERT OR REPLACE INTO holding (ordinal, digest, sealed) VALUES (?1, ?2, ?3)";
        store
            .prepare_cached(sql)
            .and_then(|mut put| put.execute(params![ordinal.0, digest, sealed]))
            .map_err(&doing)?;
    }
    if outcome.event == Some(ProfileEvent::Undo) {
        store.execute("DELETE FROM holding WHERE ordinal = ?1", [ordinal.0]).map_err(&doing)?;
        store.execute("UPDATE account SET undoing = 0 WHERE ordinal = ?1", [ordinal.0]).map_err(&doing)?;
    }
    Ok(())
}

/// How many planned accounts there are of each action and password way; for consent and prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Workload {
    /// Accounts that are planned.
    pub planned: u64,
    /// Of these, to be created.
    pub creates: u64,
    /// Of these, to be linked.
    pub links: u64,
    /// Requests in doubt or intended.
    pub open: u64,
}

impl Ledger {
    /// Counts what apply would work on.
    pub async fn workload(&self, cohort: Option<u32>) -> Result<Workload, LedgerError> {
        self.store
            .read(move |store| {
                let doing = LedgerError::store("counting the work");
                let which = cohort.map(|cohort| format!("AND cohort = {cohort}")).unwrap_or_default();
                let count = |what: &str| {
                    let sql = format!("SELECT count(*) FROM account WHERE {what} {which}");
                    store.query_row(&sql, [], |row| row.get::<_, u64>(0)).map_err(&doing)
                };
                // repairs that were interrupted are no work of apply's
                let planned = format!(
                    "profile = {} AND ordinal NOT IN (SELECT ordinal FROM holding)",
                    ProfileState::Planned.number()
                );
                Ok(Workload {
                    planned: count(&planned)?,
                    creates: count(&format!("{planned} AND action = {}", Action::Create.number()))?,
                    links: count(&format!("{planned} AND action = {}", Action::Link.number()))?,
                    open: count(&format!(
                        "profile IN ({})",
                        numbers(&[ProfileState::Intended, ProfileState::InDoubt])
                    ))?,
                })
            })
            .await
    }

    /// Accounts whose credential stands so.
    pub async fn credentials(&self, state: CredentialState) -> Result<u64, LedgerError> {
        self.store
            .read(move |store| {
                store
                    .query_row("SELECT count(*) FROM account WHERE credential = ?1", [state.number()], |row| row.get(0))
                    .map_err(LedgerError::store("counting credentials"))
            })
            .await
    }
}
