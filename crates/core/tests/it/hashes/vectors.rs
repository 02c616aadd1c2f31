//! Every vector, true and false: verdict, recognition, re-encoding.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sterna_core::password::formats::{Bounds, Recognised, Stored, Verdict, all, find, recognise};

/// One line of the vector file.
#[derive(Deserialize)]
pub(super) struct Vector {
    pub(super) format: String,
    pub(super) password: String,
    pub(super) hash: String,
    pub(super) valid: bool,
    pub(super) source: String,
}

/// All vectors.
pub(super) fn vectors() -> Vec<Vector> {
    include_str!("../../data/password-hashes.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// More hashes, of random passwords of many lengths, made by libxcrypt and passlib.
const MORE: &str = include_str!("../../data/password-hashes-more.jsonl");

fn verdict(format: &str, hash: &str, password: &str) -> Verdict {
    let Some(format) = find(format) else { return Verdict::Unsupported };
    match Stored::parse(format, hash, &Bounds::ONLINE) {
        Ok(stored) => stored.verify(password.as_bytes()),
        Err(refusal) => refusal.into(),
    }
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    for vector in vectors() {
        let verdict = verdict(&vector.format, &vector.hash, &vector.password);
        let matches = matches!(verdict, Verdict::Match { .. });
        if matches != vector.valid {
            wrong.push(format!("{}: {verdict:?}, valid {} ({})", vector.format, vector.valid, vector.source));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_other_implementations_made_is_matched_and_recognised() {
    let mut seen = 0;
    for line in MORE.lines() {
        let Vector { format, password, hash, source, .. } = serde_json::from_str(line).unwrap();
        assert!(matches!(verdict(&format, &hash, &password), Verdict::Match { .. }), "{format} ({source}): {hash}");
        assert_eq!(verdict(&format, &hash, &format!("x{password}")), Verdict::Mismatch, "{format} ({source}): {hash}");
        assert!(recognise(&hash).formats().iter().any(|known| known.name == format), "{format} ({source}): {hash}");
        seen += 1;
    }
    assert!(seen > 600, "{seen}");
}

#[test]
fn what_cannot_be_read_is_refused_and_a_wrong_password_is_a_mismatch() {
    for vector in vectors().iter().filter(|vector| !vector.valid) {
        let refused = matches!(verdict(&vector.format, &vector.hash, &vector.password), Verdict::Refused(_));
        let said = [
            "structural",
            "limits",
            "too short",
            "extra data at end); refused by",
            "56 characters",
            "N=2^30",
            "Spring refuses",
        ]
        .iter()
        .any(|word| vector.source.contains(word));
        assert_eq!(refused, said, "{} ({})", vector.format, vector.source);
    }
}

#[test]
fn every_format_of_the_vectors_is_known_and_every_known_one_has_a_vector() {
    let vectors: BTreeSet<String> = vectors().into_iter().map(|vector| vector.format).collect();
    let known: BTreeSet<String> = all().map(|format| format.name.to_owned()).collect();
    assert_eq!(vectors, known);
    assert_eq!(all().count(), known.len(), "a name occurs twice");
}

#[test]
fn every_vector_is_recognised_as_its_format_or_as_perhaps_its_format() {
    let mut wrong = Vec::new();
    for vector in vectors().iter().filter(|vector| vector.valid) {
        let names: Vec<&str> = recognise(&vector.hash).formats().iter().map(|format| format.name).collect();
        // A password in clear text looks like nothing.
        let bare = vector.format == "ldap-cleartext" && !vector.hash.starts_with('{');
        if names.contains(&vector.format.as_str()) == bare {
            wrong.push(format!("{}: {names:?}", vector.format));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_format_is_told_only_where_no_other_reads_the_same_text() {
    for vector in vectors().iter().filter(|vector| vector.valid) {
        if let Recognised::One(format) = recognise(&vector.hash) {
            assert_eq!(format.name, vector.format, "{}", vector.source);
        }
    }
}

#[test]
fn a_hash_written_in_another_format_checks_the_same_password() {
    let mut pairs: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for vector in vectors().iter().filter(|vector| vector.valid) {
        let stored = Stored::parse(find(&vector.format).unwrap(), &vector.hash, &Bounds::ONLINE).unwrap();
        for to in all() {
            let Ok(text) = stored.reencode(to) else { continue };
            let seen = pairs.entry((vector.format.clone(), to.name)).or_default();
            *seen += 1;
            // Costly ones once for each pair.
            if *seen > 1 && stored.seconds() > 0.002 {
                continue;
            }
            let again = Stored::parse(to, &text, &Bounds::ONLINE).unwrap_or_else(|refusal| {
                panic!("{} as {}: {refusal}", vector.format, to.name);
            });
            let verdict = again.verify(vector.password.as_bytes());
            let refused = matches!(verdict, Verdict::Refused(_))
                && (vector.password.is_empty() || vector.password.contains('\0'));
            assert!(
                matches!(verdict, Verdict::Match { .. }) || refused,
                "{} as {}: {verdict:?}",
                vector.format,
                to.name
            );
        }
    }
    assert!(pairs.len() > 150, "{}", pairs.len());
}

#[test]
fn a_cost_is_predicted_for_every_vector_and_grows_with_its_parameters() {
    for vector in vectors().iter().filter(|vector| vector.valid) {
        let stored = Stored::parse(find(&vector.format).unwrap(), &vector.hash, &Bounds::ONLINE).unwrap();
        assert!(stored.seconds() > 0.0 && stored.seconds() < 5.0, "{}", vector.format);
    }
    let cost =
        |hash: &str| Stored::parse(find("django-pbkdf2-sha256").unwrap(), hash, &Bounds::ONLINE).unwrap().seconds();
    let key = "/lcVtLSwJNIf6Rk1k8waqIJB1ukOvUkUChcrc+hYKM4=";
    assert!(cost(&format!("pbkdf2_sha256$2000$a${key}")) > cost(&format!("pbkdf2_sha256$1000$a${key}")));
}

#[test]
fn neither_a_hash_nor_a_password_prints() {
    for vector in vectors() {
        let text = match Stored::parse(find(&vector.format).unwrap(), &vector.hash, &Bounds::ONLINE) {
            Ok(stored) => format!("{stored:?}"),
            Err(refusal) => format!("{refusal} {refusal:?}"),
        };
        assert!(!text.contains(&vector.hash), "{}", vector.format);
        assert!(vector.password.len() < 3 || !text.contains(&vector.password), "{}: {text}", vector.format);
    }
}

#[test]
fn columns_beside_the_hash_may_come_as_settings() {
    for vector in vectors().iter().filter(|vector| vector.valid) {
        let format = find(&vector.format).unwrap();
        let Some(main) = format.main else { continue };
        let serde_json::Value::Object(mut members) = serde_json::from_str(&vector.hash).unwrap() else { panic!() };
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let hash = members.remove(main).unwrap();
        // What is nested belongs together and comes as JSON, as Auth0 has it.
        if hash.is_object() {
            continue;
        }
        let settings = members.iter().filter(|(_, v)| !v.is_null()).map(|(name, value)| (name.clone(), text(value)));
        let stored = Stored::parse_with(format, &text(&hash), &settings.collect(), &Bounds::ONLINE)
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", vector.format));
        if stored.seconds() < 0.01 {
            assert!(matches!(stored.verify(vector.password.as_bytes()), Verdict::Match { .. }), "{}", vector.format);
        }
    }
}
