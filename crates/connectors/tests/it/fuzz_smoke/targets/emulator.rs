//! The emulators' parsers: a batch is run as a whole or not at all, filters mean one thing, scenarios are whole.

use std::collections::HashSet;

use serde_json::Value;
use sterna_emulators::entra::{Scenario, outside};

/// Most bytes of one input that are looked at.
const INPUT: usize = 8 << 10;

/// The body of a `$batch`: one to twenty requests with ids of their own, or a refusal.
pub(super) fn batch(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    match outside::batch_ids(data) {
        Ok(ids) => {
            assert!((1..=20).contains(&ids.len()));
            if let Ok(said) = serde_json::from_slice::<Value>(data) {
                assert_eq!(Some(ids.len()), said["requests"].as_array().map(Vec::len), "every request is run");
            }
            assert!(std::str::from_utf8(data).is_ok());
            let different: HashSet<String> = ids.iter().map(|id| id.to_ascii_lowercase()).collect();
            assert_eq!(different.len(), ids.len(), "no id comes twice");
        }
        Err(status) => assert!((400..500).contains(&status), "{status}"),
    }
}

/// A `$filter`: brackets and blanks change nothing, and the tree is no larger than the text allows.
pub(super) fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(&data[..data.len().min(INPUT)]) else { return };
    let Some(tree) = outside::filter(text) else { return };
    assert!(tree.len() <= 200 * (text.len() + 1), "{} for {}", tree.len(), text.len());
    assert_eq!(outside::filter(&format!(" {text} ")).as_ref(), Some(&tree), "blanks around it");
    if let Some(bracketed) = outside::filter(&format!("({text})")) {
        assert_eq!(bracketed, tree, "brackets around it");
    } else {
        assert!(text.matches(['(', 'n']).count() >= 15, "only the bound of depth turns brackets away: {text}");
    }
}

/// What an endpoint answers at a sign-in: one known action with the nonce, or one of four codes.
pub(super) fn answer(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    match outside::sign_in_answer(data, "nonce-1") {
        Ok(action) => {
            let said: Value = serde_json::from_slice(data).expect("an action comes in JSON");
            let data = &said["data"];
            assert_eq!(data["nonce"], "nonce-1");
            let [only] = &data["actions"].as_array().expect("a list")[..] else { panic!("not one action") };
            let kind = only["@odata.type"].as_str().expect("a type").to_ascii_lowercase();
            assert_eq!(kind, format!("microsoft.graph.passwordsubmit.{}", action.to_ascii_lowercase()));
        }
        Err(code) => assert!([1_003_003, 1_003_009, 1_003_010, 1_003_012].contains(&code), "{code}"),
    }
}

/// A scenario file: read or refused with words, the same each time.
pub(super) fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(&data[..data.len().min(INPUT)]) else { return };
    let read = |text: &str| Scenario::parse(text).map(|scenario| format!("{scenario:?}")).map_err(|e| e.to_string());
    let first = read(text);
    assert!(first.as_ref().err().is_none_or(|words| !words.is_empty()));
    assert_eq!(read(text), first);
}
