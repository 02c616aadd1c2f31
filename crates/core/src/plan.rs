//! What is to happen to one account, in the form in which the ledger keeps it: action, draft, losses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    account::Identity,
    code::Code,
    ids::{AccountKey, TargetId},
    state::{CredentialState, states},
};

states! {
    /// What is to happen to one account.
    Action {
        /// Make it at the target.
        Create = 0 "create",
        /// Change attributes of what we made (repair).
        Update = 1 "update",
        /// It is there already, the same person: only remember which.
        Adopt = 2 "adopt",
        /// It is there already, the same person: add identities.
        Link = 3 "link",
        /// It is there already: leave it as it is.
        Leave = 4 "leave",
        /// Leave the source's record out.
        Exclude = 5 "exclude",
    }
}

/// Version of [`Draft`]'s stored form.
pub const DRAFT_VERSION: u16 = 1;

/// What the target would hold for one account, in the target's own attribute names.
///
/// One concrete, versioned, serialisable type for all targets (design.md 4). It holds no secret: [`Password`] says
/// where the password comes from, and the secret is filled in when the request is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// [`DRAFT_VERSION`] of the program that made it.
    pub version: u16,
    /// The account's one key.
    pub key: AccountKey,
    /// Attributes by the target's name.
    pub attributes: BTreeMap<String, Value>,
    /// Sign-in identities, issuers already as the target names them.
    pub identities: Vec<Identity>,
    /// How the password gets there.
    pub password: Password,
}

/// How an account's password gets to the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Password {
    /// It has none.
    None,
    /// The plaintext in the sealed source record is set.
    FromRecord,
    /// A random one nobody knows; the JIT flag is set, the password moves at the first sign-in.
    AtSignIn,
    /// A random one nobody knows; the person has to reset it.
    Reset,
}

impl Password {
    /// The credential state once the account is created this way.
    pub fn state_once_created(&self) -> CredentialState {
        match self {
            Self::None => CredentialState::NotNeeded,
            Self::FromRecord => CredentialState::Set,
            Self::AtSignIn => CredentialState::AwaitingSignIn,
            Self::Reset => CredentialState::ResetDue,
        }
    }
}

/// Something of the account that the target will not hold. Losses are data, never log lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Loss {
    /// What sort of loss, explained by `sterna explain`.
    pub code: Code,
    /// The attribute or identity issuer concerned; no personal data.
    pub what: String,
}

impl Loss {
    /// A loss of `what`.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into() }
    }
}

/// What a target made of an account, before matching.
#[derive(Clone, Debug, PartialEq)]
pub enum Drafted {
    /// It can be held; some of it may be lost.
    Draft {
        /// What the target would hold.
        draft: Draft,
        /// What it would not.
        losses: Vec<Loss>,
    },
    /// It cannot be held as it is: held for a decision, never sent.
    Hold(Loss),
}

/// An account's decided action, as stored with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The draft.
    pub draft: Draft,
    /// What the target will not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// The target's account that is adopted, linked, updated or left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<TargetId>,
    /// The identities that the existing account had when the plan was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub had: Vec<Identity>,
    /// The identities that a link adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Identity>,
    /// The attributes that an update writes, by the target's name; JSON null clears one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Value>,
    /// Whether the account was at the target before and got lost: its old password never comes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl Planned {
    /// A plan that creates `draft`.
    pub fn create(draft: Draft, losses: Vec<Loss>) -> Self {
        let (had, add) = (Vec::new(), Vec::new());
        Self { draft, losses, existing: None, had, add, changes: BTreeMap::new(), again: false }
    }
}

/// The password strategy of a project: decides only where no plaintext is held (issue text, "Targets").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The password moves at the first sign-in.
    JustInTime,
    /// The hash goes along; for targets that import hashes.
    CarryHash,
    /// Only held plaintexts are set; who has none must reset.
    Set,
    /// Everybody without a held plaintext must reset.
    Reset,
}
