//! Documentation and tests: links lead somewhere, no test file is forgotten, nothing of one machine is written down.

use super::{none, pages, root};

const TEXTS: &[&str] = &[".md", ".rs", ".toml", ".sh", "Makefile", "run", ".json", ".js", ".mjs", ".yaml", ".yml"];

#[test]
fn links_in_documentation_lead_somewhere() {
    let root = root();
    let mut wrong = Vec::new();
    for page in pages("", &[".md"]) {
        let folder = root.join(&page.path).parent().unwrap().to_owned();
        for link in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            if !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:") && !folder.join(path).exists()
            {
                wrong.push(format!("{}: {link}", page.path));
            }
        }
    }
    none(&wrong, "links in documentation lead to files that exist");
}

#[test]
fn pages_that_are_named_anywhere_exist() {
    let root = root();
    let mut wrong = Vec::new();
    for page in pages("", &[".md", ".rs", ".toml", ".sh", "Makefile"]) {
        for (at, _) in page.text.match_indices("docs/") {
            let is_path =
                page.text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"/._-".contains(c));
            let name: String =
                page.text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "/._-".contains(*c)).collect();
            let name = name.trim_end_matches('.');
            if is_path && name.contains('.') && !root.join(name).exists() {
                wrong.push(format!("{}: {name}", page.path));
            }
        }
    }
    none(&wrong, "pages that are named exist");
}

#[test]
fn no_test_file_is_forgotten() {
    let mut wrong = Vec::new();
    for page in pages("crates", &["/main.rs"]).iter().filter(|page| page.path.ends_with("/tests/it/main.rs")) {
        let folder = page.path.trim_end_matches("main.rs");
        for file in pages(folder, &[".rs"]) {
            let rest = &file.path[folder.len()..];
            let module = rest.strip_suffix("/mod.rs").or(rest.strip_suffix(".rs")).unwrap();
            if !module.contains('/') && module != "main" && !page.text.contains(&format!("mod {module};")) {
                wrong.push(file.path);
            }
        }
    }
    none(&wrong, "every file in tests/it is a module of its main.rs");
}

#[test]
fn nothing_of_one_machine_is_written_down() {
    // put together here, so that this file does not hold them
    let paths = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"]].map(|parts| parts.concat());
    let mut wrong = Vec::new();
    for page in pages("", TEXTS).iter().filter(|page| !page.path.ends_with("package-lock.json")) {
        for (at, line) in page.text.lines().enumerate() {
            if paths.iter().any(|path| line.contains(path.as_str()) && !line.contains("://")) {
                wrong.push(format!("{}:{}: {}", page.path, at + 1, line.trim()));
            }
        }
    }
    none(&wrong, "no path of one machine");
}
