//! Records sign-ins in a project's ledger, fifty a second and each durable, as the service at sign-in does; a process of
//! its own. Each is timed from the instant at which it was due, so that a wait delays none of the later ones unseen.

use std::{
    io::Read,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use sterna_core::{
    ids::TargetId,
    state::{CredentialEvent, CredentialState, ProfileState},
    time::Timestamp,
};
use sterna_ledger::{Ledger, key::ProjectKey, sending::Selection};
use tokio::{runtime, task::JoinSet};

use crate::report::say;

/// Time between two sign-ins.
const EVERY: Duration = Duration::from_millis(20);

/// What was recorded, and how long each took, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) count: u32,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// The recorder's own process: records until `limit` are done or standard input ends, and prints what it did.
pub(crate) fn child(project: &Path, limit: usize) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    // not joined: it ends with the process
    thread::spawn(move || {
        drop(std::io::stdin().lock().read(&mut [0; 1]));
        stopped.store(true, Ordering::Relaxed);
    });
    let took = runtime()?.block_on(record(project, limit, &stop))?;
    say(&serde_json::to_string(&summed(took)?)?);
    Ok(())
}

/// How many accounts' credentials stand so.
pub(crate) fn found(project: &Path, state: CredentialState) -> Result<u64> {
    runtime()?.block_on(async { Ok(open(project).await?.credentials(state).await?) })
}

/// Opens a project's ledger.
pub(crate) async fn open(project: &Path) -> Result<Ledger> {
    let key = ProjectKey::read(&project.join("sterna.key"))?;
    Ok(Ledger::open(&project.join(".sterna"), &key).await?)
}

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

pub(crate) fn runtime() -> Result<runtime::Runtime> {
    runtime::Builder::new_multi_thread().enable_all().build().context("starting")
}

async fn record(project: &Path, limit: usize, stop: &AtomicBool) -> Result<Vec<Duration>> {
    let ledger = Arc::new(open(project).await?);
    let states = vec![ProfileState::Applied];
    let cases = ledger.cases(Selection { states, limit, ..Selection::default() }).await?;
    let ids: Vec<TargetId> = cases.into_iter().filter_map(|case| case.target).collect();
    ensure!(ids.len() == limit, "only {} accounts are at the target", ids.len());
    let (began, mut due) = (Instant::now(), Duration::ZERO);
    let mut tasks = JoinSet::new();
    for id in ids {
        tokio::time::sleep((began + due).saturating_duration_since(Instant::now())).await;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (ledger, due_at) = (Arc::clone(&ledger), began + due);
        tasks.spawn(async move {
            let known = ledger.credential_step(&id, CredentialEvent::Answer, now()).await?;
            ensure!(known.is_some(), "an account of the ledger was not found by its id");
            Ok(due_at.elapsed())
        });
        due += EVERY;
    }
    tasks.join_all().await.into_iter().collect()
}

fn summed(mut took: Vec<Duration>) -> Result<Recorded> {
    took.sort_unstable();
    let ms = |duration: &Duration| duration.as_secs_f64() * 1_000.0;
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len() - 1)).map(ms);
    ensure!(!took.is_empty(), "nothing was recorded");
    let none = 0.0;
    Ok(Recorded {
        count: u32::try_from(took.len())?,
        p50: at(50).unwrap_or(none),
        p99: at(99).unwrap_or(none),
        max: took.last().map_or(none, ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_hundred_takes_longer_than_p99() {
        let recorded = summed((1..=200).rev().map(Duration::from_millis).collect()).unwrap();
        assert_eq!((recorded.count, recorded.p50, recorded.p99, recorded.max), (200, 101.0, 199.0, 200.0));
        assert!(summed(Vec::new()).is_err());
    }
}
