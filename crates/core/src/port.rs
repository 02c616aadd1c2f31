//! The few traits, at the real borders: where accounts are read from, and where they are written to.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    account::{Account, Identity},
    code::{Code, Finding},
    ids::{AccountKey, Ordinal, SourceKey, TargetId},
    pace::Quota,
    password::policy::PasswordPolicy,
    plan::{Draft, Drafted, Strategy},
    time::Timestamp,
};

/// Where reading goes on; opaque to everybody but the source that made it. May hold personal data: sealed when stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub String);

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursor(..)")
    }
}

/// A place accounts are read from. It has no method that writes.
#[async_trait]
pub trait Source: Send {
    /// Checks that the source can be read: file there, rights, reachability.
    async fn preflight(&mut self) -> Vec<Finding>;

    /// Reads the next page from `cursor`, or from the beginning.
    ///
    /// A page is bounded (about a thousand records, a few MiB). A bad record is part of the page as
    /// [`Record::Rejected`]; an error ends the reading, and what earlier pages held is kept.
    async fn read(&mut self, cursor: Option<&Cursor>) -> Result<Page, SourceError>;

    /// Reads one mended record in the form in which [`Rejected::raw`] gave it.
    fn mend(&mut self, raw: &[u8]) -> Record;
}

/// Some records and where to go on.
pub struct Page {
    /// The records, in the source's order.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
    /// How much of the source has been read, 0 to 1, where that is known.
    pub done: Option<f64>,
}

/// One record of a source.
#[derive(Debug)]
pub enum Record {
    /// An account.
    Account(Box<Account>),
    /// An account that is left out by rule and counted (a guest, an administrator).
    Excluded(Box<Account>, Code),
    /// A record that cannot be read. It costs itself only.
    Rejected(Rejected),
}

/// A record that could not be read, kept sealed with its reason.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// Where it stands: `line 12`, `byte 4711, Users[3]`.
    pub position: String,
    /// What sort of mistake.
    pub code: Code,
    /// What is wrong, in words for the operator; may quote the record, so it is sealed too.
    pub reason: String,
    /// The record as it was read, cut at [`REJECT_BYTES`].
    pub raw: Vec<u8>,
}

/// How much of a rejected record is kept, in bytes.
pub const REJECT_BYTES: usize = 64 * 1024;

/// Why reading a source ended early.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What it is, for `sterna explain`.
    pub code: Code,
    /// What we were doing, in our own words; no personal data.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The error underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// An error without a cause underneath.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, source: None }
    }

    /// Adds a sentence to act on.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// What a target told about itself when it was connected to; stored with the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The connector's kind, `entra-external-id`.
    pub kind: String,
    /// The tenant or service, as the operator would name it.
    pub name: String,
    /// The issuer that local identities have there.
    pub local_issuer: String,
    /// What a password must be.
    pub password_policy: PasswordPolicy,
    /// How long after a request's last possible end a look-up may still miss what the request did.
    pub settling: Duration,
    /// The longest a request may take until we give it up.
    pub request_timeout: Duration,
    /// How many writes one call of [`Target::apply`] may carry.
    pub batch: usize,
    /// How many calls may be under way at once.
    pub concurrency: usize,
    /// How many writes may be sent, per lane and over all.
    pub quota: Quota,
    /// How many more objects the target may hold, where it says so.
    pub room: Option<u64>,
    /// How many accounts it holds now, where it says so.
    pub accounts: Option<u64>,
    /// The attribute that carries the JIT flag, where there is one.
    pub flag: Option<String>,
    /// Whether the JIT flag can be set: the target supports moving passwords at sign-in.
    pub moves_at_sign_in: bool,
    /// Whether accounts can be read back. Where not, what is known of them is only what was answered.
    #[serde(default = "yes")]
    pub reads_back: bool,
    /// Identity providers that the target has, where it says so; issuers compare without case.
    pub providers: Option<Vec<String>>,
    /// Everything else that drafts are made of and that settings or the target may change, by its name; a plan holds
    /// for these values alone.
    #[serde(default)]
    pub fingerprint: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

/// What a draft is made from besides the account.
#[derive(Clone, Debug)]
pub struct DraftRules<'a> {
    /// The account's one key.
    pub key: AccountKey,
    /// Attributes that the project's own mapping rules give, by the target's name; they win over the default mapping.
    pub mapped: BTreeMap<String, Value>,
    /// What to do where no plaintext is held.
    pub strategy: Strategy,
    /// Issuers as the source names them (canonical: lower case) → as the target names them.
    pub issuers: &'a BTreeMap<String, String>,
    /// Source attributes that the mapping rules take from ([`crate::mapping::Rules::takes`]): they have a place.
    pub taken: &'a BTreeSet<String>,
}

/// A place accounts are written to. The conformance suite of the connectors is this contract as tests.
#[async_trait]
pub trait Target: Send + Sync {
    /// What it told about itself when it was connected to.
    fn descriptor(&self) -> &Descriptor;

    /// Pure: what this target would hold for `account`, and what it cannot hold.
    fn draft(&self, account: &Account, rules: &DraftRules<'_>) -> Drafted;

    /// Pure: how what is held differs from what was planned.
    fn compare(&self, draft: &Draft, held: &Held) -> Vec<Difference>;

    /// Checks rights, reachability, room and everything that rows depend on; sends nothing that changes.
    async fn preflight(&self, needs: &Needs) -> Vec<Finding>;

    /// What [`Target::prepare`] would make now, with empty ids; sends nothing that changes.
    async fn missing(&self) -> Result<Vec<Made>, TargetError>;

    /// Makes what every row depends on (extension attributes) and waits until it has propagated.
    ///
    /// Returns what was made now, and what of `intended` is there: an earlier run was about to make it, and ended before
    /// it knew that it was made.
    async fn prepare(&self, intended: &[Made]) -> Result<Vec<Made>, TargetError>;

    /// Looks accounts up by key and by identity, a batch at a time; one answer per probe, in order.
    async fn find(&self, probes: &[Probe]) -> Result<Vec<Found>, TargetError>;

    /// Reads a page of everything the target holds.
    async fn inventory(&self, cursor: Option<&Cursor>) -> Result<InventoryPage, TargetError>;

    /// Sends a batch over one lane; one answer each, in order. Not a `Result`: each outcome needs a decision.
    async fn apply(&self, lane: usize, batch: &[Write]) -> Sent;

    /// Reads accounts back; `None` for one that is not there.
    async fn read_back(&self, ids: &[TargetId]) -> Result<Vec<Option<Held>>, TargetError>;

    /// Sets a password right after a positive check of the typed one, where the dialect asks us to write (design.md
    /// 6.2). Bulk phases never call it.
    async fn set_credential(&self, id: &TargetId, password: &SecretString) -> Answer;
}

/// What a plan needs of the target, for [`Target::preflight`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// How many accounts will be created.
    pub creates: u64,
    /// Whether identities of existing accounts will be changed.
    pub links: bool,
    /// Whether passwords are to move at sign-in.
    pub just_in_time: bool,
}

/// Something that was made at the target besides accounts, to be recorded and undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What it is: `extension-property`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// The target's id for it.
    pub id: String,
}

/// One request to a target.
#[derive(Clone, Debug)]
pub struct Write {
    /// Whose it is.
    pub ordinal: Ordinal,
    /// What is to be done.
    pub operation: Operation,
}

/// The changing requests. Only `Create` may carry a credential (design.md 6.2).
#[derive(Clone, Debug)]
pub enum Operation {
    /// Make the account; `password` is given where the draft needs one.
    Create {
        /// What to make.
        draft: Draft,
        /// The password to set; neither prints nor serialises.
        password: Option<SecretString>,
    },
    /// Change attributes of an account. Credential members are refused.
    Update {
        /// Which.
        id: TargetId,
        /// Attributes by the target's name; JSON null clears one.
        changes: BTreeMap<String, Value>,
    },
    /// Replace `before` by `before` + `add`, after reading again that it still is `before`.
    Link {
        /// Which.
        id: TargetId,
        /// The identities that it had when the link was planned; others now are [`Answer::Changed`].
        before: Vec<Identity>,
        /// Identities to add.
        add: Vec<Identity>,
    },
    /// Take identities away again that a link added (undo).
    Unlink {
        /// Which.
        id: TargetId,
        /// Identities to take away.
        remove: Vec<Identity>,
    },
    /// Remove the account (undo).
    Remove {
        /// Which.
        id: TargetId,
    },
}

/// What came of a batch.
#[derive(Debug)]
pub struct Sent {
    /// One answer per write, in order.
    pub answers: Vec<Answer>,
    /// The part of its quota that the target says is used: 1.0 is all of it.
    pub pressure: Option<f64>,
}

/// The target's answer to one write, classified in one function per connector.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Done; the target holds it under this id.
    Holds(TargetId),
    /// Nothing is there under this id (update, link, remove).
    Lacks,
    /// An object with the same key or identity is there: to be looked up and compared.
    Clashes {
        /// The property that the target names.
        on: String,
    },
    /// Turned away before anything happened; to be sent again after `wait`.
    Throttled {
        /// How long to wait; `None` when the target does not say.
        wait: Option<Duration>,
        /// Whether the target turned it away for its quota (shown as the reason for waiting).
        reason: String,
    },
    /// Somebody else has changed it since it was planned: to be planned anew.
    Changed,
    /// No: a mistake in this account. The text is the target's and may quote personal data: sealed.
    Refuses {
        /// What sort of refusal.
        code: Code,
        /// The target's words.
        detail: String,
    },
    /// No: nothing more can be sent (quota full, rights gone). The write was not done.
    Stops {
        /// Why.
        code: Code,
        /// The target's words; no personal data.
        detail: String,
    },
    /// No answer came; what happened is unknown.
    Silence {
        /// What went wrong, in words without personal data.
        why: String,
    },
}

/// What to look an account up by.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Our key.
    pub key: AccountKey,
    /// The identities that it would have.
    pub identities: Vec<Identity>,
}

/// What a look-up found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Accounts that carry our key; more than one is a double.
    pub by_key: Vec<TargetId>,
    /// Accounts that hold one of the identities.
    pub by_identity: Vec<(Identity, TargetId)>,
}

/// An account as the target holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The target's id.
    pub id: TargetId,
    /// Our key, where it carries one.
    pub key: Option<AccountKey>,
    /// Its attributes, by the target's names.
    pub attributes: BTreeMap<String, Value>,
    /// Its identities, without the ones that the target itself generates.
    pub identities: Vec<Identity>,
    /// The JIT flag: `None` when absent.
    pub awaiting: Option<bool>,
    /// When somebody last signed in with it.
    pub signed_in: Activity,
    /// When its password last changed, where the target says so.
    pub password_changed: Option<Timestamp>,
    /// When the account was made, where the target says so; by the same clock as [`Held::password_changed`].
    pub created: Option<Timestamp>,
}

/// Whether somebody has signed in with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The target cannot tell, or we may not ask: counts as signed in (undo leaves it).
    Unknown,
    /// Nobody has.
    Never,
    /// Somebody has, at this instant.
    At(Timestamp),
}

/// A page of everything that the target holds.
#[derive(Debug)]
pub struct InventoryPage {
    /// Accounts with what identifies them; attributes may be left empty.
    pub held: Vec<InventoryItem>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// What identifies one account that the target holds.
#[derive(Clone, Debug, PartialEq)]
pub struct InventoryItem {
    /// The target's id.
    pub id: TargetId,
    /// Our key, where it carries one.
    pub key: Option<AccountKey>,
    /// Its identities.
    pub identities: Vec<Identity>,
}

/// One attribute that differs from what was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The attribute, by the target's name.
    pub attribute: String,
    /// How bad it is.
    pub sort: DifferenceSort,
    /// What was planned.
    pub planned: Value,
    /// What is held.
    pub held: Value,
}

/// How bad a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceSort {
    /// The target normalised a value; equal in effect.
    Acceptable,
    /// Different; `verify --repair` writes the planned value.
    Differs,
}

/// Why the target could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TargetError {
    /// What it is, for `sterna explain`.
    pub code: Code,
    /// What we were doing, in our own words; no personal data.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The error underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TargetError {
    /// An error without a cause underneath.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, source: None }
    }

    /// Adds a sentence to act on.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// A record's key where the source has no immutable id of its own: the first federated identity, else the sign-in name.
pub fn key_from_identities(identities: &[Identity]) -> Option<SourceKey> {
    let federated = identities.iter().find(|identity| !identity.is_local());
    let first = federated.or(identities.first())?;
    SourceKey::new(first.canonical())
}
