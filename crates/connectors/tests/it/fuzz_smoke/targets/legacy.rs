//! Answers of old systems, and texts that sources hold in a hash's place.

use sterna_connectors::ldap_bind::{Policy, policy, verdict};
use sterna_core::{
    legacy::Verdict,
    password::{formats::find, held},
};

/// Any answer to a bind is a verdict; only the result code 0 is a match, and only 49 a mismatch. The first byte is the code,
/// the second the length of the control.
pub(super) fn bind(data: &[u8]) {
    let [code, length, rest @ ..] = data else { return };
    let (control, message) = rest.split_at(usize::from(*length).min(rest.len()));
    let said = policy(control);
    let message = String::from_utf8_lossy(message);
    let answer = verdict(u32::from(*code), &message, said);
    match answer {
        Verdict::Match { .. } => assert_eq!(*code, 0),
        Verdict::MatchButExpired => assert!(*code == 0 || *code == 49),
        Verdict::Mismatch => assert!(*code == 49 && !matches!(said, Policy::Locked | Policy::Expired)),
        _ => assert_ne!(*code, 0),
    }
}

/// Any text becomes a hash of a known format, of the one that was stated, or none; its text stays as it is.
pub(super) fn held(data: &[u8]) {
    use sterna_core::secrecy::ExposeSecret;
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (stated, text) = text.split_once('\n').unwrap_or(("auto", text));
    let Some(hash) = held::stored_hash(text, Some(stated), &std::collections::BTreeMap::new()) else { return };
    assert_eq!(hash.value.expose_secret(), text);
    assert!(find(&hash.format).is_some() || hash.format == stated || hash.format == "unknown", "{}", hash.format);
}
