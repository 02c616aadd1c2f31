//! `docs/password-hashes.md` says what the code does.

use sterna_core::password::formats::{FormatTable, all};

#[test]
fn the_document_holds_the_table_of_formats_as_the_code_has_it() {
    let document = include_str!("../../../../../docs/password-hashes.md");
    let table = FormatTable.to_string();
    assert!(document.contains(&table), "put this into docs/password-hashes.md:\n{table}");
    let count = format!("{} formats", all().count());
    assert!(document.contains(&count), "{count}");
}
