//! Part `hashes`: checks a second on one core for every format of stored password, beside the C implementations that this
//! machine has (libxcrypt and OpenSSL, through Python), and what refusing hostile hashes takes.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use sterna_core::password::formats::{Bounds, Stored, Verdict, all, find};

use crate::{
    Bench,
    report::{Figure, Report},
};

/// Hashes that are there to hurt: what each asks for, its format, its text.
const HOSTILE: &[(&str, &str, &str)] = &[
    ("bcrypt cost 31", "bcrypt-2b", "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    (
        "argon2 with 4 GiB",
        "argon2id",
        "$argon2id$v=19$m=4194304,t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE",
    ),
    (
        "scrypt with N 2^40",
        "scrypt-phc",
        "$scrypt$ln=40,r=8,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
    (
        "PBKDF2 with 2^31 rounds",
        "passlib-pbkdf2-sha256",
        "$pbkdf2-sha256$2147483648$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
];

/// What the C side does for a hash: crypt(3) for those it knows, OpenSSL for PBKDF2 and scrypt.
const PYTHON: &str = r#"
import json, sys, time, hashlib, warnings
warnings.simplefilter("ignore")
try:
    import crypt
except ImportError:
    crypt = None
def work(c):
    pw, text = c["password"], c["hash"]
    if c["format"].startswith("django-pbkdf2"):
        name, n, salt, _ = text.split("$")
        n, prf, dk = int(n), name.split("_")[1], {"sha256": 32, "sha1": 20}[name.split("_")[1]]
        return lambda: hashlib.pbkdf2_hmac(prf, pw.encode(), salt.encode(), n, dk)
    if c["format"] == "werkzeug-scrypt":
        head, salt, dk = text.split("$")
        _, n, r, p = head.split(":")
        n, r, p = int(n), int(r), int(p)
        return lambda: hashlib.scrypt(pw.encode(), salt=salt.encode(), n=n, r=r, p=p, dklen=64, maxmem=1 << 30)
    if crypt and (text[:1] in "$_" or c["format"] == "des-crypt") and crypt.crypt(pw, text) == text:
        return lambda: crypt.crypt(pw, text)
for line in sys.stdin:
    c = json.loads(line)
    try:
        run = work(c)
        if not run: continue
        run(); count, began = 0, time.perf_counter()
        while time.perf_counter() - began < c["seconds"]:
            run(); count += 1
        print(json.dumps([c["format"], count / (time.perf_counter() - began)]))
    except Exception:
        pass
"#;

#[derive(Deserialize)]
struct Vector {
    format: String,
    password: String,
    hash: String,
    valid: bool,
}

/// Runs it.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let seconds = if bench.is_quick { 0.05 } else { 0.5 };
    let vectors = vectors()?;
    let theirs = c_rates(&vectors, seconds)?;
    for (format, vector) in &vectors {
        let Some(ours) = rate(format, vector, seconds) else { continue };
        let figure = Figure::new(format.clone(), ours, "checks/s");
        report.add(match theirs.get(format) {
            Some(theirs) => figure.over(*theirs),
            None => figure,
        })?;
    }
    for (what, format, text) in HOSTILE {
        report.add(Figure::new(format!("refusing {what}"), refusing(format, text)?, "us"))?;
    }
    let salt = format!("$pbkdf2-sha256$1000${}$AAAA", "A".repeat(1 << 20));
    report.add(Figure::new("refusing a megabyte of salt", refusing("passlib-pbkdf2-sha256", &salt)?, "us"))?;
    Ok(())
}

/// The first true vector of every format.
fn vectors() -> Result<BTreeMap<String, Vector>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/data/password-hashes.jsonl");
    let text = fs::read_to_string(&path).context("the vectors of password hashes")?;
    let mut first = BTreeMap::new();
    for line in text.lines() {
        let vector: Vector = serde_json::from_str(line)?;
        if vector.valid && !vector.password.is_empty() && !vector.password.contains('\0') {
            first.entry(vector.format.clone()).or_insert(vector);
        }
    }
    anyhow::ensure!(first.len() * 10 > all().count() * 9, "most formats have a vector");
    Ok(first)
}

/// Checks a second; none for a hash that is not checked.
fn rate(format: &str, vector: &Vector, seconds: f64) -> Option<f64> {
    let stored = Stored::parse(find(format)?, &vector.hash, &Bounds::OFFLINE).ok()?;
    let check = || matches!(stored.verify(vector.password.as_bytes()), Verdict::Match { .. });
    if !check() {
        return None;
    }
    let (mut count, began) = (0_u32, Instant::now());
    while began.elapsed() < Duration::from_secs_f64(seconds) {
        std::hint::black_box(check());
        count += 1;
    }
    Some(f64::from(count) / began.elapsed().as_secs_f64())
}

/// Microseconds to refuse a hash.
fn refusing(format: &str, text: &str) -> Result<f64> {
    const TIMES: u32 = 1_000;
    let format = find(format).context("a format of this name")?;
    let began = Instant::now();
    for _ in 0..TIMES {
        let refused = std::hint::black_box(Stored::parse(format, std::hint::black_box(text), &Bounds::ONLINE)).is_err();
        anyhow::ensure!(refused, "{} takes a hostile hash", format.name);
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES))
}

/// Checks a second of the C implementations that are there.
fn c_rates(vectors: &BTreeMap<String, Vector>, seconds: f64) -> Result<BTreeMap<String, f64>> {
    let python = Command::new("python3").args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut python) = python else { return Ok(BTreeMap::new()) };
    let mut input = python.stdin.take().context("a pipe")?;
    let mut lines = String::new();
    for (format, Vector { password, hash, .. }) in vectors {
        let line = serde_json::json!({ "format": format, "password": password, "hash": hash, "seconds": seconds });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output()?;
    // a Python that ends early has read less than it was given: then there is less to compare with
    drop(writer.join());
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| Ok(serde_json::from_str::<(String, f64)>(line)?)).collect()
}
