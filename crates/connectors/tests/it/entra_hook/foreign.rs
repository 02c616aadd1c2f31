//! Password contexts that others' libraries make: jose (npm), jwcrypto and joserfc (`PyPI`), by `counterparts/`.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{NONCE, Request, VECTORS, WORLD, hook, typed};
use crate::servers;

const PASSWORDS: [&str; 5] = [
    "Corr3ct horse ba$tery",
    " p\u{e4}\u{df}w\u{f6}rd\u{20ac} ",
    "\u{1f511}e\u{301}\u{0}\"\\",
    "",
    "\u{43f}\u{430}\u{440}",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../counterparts")
}

/// Runs the maker with the public key, and checks that the hook opens all that it makes.
fn opens_all(mut maker: Command, least: usize) {
    let given = tempfile::tempdir().unwrap();
    let key = given.path().join("public.pem");
    std::fs::write(&key, WORLD.pair.public_pem()).unwrap();
    maker.arg(key).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = maker.spawn().unwrap();
    let input = json!({ "x5t": WORLD.pair.x5t(), "claims": VECTORS["claims"], "passwords": PASSWORDS });
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let made: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let hook = hook("");
    let mut ways = BTreeSet::new();
    for one in &made {
        let submission = Request::of(one["jwe"].as_str().unwrap()).accepted(&*hook);
        assert_eq!(one["password"], typed(&submission), "{}", one["made"]);
        assert_eq!(submission.echo, NONCE);
        ways.insert(one["made"].as_str().unwrap());
    }
    assert_eq!((ways.len(), made.len()), (least, least * PASSWORDS.len()), "{ways:?}");
}

/// Python with the packages of `counterparts/requirements.txt`.
fn python(script: &str) -> Option<Command> {
    let python = folder().join("venv/bin/python3");
    let mut command = Command::new(servers::program(&[python.to_str().unwrap()])?);
    command.args(["-W", "ignore"]).arg(folder().join("jose-py").join(script));
    Some(command)
}

#[test]
fn what_jose_makes_is_opened() {
    let installed = folder().join("jose/node_modules/jose/package.json");
    let Some(node) = servers::program(&["node"]) else { return };
    if servers::program(&[installed.to_str().unwrap()]).is_none() {
        return;
    }
    let mut command = Command::new(node);
    command.arg(folder().join("jose/make.mjs"));
    opens_all(command, 8);
}

#[test]
fn what_jwcrypto_makes_is_opened() {
    let Some(command) = python("make_jwcrypto.py") else { return };
    opens_all(command, 16);
}

#[test]
fn what_joserfc_makes_is_opened() {
    let Some(command) = python("make_joserfc.py") else { return };
    opens_all(command, 16);
}
