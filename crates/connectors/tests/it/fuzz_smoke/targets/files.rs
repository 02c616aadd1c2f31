//! The file sources: nothing is lost or doubled however the text is cut, and every reject is bounded.

use std::collections::HashSet;

use sterna_connectors::{
    b2c_users_file::UsersFile,
    delimited::{Delimited, Options},
    json_lines::{JsonLines, Shape, read_line},
    text::{Columns, Detected, Encoding, Form, Node, Reader, Stated, detect, read_all},
};
use sterna_core::{
    codec,
    port::{REJECT_BYTES, Record},
};

/// Most bytes of one input that are looked at.
const INPUT: usize = 16 << 10;

fn csv(limit: usize) -> Delimited {
    let options = Options { delimiter: None, quote: Some(b'"'), unescape_formulas: true, limit };
    Delimited::new(Columns::default(), options)
}

/// What a reading comes to, so that two can be compared; and that each record is bounded and none comes twice.
fn story(mut form: impl Form, bytes: &[u8], chunk: usize) -> Vec<String> {
    let (records, error) = read_all(&mut form, bytes, chunk);
    assert!(records.len() <= bytes.len(), "more records than bytes");
    let mut positions = HashSet::new();
    let mut told: Vec<String> = Vec::with_capacity(records.len() + 1);
    for record in &records {
        told.push(match record {
            Record::Account(account) => sealed(account),
            Record::Excluded(account, code) => format!("{code} {}", sealed(account)),
            Record::Rejected(rejected) => {
                assert!(rejected.raw.len() <= REJECT_BYTES, "a reject is bounded");
                // lines are counted by LF: rows that a lone CR ends share a number
                let known = !positions.insert(rejected.position.as_str());
                assert!(!known || bytes.contains(&b'\r'), "{} comes twice", rejected.position);
                format!("{rejected:?}")
            }
        });
    }
    told.extend(error.map(|error| format!("{} {}", error.code, error.message)));
    told
}

fn sealed(account: &sterna_core::account::Account) -> String {
    codec::encode(account).map_or_else(|error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the input, whose first byte says where it is cut, twice; short bounds are tried too, for their own sake.
pub(super) fn however_cut<F: Form>(data: &[u8], form: fn(usize) -> F) {
    let Some((chunk, bytes)) = data.split_first() else { return };
    let bytes = &bytes[..bytes.len().min(INPUT)];
    let chunk = usize::from(*chunk) + 1;
    // The bound decides by what is held when it is passed: it is longer than the input where two ways are compared.
    assert_eq!(story(form(4 * INPUT), bytes, chunk), story(form(4 * INPUT), bytes, INPUT), "cut into {chunk}");
    story(form(48), bytes, chunk);
}

/// The document of B2C users.
pub(super) fn b2c(data: &[u8]) {
    however_cut(data, |limit| UsersFile::new(None, limit));
    elements_come_once(data);
}

/// Every value that is JSON by itself comes out once as an element, whatever stands between.
fn elements_come_once(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let values: Vec<&str> = lines.filter(|line| Node::parse(line).is_ok()).take(50).collect();
    let document = format!("{{\"users\":[{}/*]*/]}}", values.join(",\n// ]\n"));
    let (records, error) = read_all(&mut UsersFile::new(None, 4 * INPUT), document.as_bytes(), 7);
    assert!(error.is_none(), "{error:?} in {document}");
    assert_eq!(records.len(), values.len(), "{document}");
}

/// Rows of CSV.
pub(super) fn csv_rows(data: &[u8]) {
    however_cut(data, csv);
}

/// Fields of any text, written by the rules of RFC 4180, come back as they were.
pub(super) fn csv_fields(data: &[u8]) {
    let Some((chunk, bytes)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(&bytes[..bytes.len().min(INPUT)]) else { return };
    if text.contains(['\0', '\u{feff}']) {
        return;
    }
    let fields: Vec<&str> = text.split('\u{1}').collect();
    let row = |(at, field): (usize, &&str)| format!("{at},\"{}\"\r\n", field.replace('"', "\"\""));
    let file = format!("id,note\r\n{}", fields.iter().enumerate().map(row).collect::<String>());
    let options = Options { delimiter: Some(b','), quote: Some(b'"'), unescape_formulas: false, limit: 4 * INPUT };
    let mut form = Delimited::new(Columns::default(), options);
    let (records, error) = read_all(&mut form, file.as_bytes(), usize::from(*chunk) + 1);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(records.len(), fields.len());
    for ((at, field), record) in fields.iter().enumerate().zip(&records) {
        let Record::Account(account) = record else { panic!("{record:?}") };
        assert_eq!(account.key.as_str(), at.to_string());
        let note = account.profile.attributes.get("note").and_then(|note| note.as_str());
        let nothing = field.is_empty() || ["NULL", "\\N"].contains(field);
        assert!(note == Some(field) || nothing || field.trim().len() < field.len(), "{note:?} {field:?}");
    }
}

/// Lines of JSON: one record each, in the account form or by fields.
pub(super) fn json_lines(data: &[u8]) {
    however_cut(data, |limit| JsonLines::new(Shape::Either(Columns::default()), limit));
    let Ok(text) = std::str::from_utf8(&data[..data.len().min(INPUT)]) else { return };
    let plain = detect(text.as_bytes(), Stated::Auto);
    if plain.is_ok_and(|plain| plain.encoding == Encoding::Utf8 && plain.mark == 0) {
        let lines = text.split('\n').filter(|line| !line.trim_ascii().is_empty()).count();
        let (records, error) = read_all(&mut JsonLines::new(Shape::Account, 4 * INPUT), text.as_bytes(), 64);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(records.len(), lines, "one record for each line");
    }
}

/// One line in the account form, and one JSON value: read, printed and read again they are the same.
pub(super) fn account_form(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    if let Record::Account(account) = read_line(data)
        && let Ok(bytes) = codec::encode(&account)
    {
        let back = codec::decode(&bytes).expect("what was encoded is decoded");
        assert_eq!(codec::encode(&back).expect("and encoded again").as_slice(), bytes.as_slice());
    }
    let Ok(node) = std::str::from_utf8(data).map_err(drop).and_then(|text| Node::parse(text).map_err(drop)) else {
        return;
    };
    let value = node.into_value();
    let printed = value.to_string();
    let again = Node::parse(&printed).expect("what was printed is read").into_value();
    assert_eq!(again, value, "{printed}");
}

/// Bytes as text: the same whatever the chunks, of one length in the file, and never more than three times as long.
pub(super) fn decoding(data: &[u8]) {
    let Some(([chunk, stated], bytes)) = data.split_first_chunk::<2>() else { return };
    let bytes = &bytes[..bytes.len().min(INPUT)];
    let word = Stated::WORDS[usize::from(*stated) % Stated::WORDS.len()];
    let Ok(Detected { encoding, mark, .. }) = detect(bytes, Stated::from_word(word)) else { return };
    let body = &bytes[mark..];
    let (mut raw, mut whole) = (body.to_vec(), Vec::new());
    encoding.decode(&mut raw, &mut whole, true);
    assert!(raw.is_empty(), "at the end nothing is left over");
    assert!(whole.len() <= 3 * body.len() + 1);
    let mut reader = Reader::new(body, encoding, mark as u64, 1).with_chunk(usize::from(*chunk) + 1);
    while reader.more().expect("memory can be read") {}
    assert_eq!(reader.held(), whole, "{encoding:?} cut into {chunk}");
    if encoding != Encoding::Utf8 {
        assert_eq!(encoding.source_bytes(&whole), body.len() as u64, "{encoding:?}");
    }
    reader.take(whole.len());
    assert_eq!(reader.offset(), bytes.len() as u64, "the offset is the file's own");
}
