//! The plan side: records to decide on, decisions, what the target holds already.

use std::{collections::BTreeMap, collections::HashSet, sync::Arc};

use rusqlite::{Connection, params};
use sterna_core::{
    account::{Account, Identity},
    code::Code,
    ids::{AccountKey, Ordinal, SourceUid, TargetId},
    plan::{Action, Loss, Planned},
    port::{Found, InventoryItem, Probe},
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    error::LedgerError,
    ledger::{Ledger, meta, set_meta},
    reading::open_record,
    seal::{DigestKind, Place, Seal},
    steps::{Standing, append},
};

pub(crate) const PLAN: Place = Place { table: "plan", column: "sealed" };
const INVENTORY: Place = Place { table: "inventory", column: "sealed" };
const DESCRIPTOR: Place = Place { table: "meta", column: "descriptor" };

/// A record that the plan decides on.
pub struct Loaded {
    /// Whose it is.
    pub ordinal: Ordinal,
    /// The source that it is from.
    pub source: SourceUid,
    /// Where it stands.
    pub standing: Standing,
    /// Why it stands there, if there is a reason.
    pub code: Option<Code>,
    /// The record.
    pub account: Account,
}

/// What is decided on one account.
pub struct Decision {
    /// Whose it is.
    pub ordinal: Ordinal,
    /// Where it stood when it was decided on; it is decided on only if it still stands there.
    pub from: Standing,
    /// The step.
    pub event: ProfileEvent,
    /// What is to happen.
    pub action: Option<Action>,
    /// Why it is held or excluded.
    pub code: Option<Code>,
    /// The number of its cohort.
    pub cohort: InCohort,
    /// The stored plan.
    pub planned: Option<Planned>,
}

/// Which cohort an account is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InCohort {
    /// The one it was in.
    Unchanged,
    /// None.
    None,
    /// This one, by its number in the file's order.
    Number(u32),
}

impl Ledger {
    /// Records in one of `states` after `after`, in order; opened and decoded beside the writer.
    pub async fn records(
        &self,
        after: Ordinal,
        limit: usize,
        states: &[ProfileState],
    ) -> Result<Vec<Loaded>, LedgerError> {
        let (seal, states) = (Arc::clone(&self.seal), numbers(states));
        self.store.read(move |store| load(store, &seal, after, limit, &states)).await
    }

    /// Accounts whose sign-in names or social identities another live account has too.
    pub async fn doubles(&self) -> Result<HashSet<Ordinal>, LedgerError> {
        self.store.read(doubles).await
    }

    /// Seals and stores decisions.
    pub async fn decide(&self, decisions: Vec<Decision>, now: Timestamp) -> Result<(), LedgerError> {
        let mut pairs = Vec::with_capacity(decisions.len());
        for mut decision in decisions {
            // sealed and dropped here: the writer's thread is the one that everything waits for
            let planned = decision.planned.take();
            let sealed = planned.map(|planned| self.seal_plan(decision.ordinal, &planned)).transpose()?;
            pairs.push((decision, sealed));
        }
        let mut chunks = pairs.into_iter().peekable();
        while chunks.peek().is_some() {
            let chunk: Vec<_> = chunks.by_ref().take(500).collect();
            self.store
                .write(move |store| chunk.iter().try_for_each(|(d, s)| decide(store, d, s.as_deref(), now)))
                .await?;
        }
        Ok(())
    }

    /// Forgets what the target held.
    pub async fn clear_inventory(&self) -> Result<(), LedgerError> {
        loop {
            let gone = self
                .store
                .write(|store| {
                    store
                        .execute("DELETE FROM inventory WHERE digest IN (SELECT digest FROM inventory LIMIT 2000)", [])
                        .map_err(LedgerError::store("forgetting the target's inventory"))
                })
                .await?;
            if gone == 0 {
                return Ok(());
            }
        }
    }

    /// Remembers what the target holds, by digests.
    pub async fn add_inventory(&self, items: Vec<InventoryItem>) -> Result<(), LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store
            .write(move |store| {
                let mut entries: Vec<_> = items.iter().flat_map(|item| entries(&seal, item)).collect();
                entries.sort_by_key(|entry| entry.0);
                entries.iter().try_for_each(|entry| insert_entry(store, &seal, entry))
            })
            .await
    }

    /// Looks accounts up in the inventory, as [`sterna_core::port::Target::find`] does at the target.
    pub async fn find_in_inventory(&self, probes: Vec<Probe>) -> Result<Vec<Found>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store.read(move |store| probes.iter().map(|probe| find(store, &seal, probe)).collect()).await
    }

    /// Keys that more than one object of the inventory carries, with the objects.
    pub async fn doubled_keys(&self) -> Result<Vec<Vec<TargetId>>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.store
            .read(move |store| {
                let doing = LedgerError::store("looking for doubles");
                let sql = "SELECT digest FROM inventory WHERE kind = ?1 GROUP BY digest HAVING count(*) > 1 LIMIT 1000";
                let mut statement = store.prepare(sql).map_err(&doing)?;
                let digests: Vec<Vec<u8>> = statement
                    .query_map([DigestKind::AccountKey as u8], |row| row.get(0))
                    .and_then(Iterator::collect)
                    .map_err(&doing)?;
                digests.iter().map(|digest| held_under(store, &seal, digest, DigestKind::AccountKey)).collect()
            })
            .await
    }

    /// Replaces the counts of losses of the last plan.
    pub async fn set_losses(&self, losses: BTreeMap<Loss, u64>) -> Result<(), LedgerError> {
        self.store
            .write(move |store| {
                let doing = LedgerError::store("storing losses");
                store.execute("DELETE FROM loss", []).map_err(&doing)?;
                for (loss, accounts) in &losses {
                    store
                        .execute(
                            "INSERT OR REPLACE INTO loss (code, what, accounts) VALUES (?1, ?2, ?3)",
                            params![loss.code.as_str(), loss.what, accounts],
                        )
                        .map_err(&doing)?;
                }
                Ok(())
            })
            .await
    }

    /// Stores a document of the plan as a whole (the target's descriptor, the plan's summary), sealed.
    pub async fn set_document(&self, name: &'static str, text: String) -> Result<(), LedgerError> {
        let sealed = self.seal.seal(DESCRIPTOR, document_row(name), text.as_bytes())?;
        self.store.write(move |store| set_meta(store, name, &sealed)).await
    }

    /// Reads a document of the plan as a whole.
    pub async fn document(&self, name: &'static str) -> Result<Option<String>, LedgerError> {
        let Some(sealed) = self.store.read(move |store| meta(store, name)).await? else { return Ok(None) };
        let plain = self.seal.open(DESCRIPTOR, document_row(name), &sealed)?;
        Ok(Some(String::from_utf8_lossy(&plain).into_owned()))
    }

    fn seal_plan(&self, ordinal: Ordinal, planned: &Planned) -> Result<Vec<u8>, LedgerError> {
        let plain = serde_json::to_vec(planned).map_err(|_| LedgerError::Stored { what: "plan" })?;
        self.seal.seal(PLAN, ordinal.0, &plain)
    }
}

fn document_row(name: &str) -> i64 {
    name.bytes().fold(0, |sum, byte| sum * 31 + i64::from(byte)) & 0xffff_ffff
}

pub(crate) fn numbers(states: &[ProfileState]) -> String {
    states.iter().map(|state| state.number().to_string()).collect::<Vec<_>>().join(", ")
}

fn load(
    store: &Connection,
    seal: &Seal,
    after: Ordinal,
    limit: usize,
    states: &str,
) -> Result<Vec<Loaded>, LedgerError> {
    let doing = LedgerError::store("reading records");
    let sql = format!(
        "SELECT a.ordinal, s.uid, a.profile, a.credential, a.code, r.sealed FROM account a
         JOIN source s ON s.id = a.source JOIN record r ON r.ordinal = a.ordinal
         WHERE a.ordinal > ?1 AND a.profile IN ({states}) ORDER BY a.ordinal LIMIT ?2"
    );
    let mut statement = store.prepare_cached(&sql).map_err(&doing)?;
    let mut rows = statement.query(params![after.0, i64::try_from(limit).unwrap_or(i64::MAX)]).map_err(&doing)?;
    let mut loaded = Vec::with_capacity(limit.min(4_096));
    while let Some(row) = rows.next().map_err(&doing)? {
        let ordinal = Ordinal(row.get(0).map_err(&doing)?);
        let uid: Vec<u8> = row.get(1).map_err(&doing)?;
        let code: Option<String> = row.get(4).map_err(&doing)?;
        let sealed = row.get_ref(5).and_then(|value| Ok(value.as_blob()?)).map_err(&doing)?;
        loaded.push(Loaded {
            ordinal,
            source: SourceUid(Uuid::from_slice(&uid).map_err(|_| LedgerError::Stored { what: "source id" })?),
            standing: Standing::from_numbers(row.get(2).map_err(&doing)?, row.get(3).map_err(&doing)?)?,
            code: code.as_deref().and_then(Code::parse),
            account: open_record(seal, ordinal, sealed)?,
        });
    }
    Ok(loaded)
}

fn doubles(store: &Connection) -> Result<HashSet<Ordinal>, LedgerError> {
    let doing = LedgerError::store("looking for doubles");
    let mut statement =
        store.prepare("SELECT digest, ordinal FROM lookup WHERE kind = ?1 ORDER BY digest").map_err(&doing)?;
    let mut rows = statement.query([DigestKind::Identity as u8]).map_err(&doing)?;
    let (mut doubles, mut last, mut group) = (HashSet::new(), Vec::new(), Vec::new());
    while let Some(row) = rows.next().map_err(&doing)? {
        let digest = row.get_ref(0).and_then(|value| Ok(value.as_blob()?)).map_err(&doing)?;
        if digest != last.as_slice() {
            close_group(store, &mut group, &mut doubles)?;
            last = digest.to_vec();
        }
        group.push(row.get(1).map_err(&doing)?);
    }
    close_group(store, &mut group, &mut doubles)?;
    Ok(doubles)
}

/// Takes the live accounts of a group that share a digest; gone, excluded and undone ones do not count.
fn close_group(store: &Connection, group: &mut Vec<i64>, doubles: &mut HashSet<Ordinal>) -> Result<(), LedgerError> {
    if group.len() > 1 {
        let dead = numbers(&[ProfileState::Gone, ProfileState::Excluded, ProfileState::Merged, ProfileState::Undone]);
        let sql = format!("SELECT 1 FROM account WHERE ordinal = ?1 AND profile NOT IN ({dead})");
        let mut live = Vec::new();
        for ordinal in group.iter() {
            let is_live = store
                .prepare_cached(&sql)
                .and_then(|mut statement| statement.exists([ordinal]))
                .map_err(LedgerError::store("looking for doubles"))?;
            if is_live {
                live.push(Ordinal(*ordinal));
            }
        }
        if live.len() > 1 {
            doubles.extend(live);
        }
    }
    group.clear();
    Ok(())
}

fn decide(store: &Connection, decision: &Decision, sealed: Option<&[u8]>, now: Timestamp) -> Result<(), LedgerError> {
    let doing = LedgerError::store("storing a decision");
    let ordinal = decision.ordinal;
    // what is left or adopted at plan time keeps the target's own password
    let credential =
        (decision.event == ProfileEvent::Leave).then_some(CredentialEvent::Created(CredentialState::NotNeeded));
    let after = decision.from.after(Some(decision.event), credential)?;
    let cohort = match decision.cohort {
        InCohort::Number(number) => Some(number),
        InCohort::None | InCohort::Unchanged => None,
    };
    let changed = store
        .prepare_cached(
            "UPDATE account SET profile = ?2, credential = ?3, action = ?4, code = ?5,
             cohort = CASE WHEN ?7 THEN cohort ELSE ?6 END WHERE ordinal = ?1 AND profile = ?8 AND credential = ?9",
        )
        .and_then(|mut update| {
            update.execute(params![
                ordinal.0,
                after.profile.number(),
                after.credential.number(),
                decision.action.map(Action::number),
                decision.code.map(Code::as_str),
                cohort,
                decision.cohort == InCohort::Unchanged,
                decision.from.profile.number(),
                decision.from.credential.number()
            ])
        })
        .map_err(&doing)?;
    if changed == 0 {
        // somebody signed in between: what was decided holds no longer, and the next plan decides anew
        return Ok(());
    }
    append(store, ordinal, now, Some(decision.event), credential)?;
    let sql = match sealed {
        Some(_) => "INSERT OR REPLACE INTO plan (ordinal, sealed) VALUES (?1, ?2)",
        None => "DELETE FROM plan WHERE ordinal = ?1 AND ?2 IS NULL",
    };
    store
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(params![ordinal.0, sealed]))
        .map_err(&doing)?;
    Ok(())
}

type Entry = ([u8; 16], DigestKind, TargetId);

fn entries(seal: &Seal, item: &InventoryItem) -> Vec<Entry> {
    let mut all: Vec<Entry> = item
        .identities
        .iter()
        .map(|identity| (identity_digest(seal, identity), DigestKind::Identity, item.id.clone()))
        .collect();
    all.extend(item.key.map(|key| (key_digest(seal, key), DigestKind::AccountKey, item.id.clone())));
    all
}

fn insert_entry(store: &Connection, seal: &Seal, (digest, kind, id): &Entry) -> Result<(), LedgerError> {
    let doing = LedgerError::store("remembering what the target holds");
    let row = inventory_row(seal, id);
    let sealed = seal.seal(INVENTORY, row, id.0.as_bytes())?;
    store
        .prepare_cached("INSERT OR REPLACE INTO inventory (digest, kind, row, sealed) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut insert| insert.execute(params![digest, *kind as u8, row, sealed]))
        .map_err(&doing)?;
    Ok(())
}

/// A number that stands for one object of the target within the inventory.
fn inventory_row(seal: &Seal, id: &TargetId) -> i64 {
    let digest = seal.digest(DigestKind::TargetId, &[id.0.as_bytes()]);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}

fn find(store: &Connection, seal: &Seal, probe: &Probe) -> Result<Found, LedgerError> {
    let mut found = Found {
        by_key: held_under(store, seal, &key_digest(seal, probe.key), DigestKind::AccountKey)?,
        by_identity: Vec::new(),
    };
    for identity in &probe.identities {
        let holders = held_under(store, seal, &identity_digest(seal, identity), DigestKind::Identity)?;
        found.by_identity.extend(holders.into_iter().map(|id| (identity.clone(), id)));
    }
    Ok(found)
}

fn held_under(store: &Connection, seal: &Seal, digest: &[u8], kind: DigestKind) -> Result<Vec<TargetId>, LedgerError> {
    let doing = LedgerError::store("asking the inventory");
    let mut statement = store
        .prepare_cached("SELECT row, sealed FROM inventory WHERE digest = ?1 AND kind = ?2 LIMIT 20")
        .map_err(&doing)?;
    let rows: Vec<(i64, Vec<u8>)> = statement
        .query_map(params![digest, kind as u8], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(&doing)?;
    let open = |(row, sealed): (i64, Vec<u8>)| {
        let plain = seal.open(INVENTORY, row, &sealed)?;
        Ok(TargetId(String::from_utf8_lossy(&plain).into_owned()))
    };
    rows.into_iter().map(open).collect()
}

fn identity_digest(seal: &Seal, identity: &Identity) -> [u8; 16] {
    seal.digest(DigestKind::Identity, &[identity.canonical().as_bytes()])
}

fn key_digest(seal: &Seal, key: AccountKey) -> [u8; 16] {
    seal.digest(DigestKind::AccountKey, &[key.0.as_bytes()])
}
