//! The document around the users: root, array, elements, and what stands behind the array.

use std::io::Read;

use sterna_core::{code::Code, port::SourceError};

use super::{
    lenient,
    scan::{Scan, Step},
};
use crate::text::{Mistake, Node, Reader, keep_head, unreadable};

/// What the root says besides the users.
#[derive(Clone, Debug, Default)]
pub(super) struct Root {
    /// Its `userType`.
    pub(super) user_type: Option<String>,
    /// Whether it says that more pages follow.
    pub(super) goes_on: bool,
    /// The name of the array's member; empty when the document itself is the array.
    pub(super) array: String,
}

/// Longest member of the root that is looked at, in bytes.
const MEMBER_BYTES: usize = 64 * 1024;

/// One value of the document.
pub(super) enum Element {
    /// The reader holds its `0` bytes.
    Whole(usize),
    /// Longer than the bound, and taken: this is its head.
    TooLarge(Vec<u8>),
}

/// What follows in the array.
pub(super) enum Next {
    /// An element, at which the reader stands.
    Element,
    /// Its end, which has been taken.
    End,
}

/// Reads up to the first element of the array of users.
///
/// # Errors
/// E3007 when there is none, E3002 when the document is broken.
pub(super) fn find_array<R: Read>(reader: &mut Reader<R>) -> Result<Root, SourceError> {
    let mut root = Root::default();
    match skip_blank(reader)? {
        Some(b'[') => reader.take(1),
        Some(b'{') => {
            reader.take(1);
            if !members(reader, &mut root, true)? {
                return Err(no_users("the document's object has no array `Users`, `users` or `value`"));
            }
        }
        Some(_) => return Err(no_users("the document is neither a JSON object nor an array")),
        None => return Err(SourceError::new(Code::E3004, "the document holds nothing at all")),
    }
    Ok(root)
}

/// Goes to the next element; `first` when none was read before.
///
/// # Errors
/// E3002 when neither an element nor the end of the array follows.
pub(super) fn next_element<R: Read>(reader: &mut Reader<R>, first: bool) -> Result<Next, SourceError> {
    let mut byte = skip_blank(reader)?;
    if !first {
        match byte {
            Some(b',') => {
                reader.take(1);
                byte = skip_blank(reader)?;
            }
            Some(b']') => {}
            _ => return Err(broken(reader, "a comma or ] is missing")),
        }
    }
    match byte {
        Some(b']') => {
            reader.take(1);
            Ok(Next::End)
        }
        Some(b',' | b'}' | b':') => Err(broken(reader, "a user is missing")),
        Some(_) => Ok(Next::Element),
        None => Err(broken(reader, "the document breaks off")),
    }
}

/// Finds the end of the value at which the reader stands.
///
/// # Errors
/// E3002 when it has none.
pub(super) fn element<R: Read>(reader: &mut Reader<R>, limit: usize) -> Result<Element, SourceError> {
    let (begun, line) = (reader.offset(), reader.line());
    let mut scan = Scan::default();
    let mut seen = 0;
    let mut head: Option<Vec<u8>> = None;
    loop {
        let step = scan.feed(&reader.held()[seen..]);
        let length = match step {
            Step::End(at) => Some(seen + at),
            Step::Broken(at) => {
                let text =
                    format!("the value that begins at byte {begun} (line {line}) has a bracket of the wrong kind");
                return Err(broken_at(reader.offset_ahead(seen + at), &text));
            }
            Step::More => None,
        };
        seen = reader.held().len();
        let large = head.is_some() || length.unwrap_or(seen) > limit;
        if large {
            let piece = &reader.held()[..length.unwrap_or(seen)];
            keep_head(head.get_or_insert_default(), piece);
            reader.take(piece.len());
            seen = 0;
        }
        if let Some(length) = length {
            return Ok(head.map_or(Element::Whole(length), Element::TooLarge));
        }
        if !reader.more().map_err(unreadable)? {
            if scan.may_end() {
                return Ok(head.map_or(Element::Whole(seen), Element::TooLarge));
            }
            let text = format!("the document breaks off within the value that begins at byte {begun} (line {line})");
            return Err(broken_at(reader.offset_ahead(seen), &text));
        }
    }
}

/// Reads what stands behind the array, to the end of the document.
///
/// # Errors
/// E3002 when that is no end, or says that this is only a part of the users.
pub(super) fn tail<R: Read>(reader: &mut Reader<R>, root: &mut Root) -> Result<(), SourceError> {
    if !root.array.is_empty() && members(reader, root, false)? {
        return Err(broken(reader, "there is a second array of users"));
    }
    if skip_blank(reader)?.is_some() {
        return Err(broken(reader, "something follows the end of the document"));
    }
    if root.goes_on {
        let text = "the document is one page of a longer list: it has a nextLink";
        return Err(SourceError::new(Code::E3002, text)
            .hint("save the other pages too, as sources of their own, and take the nextLink out of each"));
    }
    Ok(())
}

/// Skips the rest of the array, of which at least one element has been taken, and reads what stands behind it.
///
/// # Errors
/// As the functions that read the elements one by one.
pub(super) fn scan_ahead<R: Read>(reader: &mut Reader<R>, root: &mut Root) -> Result<(), SourceError> {
    while let Next::Element = next_element(reader, false)? {
        if let Element::Whole(length) = element(reader, MEMBER_BYTES)? {
            reader.take(length);
        }
    }
    tail(reader, root)
}

/// Reads members of the root up to an array of users (`true`, the reader stands in it) or the root's end.
fn members<R: Read>(reader: &mut Reader<R>, root: &mut Root, mut first: bool) -> Result<bool, SourceError> {
    loop {
        let mut byte = skip_blank(reader)?;
        if byte == Some(b',') && !first {
            reader.take(1);
            byte = skip_blank(reader)?;
        } else if byte == Some(b'"') && !first {
            return Err(broken(reader, "a comma is missing"));
        }
        match byte {
            Some(b'}') => {
                reader.take(1);
                return Ok(false);
            }
            Some(b'"') => {}
            _ => return Err(broken(reader, "a member's name or } is missing")),
        }
        let name = small(reader)?.and_then(|node| node.literal().map(str::to_owned)).unwrap_or_default();
        if skip_blank(reader)? != Some(b':') {
            return Err(broken(reader, "a colon is missing"));
        }
        reader.take(1);
        let value = skip_blank(reader)?;
        let users = name.eq_ignore_ascii_case("users") || name == "value";
        match value {
            Some(b'[') if users => {
                reader.take(1);
                root.array = name;
                return Ok(true);
            }
            None | Some(b',' | b'}' | b']' | b':') => return Err(broken(reader, "a value is missing")),
            Some(_) => {}
        }
        let node = small(reader)?;
        let text = node.as_ref().and_then(Node::literal).filter(|text| !text.is_empty());
        if name.eq_ignore_ascii_case("usertype") {
            root.user_type = text.map(str::to_owned);
        }
        root.goes_on |= text.is_some() && name.trim_start_matches('@') == "odata.nextLink";
        first = false;
    }
}

/// Takes a value; `None` when it is too large or no JSON, which matters to nobody here.
fn small<R: Read>(reader: &mut Reader<R>) -> Result<Option<Node>, SourceError> {
    let Element::Whole(length) = element(reader, MEMBER_BYTES)? else { return Ok(None) };
    let node = std::str::from_utf8(&reader.held()[..length]).ok().and_then(|text| parse(text).ok());
    reader.take(length);
    Ok(node)
}

/// Reads JSON, with comments and trailing commas where it has any.
///
/// # Errors
/// As [`Node::parse`].
pub(super) fn parse(text: &str) -> Result<Node, Mistake> {
    Node::parse(text).or_else(|mistake| match mistake.code {
        Code::E3101 => Node::parse(&lenient::strict(text)),
        _ => Err(mistake),
    })
}

/// Takes blanks and comments, and shows the byte behind them.
fn skip_blank<R: Read>(reader: &mut Reader<R>) -> Result<Option<u8>, SourceError> {
    loop {
        let blank = reader.held().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        reader.take(blank);
        match reader.peek().map_err(unreadable)? {
            Some(b'/') => skip_comment(reader)?,
            Some(byte) if byte.is_ascii_whitespace() => {}
            other => return Ok(other),
        }
    }
}

fn skip_comment<R: Read>(reader: &mut Reader<R>) -> Result<(), SourceError> {
    while reader.held().len() < 2 && reader.more().map_err(unreadable)? {}
    let end: &[u8] = match reader.held().get(1) {
        Some(b'/') => b"\n",
        Some(b'*') => b"*/",
        _ => return Err(broken(reader, "a lone / stands here")),
    };
    let begun = reader.offset();
    reader.take(2);
    loop {
        if let Some(at) = memchr::memmem::find(reader.held(), end) {
            reader.take(at + end.len());
            return Ok(());
        }
        // The last byte may be the first half of the end.
        reader.take(reader.held().len().saturating_sub(end.len() - 1));
        if !reader.more().map_err(unreadable)? {
            if end == b"\n" {
                reader.take(reader.held().len());
                return Ok(());
            }
            return Err(broken_at(begun, "a comment begins and never ends"));
        }
    }
}

fn no_users(what: &str) -> SourceError {
    SourceError::new(Code::E3007, what)
        .hint("the forms are in docs/sources.md; one object per line is for the connector json-lines")
}

fn broken<R: Read>(reader: &Reader<R>, what: &str) -> SourceError {
    broken_at(reader.offset(), &format!("{what} (line {})", reader.line()))
}

fn broken_at(offset: u64, what: &str) -> SourceError {
    SourceError::new(Code::E3002, format!("the document has a mistake at byte {offset}: {what}"))
        .hint("what stands before it is kept; mend the document there and extract again")
}
