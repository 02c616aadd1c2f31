//! Rules of the repository that concern these crates.

use std::path::Path;

fn manifest(of: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(of).join("Cargo.toml");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn emulators_and_their_plumbing_know_neither_core_nor_ledger_nor_connectors() {
    for package in ["wire", "emulators"] {
        let manifest = manifest(package);
        let own = manifest.lines().filter(|line| line.starts_with("sterna-")).collect::<Vec<_>>();
        let allowed: &[&str] = if package == "wire" { &[] } else { &["sterna-wire.workspace = true"] };
        assert_eq!(own, allowed, "{package}: a mistake that is shared with the connectors would be hidden");
    }
}

#[test]
fn no_file_of_this_suite_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{name} is not run");
    }
}
