//! `b2c-users-file`: broken documents of all three shapes, and users that are wrong.

use super::{FileCase, check_all, file};

const KIND: &str = "b2c-users-file";

const ROWS: &str = r#"{"userType":"emailAddress","Users":[{"signInName":"a@x.org"},{"signInName":"b@x.org"},{"signInName":"c@x.org"}]}"#;
const GRAPH: &str = r#"{"users":[{"id":"1","identities":[{"signInType":"emailAddress","issuerAssignedId":"a@x.org"}]},{"id":"2","identities":[{"signInType":"emailAddress","issuerAssignedId":"b@x.org"}]}]}"#;
const LEGACY: &str = r#"[{"objectId":"1","signInNames":[{"type":"emailAddress","value":"a@x.org"}]},{"objectId":"2","signInNames":[{"type":"emailAddress","value":"b@x.org"}]}]"#;

/// A document that breaks off at a byte.
fn cut(name: &'static str, whole: &str, at: usize, keeps: u64, total: u64) -> FileCase {
    file(KIND, name, &whole[..at])
        .keeps(keeps)
        .fails("E3002", "the document has a mistake at byte")
        .mended(whole, total)
}

/// A document with one byte replaced.
fn changed(name: &'static str, whole: &str, (at, by): (usize, &str), keeps: u64, words: &'static str) -> FileCase {
    let broken = format!("{}{by}{}", &whole[..at], &whole[at + 1..]);
    file(KIND, name, broken).keeps(keeps).fails("E3002", words).mended(whole, 3)
}

#[test]
fn a_document_of_rows_that_breaks_off_keeps_what_stands_before() {
    let last = ROWS.len();
    check_all(vec![
        cut("rows, within the first key", ROWS, 5, 0, 3),
        cut("rows, before the list", ROWS, 35, 0, 3),
        cut("rows, within the first user", ROWS, 50, 0, 3),
        cut("rows, behind the first comma", ROWS, 62, 1, 3),
        cut("rows, within the last user", ROWS, last - 8, 2, 3),
        cut("rows, before the list's end", ROWS, last - 2, 3, 3),
        cut("rows, before the document's end", ROWS, last - 1, 3, 3),
    ]);
}

#[test]
fn documents_of_the_other_shapes_that_break_off_keep_what_stands_before() {
    check_all(vec![
        cut("graph users, within the second", GRAPH, GRAPH.len() - 12, 1, 2),
        cut("graph users, before the end", GRAPH, GRAPH.len() - 1, 2, 2),
        cut("legacy users, within the first", LEGACY, 30, 0, 2),
        cut("legacy users, within the second", LEGACY, LEGACY.len() - 12, 1, 2),
        cut("legacy users, before the end", LEGACY, LEGACY.len() - 1, 2, 2),
    ]);
}

#[test]
fn a_syntax_error_names_its_byte_and_keeps_what_stands_before() {
    let comma = ROWS.find("},{").unwrap() + 1;
    let (end, list_end) = (ROWS.len() - 1, ROWS.len() - 2);
    check_all(vec![
        changed("a comma is missing", ROWS, (comma, " "), 1, "byte 61"),
        changed("a colon in place of a comma", ROWS, (comma, ":"), 1, "byte 60"),
        changed("two commas", ROWS, (comma, ",,"), 1, "byte 61"),
        changed("a brace in place of the bracket", ROWS, (list_end, "}"), 3, "byte 110"),
        changed("something behind the end", ROWS, (end, "} x"), 3, "byte 113"),
        changed("a comment that never ends", ROWS, (end, "/*"), 3, "byte"),
    ]);
}

#[test]
fn a_user_that_is_wrong_costs_itself_only() {
    let identities = |count: usize| {
        let one = |n| format!(r#"{{"signInType":"federated","issuer":"i{n}.com","issuerAssignedId":"{n}"}}"#);
        let all: Vec<_> = (0..count).map(one).collect();
        format!(r#"{{"users":[{{"id":"1","identities":[{}]}}]}}"#, all.join(","))
    };
    let legacy = |subject: &str| {
        format!(
            r#"[{{"objectId":"1","userIdentities":[{{"issuer":"f.com","issuerUserId":"{subject}"}}]}},{{"objectId":"2","signInNames":[{{"type":"userName","value":"b"}}]}}]"#
        )
    };
    let rows = |rows: &str| format!(r#"{{"userType":"emailAddress","Users":[{rows}]}}"#);
    let (a, b) = (r#"{"signInName":"a@x.org"}"#, r#"{"signInName":"b@x.org"}"#);
    check_all(vec![
        file(KIND, "invalid base64", legacy("***")).keeps(1).rejects(&["E3107 byte 1, [0]"]).mended(legacy("MTIz"), 2),
        file(KIND, "base64 without its padding", legacy("MTIzNA"))
            .keeps(1)
            .rejects(&["E3107 byte 1, [0]"])
            .mended(legacy("MTIzNA=="), 2),
        file(KIND, "eleven identities are read, and judged by plan", identities(11)).keeps(1),
        file(KIND, "two users with one name", rows(&format!("{a},{b},{a}")))
            .keeps(2)
            .rejects(&["E3103 after the first record with its key"])
            .mended(rows(&format!("{a},{b}")), 2),
        file(
            KIND,
            "two users with one name, apart by case",
            rows(r#"{"signInName":"a@x.org"},{"signInName":"A@X.org"}"#),
        )
        .keeps(1)
        .rejects(&["E3103 after the first record with its key"]),
        file(KIND, "a member twice", rows(&format!(r#"{{"signInName":"a@x.org","signInName":"c@x.org"}},{b}"#)))
            .keeps(1)
            .rejects(&["E3109 byte 36, Users[0]"])
            .mended(rows(&format!("{a},{b}")), 2),
        file(KIND, "a name that is no text", rows(&format!(r#"{{"signInName":[5]}},{b}"#)))
            .keeps(1)
            .rejects(&["E3108 byte 36, Users[0]"])
            .mended(rows(&format!("{a},{b}")), 2),
        file(KIND, "no user at all among the users", rows(&format!("null,7,[],{b}"))).keeps(1).rejects(&[
            "E3108 byte 36, Users[0]",
            "E3108 byte 41, Users[1]",
            "E3108 byte 43, Users[2]",
        ]),
        file(KIND, "a user without a name", rows(&format!(r#"{{"displayName":"nobody"}},{b}"#)))
            .keeps(1)
            .rejects(&["E3102 byte 36, Users[0]"]),
    ]);
}

#[test]
fn values_beyond_all_measure_cost_their_user_only() {
    let good = r#"{"signInName":"b@x.org"}"#;
    let rows = |first: String| format!(r#"{{"userType":"emailAddress","Users":[{first},{good}]}}"#);
    let with = |value: &str| rows(format!(r#"{{"signInName":"a@x.org","displayName":{value}}}"#));
    let nested =
        |depth: usize| rows(format!(r#"{{"signInName":"a@x.org","n":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth)));
    check_all(vec![
        file(KIND, "a field of ten megabytes", with(&format!("\"{}\"", "x".repeat(10 << 20))))
            .keeps(1)
            .rejects(&["E3104 byte 36, Users[0]"])
            .mended(with("\"x\""), 2),
        file(KIND, "an escaped NUL", with(r#""a\u0000b""#))
            .keeps(1)
            .rejects(&["E3106 byte 36, Users[0]"])
            .mended(with("\"ab\""), 2),
        file(KIND, "a bare NUL", with("\"a\0b\""))
            .keeps(1)
            .rejects(&["E3106 byte 36, Users[0]"])
            .mended(with("\"ab\""), 2),
        file(KIND, "half of an escaped pair", with(r#""\ud83d""#))
            .keeps(1)
            .rejects(&["E3101 byte 36, Users[0]"])
            .mended(with(r#""\ud83d\ude00""#), 2),
        file(KIND, "nested two hundred levels deep", nested(200))
            .keeps(1)
            .rejects(&["E3101 byte 36, Users[0]"])
            .mended(nested(2), 2),
        file(KIND, "nested a million levels deep", nested(1_000_000))
            .keeps(1)
            .rejects(&["E3104 byte 36, Users[0]"])
            .mended(nested(2), 2),
        file(
            KIND,
            "a number with ten thousand digits",
            rows(format!(r#"{{"signInName":"a@x.org","n":{}}}"#, "9".repeat(10_000))),
        )
        .keeps(2),
    ]);
}

#[test]
fn documents_that_are_none_are_told() {
    check_all(vec![
        file(KIND, "an empty file", "").fails("E3004", "").mended(ROWS, 3),
        file(KIND, "a byte-order mark alone", "\u{feff}").fails("E3004", "").mended(ROWS, 3),
        file(KIND, "an object without users", "{}").fails("E3007", "").mended(ROWS, 3),
        file(KIND, "a table in place of a document", "id;name\n1;a@x.org\n").fails("E3007", "").mended(ROWS, 3),
        file(KIND, "an error of the directory saved as a file", r#"{"odata.error":{"code":"x"}}"#).fails("E3007", "").mended(ROWS, 3),
        file(KIND, "the first page only", r#"{"odata.metadata":"m","value":[{"objectId":"1","signInNames":[{"type":"userName","value":"a"}]}],"odata.nextLink":"x"}"#).keeps(1).fails("E3002", "nextLink"),
    ]);
}
