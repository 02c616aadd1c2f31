//! Which words stand where: SQL in the ledger, products in connectors and emulators, printing in `out`.

use super::{Page, none, pages};

fn sources(crates: &[&str]) -> Vec<Page> {
    crates.iter().flat_map(|name| pages(&format!("crates/{name}/src"), &[".rs"])).collect()
}

const ALL: &[&str] = &["core", "wire", "ledger", "connectors", "engine", "emulators", "app"];

/// Lines of code that `is_wrong`, but for files whose path begins with one of `allowed`.
fn check(crates: &[&str], allowed: &[&str], rule: &str, is_wrong: impl Fn(&str) -> bool) {
    let pages = sources(crates);
    assert!(!pages.is_empty(), "no sources in {crates:?}");
    let mut wrong = Vec::new();
    for page in pages.iter().filter(|page| !allowed.iter().any(|path| page.path.starts_with(path))) {
        wrong.extend(
            page.code()
                .filter(|(_, line)| is_wrong(line))
                .map(|(at, line)| format!("{}:{at}: {}", page.path, line.trim())),
        );
    }
    none(&wrong, rule);
}

fn has_word(line: &str, word: &str) -> bool {
    let line = line.to_lowercase();
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[test]
fn sql_on_our_own_data_stands_only_in_the_ledger() {
    const SQL: &[&str] =
        &["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "CREATE INDEX ", "rusqlite", "PRAGMA "];
    let crates: Vec<&str> = ALL.iter().copied().filter(|name| !["ledger", "connectors"].contains(name)).collect();
    check(&crates, &[], "SQL stands only in crates/ledger", |line| SQL.iter().any(|word| line.contains(word)));
}

#[test]
fn product_names_stand_only_in_connectors_and_emulators() {
    const PRODUCTS: &[&str] = &[
        "entra",
        "b2c",
        "azure",
        "okta",
        "auth0",
        "keycloak",
        "wso2",
        "cognito",
        "firebase",
        "zitadel",
        "authentik",
        "ory",
        "fusionauth",
        "pingone",
    ];
    // help and documentation name products as examples, the demo tells one product's story; what products demand of
    // passwords is data like their hash formats
    const ALLOWED: &[&str] =
        &["crates/core/src/code/catalogue.rs", "crates/core/src/password/", "crates/app/src/commands/"];
    let crates: Vec<&str> = ALL.iter().copied().filter(|name| !["connectors", "emulators"].contains(name)).collect();
    check(&crates, ALLOWED, "product names stand only in connectors and emulators", |line| {
        PRODUCTS.iter().any(|word| has_word(line, word))
    });
}

#[test]
fn printing_is_done_in_one_place() {
    const PRINTING: &[&str] = &["println!", "print!(", "io::stdout", "io::stderr", "dbg!("];
    check(
        ALL,
        &["crates/app/src/out/", "crates/app/src/logging.rs"],
        "printing is the app's alone, in `out`",
        |line| PRINTING.iter().any(|word| line.contains(word)),
    );
}

#[test]
fn nothing_is_left_to_do_in_the_code() {
    check(ALL, &[], "what is left to do is an issue", |line| {
        ["todo!", "unimplemented!"].iter().any(|w| line.contains(w))
    });
    // put together here, so that this file does not hold it
    let unfinished = ["TO", "DO"].concat();
    let wrong: Vec<String> =
        sources(ALL).into_iter().filter(|page| page.text.contains(&unfinished)).map(|page| page.path).collect();
    none(&wrong, "what is left to do is an issue");
}

#[test]
fn every_file_says_what_it_is_and_stays_small() {
    const LINES: usize = 800;
    let mut wrong = Vec::new();
    for page in pages("crates", &[".rs"]) {
        if !page.text.starts_with("//!") {
            wrong.push(format!("{} does not begin with `//!`", page.path));
        }
        let lines = page.text.lines().count();
        if lines > LINES {
            wrong.push(format!("{} has {lines} lines: a part of it wants a name of its own", page.path));
        }
    }
    none(&wrong, "each file says in a header what it is and where to start, and has at most 800 lines");
}
