//! Files in another encoding than stated, and bytes that are no text.

use super::{check_all, file, utf16, western};
use crate::scenario::local;

#[test]
fn a_file_in_another_encoding_than_stated_is_told() {
    let rows = "id,email\n1,a@x.org\n2,b@x.org\n";
    let lines = format!("{}\n{}\n", local("1"), local("2"));
    let users = r#"[{"signInName":"a@x.org"},{"signInName":"b@x.org"}]"#;
    check_all(vec![
        file("csv", "UTF-16 stated as UTF-8", utf16(rows))
            .with("encoding = \"utf-8\"")
            .fails("E3003", "")
            .mended(rows, 2),
        file("csv", "UTF-8 stated as UTF-16", rows)
            .with("encoding = \"utf-16\"")
            .fails("E3003", "")
            .mended(utf16(rows), 2),
        file("json-lines", "UTF-16 lines stated as UTF-8", utf16(&lines))
            .with("encoding = \"utf-8\"")
            .fails("E3003", "")
            .mended(&lines, 2),
        file("b2c-users-file", "a UTF-16 document stated as UTF-8", utf16(users))
            .with("encoding = \"utf-8\"")
            .fails("E3003", "")
            .mended(users, 2),
        file("b2c-users-file", "a UTF-16 document, detected", utf16(users)).keeps(2),
    ]);
}

#[test]
fn bytes_that_are_no_text_cost_their_record_only() {
    let umlauts = "id,email,display_name\n1,a@x.org,J\u{fc}rgen\n2,b@x.org,Bo\n";
    let document = "[{\"signInName\":\"a@x.org\",\"displayName\":\"J\u{fc}rgen\"},{\"signInName\":\"b@x.org\"}]";
    let line = |name: &[u8]| [br#"{"id":"1","display_name":""#, name, b"\"}\n", local("2").as_bytes(), b"\n"].concat();
    let mut lone = utf16("id,email\n1,a");
    lone.extend([0x00, 0xd8]);
    lone.extend(utf16("\n2,b@x.org\n"));
    let mut odd = utf16("id,email\n1,a@x.org\n");
    odd.push(b'x');
    check_all(vec![
        file("csv", "umlauts of Windows-1252 stated as UTF-8", western(umlauts))
            .with("encoding = \"utf-8\"")
            .keeps(1)
            .rejects(&["E3106 line 2"])
            .mended(umlauts, 2),
        file("csv", "umlauts of Windows-1252, detected", western(umlauts)).keeps(2),
        file("b2c-users-file", "a document of Windows-1252 stated as UTF-8", western(document))
            .with("encoding = \"utf-8\"")
            .keeps(1)
            .rejects(&["E3106 byte 1, [0]"])
            .mended(document, 2),
        file("json-lines", "an invalid byte in a line", line(b"\xff"))
            .with("encoding = \"utf-8\"")
            .keeps(1)
            .rejects(&["E3106 line 1"])
            .mended(line(b"x"), 2),
        file("json-lines", "half of a pair in UTF-8", line(b"\xed\xa0\x80"))
            .with("encoding = \"utf-8\"")
            .keeps(1)
            .rejects(&["E3106 line 1"])
            .mended(line(b"x"), 2),
        file("json-lines", "a letter written too long", line(b"\xc0\xaf"))
            .with("encoding = \"utf-8\"")
            .keeps(1)
            .rejects(&["E3106 line 1"])
            .mended(line(b"x"), 2),
        file("csv", "half of a pair in UTF-16", lone)
            .with("encoding = \"utf-16le\"")
            .keeps(1)
            .rejects(&["E3106 line 2"]),
        file("csv", "UTF-16 with a byte too many", odd)
            .with("encoding = \"utf-16le\"")
            .keeps(1)
            .rejects(&["E3105 line 3"]),
    ]);
}
