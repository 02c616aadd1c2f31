//! Accounts as the target holds them, by the ids that the ledger knows.

use std::collections::BTreeMap;

use sterna_core::{
    ids::TargetId,
    plan::Action,
    port::{Held, Probe, Target, TargetError},
};
use sterna_ledger::sending::Case;

/// What the target holds of each case, in order.
///
/// An account of ours that is not there by its id is looked up by its key once more: it may have got another id, and must
/// neither count as gone nor be made twice. What carries the key of somebody else is not ours, whatever its id.
pub(crate) async fn held(target: &dyn Target, cases: &[Case]) -> Result<Vec<Option<Held>>, TargetError> {
    let ids: Vec<TargetId> = cases.iter().filter_map(|case| case.target.clone()).collect();
    let read = target.read_back(&ids).await?;
    let by_id: BTreeMap<TargetId, Option<Held>> = ids.into_iter().zip(read).collect();
    let at = |case: &Case| {
        let held = case.target.as_ref().and_then(|id| by_id.get(id)).cloned().flatten();
        held.filter(|held| !is_of_another(case, held))
    };
    let mut all: Vec<Option<Held>> = cases.iter().map(at).collect();
    let lost: Vec<(usize, Probe)> = all
        .iter()
        .zip(cases)
        .enumerate()
        .filter(|(_, (held, case))| held.is_none() && case.target.is_some() && case.origin == Some(Action::Create))
        .filter_map(|(at, (_, case))| Some((at, case.planned.as_ref()?.draft.key)))
        .map(|(at, key)| (at, Probe { key, identities: Vec::new() }))
        .collect();
    if lost.is_empty() {
        return Ok(all);
    }
    let probes: Vec<Probe> = lost.iter().map(|(_, probe)| probe.clone()).collect();
    let found = target.find(&probes).await?;
    let (mut places, mut others) = (Vec::new(), Vec::new());
    for ((at, _), found) in lost.iter().zip(found) {
        // one of several: it must not be made once more, and the sweep for doubles names them all
        if let Some(id) = found.by_key.into_iter().find(|id| cases[*at].target.as_ref() != Some(id)) {
            places.push(*at);
            others.push(id);
        }
    }
    for (at, held) in places.into_iter().zip(target.read_back(&others).await?) {
        all[at] = held;
    }
    Ok(all)
}

fn is_of_another(case: &Case, held: &Held) -> bool {
    let ours = case.planned.as_ref().filter(|_| case.origin == Some(Action::Create)).map(|planned| planned.draft.key);
    ours.zip(held.key).is_some_and(|(ours, theirs)| ours != theirs)
}
