//! What holds for every text.

use proptest::prelude::*;
use sterna_core::password::formats::{Bounds, Family, Format, Recognised, Stored, Verdict, all, find, recognise};

use super::vectors::vectors;

/// Texts near to hashes: a vector with a few characters changed, put in or taken out.
fn nearly() -> impl Strategy<Value = String> {
    let hashes: Vec<String> = vectors().into_iter().map(|vector| vector.hash).collect();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), "[ -~\\x00äÅ]{0,3}", 0..4_usize), 1..4);
    (prop::sample::select(hashes), edits).prop_map(|(hash, edits)| {
        let mut text: Vec<char> = hash.chars().collect();
        for (at, new, gone) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + gone).min(text.len());
            text.splice(at..end, new.chars());
        }
        text.into_iter().collect()
    })
}

fn read_as_everything(text: &str) {
    for format in all() {
        if let Ok(stored) = Stored::parse(format, text, &Bounds::ONLINE) {
            assert!(stored.seconds().is_finite() && stored.memory() <= 256 << 20, "{}", format.name);
        }
    }
}

fn names(recognised: &Recognised) -> Vec<&'static str> {
    recognised.formats().iter().map(|format: &&Format| format.name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_as_any_format(text in "\\PC{0,200}") {
        read_as_everything(&text);
        let _ = recognise(&text);
    }

    #[test]
    fn any_text_near_a_hash_is_read_or_refused_as_any_format(text in nearly()) {
        read_as_everything(&text);
        let _ = recognise(&text);
    }

    #[test]
    fn any_password_is_checked_against_any_cheap_hash(text in nearly(), password in "\\PC{0,80}|[a-z]{500,5000}") {
        for format in recognise(&text).formats() {
            if let Ok(stored) = Stored::parse(format, &text, &Bounds::ONLINE)
                && stored.seconds() < 0.002
            {
                // A random password belongs to none of them, but for clear text.
                let verdict = stored.verify(password.as_bytes());
                let clear = format.family == Family::Clear;
                prop_assert!(clear || !matches!(verdict, Verdict::Match { .. }), "{}", format.name);
            }
        }
    }

    #[test]
    fn what_is_told_by_its_text_is_read_by_no_other_format_that_is(text in nearly()) {
        if let Recognised::One(format) = recognise(&text) {
            for other in all().filter(|other| other.is_told_by_its_text() && *other != format && other.main.is_none()) {
                // Clear text reads anything, and the column of an upgraded Drupal holds both forms.
                let more = ["ldap-cleartext", "drupal7-md5-upgraded"].contains(&other.name);
                let reads = Stored::parse(other, &text, &Bounds::ONLINE).is_ok();
                prop_assert!(!reads || more, "{} and {}", format.name, other.name);
            }
        }
    }

    #[test]
    fn what_one_format_writes_is_recognised_as_it(index in any::<prop::sample::Index>()) {
        let good: Vec<_> = vectors().into_iter().filter(|vector| vector.valid).collect();
        let vector = index.get(&good);
        let stored = Stored::parse(find(&vector.format).unwrap(), &vector.hash, &Bounds::ONLINE).unwrap();
        for to in all() {
            let Ok(text) = stored.reencode(to) else { continue };
            prop_assert!(names(&recognise(&text)).contains(&to.name), "{}: {:?}", to.name, names(&recognise(&text)));
        }
    }
}
