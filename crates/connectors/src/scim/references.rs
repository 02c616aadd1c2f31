//! Whether a service makes ids of the `bulkId` references of a bulk request (RFC 7644 3.7.2): looked at before it is relied on.
//!
//! SCIMMY replaces the last reference of an operation only and stores the others as they are: groups with members that are
//! nobody, each answered as done. So the first bulk request of a run with references is a trial. Its groups are read back; where
//! references were stored, they are taken out, and people come into groups by their ids from then on.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use sterna_core::{ids::TargetId, port::Answer};
use tokio::{
    sync::MutexGuard,
    time::{Instant, timeout_at},
};

use super::{
    answer::Asked,
    memberships::Membership,
    sending::{Request, Sender},
    target::ScimTarget,
    write,
};

/// What a reference begins with.
const PREFIX: &str = "bulkId:";

/// Most values that one request takes out.
const CHUNK: usize = 50;

/// How many trials may say nothing before references are relied on all the same: what is missing shows at `verify`.
const TRIALS: u8 = 3;

/// What is known of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Nothing, after so many trials.
    Nothing(u8),
    /// They become ids.
    Kept,
    /// They do not.
    Broken,
}

/// What is known of a service's references.
pub(super) struct References {
    known: Mutex<Known>,
    /// Held by the one that tries.
    trial: tokio::sync::Mutex<()>,
}

/// How a batch names the people that it makes.
#[derive(Debug)]
pub(super) enum Naming<'r> {
    /// By references.
    References,
    /// By references, and what came of them is looked at before anybody else uses any.
    Trial(MutexGuard<'r, ()>),
    /// Afterwards, by their ids.
    Ids,
}

impl References {
    /// They are relied on where the product is known to keep them.
    pub(super) fn new(are_known: bool) -> Self {
        let known = if are_known { Known::Kept } else { Known::Nothing(0) };
        Self { known: Mutex::new(known), trial: tokio::sync::Mutex::default() }
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the next batch names people. Whoever is told to try says what came of it; the others wait for that, until then.
    pub(super) async fn next(&self, until: Instant) -> Naming<'_> {
        let turn = match self.known() {
            Known::Nothing(_) => timeout_at(until, self.trial.lock()).await.ok(),
            Known::Kept | Known::Broken => None,
        };
        match (self.known(), turn) {
            (Known::Kept, _) => Naming::References,
            (Known::Nothing(_), Some(turn)) => Naming::Trial(turn),
            (Known::Nothing(_), None) | (Known::Broken, _) => Naming::Ids,
        }
    }

    /// What came of a trial; `None` when it says nothing.
    fn tried(&self, keeps: Option<bool>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = match (*known, keeps) {
            (Known::Nothing(tries), None) if tries + 1 < TRIALS => Known::Nothing(tries + 1),
            (Known::Nothing(_), None | Some(true)) => Known::Kept,
            (Known::Nothing(_), Some(false)) => Known::Broken,
            (known, _) => known,
        };
    }
}

/// What a group that was named in a trial holds.
#[derive(Debug, PartialEq, Eq)]
struct Looked {
    /// References that were stored as they are.
    stored: Vec<String>,
    /// Whether everybody is in it.
    is_whole: bool,
}

/// Looks at a group's members; `None` when they are not shown.
fn looked(group: &Value, list: &str, ids: &[&TargetId]) -> Option<Looked> {
    let members: BTreeSet<&str> =
        group.get(list)?.as_array()?.iter().filter_map(|member| member.get("value")?.as_str()).collect();
    let stored = members.iter().filter(|value| value.starts_with(PREFIX)).map(|value| (*value).to_owned()).collect();
    Some(Looked { stored, is_whole: ids.iter().all(|id| members.contains(id.0.as_str())) })
}

impl ScimTarget {
    /// Looks at what became of the references of a trial and takes note of it. Where they did not become ids, nobody counts as
    /// done, so that everybody is added by id, and what was stored of them is taken out.
    pub(super) async fn look_at_trial(
        &self,
        sender: &Sender<'_>,
        memberships: &[Membership],
        done: &mut [BTreeSet<usize>],
        answers: &[Option<Answer>],
    ) {
        let (mut keeps, mut waste) = (None, Vec::new());
        for (one, done) in memberships.iter().zip(done.iter()) {
            let ids: Vec<&TargetId> = done.iter().filter_map(|place| id(answers.get(*place)?.as_ref()?)).collect();
            if ids.is_empty() {
                continue;
            }
            let (path, list) = self.where_is(one);
            let Some(looked) = self.look_at(&path, list, &ids).await else { continue };
            let is_right = looked.is_whole && looked.stored.is_empty();
            // one reference says too little: the last one of an operation may be the only one that is replaced
            if !is_right || ids.len() > 1 {
                keeps = Some(keeps.unwrap_or(true) && is_right);
            }
            if !looked.stored.is_empty() {
                waste.push((path, list, looked.stored));
            }
            // a group that is as it should be says enough; one that is not may not be alone
            if keeps == Some(true) {
                break;
            }
        }
        self.references.tried(keeps);
        if keeps == Some(false) {
            tracing::warn!("The service does not resolve references of Bulk requests; groups get members by their ids");
            done.iter_mut().for_each(BTreeSet::clear);
            self.take_out(sender, &waste).await;
        }
    }

    /// Takes references out of groups, each request by itself: in a bulk request they would be references again.
    async fn take_out(&self, sender: &Sender<'_>, waste: &[(String, &'static str, Vec<String>)]) {
        let mut failed = 0;
        for (path, list, all) in waste {
            let (id, mut is_done) = (TargetId(path.clone()), true);
            for some in all.chunks(CHUNK) {
                let body = Some(write::take_out(list, some));
                let asked = Asked::Update(&id);
                let request = Request { asked, method: "PATCH", path: path.clone(), body, version: None };
                let answers = sender.send_again(std::slice::from_ref(&request)).await;
                is_done &= answers.iter().all(|answer| matches!(answer, Answer::Holds(_)));
            }
            // some take a path with a filter for granted and do nothing
            let is_clean = self.look_at(path, list, &[]).await.is_some_and(|looked| looked.stored.is_empty());
            failed += usize::from(!is_done || !is_clean);
        }
        if failed > 0 {
            tracing::warn!(failed, "Groups have members whose value begins with `bulkId:`; take them out by hand");
        }
    }

    /// What a group holds; `None` when it is not shown.
    async fn look_at(&self, path: &str, list: &str, ids: &[&TargetId]) -> Option<Looked> {
        let group = self.service.get_if_there(&format!("{path}?attributes={list}")).await.ok()??;
        looked(&group, list, ids)
    }
}

fn id(answer: &Answer) -> Option<&TargetId> {
    if let Answer::Holds(id) = answer { Some(id) } else { None }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    async fn next(references: &References) -> Naming<'_> {
        references.next(Instant::now() + Duration::from_millis(20)).await
    }

    #[tokio::test]
    async fn one_batch_tries_and_the_others_wait_until_it_has() {
        let references = References::new(false);
        let turn = next(&references).await;
        assert!(matches!(turn, Naming::Trial(_)));
        // whoever cannot wait does without
        assert!(matches!(next(&references).await, Naming::Ids));
        references.tried(None);
        drop(turn);
        assert!(matches!(next(&references).await, Naming::Trial(_)));
        references.tried(Some(true));
        assert!(matches!(next(&references).await, Naming::References));
        // what is known already stays
        references.tried(Some(false));
        assert!(matches!(next(&references).await, Naming::References));
    }

    #[tokio::test]
    async fn a_service_that_does_not_keep_references_gets_none_and_one_that_shows_nothing_does() {
        let broken = References::new(false);
        broken.tried(Some(false));
        assert!(matches!(next(&broken).await, Naming::Ids));
        let hidden = References::new(false);
        for _ in 0..TRIALS {
            assert!(matches!(next(&hidden).await, Naming::Trial(_)));
            hidden.tried(None);
        }
        assert!(matches!(next(&hidden).await, Naming::References));
        assert!(matches!(next(&References::new(true)).await, Naming::References));
    }

    fn check(members: &Value, stored: &[&str], is_whole: bool) {
        let ids = [TargetId("u1".into()), TargetId("u2".into())];
        let group = json!({ "members": members });
        let came = looked(&group, "members", &ids.each_ref()).unwrap();
        assert_eq!((came.stored, came.is_whole), (stored.iter().map(|one| (*one).to_owned()).collect(), is_whole));
    }

    #[test]
    fn references_that_were_stored_and_people_who_are_missing_are_seen() {
        check(&json!([{"value": "u2"}, {"value": "u1"}, {"value": "u9"}]), &[], true);
        check(&json!([{"value": "bulkId:o0"}, {"value": "u2"}]), &["bulkId:o0"], false);
        check(&json!([{"value": "u2"}]), &[], false);
        check(&json!([]), &[], false);
        assert_eq!(looked(&json!({"id": "g"}), "members", &[]), None);
    }
}
