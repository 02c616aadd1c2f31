//! `sterna password`: hashes are identified and checked, and neither a hash nor a password is shown.

use std::{
    io::Write,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Folder, Run};

const VECTORS: &str = include_str!("../../../core/tests/data/password-hashes.jsonl");
const PASSWORD: &str = "correct horse battery staple";
const BCRYPT: &str = "$2a$05$fwK5e7t9/A8lH66M5OXEN.wTS8ftMtFOcu5wyqe.cgem/Oct4WHXO";

/// Runs the program with `input` on standard input, and asserts that nothing of `secret` is shown.
fn run(folder: &Folder, args: &str, input: &[u8], secret: &[&str]) -> Run {
    let mut command = folder.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // what refuses its arguments does not wait for a password
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let run = Run {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    };
    for secret in secret {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{args}\n{}{}", run.stdout, run.stderr);
    }
    run
}

fn answers(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_vector_in_a_file_is_judged_in_its_place() {
    let folder = Folder::new();
    folder.write("vectors.jsonl", VECTORS);
    let run = folder.run("password verify --file vectors.jsonl --json").exits(0);
    assert_eq!(run.stderr, "");
    let answers = answers(&run);
    let vectors: Vec<Value> = VECTORS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), vectors.len());
    for (answer, vector) in answers.iter().zip(&vectors) {
        let verdict = answer["verdict"].as_str().unwrap();
        let fits =
            if vector["valid"] == true { verdict == "match" } else { ["mismatch", "refused"].contains(&verdict) };
        assert!(fits, "{}: {answer}", vector["format"]);
        assert_eq!(answer["format"], vector["format"]);
        assert!(answer.get("upgrade").is_none_or(|upgrade| *upgrade == true && verdict == "match"), "{answer}");
    }
    let secrets = vectors.iter().filter_map(|vector| vector["password"].as_str()).filter(|text| text.len() > 10);
    assert!(secrets.clone().count() > 100);
    for secret in secrets {
        assert!(!run.stdout.contains(secret), "a password is shown");
    }
}

#[test]
fn a_line_that_is_no_account_has_an_answer_of_its_own() {
    let good = json!({ "format": "bcrypt-2a", "password": PASSWORD, "hash": BCRYPT }).to_string();
    let long = json!({ "format": "bcrypt-2a", "password": "x".repeat(70_000), "hash": BCRYPT }).to_string();
    let lines = ["\u{feff}", &good, "\nhunter2hunter2\r\n", &good, "\r\n", &long, "\n"].concat();
    let folder = Folder::new();
    let mut bytes = lines.into_bytes();
    bytes.extend(b"\xffhunter2\n");
    bytes.extend(good.as_bytes());
    std::fs::write(folder.path().join("accounts.jsonl"), bytes).unwrap();
    let run = run(&folder, "password verify --file accounts.jsonl", b"", &["hunter2", "xxxx", PASSWORD]).exits(12);
    let verdicts: Vec<Option<bool>> =
        answers(&run).iter().map(|answer| answer.get("verdict").map(|verdict| verdict == "match")).collect();
    assert_eq!(verdicts, [Some(true), None, Some(true), None, None, Some(true)]);
    assert!(answers(&run).iter().all(|answer| answer.get("verdict").is_some() != answer.get("error").is_some()));
    folder.run("password verify --file not-there.jsonl --json").exits(1);
}

#[test]
fn one_password_is_read_from_standard_input_and_the_exit_code_is_the_answer() {
    let folder = Folder::new();
    folder.write("hash", &format!("{BCRYPT}\n"));
    folder.write("odd", "$2a$31$fwK5e7t9/A8lH66M5OXEN.wTS8ftMtFOcu5wyqe.cgem/Oct4WHXO");
    let long = "y".repeat(5_000);
    let one = format!("password verify --format bcrypt-2a {BCRYPT}");
    let cases = [
        (one.as_str(), PASSWORD, 0, "match, and the hash should be replaced: low-cost\n"),
        (&one, "correct horse battery staple\n", 0, "match, and the hash should be replaced: low-cost\n"),
        (&one, "correct horse battery staple\n\n", 1, "mismatch\n"),
        (&one, "hunter2hunter2", 1, "mismatch\n"),
        (&one, "", 2, ""),
        (&one, "\r\n", 2, ""),
        (&one, "hunter2\0hunter2", 2, ""),
        (&one, &long, 2, ""),
        (
            "password verify --format bcrypt-2a --hash-file hash",
            PASSWORD,
            0,
            "match, and the hash should be replaced: low-cost\n",
        ),
        ("password verify --format bcrypt-2a --hash-file odd", PASSWORD, 1, "refused: the cost is over the bound\n"),
        ("password verify --format hunter2hunter2 --hash-file hash", PASSWORD, 2, ""),
        ("password verify --format bcrypt-2a hunter2hunter2 hunter2hunter2", PASSWORD, 2, ""),
        ("password verify --format bcrypt-2a", PASSWORD, 2, ""),
        ("password verify hunter2hunter2", PASSWORD, 2, ""),
        ("password verify --file hash --hash-file hash", PASSWORD, 2, ""),
    ];
    for (args, input, code, shown) in cases {
        let run = run(&folder, args, input.as_bytes(), &["hunter2", PASSWORD, "yyyy", "fwK5e7t9"]);
        assert_eq!(run.stdout, shown, "{args}");
        run.exits(code);
    }
    let document = run(&folder, &format!("{one} --json"), PASSWORD.as_bytes(), &[PASSWORD]).exits(0).json();
    assert_eq!(document, json!({ "format": "bcrypt-2a", "verdict": "match", "upgrade": true, "reason": "low-cost" }));
    let not_text = run(&folder, &one, b"hunter2\xff", &["hunter2"]).exits(2);
    assert!(not_text.stderr.contains("error[E1001]: the password is not UTF-8"), "{}", not_text.stderr);
}

#[test]
fn one_hash_is_identified_with_its_alternatives() {
    let hash = "9cc2ae8a1ba7a93da39b46fc1019c481";
    let folder = Folder::new();
    for (args, input) in
        [(format!("password identify --json {hash}"), ""), ("password identify --json".to_owned(), hash)]
    {
        let document = run(&folder, &args, input.as_bytes(), &[hash]).exits(0).json();
        assert_eq!(document["hashes"], 1);
        assert_eq!(document["groups"][0]["format"], "hex-md5");
        assert_eq!(document["groups"][0]["or"], json!(["nt-hash"]));
    }
    let run = run(&folder, "password identify hunter2hunter2", b"", &["hunter2"]).exits(12);
    insta::assert_snapshot!(run.stdout, @r"
      1  no known format
    1 hash, 0 s of one core to check each once.
    ");
}

#[test]
fn a_file_of_hashes_is_counted_by_format_and_parameters() {
    let folder = Folder::new();
    let django = "argon2$argon2id$v=19$m=1024,t=2,p=2$U0l2UFpaNjNmRktjWmpSNEkwYjNqUg$O9WDBDlAWu+IGpcYr6tH9jRrYlgFv2hQ0jeRe5skT6E";
    let hostile = BCRYPT.replacen("05", "31", 1);
    let long = "z".repeat(9_000);
    folder.write("hashes", &[BCRYPT, "", BCRYPT, django, "hunter2hunter2", &hostile, &long, ""].join("\r\n"));
    let run = run(&folder, "password identify --file hashes --json", b"", &["hunter2", "zzzz", "fwK5e7t9"]).exits(12);
    let document = run.json();
    let number = |name: &str| document[name].as_u64().unwrap();
    assert_eq!(["hashes", "unknown", "refused", "unreadable", "left_out"].map(number), [5, 1, 1, 1, 0]);
    assert!(document["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{document}");
    let groups = document["groups"].as_array().unwrap();
    let bcrypt = groups.iter().find(|group| group["parameters"] == "cost 5").unwrap();
    assert_eq!((bcrypt["format"].as_str(), bcrypt["count"].as_u64()), (Some("bcrypt-2a"), Some(2)));
    let argon2 = groups.iter().find(|group| group["format"] == "django-argon2").unwrap();
    assert_eq!((argon2["or"].as_array().map(Vec::len), argon2["memory"].as_u64() >= Some(1 << 20)), (Some(0), true));
    let text = folder.run("password identify --file hashes").exits(12).stdout;
    assert!(text.contains("django-argon2") && text.contains("refused: ") && text.contains("1 line too long"), "{text}");
}
