//! Who is in the package. With a plan: whom it would create. Without one: everybody who was read, but for those that a plan
//! would hold for what the sources and the configuration alone can tell.

use std::collections::HashSet;

use sterna_core::{
    account::{Account, Identity},
    code::Code,
    ids::Ordinal,
    plan::{Action, Loss},
    state::ProfileState,
};
use sterna_ledger::sending::Case;

use super::HandoverInput;

/// An account of the package.
pub(super) struct Chosen {
    /// As the source gave it.
    pub(super) account: Account,
    /// What it is to sign in with, issuers as the target names them.
    pub(super) identities: Vec<Identity>,
    /// What the plan's target does not hold of it.
    pub(super) losses: Vec<Loss>,
}

/// Decides who is in the package.
pub(super) enum Chooser<'c> {
    Planned,
    Seen { input: &'c HandoverInput, doubles: HashSet<Ordinal> },
}

impl<'c> Chooser<'c> {
    pub(super) fn planned() -> Self {
        Self::Planned
    }

    pub(super) fn seen(input: &'c HandoverInput, doubles: HashSet<Ordinal>) -> Self {
        Self::Seen { input, doubles }
    }

    /// The state that candidates are in.
    pub(super) fn state(&self) -> ProfileState {
        match self {
            Self::Planned => ProfileState::Planned,
            Self::Seen { .. } => ProfileState::Seen,
        }
    }

    /// The account as it goes into the package, or why it does not: a code for `sterna explain`, or a word.
    pub(super) fn choose(
        &self,
        ordinal: Ordinal,
        account: Account,
        case: Option<Case>,
    ) -> Result<Chosen, &'static str> {
        let case = case.ok_or("other-cohort")?;
        match self {
            Self::Planned => planned(account, case),
            Self::Seen { doubles, .. } if doubles.contains(&ordinal) => Err(Code::L4001.as_str()),
            Self::Seen { input, .. } => seen(input, account),
        }
    }
}

fn planned(account: Account, case: Case) -> Result<Chosen, &'static str> {
    let planned = match (case.action, case.planned, case.target) {
        (Some(Action::Create), Some(planned), None) if planned.existing.is_none() => planned,
        (Some(Action::Create), ..) => return Err("there-already"),
        (Some(action), ..) => return Err(action.name()),
        (None, ..) => return Err("no-action"),
    };
    Ok(Chosen { account, identities: planned.draft.identities, losses: planned.losses })
}

/// What `plan` decides without a target: issuers, and whether anything is left to sign in with.
fn seen(input: &HandoverInput, account: Account) -> Result<Chosen, &'static str> {
    let (mut identities, mut losses) = (Vec::new(), Vec::new());
    for identity in &account.identities {
        let Identity::Federated { issuer, subject } = identity else {
            identities.push(identity.clone());
            continue;
        };
        let canonical = issuer.to_lowercase();
        if input.excluded_issuers.contains(&canonical) {
            let loss = Loss::new(Code::L4005, issuer);
            if !losses.contains(&loss) {
                losses.push(loss);
            }
        } else if let Some(name) = input.issuers.get(&canonical) {
            identities.push(Identity::federated(name, subject));
        } else {
            return Err(Code::L4003.as_str());
        }
    }
    if identities.is_empty() {
        return Err(if losses.is_empty() { Code::L4004 } else { Code::L4005 }.as_str());
    }
    Ok(Chosen { account, identities, losses })
}
