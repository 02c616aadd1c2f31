//! Who is in which group, kept small: a number for the person's name and one for the group.

use std::hash::{BuildHasher, RandomState};

use super::{Entry, first_value, normalised};

/// The attributes by which groups name their members by distinguished name.
pub(crate) const BY_DN: &[&str] = &["member", "uniqueMember"];

/// The attribute by which groups name their members by sign-in name.
pub(crate) const BY_NAME: &str = "memberUid";

/// There are more memberships than the settings let be held.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// Groups and their members; 16 bytes for each membership.
#[derive(Default)]
pub struct Memberships {
    hasher: RandomState,
    groups: Vec<String>,
    members: Vec<(u64, u32)>,
    limit: usize,
    sorted: bool,
}

impl Memberships {
    /// Holds at most `limit` memberships.
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Begins a group and gives its number.
    pub fn group(&mut self, name: String) -> u32 {
        self.groups.push(name);
        u32::try_from(self.groups.len() - 1).unwrap_or(u32::MAX)
    }

    /// Names a group whose name came behind its members.
    pub fn rename(&mut self, group: u32, name: String) {
        if let Some(known) = self.groups.get_mut(group as usize) {
            *known = name;
        }
    }

    /// Puts a value of `attribute` into a group.
    ///
    /// # Errors
    /// [`TooMany`] when the limit is reached.
    pub fn add(&mut self, group: u32, attribute: &str, member: &str) -> Result<(), TooMany> {
        if self.members.len() >= self.limit {
            return Err(TooMany);
        }
        let key = if attribute.eq_ignore_ascii_case(BY_NAME) { self.by_name(member) } else { self.by_dn(member) };
        self.members.push((key, group));
        self.sorted = false;
        Ok(())
    }

    /// Gets ready to be asked.
    pub fn finish(&mut self) {
        self.members.sort_unstable();
        self.members.dedup();
        self.members.shrink_to_fit();
        self.sorted = true;
    }

    /// How many memberships are held.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The names of the groups that an entry is in, its own `memberOf` included; each name once.
    pub fn of(&self, entry: &Entry) -> Vec<String> {
        let mut found: Vec<u32> = Vec::new();
        if self.sorted && !self.members.is_empty() {
            self.look_up(self.by_dn(&entry.dn), &mut found);
            for name in entry.texts("uid") {
                self.look_up(self.by_name(name), &mut found);
            }
        }
        found.sort_unstable();
        let held = found.iter().filter_map(|group| self.groups.get(*group as usize).cloned());
        let mut names: Vec<String> = Vec::new();
        for name in held.chain(entry.texts("memberOf").map(|dn| first_value(dn).unwrap_or_else(|| dn.to_owned()))) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn look_up(&self, key: u64, found: &mut Vec<u32>) {
        let from = self.members.partition_point(|(known, _)| *known < key);
        found.extend(self.members[from..].iter().take_while(|(known, _)| *known == key).map(|(_, group)| *group));
    }

    fn by_dn(&self, dn: &str) -> u64 {
        // uniqueMember may carry a bit string behind the name (RFC 4517 3.3.21)
        let bare = dn.rsplit_once('#').filter(|(_, bits)| bits.starts_with('\'') && bits.ends_with("'B"));
        self.hasher.hash_one((0_u8, normalised(bare.map_or(dn, |(dn, _)| dn))))
    }

    fn by_name(&self, name: &str) -> u64 {
        self.hasher.hash_one((1_u8, name.trim().to_lowercase()))
    }
}
