//! Entry after entry; groups are collected first, since they stand anywhere in the file.

use std::io::Read;

use sterna_core::{
    code::{Code, Finding},
    port::{Record, SourceError},
};

use super::{
    grammar::{attribute, entry},
    long::{LongGroup, Unfolding},
};
use crate::{
    directory::{BY_DN, BY_NAME, Entry, Memberships, Rules},
    text::{
        Form, Line, MENDED, Mistake, Place, Reader, account_or_rejected, keep_head, next_line, rejected, unreadable,
    },
};

/// An LDIF file.
pub struct Ldif {
    rules: Rules,
    groups: Memberships,
    /// Most memberships; 0: groups are not read.
    most: usize,
    limit: usize,
}

/// The lines of one entry.
enum Lines {
    Whole(Vec<u8>),
    TooLong(Vec<u8>),
    End,
}

impl Ldif {
    /// A file whose entries become accounts by these rules, none longer than `limit` bytes of UTF-8.
    pub fn new(rules: Rules, most: usize, limit: usize) -> Self {
        Self { rules, groups: Memberships::default(), most, limit }
    }

    /// Reads the whole file for its groups.
    fn collect<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<(), SourceError> {
        self.groups = Memberships::new(self.most);
        if self.most > 0 {
            loop {
                let (mut long, groups, most) = (LongGroup::default(), &mut self.groups, self.most);
                let watch = &mut |line: &[u8]| long.take(line, groups).map_err(|_| too_many(most));
                match lines(reader, self.limit, watch)? {
                    Lines::End => break,
                    Lines::Whole(raw) if might_be_group(&raw) => {
                        if let Ok(Some(entry)) = entry(&raw) {
                            self.groups.add_group(&entry).map_err(|_| too_many(self.most))?;
                        }
                    }
                    Lines::Whole(_) | Lines::TooLong(_) => {}
                }
            }
        }
        self.groups.finish();
        Ok(())
    }

    fn read(&self, raw: &[u8], position: impl FnOnce() -> String) -> Option<Record> {
        match entry(raw) {
            Ok(None) => None,
            Ok(Some(entry)) if entry.values("objectClass").is_empty() => {
                let why = "the entry has no objectClass, which says whether it is a person's: export it as well";
                Some(rejected(position(), Mistake::new(Code::E3110, why), raw))
            }
            Ok(Some(entry)) if !self.rules.is_account(&entry) => None,
            Ok(Some(entry)) => Some(account_or_rejected(self.rules.account(&entry, &self.groups), position, raw)),
            Err(mistake) => Some(rejected(position(), mistake, raw)),
        }
    }
}

/// Whether it is worth reading for its members: folded lines are put together only for those that may have any.
fn might_be_group(raw: &[u8]) -> bool {
    BY_DN.iter().chain([&BY_NAME]).any(|name| {
        raw.split(|byte| *byte == b'\n').any(|line| {
            line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
                && line.get(name.len()).is_some_and(|next| b":;".contains(next))
        })
    })
}

fn too_many(most: usize) -> SourceError {
    SourceError::new(Code::E3011, format!("the groups have more than {most} members"))
        .hint("raise `max_memberships`, or set it to 0 to read no groups but `memberOf`")
}

/// Is shown the whole lines of an entry that is too long.
type Watch<'w> = &'w mut dyn FnMut(&[u8]) -> Result<(), SourceError>;

/// Takes the lines up to the next blank one.
fn lines<R: Read>(reader: &mut Reader<R>, limit: usize, watch: Watch<'_>) -> Result<Lines, SourceError> {
    let mut raw: Vec<u8> = Vec::new();
    let mut long = false;
    let mut unfolding = Unfolding::new(limit);
    loop {
        match next_line(reader, limit).map_err(unreadable)? {
            Line::End if raw.is_empty() => return Ok(Lines::End),
            Line::End => break,
            Line::TooLong(head) => {
                if !long {
                    show(&raw, &mut unfolding, watch)?;
                }
                long = true;
                unfolding.skip(&head).map_or(Ok(()), |line| watch(&line))?;
                keep_head(&mut raw, &head);
            }
            Line::Whole { text: 0, whole } => {
                reader.take(whole);
                if !raw.is_empty() {
                    break;
                }
            }
            Line::Whole { text, whole } => {
                if !long && raw.len() + text > limit {
                    long = true;
                    show(&raw, &mut unfolding, watch)?;
                }
                if long {
                    show(&reader.held()[..text], &mut unfolding, watch)?;
                    keep_head(&mut raw, &reader.held()[..text]);
                } else {
                    raw.extend_from_slice(&reader.held()[..text]);
                    raw.push(b'\n');
                }
                reader.take(whole);
            }
        }
    }
    unfolding.finish().map_or(Ok(()), |line| watch(&line))?;
    Ok(if long { Lines::TooLong(raw) } else { Lines::Whole(raw) })
}

/// Shows the lines that are whole by now.
fn show(raw: &[u8], unfolding: &mut Unfolding, watch: Watch<'_>) -> Result<(), SourceError> {
    let lines = raw.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.filter_map(|line| unfolding.push(line)).try_for_each(|line| watch(&line))
}

impl Form for Ldif {
    type State = ();

    fn begin<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<Place<()>, SourceError> {
        let place = Place { at: reader.offset(), line: reader.line(), records: 0, form: () };
        self.collect(reader)?;
        Ok(place)
    }

    fn resume<R: Read>(&mut self, reader: &mut Reader<R>, _: &Place<()>) -> Result<(), SourceError> {
        self.collect(reader)
    }

    fn next<R: Read>(&mut self, reader: &mut Reader<R>, _: &mut Place<()>) -> Result<Option<Record>, SourceError> {
        loop {
            let number = reader.line();
            let mut seen = Entry::default();
            let classes = &mut |line: &[u8]| {
                if let Ok((name, value)) = attribute(line)
                    && name.eq_ignore_ascii_case("objectClass")
                {
                    seen.add(&name, value);
                }
                Ok(())
            };
            match lines(reader, self.limit, classes)? {
                Lines::End => return Ok(None),
                // a group, whose members have been collected
                Lines::TooLong(_) if !seen.attributes.is_empty() && !self.rules.is_account(&seen) => {}
                Lines::TooLong(head) => {
                    let reason = format!("the entry is longer than {} bytes", self.limit);
                    let mistake = Mistake::new(Code::E3104, reason);
                    return Ok(Some(rejected(format!("entry at line {number}"), mistake, &head)));
                }
                Lines::Whole(raw) => {
                    if let Some(record) = self.read(&raw, || format!("entry at line {number}")) {
                        return Ok(Some(record));
                    }
                }
            }
        }
    }

    fn mend(&mut self, text: &str) -> Record {
        self.read(text.as_bytes(), || MENDED.to_owned()).unwrap_or_else(|| {
            let why = "this is no entry of a person; see `object_classes`";
            rejected(MENDED.to_owned(), Mistake::new(Code::E3110, why), text.as_bytes())
        })
    }

    fn notes(&self) -> Vec<Finding> {
        let text = format!("{} memberships of groups were found", self.groups.len());
        if self.groups.is_empty() { Vec::new() } else { vec![Finding::note(Code::E3014, text)] }
    }
}

impl Memberships {
    /// Takes the members of an entry that is a group; any other entry has none.
    ///
    /// # Errors
    /// When there are more memberships than may be held.
    pub fn add_group(&mut self, entry: &Entry) -> Result<(), crate::directory::TooMany> {
        let name = entry.text("cn").map(str::to_owned).or_else(|| crate::directory::first_value(&entry.dn));
        let members = |name: &str| entry.texts(name).map(str::to_owned).collect::<Vec<_>>();
        let all: Vec<(&str, Vec<String>)> = BY_DN.iter().chain([&BY_NAME]).map(|name| (*name, members(name))).collect();
        if all.iter().all(|(_, members)| members.is_empty()) {
            return Ok(());
        }
        let group = self.group(name.unwrap_or_else(|| entry.dn.clone()));
        for (attribute, members) in all {
            for member in members {
                self.add(group, attribute, &member)?;
            }
        }
        Ok(())
    }
}
