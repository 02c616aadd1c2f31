//! What may depend on what (ARCHITECTURE.md, the picture).

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use toml::Table;

use super::{none, pages, root};

/// Each crate and the crates of ours that it may name. A new crate has to be decided here.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("wire", &[]),
    ("ledger", &["core"]),
    ("connectors", &["core"]),
    ("engine", &["core", "ledger"]),
    ("emulators", &["wire"]),
    ("serve", &["core", "ledger", "wire"]),
    ("app", &["core", "ledger", "connectors", "engine", "serve", "emulators", "wire"]),
    // measures the others and is part of nothing
    ("bench", &["core", "ledger", "connectors", "serve", "wire"]),
];

/// What core may not even depend on by others: runtimes, networks, SQL, TLS.
const NOT_IN_CORE: &[&str] =
    &["tokio", "async-std", "smol", "reqwest", "hyper", "axum", "rusqlite", "tokio-postgres", "sqlx", "rustls", "mio"];

/// What nothing may depend on, and why.
const NOWHERE: &[(&str, &str)] = &[
    ("ring", "aws-lc-rs is the one cryptography library"),
    ("openssl-sys", "needs the system's OpenSSL; rustls is the one TLS library"),
    ("native-tls", "rustls is the one TLS library"),
    ("rsa", "its private-key operations are not constant time (RUSTSEC-2023-0071)"),
];

fn manifests() -> BTreeMap<String, Table> {
    let manifests = pages("crates", &["/Cargo.toml"]).into_iter();
    manifests.map(|page| (page.path.split('/').nth(1).unwrap().to_owned(), page.text.parse().unwrap())).collect()
}

/// The names of everything that is built for `package`, itself included; tests' own dependencies are left out.
fn built(package: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["tree", "--offline", "--prefix", "none", "--edges", "normal,build"]).args(package);
    let output = command.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn each_crate_names_only_the_crates_below_it() {
    let mut wrong = Vec::new();
    for (folder, manifest) in manifests() {
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == folder) else {
            wrong.push(format!("crates/{folder} has no line in MAY_NAME"));
            continue;
        };
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for name in dependencies.into_iter().flat_map(|table| table.keys()) {
            if let Some(ours) = name.strip_prefix("sterna-")
                && !allowed.contains(&ours)
            {
                wrong.push(format!("crates/{folder} depends on {name}"));
            }
        }
    }
    none(&wrong, "siblings meet only in the binary; emulators share only byte and HTTP plumbing");
}

#[test]
fn core_depends_on_no_runtime_network_or_sql_crate() {
    let seen = built(&["-p", "sterna-core"]);
    let wrong: Vec<String> = NOT_IN_CORE.iter().filter(|name| seen.contains(**name)).map(ToString::to_string).collect();
    none(&wrong, "core does no I/O and needs no runtime");
    assert!(seen.len() > 5, "the tree was not understood");
}

#[test]
fn nothing_depends_on_what_is_banned() {
    let built = built(&["--workspace"]);
    let banned = NOWHERE.iter().filter(|(name, _)| built.contains(*name));
    let wrong: Vec<String> = banned.map(|(name, why)| format!("{name}: {why}")).collect();
    none(&wrong, "these crates are banned, here and in deny.toml");
}

#[test]
fn every_crate_takes_the_lints_and_versions_of_the_workspace() {
    let mut wrong = Vec::new();
    for (folder, manifest) in manifests() {
        if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true) {
            wrong.push(format!("crates/{folder} lacks `[lints] workspace = true`"));
        }
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    wrong.push(format!("crates/{folder} gives {name} a version of its own"));
                }
            }
        }
    }
    none(&wrong, "one place for lints and versions: the workspace's Cargo.toml");
}
