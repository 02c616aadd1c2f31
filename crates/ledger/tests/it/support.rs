//! A ledger in a temporary folder, and accounts to put into it.

use std::sync::Arc;

use sterna_core::{
    account::{Account, Credential, Identity},
    code::Code,
    ids::{AccountKey, Ordinal, SourceKey},
    plan::{Action, DRAFT_VERSION, Draft, Password, Planned},
    port::{Cursor, Record, Rejected},
    state::{ProfileEvent, ProfileState},
    time::{Moment, Timestamp},
};
use sterna_ledger::{
    Ledger,
    key::ProjectKey,
    planning::{Decision, InCohort},
    reading::{SourceName, SourceRow},
    status::{self, Status},
    steps::Standing,
};

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn moment() -> Moment {
    Moment { wall: NOW, boot: 1, since_boot_ms: 1_000_000 }
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) key: ProjectKey,
    pub(crate) ledger: Arc<Ledger>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = ProjectKey::create(&folder.path().join("sterna.key")).unwrap();
        let ledger = Arc::new(Ledger::create(&folder.path().join(".sterna"), &key, NOW).await.unwrap());
        Self { folder, key, ledger }
    }

    pub(crate) fn status(&self) -> Status {
        status::read(self.ledger.folder()).unwrap()
    }

    pub(crate) async fn source(&self) -> SourceRow {
        let name = SourceName { name: "legacy".into(), formerly: None, connector: "csv".into() };
        self.ledger.register(vec![name]).await.unwrap().remove(0)
    }

    /// Reads records to the end of a pass.
    pub(crate) async fn read(&self, records: Vec<Record>) -> sterna_ledger::PassEnd {
        let row = self.ledger.begin_pass(&self.source().await, false).await.unwrap();
        let mut next = self.ledger.next_ordinal().await.unwrap();
        if row.indexed {
            self.ledger.store_again(&row, records, None, &mut next).await.unwrap();
        } else {
            let page = self.ledger.seal_new(&row, records, &mut next).unwrap();
            self.ledger.store_new(&row, page, None).await.unwrap();
        }
        self.ledger.finish_pass(&row).await.unwrap()
    }

    /// Plans a create for everything that was seen.
    pub(crate) async fn plan(&self) -> Vec<Ordinal> {
        let loaded = self.ledger.records(Ordinal(0), 100_000, &[ProfileState::Seen]).await.unwrap();
        let decisions = loaded.iter().map(|record| {
            let key = self.ledger.account_key(record.source, &record.account.key);
            decision(record.ordinal, record.standing, key, record.account.identities.clone())
        });
        self.ledger.decide(decisions.collect(), NOW).await.unwrap();
        loaded.iter().map(|record| record.ordinal).collect()
    }
}

fn decision(ordinal: Ordinal, from: Standing, key: AccountKey, identities: Vec<Identity>) -> Decision {
    let draft = Draft {
        version: DRAFT_VERSION,
        key,
        attributes: std::collections::BTreeMap::default(),
        identities,
        password: Password::AtSignIn,
    };
    let planned = Some(Planned::create(draft, Vec::new()));
    let (event, action) = (ProfileEvent::Plan, Some(Action::Create));
    Decision { ordinal, from, event, action, code: None, cohort: InCohort::None, planned }
}

pub(crate) fn account(name: &str) -> Record {
    Record::Account(Box::new(person(name)))
}

pub(crate) fn person(name: &str) -> Account {
    let mut account = Account::new(SourceKey::new(format!("id-{name}")).unwrap());
    account.profile.display_name = Some(format!("Person {name}"));
    account.identities.push(Identity::email(format!("{name}@example.com")));
    account.credential = Credential::Plaintext(format!("Secret-{name}").as_str().into());
    account
}

pub(crate) fn reject(raw: &str) -> Record {
    Record::Rejected(Rejected {
        position: "line 3".into(),
        code: Code::E3101,
        reason: "not JSON".into(),
        raw: raw.as_bytes().to_vec(),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "as it is passed on")]
pub(crate) fn cursor(at: u32) -> Option<Cursor> {
    Some(Cursor(at.to_string()))
}
