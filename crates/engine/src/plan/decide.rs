//! What is to happen to one account: a pure function from facts to a verdict.

use std::collections::{BTreeSet, HashMap};

use sterna_core::{
    account::Identity,
    code::Code,
    ids::TargetId,
    plan::{Action, Draft, Drafted, Loss, Planned},
    port::{Found, Held},
};

use super::{Matching, OnMatch};

/// What is known of one account.
pub struct Facts<'f> {
    /// Issuers whose identities were left out by configuration.
    pub left_out: &'f [String],
    /// Issuers that configuration says nothing about.
    pub unlisted: &'f [String],
    /// Whether another live account has one of its sign-in names or social identities.
    pub is_double: bool,
    /// Whether the source's account has a local sign-in name.
    pub was_local: bool,
    /// What the target made of it.
    pub drafted: Drafted,
    /// Who is at the target already.
    pub found: &'f Found,
    /// The matched accounts, read back.
    pub held: &'f HashMap<TargetId, Held>,
    /// What counts as the same person.
    pub matching: Matching,
    /// Whether the operator has accepted the one who is there as the same person.
    pub is_accepted: bool,
}

/// What is to happen.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// This.
    Do(Action, Box<Planned>),
    /// Nothing until somebody decides or mends something.
    Hold(Code),
    /// Somebody is there already.
    Clash(Code, Option<Box<Planned>>),
    /// Nothing, by configuration.
    Exclude(Code),
}

/// Decides on one account.
pub fn decide(facts: Facts<'_>) -> Verdict {
    if !facts.unlisted.is_empty() {
        return Verdict::Hold(Code::L4003);
    }
    let (draft, mut losses) = match facts.drafted {
        Drafted::Draft { draft, losses } => (draft, losses),
        // nothing else is left to sign in with: what the operator excluded goes
        Drafted::Hold(loss) if !facts.left_out.is_empty() && loss.code == Code::L4004 => {
            return Verdict::Exclude(Code::L4005);
        }
        Drafted::Hold(loss) => return Verdict::Hold(loss.code),
    };
    losses.extend(facts.left_out.iter().map(|issuer| Loss::new(Code::L4005, issuer)));
    if facts.is_double {
        return Verdict::Hold(Code::L4001);
    }
    match facts.found.by_key.as_slice() {
        [] => {}
        [ours] => {
            let planned = Planned { existing: Some(ours.clone()), ..Planned::create(draft, losses) };
            return Verdict::Do(Action::Create, Box::new(planned));
        }
        _ => return Verdict::Hold(Code::E2107),
    }
    let there: BTreeSet<&TargetId> = facts.found.by_identity.iter().map(|(_, id)| id).collect();
    let mut there = there.into_iter();
    match (there.next(), there.next()) {
        (None, _) => Verdict::Do(Action::Create, Box::new(Planned::create(draft, losses))),
        (Some(_), Some(_)) => Verdict::Clash(Code::E2105, Some(Box::new(Planned::create(draft, losses)))),
        (Some(id), None) => matched(id, draft, losses, facts.found, facts.held, facts.matching, facts.is_accepted),
    }
}

/// One account at the target shares identities with ours.
fn matched(
    id: &TargetId,
    draft: Draft,
    mut losses: Vec<Loss>,
    found: &Found,
    held: &HashMap<TargetId, Held>,
    matching: Matching,
    is_accepted: bool,
) -> Verdict {
    let by_social = found.by_identity.iter().any(|(identity, _)| !identity.is_local());
    let rule = if by_social { matching.same_identity } else { matching.same_sign_in_name };
    let planned = Planned { existing: Some(id.clone()), ..Planned::create(draft, Vec::new()) };
    if rule == OnMatch::Hold && !is_accepted {
        return Verdict::Clash(Code::L4002, Some(Box::new(Planned { losses, ..planned })));
    }
    let Some(held) = held.get(id) else {
        return Verdict::Clash(Code::L4002, Some(Box::new(Planned { losses, ..planned })));
    };
    let has: BTreeSet<String> = held.identities.iter().map(Identity::canonical).collect();
    let (local, social): (Vec<Identity>, Vec<Identity>) = planned
        .draft
        .identities
        .iter()
        .filter(|identity| !has.contains(&identity.canonical()))
        .cloned()
        .partition(Identity::is_local);
    // a sign-in name is never added to somebody's account: it would need a password (entra.md 4.7)
    losses.extend(local.iter().map(|_| Loss::new(Code::L2006, "local sign-in name")));
    let (had, add) = (held.identities.clone(), social);
    let action = if add.is_empty() { Action::Adopt } else { Action::Link };
    Verdict::Do(action, Box::new(Planned { losses, had, add, ..planned }))
}
