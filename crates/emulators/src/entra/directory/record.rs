//! One user through time: what it is now, and what reads still show.

use std::sync::Arc;

use jiff::Timestamp;

use super::user::{Name, User};
use crate::clock::Micros;

/// What a user is at one time.
#[derive(Debug, Clone)]
pub(crate) enum Life {
    Live(Arc<User>),
    /// Soft-deleted at a time; can be restored.
    Deleted(Arc<User>, Timestamp),
    /// Deleted for good; only the id is left.
    Gone(Name),
}

impl Life {
    pub(crate) fn live(&self) -> Option<&Arc<User>> {
        match self {
            Self::Live(user) => Some(user),
            Self::Deleted(..) | Self::Gone(_) => None,
        }
    }

    pub(crate) fn user(&self) -> Option<&Arc<User>> {
        match self {
            Self::Live(user) | Self::Deleted(user, _) => Some(user),
            Self::Gone(_) => None,
        }
    }
}

/// The versions of one user, the newest last. Before the first one reads do not know the user.
#[derive(Debug)]
pub(crate) struct Record {
    newest: Version,
    /// What reads may still show instead, the oldest first.
    older: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    /// From when on reads show it.
    from: Micros,
    life: Life,
}

impl Record {
    pub(crate) fn new(life: Life, from: Micros) -> Self {
        Self { newest: Version { from, life }, older: Vec::new() }
    }

    /// What the last write left, whether reads show it or not.
    pub(crate) fn latest(&self) -> &Life {
        &self.newest.life
    }

    /// What reads show at `at`; nothing when the user is too new.
    pub(crate) fn seen(&self, at: Micros) -> Option<&Life> {
        let newest_first = std::iter::once(&self.newest).chain(self.older.iter().rev());
        newest_first.into_iter().find(|version| version.from <= at).map(|version| &version.life)
    }

    /// Adds a version that reads show from `from` on, and hands back the versions that no read from `oldest` on can
    /// show any more.
    pub(crate) fn push(&mut self, life: Life, from: Micros, oldest: Micros) -> Vec<Life> {
        self.older.push(std::mem::replace(&mut self.newest, Version { from, life }));
        let unseen = if from <= oldest {
            self.older.len()
        } else {
            self.older.iter().rposition(|version| version.from <= oldest).unwrap_or(0)
        };
        self.older.drain(..unseen).map(|version| version.life).collect()
    }

    /// Every version that is still kept.
    pub(crate) fn lives(&self) -> impl Iterator<Item = &Life> {
        self.older.iter().chain(std::iter::once(&self.newest)).map(|version| &version.life)
    }

    /// Every version, to be changed in place (an extension property was removed from the tenant).
    pub(crate) fn users_mut(&mut self) -> impl Iterator<Item = &mut Arc<User>> {
        self.older.iter_mut().chain(std::iter::once(&mut self.newest)).filter_map(|version| match &mut version.life {
            Life::Live(user) | Life::Deleted(user, _) => Some(user),
            Life::Gone(_) => None,
        })
    }
}
