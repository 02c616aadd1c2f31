//! `csv`: rows and headers that are wrong.

use super::{check_all, file};

const KIND: &str = "csv";
const RIGHT: &str = "id,email\n1,a@x.org\n2,b@x.org\n3,c@x.org\n";

#[test]
fn a_row_that_is_wrong_costs_itself_only() {
    let with = |row: &str| format!("id,email\n1,a@x.org\n{row}\n3,c@x.org\n");
    check_all(vec![
        file(KIND, "too few fields", with("2")).keeps(2).rejects(&["E3105 line 3"]).mended(RIGHT, 3),
        file(KIND, "too many fields", with("2,b@x.org,more")).keeps(2).rejects(&["E3105 line 3"]).mended(RIGHT, 3),
        file(KIND, "a quote that is never closed", with("2,\"b@x.org"))
            .keeps(2)
            .rejects(&["E3105 line 3"])
            .mended(RIGHT, 3),
        file(KIND, "text behind a closing quote", with("2,\"b\"@x.org"))
            .keeps(2)
            .rejects(&["E3105 line 3"])
            .mended(RIGHT, 3),
        file(KIND, "no key", with(",b@x.org")).keeps(2).rejects(&["E3102 line 3"]).mended(RIGHT, 3),
        file(KIND, "a key twice", with("1,b@x.org"))
            .keeps(2)
            .rejects(&["E3103 after the first record with its key"])
            .mended(RIGHT, 3),
        file(KIND, "a NUL", with("2,b\0@x.org")).keeps(2).rejects(&["E3106 line 3"]).mended(RIGHT, 3),
        file(KIND, "a field of ten megabytes", with(&format!("2,{}", "b".repeat(10 << 20))))
            .keeps(2)
            .rejects(&["E3104 line 3"])
            .mended(RIGHT, 3),
        file(KIND, "a field over several lines", with("2,\"b\r\n\n@x.org\"")).keeps(3),
        file(KIND, "mixed line ends", "id,email\r\n1,a@x.org\n2,b@x.org\r\n3,c@x.org").keeps(3),
    ]);
}

#[test]
fn a_header_that_does_not_fit_is_told_with_the_columns_that_are_there() {
    check_all(vec![
        file(KIND, "an empty file", "").fails("E3004", "").mended(RIGHT, 3),
        file(KIND, "a column twice", "id,email,email\n1,a@x.org,\n").fails("E3005", "email").mended(RIGHT, 3),
        file(KIND, "no column for the key", "mail,name\na@x.org,x\n").fails("E3005", "mail, name").mended(RIGHT, 3),
        file(KIND, "a named column that is not there", "id,mail\n1,a@x.org\n")
            .with("[sources.legacy.columns]\nkey = \"id\"\nemail = \"email\"\n")
            .fails("E3005", "there is no column `email`; the columns are: id, mail")
            .mended(RIGHT, 3),
        file(KIND, "rows without a header", "1,a@x.org\n2,b@x.org\n").fails("E3005", "").mended(RIGHT, 3),
        file(KIND, "a header whose quote is never closed", "id,\"email\n1,a@x.org\n")
            .fails("E3005", "")
            .mended(RIGHT, 3),
        file(KIND, "a header alone", "id,email\n").keeps(0).mended(RIGHT, 3),
    ]);
}
