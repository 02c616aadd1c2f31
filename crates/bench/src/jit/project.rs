//! A ledger with accounts that await their first sign-in, as extract, plan and apply leave them.

use std::path::Path;

use anyhow::{Context, Result};
use sterna_connectors::json_lines::read_account;
use sterna_core::{
    ids::{Ordinal, TargetId},
    plan::Action,
    port::Record,
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
    time::Moment,
};
use sterna_ledger::{
    Ledger,
    key::ProjectKey,
    planning::{Decision, InCohort},
    reading::SourceName,
    sending::Outcome,
    steps::Standing,
};

use crate::{accounts, sign_ins::now};

/// The tenant that calls, and the application that calls are for.
pub(super) const TENANT_ID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
/// See [`TENANT_ID`].
pub(super) const CLIENT_ID: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
/// Accounts of one page and of one step of every phase.
const PAGE: usize = 1_000;

/// The target's id of the account of that number, from 0.
pub(super) fn target_id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// The old password of an account.
pub(super) fn right_password(number: u32) -> String {
    right_password_of(&format!("{number:08x}-5eed-4a1b-8c2d-{number:012x}"))
}

/// The same by the source's key.
pub(super) fn right_password_of(key: &str) -> String {
    format!("Correct-{key}")
}

/// Makes a project in `folder` with so many accounts.
pub(super) async fn fill(folder: &Path, count: u32) -> Result<()> {
    let path = folder.join("accounts.jsonl");
    accounts::write(&path, u64::from(count))?;
    let text = std::fs::read_to_string(&path).context("reading accounts")?;
    let key = ProjectKey::create(&folder.join("sterna.key"))?;
    let ledger = Ledger::create(&folder.join(".sterna"), &key, now()).await?;
    ledger.relax(true);
    let name = SourceName { name: "legacy".into(), formerly: None, connector: "json-lines".into() };
    let rows = ledger.register(vec![name]).await?;
    let row = ledger.begin_pass(rows.first().context("a source")?, false).await?;
    let mut next = ledger.next_ordinal().await?;
    let lines: Vec<&str> = text.lines().collect();
    for page in lines.chunks(PAGE) {
        let records = page.iter().filter_map(|line| read_account(line).ok());
        let records = records.map(|account| Record::Account(Box::new(account))).collect();
        let sealed = ledger.seal_new(&row, records, &mut next)?;
        ledger.store_new(&row, sealed, None).await?;
    }
    ledger.finish_pass(&row).await?;
    apply(&ledger, count).await
}

async fn apply(ledger: &Ledger, count: u32) -> Result<()> {
    let numbers: Vec<u32> = (0..count).collect();
    let worker = ledger.begin_run("apply", now()).await?;
    for page in numbers.chunks(PAGE) {
        ledger.decide(page.iter().map(|number| decision(ordinal(*number))).collect(), now()).await?;
        let until = Moment { wall: now(), boot: 1, since_boot_ms: 1 };
        ledger.intend(worker, page.iter().map(|number| ordinal(*number)).collect(), until, now()).await?;
        ledger.settle(page.iter().map(|number| applied(*number)).collect(), now()).await?;
    }
    let waiting = ledger.credentials(CredentialState::AwaitingSignIn).await?;
    anyhow::ensure!(waiting == u64::from(count), "{waiting} of {count} accounts await their sign-in");
    Ok(())
}

/// Ordinals begin at 1.
fn ordinal(number: u32) -> Ordinal {
    Ordinal(i64::from(number) + 1)
}

fn decision(ordinal: Ordinal) -> Decision {
    Decision {
        ordinal,
        from: Standing { profile: ProfileState::Seen, credential: CredentialState::Dormant },
        event: ProfileEvent::Plan,
        action: Some(Action::Create),
        code: None,
        cohort: InCohort::None,
        planned: None,
    }
}

fn applied(number: u32) -> Outcome {
    Outcome {
        credential: Some(CredentialEvent::Created(CredentialState::AwaitingSignIn)),
        target: Some(TargetId(target_id(number))),
        origin: Some(Action::Create),
        ..Outcome::step(ordinal(number), ProfileEvent::Holds)
    }
}
