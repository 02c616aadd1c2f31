//! Lines of test accounts, and counts of files.

use serde_json::{Value, json};
use sterna_core::password::{MAX_LINE, NotJudged, Tally, formats::Bounds, judge_line};

use super::vectors::vectors;

fn judge(line: &Value) -> Value {
    serde_json::from_str(&judge_line(&line.to_string(), &Bounds::OFFLINE).unwrap()).unwrap()
}

#[test]
fn a_line_of_the_vector_file_is_judged_as_it_stands() {
    for (line, vector) in include_str!("../../data/password-hashes.jsonl").lines().zip(vectors()) {
        let answer: Value = serde_json::from_str(&judge_line(line, &Bounds::OFFLINE).unwrap()).unwrap();
        assert_eq!(answer["verdict"] == "match", vector.valid, "{}: {answer}", vector.format);
        assert_eq!(answer["format"], vector.format.as_str());
        assert!(answer["upgrade"].is_null() || vector.valid);
    }
}

#[test]
fn the_four_verdicts_and_the_mark_for_what_should_be_hashed_anew() {
    let md5 = "9cc2ae8a1ba7a93da39b46fc1019c481";
    let password = "correct horse battery staple";
    let case = |format: &str, password: &str, hash: &str| {
        judge(&json!({ "format": format, "password": password, "hash": hash }))
    };
    assert_eq!(
        case("hex-md5", password, md5),
        json!({ "format": "hex-md5", "verdict": "match", "upgrade": true, "reason": "fast" })
    );
    assert_eq!(case("hex-md5", "x", md5)["verdict"], "mismatch");
    assert_eq!(case("hex-md5", password, "9cc2")["verdict"], "refused");
    assert_eq!(case("no-such", password, md5)["verdict"], "unsupported");
    let rom = "$y$jC5.zzzzz$xXy9b4BzwoZ648jj$Kyf1zl5W9/izCNftANezFKp7avY4Z9JN/qnYmWwphd0";
    assert_ne!(case("yescrypt", password, rom)["verdict"], "mismatch");
    let settings = json!({ "format": "prestashop-md5", "password": "hashcat", "hash": "810e3d12f0f10777a679d9ca1ad7a8d9",
        "settings": { "_COOKIE_KEY_": "M2uZ122bSHJ4Mi54tXGY0lqcv1r28mUluSkyw37ou5oia4i239ujqw0l" } });
    assert_eq!(judge(&settings)["verdict"], "match");
}

#[test]
fn what_is_no_line_is_said_so_without_a_word_of_it() {
    for line in ["", "{}", "null", "[1]", "{\"format\":1,\"password\":\"\",\"hash\":\"\"}", "{\"format\":\"hex-md5\""] {
        assert_eq!(judge_line(line, &Bounds::ONLINE), Err(NotJudged::Malformed), "{line}");
    }
    assert_eq!(judge_line(&" ".repeat(MAX_LINE + 1), &Bounds::ONLINE), Err(NotJudged::TooLong));
}

#[test]
fn no_answer_holds_the_password_or_the_hash() {
    for vector in vectors().iter().filter(|vector| vector.password.len() > 7 && vector.hash.len() > 7) {
        let line = json!({ "format": vector.password, "password": vector.password, "hash": vector.hash });
        let answer = judge(&line).to_string();
        assert!(!answer.contains(&vector.password) && !answer.contains(&vector.hash), "{answer}");
    }
}

#[test]
fn a_tally_counts_by_format_and_parameters_and_predicts_the_work() {
    let mut tally = Tally::default();
    for cost in ["10", "10", "12", "31"] {
        tally.add(&format!("$2b${cost}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), None, &Bounds::OFFLINE);
    }
    tally.add("argon2$argon2id$v=19$m=1024,t=2,p=2$U0l2UFpaNjNmRktjWmpSNEkwYjNqUg$O9WDBDlAWu+IGpcYr6tH9jRrYlgFv2hQ0jeRe5skT6E", None, &Bounds::OFFLINE);
    tally.add("1b9d5effd34ac283c8efe2eacaea8bbc", Some("nt-hash"), &Bounds::OFFLINE);
    tally.add("what is this", None, &Bounds::OFFLINE);
    let groups: Vec<_> = tally
        .groups()
        .map(|(group, sum)| (group.format, group.parameters.as_str(), group.refused.is_some(), sum.count))
        .collect();
    assert_eq!(
        groups,
        [
            ("", "", false, 1),
            ("bcrypt-2b", "", true, 1),
            ("bcrypt-2b", "cost 10", false, 2),
            ("bcrypt-2b", "cost 12", false, 1),
            ("django-argon2", "m=1024 t=2 p=2", false, 1),
            ("nt-hash", "", false, 1),
        ]
    );
    assert!((0.2..2.0).contains(&tally.seconds()), "{}", tally.seconds());
}

#[test]
fn a_tally_stays_small_however_many_kinds_there_are() {
    let mut tally = Tally::default();
    for rounds in 0..1_500 {
        let hash = format!("pbkdf2_sha256${}$salt$/lcVtLSwJNIf6Rk1k8waqIJB1ukOvUkUChcrc+hYKM4=", rounds + 1);
        tally.add(&hash, None, &Bounds::ONLINE);
    }
    assert_eq!((tally.groups().count(), tally.left_out()), (Tally::MOST, 500));
}
