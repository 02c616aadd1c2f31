//! A target that answers at once: every account is there, with the password that it was made with.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use sterna_core::{
    account::Account,
    code::{Code, Finding},
    ids::TargetId,
    pace::Quota,
    password::policy::PasswordPolicy,
    plan::{Draft, Drafted},
    port::{
        Activity, Answer, Cursor, Descriptor, Difference, DraftRules, Found, Held, InventoryPage, Made, Needs, Probe,
        Sent, Target, TargetError, Write,
    },
    secrecy::SecretString,
    time::Timestamp,
};
use sterna_serve::Connect;

/// When every account was made.
const MADE: Timestamp = Timestamp(1_700_000_000_000);

/// The target.
pub(super) struct New(Descriptor);

impl New {
    pub(super) fn made() -> Self {
        Self(descriptor())
    }
}

fn descriptor() -> Descriptor {
    Descriptor {
        kind: "new".into(),
        name: "new".into(),
        local_issuer: "new".into(),
        password_policy: PasswordPolicy::entra(),
        settling: Duration::ZERO,
        request_timeout: Duration::from_secs(1),
        batch: 20,
        concurrency: 1,
        quota: Quota { lanes: 1, per_lane: 100.0, overall: 100.0, share: 0.9, window: Duration::from_secs(10) },
        room: None,
        accounts: None,
        flag: None,
        moves_at_sign_in: true,
        reads_back: true,
        providers: None,
        fingerprint: BTreeMap::new(),
    }
}

fn not_asked() -> TargetError {
    TargetError::new(Code::E2001, "the benchmark does not ask this")
}

fn held(id: &TargetId) -> Held {
    Held {
        id: id.clone(),
        key: None,
        attributes: BTreeMap::new(),
        identities: Vec::new(),
        awaiting: Some(true),
        signed_in: Activity::Never,
        password_changed: Some(Timestamp(MADE.0 + 1_000)),
        created: Some(MADE),
    }
}

#[async_trait]
impl Target for New {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    fn draft(&self, _: &Account, _: &DraftRules<'_>) -> Drafted {
        unreachable!("the service drafts nothing")
    }

    fn compare(&self, _: &Draft, _: &Held) -> Vec<Difference> {
        Vec::new()
    }

    async fn preflight(&self, _: &Needs) -> Vec<Finding> {
        Vec::new()
    }

    async fn missing(&self) -> Result<Vec<Made>, TargetError> {
        Err(not_asked())
    }

    async fn prepare(&self, _: &[Made]) -> Result<Vec<Made>, TargetError> {
        Err(not_asked())
    }

    async fn find(&self, _: &[Probe]) -> Result<Vec<Found>, TargetError> {
        Err(not_asked())
    }

    async fn inventory(&self, _: Option<&Cursor>) -> Result<InventoryPage, TargetError> {
        Err(not_asked())
    }

    async fn apply(&self, _: usize, _: &[Write]) -> Sent {
        Sent { answers: Vec::new(), pressure: None }
    }

    async fn read_back(&self, ids: &[TargetId]) -> Result<Vec<Option<Held>>, TargetError> {
        Ok(ids.iter().map(|id| Some(held(id))).collect())
    }

    async fn set_credential(&self, _: &TargetId, _: &SecretString) -> Answer {
        Answer::Silence { why: "the benchmark writes none".into() }
    }
}

#[async_trait]
impl Connect for New {
    async fn connect(&self) -> Result<Arc<dyn Target>, TargetError> {
        Ok(Arc::new(Self(descriptor())))
    }
}
