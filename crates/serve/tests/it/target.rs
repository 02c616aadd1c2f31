//! A target of the tests' own: what it holds of each account can be changed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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
    secrecy::{ExposeSecret, SecretString},
    time::Timestamp,
};
use sterna_serve::Connect;

/// The target.
pub(crate) struct New {
    pub(crate) held: Mutex<HashMap<String, Held>>,
    pub(crate) passwords: Mutex<HashMap<String, String>>,
    pub(crate) down: std::sync::atomic::AtomicBool,
    pub(crate) reads: AtomicUsize,
    descriptor: Descriptor,
}

pub(crate) const MADE: Timestamp = Timestamp(1_700_000_000_000);

impl New {
    pub(crate) fn made() -> Arc<Self> {
        Arc::new(Self {
            held: Mutex::default(),
            passwords: Mutex::default(),
            down: false.into(),
            reads: AtomicUsize::new(0),
            descriptor: descriptor(),
        })
    }

    /// Holds an account as it is right after it was made.
    pub(crate) fn hold(&self, id: &str) {
        let held = Held {
            id: TargetId(id.to_owned()),
            key: None,
            attributes: BTreeMap::new(),
            identities: Vec::new(),
            awaiting: Some(true),
            signed_in: Activity::Never,
            password_changed: Some(Timestamp(MADE.0 + 1_000)),
            created: Some(MADE),
        };
        self.held.lock().unwrap().insert(id.to_owned(), held);
    }

    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Held)) {
        change(self.held.lock().unwrap().get_mut(id).unwrap());
    }
}

fn descriptor() -> Descriptor {
    Descriptor {
        kind: "new".into(),
        name: "new".into(),
        local_issuer: "new".into(),
        password_policy: PasswordPolicy::generic(),
        settling: Duration::ZERO,
        request_timeout: Duration::from_secs(1),
        batch: 20,
        concurrency: 1,
        quota: quota(),
        room: None,
        accounts: None,
        flag: None,
        moves_at_sign_in: true,
        reads_back: true,
        providers: None,
        fingerprint: BTreeMap::new(),
    }
}

fn quota() -> Quota {
    Quota { lanes: 1, per_lane: 100.0, overall: 100.0, share: 0.9, window: Duration::from_secs(10) }
}

fn not_asked() -> TargetError {
    TargetError::new(Code::E2001, "tests do not ask this")
}

#[async_trait]
impl Target for New {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn draft(&self, _: &Account, _: &DraftRules<'_>) -> Drafted {
        unreachable!("tests plan nothing")
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
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(TargetError::new(Code::E2001, "it is down"));
        }
        let held = self.held.lock().unwrap();
        Ok(ids.iter().map(|id| held.get(&id.0).cloned()).collect())
    }

    async fn set_credential(&self, id: &TargetId, password: &SecretString) -> Answer {
        if self.down.load(Ordering::SeqCst) {
            return Answer::Silence { why: "it is down".into() };
        }
        self.passwords.lock().unwrap().insert(id.0.clone(), password.expose_secret().to_owned());
        self.change(&id.0, |held| held.awaiting = Some(false));
        Answer::Holds(id.clone())
    }
}

/// Gives the target at once.
pub(crate) struct Here(pub(crate) Arc<New>);

#[async_trait]
impl Connect for Here {
    async fn connect(&self) -> Result<Arc<dyn Target>, TargetError> {
        Ok(Arc::clone(&self.0) as Arc<dyn Target>)
    }
}
