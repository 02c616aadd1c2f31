//! Memberships of the accounts of a batch: in groups and, at WSO2, in roles.
//!
//! Those of new accounts go into the bulk request that makes the accounts, which names them by `bulkId` (RFC 7644 3.7.2,
//! wso2-scim.md 2.11, 6): whatever becomes of this program, who was made is a member too. What that left undone is written
//! afterwards with the accounts' ids; what is undone still shows when accounts are read back, and `verify --repair` writes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sterna_core::{
    ids::TargetId,
    port::{Answer, Operation, Write},
};

use super::{
    config::GroupUse,
    members::Members,
    sending::{Join, Sender},
    shape::{GROUPS, ROLES},
    target::ScimTarget,
};

/// Who is to be in one group or role, by their places in the batch.
pub(super) struct Membership {
    /// A group, or a role.
    of: Of,
    /// The id of the group or role.
    id: String,
    /// Places of new accounts.
    new: BTreeSet<usize>,
    /// Places of accounts that are there already.
    known: BTreeSet<usize>,
}

/// The memberships of a batch.
pub(super) struct Memberships {
    /// Those in groups and roles that are there.
    pub(super) all: Vec<Membership>,
    /// Places of accounts whose group or role is not there, once for each.
    without: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Groups,
    Roles,
}

impl ScimTarget {
    /// The memberships that a batch asks for; groups that are missing are made, where that is wanted.
    pub(super) async fn memberships(&self, sender: &Sender<'_>, batch: &[Write]) -> Memberships {
        let (mut all, mut without) = (Vec::new(), Vec::new());
        for (of, attribute) in [(Of::Groups, GROUPS), (Of::Roles, ROLES)] {
            let mut by_name: BTreeMap<&str, (BTreeSet<usize>, BTreeSet<usize>)> = BTreeMap::new();
            for (at, one) in batch.iter().enumerate() {
                let (names, is_new) = match &one.operation {
                    Operation::Create { draft, .. } => (draft.attributes.get(attribute), true),
                    Operation::Update { changes, .. } => (changes.get(attribute), false),
                    Operation::Link { .. } | Operation::Unlink { .. } | Operation::Remove { .. } => continue,
                };
                for name in names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                    let (new, known) = by_name.entry(name).or_default();
                    if is_new {
                        new.insert(at)
                    } else {
                        known.insert(at)
                    };
                }
            }
            for (name, (new, known)) in by_name {
                match self.id_of(sender, of, name).await {
                    Some(id) => all.push(Membership { of, id, new, known }),
                    None => without.extend(new.into_iter().chain(known)),
                }
            }
        }
        Memberships { all, without }
    }

    fn members(&self, of: Of) -> &Members {
        match of {
            Of::Groups => &self.groups,
            Of::Roles => &self.roles,
        }
    }

    /// The id of a group or role by its name; `None` when it is not there and not to be made, or cannot be.
    async fn id_of(&self, sender: &Sender<'_>, of: Of, name: &str) -> Option<String> {
        let makes = of == Of::Groups && self.config.groups == GroupUse::Create;
        match self.members(of).id_of(&self.service, &self.shape, name).await {
            Ok(Some(id)) => Some(id),
            Ok(None) if makes => self.members(of).make(sender, &self.shape, name).await.ok(),
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(code = %error.code(), "A group or role could not be looked up");
                None
            }
        }
    }

    /// The part of it that goes with the accounts; `place` gives the request's number for a place in the batch.
    pub(super) fn joins(&self, memberships: &[Membership], places: &[usize]) -> Vec<Join> {
        let number: BTreeMap<usize, usize> = places.iter().enumerate().map(|(at, place)| (*place, at)).collect();
        let join = |one: &Membership| Join {
            path: self.members(one.of).place(&one.id),
            body: self.members(one.of).addition(),
            who: one.new.iter().filter_map(|place| number.get(place).copied()).collect(),
        };
        memberships.iter().map(join).collect()
    }

    /// Where a group or a role is, and which attribute lists who is in it.
    pub(super) fn where_is(&self, membership: &Membership) -> (String, &'static str) {
        let members = self.members(membership.of);
        (members.place(&membership.id), members.list())
    }

    /// Writes what did not go with the accounts; `done` has, for each membership, the places that are written.
    pub(super) async fn write_memberships(
        &self,
        sender: &Sender<'_>,
        memberships: &Memberships,
        done: &[BTreeSet<usize>],
        answers: &[Option<Answer>],
    ) {
        let Memberships { all: memberships, without } = memberships;
        let is_there = |place: &&usize| matches!(answers.get(**place), Some(Some(Answer::Holds(_))));
        // whoever is not made yet is sent again, and so are the groups
        let without = without.iter().filter(is_there).count();
        if without > 0 {
            tracing::warn!(without, "Groups or roles of some could not be had; verify shows whose");
        }
        let mut wanted: [BTreeMap<String, Vec<TargetId>>; 2] = [BTreeMap::new(), BTreeMap::new()];
        for (one, done) in memberships.iter().zip(done) {
            let open = one.new.difference(done).chain(&one.known);
            let ids = open.filter_map(|place| match answers.get(*place) {
                Some(Some(Answer::Holds(id))) => Some(id.clone()),
                _ => None,
            });
            let ids: Vec<TargetId> = ids.collect();
            if !ids.is_empty() {
                wanted[usize::from(one.of == Of::Roles)].entry(one.id.clone()).or_default().extend(ids);
            }
        }
        for (of, wanted) in [Of::Groups, Of::Roles].into_iter().zip(&wanted) {
            let failed = self.members(of).add(sender, wanted).await;
            if failed > 0 {
                tracing::warn!(failed, "Memberships were not written; verify shows whose");
            }
        }
        if memberships.iter().any(|one| one.of == Of::Groups) {
            self.groups.changed().await;
        }
    }
}
