//! The users of a document, one after the other.

use std::io::Read;

use serde::{Deserialize, Serialize};
use sterna_core::{
    code::{Code, Finding},
    port::{Record, SourceError},
};

use super::{
    document::{self, Element, Next, Root},
    user::{UserType, read_user, wants_user_type},
};
use crate::text::{Form, MENDED, Mistake, Place, Reader, plain_text, rejected};

/// A users file.
pub struct UsersFile {
    stated: Option<UserType>,
    limit: usize,
    known: Option<Known>,
}

/// What has to be known to go on within a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    user_type: Option<UserType>,
    array: String,
    goes_on: bool,
}

impl UsersFile {
    /// A file whose `signInName`s are of the stated type, or of the type that it says itself; no element longer than
    /// `limit` bytes of UTF-8.
    pub fn new(stated: Option<UserType>, limit: usize) -> Self {
        Self { stated, limit, known: None }
    }

    fn read(raw: &[u8], user_type: Option<UserType>, position: impl FnOnce() -> String) -> Record {
        let read = plain_text(raw).and_then(document::parse).and_then(|node| read_user(node, user_type));
        read.unwrap_or_else(|mistake| rejected(position(), mistake, raw))
    }

    /// A `userType` may stand behind the users: then it has to be found before the first one is read.
    fn look_ahead<R: Read>(&self, reader: &mut Reader<R>, root: &mut Root) -> Result<(), SourceError> {
        if self.stated.is_some() || root.user_type.is_some() || root.array.is_empty() {
            return Ok(());
        }
        let Next::Element = document::next_element(reader, true)? else { return Ok(()) };
        if let Element::Whole(length) = document::element(reader, self.limit)? {
            let first = plain_text(&reader.held()[..length]).and_then(document::parse);
            if first.is_ok_and(|node| !wants_user_type(&node)) {
                return Ok(());
            }
            reader.take(length);
        }
        // What is broken further on is told when reading gets there; until then the names speak for themselves.
        let mut ahead = Root { array: root.array.clone(), ..Root::default() };
        document::scan_ahead(reader, &mut ahead)?;
        root.user_type = ahead.user_type;
        Ok(())
    }
}

impl Form for UsersFile {
    type State = Known;

    fn begin<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<Place<Known>, SourceError> {
        let mut root = document::find_array(reader)?;
        let (at, line) = (reader.offset(), reader.line());
        // What is wrong with the first element is told when it is read.
        let _ = self.look_ahead(reader, &mut root);
        let user_type = self.stated.or(root.user_type.as_deref().and_then(UserType::parse));
        let known = Known { user_type, array: root.array, goes_on: root.goes_on };
        self.known = Some(known.clone());
        Ok(Place { at, line, records: 0, form: known })
    }

    fn resume<R: Read>(&mut self, _: &mut Reader<R>, place: &Place<Known>) -> Result<(), SourceError> {
        self.known = Some(place.form.clone());
        Ok(())
    }

    fn next<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        place: &mut Place<Known>,
    ) -> Result<Option<Record>, SourceError> {
        if let Next::End = document::next_element(reader, place.records == 0)? {
            let known = &place.form;
            let mut root = Root { user_type: None, goes_on: known.goes_on, array: known.array.clone() };
            document::tail(reader, &mut root)?;
            return Ok(None);
        }
        let name = if place.form.array.is_empty() { "" } else { &place.form.array };
        let position = format!("byte {}, {name}[{}]", reader.offset(), place.records);
        let length = match document::element(reader, self.limit)? {
            Element::Whole(length) => length,
            Element::TooLarge(head) => {
                let why = format!("the record is longer than {} bytes", self.limit);
                return Ok(Some(rejected(position, Mistake::new(Code::E3104, why), &head)));
            }
        };
        let record = Self::read(&reader.held()[..length], place.form.user_type, || position);
        reader.take(length);
        Ok(Some(record))
    }

    fn mend(&mut self, text: &str) -> Record {
        let user_type = self.stated.or(self.known.as_ref().and_then(|known| known.user_type));
        Self::read(text.trim().as_bytes(), user_type, || MENDED.to_owned())
    }

    fn notes(&self) -> Vec<Finding> {
        let Some(known) = &self.known else { return Vec::new() };
        let array = if known.array.is_empty() { "the document" } else { known.array.as_str() };
        let says = match known.user_type {
            Some(user_type) => format!("; a signInName is of type {}", user_type.name()),
            None => String::new(),
        };
        vec![Finding::note(Code::E3007, format!("the users are the elements of {array}{says}"))]
    }
}
