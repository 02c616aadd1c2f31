//! Entries that are too long to be held: read line by line for what is needed of them. Groups may be of any length.

use super::grammar::attribute;
use crate::directory::{BY_DN, BY_NAME, Memberships, TooMany, first_value};

/// Puts folded lines together, one at a time; one that is longer than the limit is dropped.
pub(super) struct Unfolding {
    line: Option<Vec<u8>>,
    limit: usize,
}

impl Unfolding {
    pub(super) fn new(limit: usize) -> Self {
        Self { line: None, limit }
    }

    /// Takes a line of the file; gives the whole one that ended before it.
    pub(super) fn push(&mut self, physical: &[u8]) -> Option<Vec<u8>> {
        let Some(rest) = physical.strip_prefix(b" ") else { return self.line.replace(physical.to_vec()) };
        match &mut self.line {
            Some(line) if line.len() + rest.len() <= self.limit => line.extend_from_slice(rest),
            _ => self.line = None,
        }
        None
    }

    /// Gives the last line.
    pub(super) fn finish(&mut self) -> Option<Vec<u8>> {
        self.line.take()
    }

    /// Leaves a line out that is too long by itself, with what is folded into it.
    pub(super) fn skip(&mut self, head: &[u8]) -> Option<Vec<u8>> {
        self.line.take().filter(|_| !head.starts_with(b" "))
    }
}

/// What is known so far of an entry that may be a group.
#[derive(Default)]
pub(super) struct LongGroup {
    name: Option<String>,
    named: bool,
    group: Option<u32>,
    is_change: bool,
}

impl LongGroup {
    /// Takes a whole line of it.
    ///
    /// # Errors
    /// [`TooMany`] when there are more memberships than may be held.
    pub(super) fn take(&mut self, line: &[u8], groups: &mut Memberships) -> Result<(), TooMany> {
        let Ok((name, value)) = attribute(line) else { return Ok(()) };
        let Ok(value) = String::from_utf8(value) else { return Ok(()) };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("dn") {
            self.name = first_value(&value).or(Some(value));
        } else if is("changetype") {
            self.is_change = !value.eq_ignore_ascii_case("add");
        } else if is("cn") && !self.named {
            // it may come behind the members
            self.named = true;
            if let Some(group) = self.group {
                groups.rename(group, value.clone());
            }
            self.name = Some(value);
        } else if !self.is_change && BY_DN.iter().chain([&BY_NAME]).any(|known| is(known)) {
            let group = *self.group.get_or_insert_with(|| groups.group(self.name.clone().unwrap_or_default()));
            groups.add(group, &name, &value)?;
        }
        Ok(())
    }
}
