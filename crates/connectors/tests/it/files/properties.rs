//! For any input: no panic, nothing lost, nothing doubled, however the text is cut.

use proptest::prelude::*;
use sterna_connectors::{
    b2c_users_file::{self, UsersFile},
    delimited::{self, Delimited, Options},
    json_lines::{self, JsonLines, Shape},
    text::{Columns, Form, read_all},
};
use sterna_core::port::Record;

use super::print;

fn csv() -> Delimited {
    let options = Options { delimiter: Some(b','), quote: Some(b'"'), unescape_formulas: false, limit: 1_024 };
    Delimited::new(Columns::default(), options)
}

fn story(mut form: impl Form, text: &[u8], chunk: usize) -> (Vec<String>, Option<String>) {
    let (records, error) = read_all(&mut form, text, chunk);
    (records.iter().map(print).collect(), error.map(|error| format!("{} {}", error.code, error.message)))
}

/// Pieces that make parsers stumble, in any order.
fn awkward() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"{".to_vec()),
        Just(b"}".to_vec()),
        Just(b"[".to_vec()),
        Just(b"]".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\"\"".to_vec()),
        Just(b",".to_vec()),
        Just(b":".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"//".to_vec()),
        Just(b"/*".to_vec()),
        Just(b"*/".to_vec()),
        Just(b"{\"Users\":[".to_vec()),
        Just(b"{\"signInName\":\"a\"}".to_vec()),
        Just(b"id,email\n1,a".to_vec()),
        Just("é😀".as_bytes().to_vec()),
        Just(vec![0]),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in awkward(), raw in proptest::collection::vec(any::<u8>(), 0..200)) {
        for bytes in [&bytes, &raw] {
            b2c_users_file::read_document(bytes);
            delimited::read_rows(bytes);
            json_lines::read_line(bytes);
        }
    }

    #[test]
    fn how_the_text_is_cut_changes_nothing(bytes in awkward(), chunk in 1_usize..20) {
        // The bound decides by what is held when it is passed; these texts are shorter than any bound.
        prop_assert_eq!(story(csv(), &bytes, chunk), story(csv(), &bytes, 10_000));
        let users = || UsersFile::new(None, 4_096);
        prop_assert_eq!(story(users(), &bytes, chunk), story(users(), &bytes, 10_000));
        let lines = || JsonLines::new(Shape::Account, 4_096);
        prop_assert_eq!(story(lines(), &bytes, chunk), story(lines(), &bytes, 10_000));
    }

    #[test]
    fn every_line_is_one_record(lines in proptest::collection::vec("[ -~é]{0,30}", 0..20), chunk in 1_usize..40) {
        let wanted = lines.iter().filter(|line| !line.trim().is_empty()).count();
        let text = lines.join("\n");
        let (records, error) = read_all(&mut JsonLines::new(Shape::Account, 1_024), text.as_bytes(), chunk);
        prop_assert!(error.is_none());
        prop_assert_eq!(records.len(), wanted);
    }

    #[test]
    fn every_row_comes_once_whatever_its_fields_hold(
        fields in proptest::collection::vec("[a-zé,;\"\n\r']{0,12}", 1..30), chunk in 1_usize..40,
    ) {
        let rows = fields.iter().enumerate();
        let rows: Vec<_> = rows.map(|(id, field)| format!("{id},\"{}\"\n", field.replace('"', "\"\""))).collect();
        let (records, error) = read_all(&mut csv(), format!("id,note\n{}", rows.concat()).as_bytes(), chunk);
        prop_assert!(error.is_none());
        prop_assert_eq!(records.len(), fields.len());
        for (record, (id, field)) in records.iter().zip(fields.iter().enumerate()) {
            let Record::Account(account) = record else { panic!("{}", print(record)) };
            prop_assert_eq!(account.key.as_str(), id.to_string());
            let note = account.profile.attributes.get("note").and_then(|note| note.as_str()).unwrap_or_default();
            prop_assert_eq!(note, field);
        }
    }

    #[test]
    fn every_element_comes_once_whatever_its_texts_hold(
        names in proptest::collection::vec(".{1,12}", 1..30), chunk in 1_usize..40, comma in any::<bool>(),
    ) {
        let element = |name: &String| serde_json::json!({"signInName": name}).to_string();
        let elements: Vec<String> = names.iter().map(element).collect();
        let text = format!("{{\"Users\":[{}{}]}}", elements.join(",/*[*/"), if comma { "," } else { "" });
        let (records, error) = read_all(&mut UsersFile::new(None, 1_024), text.as_bytes(), chunk);
        prop_assert!(error.is_none(), "{error:?}");
        prop_assert_eq!(records.len(), names.len());
        for (record, name) in records.iter().zip(&names) {
            let read = matches!(record, Record::Account(account) if super::identities(account)[0].ends_with(name.as_str()));
            prop_assert!(read || name.contains('\0'), "{}", print(record));
        }
    }
}
