//! Who is in which group, by the members of `/Groups`: for services whose users do not name their groups. Somebody in a
//! group within a group is in both.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use sterna_core::{code::Code, port::SourceError};

use super::{config::SourceConfig, failure::ended};
use crate::{
    http::encode,
    scim::{Service, Step, Totals, Trail},
};

/// Groups of one page.
const PAGE: u64 = 100;

/// Most pages of groups.
const PAGES: u64 = 100_000;

/// Groups and their members, as they were read.
#[derive(Default)]
pub(super) struct Memberships {
    /// Ids and names, by number.
    groups: Vec<(String, String)>,
    ids: HashSet<String>,
    /// For each member, a person or a group, the groups that name it.
    of: HashMap<String, Vec<usize>>,
    held: usize,
}

impl Memberships {
    /// Reads all groups.
    ///
    /// # Errors
    /// When the service does not give them, or there are more memberships than may be held.
    pub(super) async fn read(service: &Service, config: &SourceConfig, by_cursor: bool) -> Result<Self, SourceError> {
        let (mut all, doing) = (Self::default(), "reading a page of groups");
        let mut trail = if by_cursor { Trail::by_cursor() } else { Trail::by_index() };
        let domain = config.domain.as_deref().map_or_else(String::new, |domain| format!("&domain={}", encode(domain)));
        for _ in 0..PAGES {
            let path = format!("/Groups?{}{domain}", trail.query(PAGE));
            let page = service.page(&path).await.map_err(|error| ended(&error, doing))?;
            let step = trail.step(&page, PAGE, Totals::Doubted);
            if step != Step::EndedBefore {
                for group in &page.resources {
                    all.add(service, config, group).await?;
                }
            }
            match step {
                Step::Next(next) => trail = next,
                Step::End | Step::EndedBefore => return Ok(all),
                Step::Circle => break,
            }
        }
        Err(ended(&crate::scim::ReadError::Circle, doing))
    }

    async fn add(&mut self, service: &Service, config: &SourceConfig, group: &Value) -> Result<(), SourceError> {
        let Some(id) = text(group, "id") else { return Ok(()) };
        let name = text(group, "displayName").unwrap_or(id);
        let name = if config.strips_store { bare(name) } else { name };
        // a list may leave members out; the group itself has them
        let whole;
        let group = if group.get("members").is_some() {
            group
        } else {
            let path = format!("/Groups/{}", encode(id));
            whole = service.get_if_there(&path).await.map_err(|error| ended(&error, "reading a group"))?;
            whole.as_ref().unwrap_or(group)
        };
        self.put(id, name, group, config.max_memberships)
    }

    /// Takes note of one group. Pure.
    fn put(&mut self, id: &str, name: &str, group: &Value, most: usize) -> Result<(), SourceError> {
        if !self.ids.insert(id.to_owned()) {
            return Ok(());
        }
        let number = self.groups.len();
        self.groups.push((id.to_owned(), name.to_owned()));
        for member in group.get("members").and_then(Value::as_array).into_iter().flatten() {
            let Some(member) = text(member, "value").or_else(|| member.as_str()) else { continue };
            self.of.entry(member.to_owned()).or_default().push(number);
            self.held += 1;
            if self.held > most {
                let error =
                    SourceError::new(Code::E3012, format!("the service has more than {most} memberships of groups"));
                return Err(
                    error.hint("raise `max_memberships` (about 100 bytes each), or set groups = \"from-users\"")
                );
            }
        }
        Ok(())
    }

    /// Names of the groups that somebody is in, directly or through groups, sorted.
    pub(super) fn of(&self, id: &str) -> Vec<String> {
        let mut found: HashSet<usize> = HashSet::new();
        let mut open: Vec<usize> = self.of.get(id).cloned().unwrap_or_default();
        while let Some(number) = open.pop() {
            if found.insert(number)
                && let Some(above) = self.groups.get(number).and_then(|(id, _)| self.of.get(id))
            {
                open.extend(above);
            }
        }
        let mut names: Vec<String> =
            found.iter().filter_map(|number| self.groups.get(*number)).map(|(_, name)| name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A name without the store before it (wso2-scim.md 2.5).
pub(super) fn bare(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, rest)| rest)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn somebody_in_a_group_within_a_group_is_in_both_and_circles_end() {
        let mut all = Memberships::default();
        let group =
            |members: &[&str]| json!({"members": members.iter().map(|id| json!({"value": id})).collect::<Vec<_>>()});
        for (id, name, members) in [
            ("g1", "staff", &["u1", "g2"][..]),
            ("g2", "editors", &["u2", "g3"]),
            ("g3", "chiefs", &["u3", "g1"]),
            ("g4", "empty", &[]),
        ] {
            all.put(id, name, &group(members), 100).unwrap();
        }
        assert_eq!(all.of("u1"), ["chiefs", "editors", "staff"], "a circle is one group");
        assert_eq!(all.of("u3"), ["chiefs", "editors", "staff"]);
        assert_eq!(all.of("u4"), [""; 0]);
        let error = all.put("g5", "many", &group(&["a"; 99]), 100).err().unwrap();
        assert_eq!(error.code, Code::E3012);
    }

    #[test]
    fn a_store_before_a_name_is_cut_off() {
        assert_eq!((bare("PRIMARY/staff"), bare("staff"), bare("A/b/c")), ("staff", "staff", "b/c"));
    }
}
