//! What is made at the target besides accounts: intended before the request leaves, confirmed once it is there.
//!
//! A row without the target's id is an intent. It outlives a kill, so that what was made is known as ours afterwards.

use rusqlite::params;
use sterna_core::{port::Made, time::Timestamp};

use crate::{audit, error::LedgerError, ledger::Ledger};

impl Ledger {
    /// Records what is about to be made; what was intended before is not recorded twice.
    pub async fn intend_made(&self, missing: Vec<Made>, now: Timestamp) -> Result<(), LedgerError> {
        self.store
            .write(move |store| {
                for one in &missing {
                    let intended = store
                        .execute(
                            "INSERT INTO made (what, name, target, at) SELECT ?1, ?2, '', ?3 WHERE NOT EXISTS
                             (SELECT 1 FROM made WHERE what = ?1 AND name = ?2 AND target = '')",
                            params![one.what, one.name, now.0],
                        )
                        .map_err(LedgerError::store("recording what is about to be made"))?;
                    if intended > 0 {
                        let entry = format!("about to make {} {} at the target", one.what, one.name);
                        audit::append(store, now, &entry)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// What was about to be made and is not known to be there; without ids.
    pub async fn intended_made(&self) -> Result<Vec<Made>, LedgerError> {
        self.store
            .read(|store| {
                let doing = LedgerError::store("reading what was about to be made");
                let mut statement =
                    store.prepare("SELECT what, name FROM made WHERE target = '' ORDER BY id").map_err(&doing)?;
                let rows = statement
                    .query_map([], |row| Ok(Made { what: row.get(0)?, name: row.get(1)?, id: String::new() }))
                    .map_err(&doing)?;
                rows.collect::<Result<Vec<_>, _>>().map_err(&doing)
            })
            .await
    }

    /// Records that what was intended is there.
    pub async fn confirm_made(&self, made: Vec<Made>, now: Timestamp) -> Result<(), LedgerError> {
        self.store
            .write(move |store| {
                let doing = LedgerError::store("recording what was made");
                for one in &made {
                    let confirmed = store
                        .execute(
                            "UPDATE made SET target = ?3, at = ?4 WHERE what = ?1 AND name = ?2 AND target = ''",
                            params![one.what, one.name, one.id, now.0],
                        )
                        .map_err(&doing)?;
                    if confirmed == 0 {
                        store
                            .execute(
                                "INSERT INTO made (what, name, target, at) VALUES (?1, ?2, ?3, ?4)",
                                params![one.what, one.name, one.id, now.0],
                            )
                            .map_err(&doing)?;
                    }
                    audit::append(store, now, &format!("made {} {} at the target", one.what, one.name))?;
                }
                Ok(())
            })
            .await
    }
}
