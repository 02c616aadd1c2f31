//! `json-lines`: lines that are wrong, and files that are none.

use super::{check_all, file};
use crate::scenario::local;

const KIND: &str = "json-lines";

/// A file with this line between two right ones.
fn among(line: &str) -> String {
    format!("{}\n{line}\n{}\n", local("first"), local("last"))
}

#[test]
fn a_line_that_is_wrong_costs_itself_only() {
    let mended = || among(&local("b"));
    check_all(vec![
        file(KIND, "an object that is cut off", among(r#"{"id":"b""#))
            .keeps(2)
            .rejects(&["E3101 line 2"])
            .mended(mended(), 3),
        file(KIND, "two objects on a line", among(r#"{"id":"b"}{"id":"c"}"#))
            .keeps(2)
            .rejects(&["E3101 line 2"])
            .mended(mended(), 3),
        file(KIND, "a list as a line", among(r#"[{"id":"b"}]"#))
            .keeps(2)
            .rejects(&["E3108 line 2"])
            .mended(mended(), 3),
        file(KIND, "a member that is not known", among(r#"{"id":"b","mail":"b@x.org"}"#))
            .keeps(2)
            .rejects(&["E3108 line 2"])
            .mended(mended(), 3),
        file(KIND, "a member twice", among(r#"{"id":"b","id":"c"}"#))
            .keeps(2)
            .rejects(&["E3109 line 2"])
            .mended(mended(), 3),
        file(KIND, "a duplicate id", among(&local("first")))
            .keeps(2)
            .rejects(&["E3103 after the first record with its key"])
            .mended(mended(), 3),
        file(KIND, "neither id nor name", among(r#"{"display_name":"nobody"}"#))
            .keeps(2)
            .rejects(&["E3102 line 2"])
            .mended(mended(), 3),
        file(KIND, "a password that is bare text", among(r#"{"id":"b","password":"b@x.org"}"#))
            .keeps(2)
            .rejects(&["E3108 line 2"])
            .mended(mended(), 3),
    ]);
}

#[test]
fn values_beyond_all_measure_cost_their_line_only() {
    let title = |value: &str| among(&format!(r#"{{"id":"b","title":"{value}"}}"#));
    let attribute = |value: &str| among(&format!(r#"{{"id":"b","attributes":{{"n":{value}}}}}"#));
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    check_all(vec![
        file(KIND, "a field of ten megabytes", title(&"x".repeat(10 << 20)))
            .keeps(2)
            .rejects(&["E3104 line 2"])
            .mended(title("x"), 3),
        file(KIND, "an escaped NUL", title("a\\u0000")).keeps(2).rejects(&["E3106 line 2"]).mended(title("a"), 3),
        file(KIND, "a bare NUL", title("a\0")).keeps(2).rejects(&["E3106 line 2"]).mended(title("a"), 3),
        file(KIND, "half of an escaped pair", title("\\ud800"))
            .keeps(2)
            .rejects(&["E3101 line 2"])
            .mended(title("a"), 3),
        file(KIND, "nested too deep", attribute(&deep))
            .keeps(2)
            .rejects(&["E3101 line 2"])
            .mended(attribute("[[1]]"), 3),
        file(KIND, "a number beyond every type", attribute("1e999")).keeps(3),
        file(KIND, "a number with ten thousand digits", attribute(&"9".repeat(10_000))).keeps(3),
    ]);
}

#[test]
fn files_that_begin_or_end_oddly_lose_nobody() {
    let (first, last) = (local("first"), local("last"));
    let half = &last[..last.len() - 9];
    let both = format!("{first}\n{last}\n");
    check_all(vec![
        file(KIND, "an empty file", "").fails("E3004", "").mended(&both, 2),
        file(KIND, "blank lines and nothing else", "\n\r\n \n").fails("E3004", "").mended(&both, 2),
        file(KIND, "a last line that is cut off", format!("{first}\n{half}"))
            .keeps(1)
            .rejects(&["E3101 line 2"])
            .mended(&both, 2),
        file(KIND, "a last line without its end", format!("{first}\n{last}")).keeps(2),
        file(KIND, "blank lines and mixed line ends", format!("\n\r\n{first}\r\n\n{last}\n\n")).keeps(2),
        file(KIND, "a byte-order mark in the middle", format!("{first}\n\u{feff}{last}\n"))
            .keeps(1)
            .rejects(&["E3101 line 2"])
            .mended(&both, 2),
        file(KIND, "one list over all lines", format!("[\n{first},\n{last}\n]\n"))
            .rejects(&["E3101 line 1", "E3101 line 2", "E3101 line 4"])
            .keeps(1)
            .mended(&both, 2),
    ]);
}
