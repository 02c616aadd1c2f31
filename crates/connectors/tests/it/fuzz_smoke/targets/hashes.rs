//! Stored password hashes, which an attacker may have written.

use sterna_core::password::formats::{Bounds, Stored, Verdict, all, recognise};

/// Any text is read or refused as any format, and what is read is within the bounds.
pub(super) fn read(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(recognise(text).formats().len() <= all().count());
    for format in all() {
        let Ok(stored) = Stored::parse(format, text, &Bounds::ONLINE) else { continue };
        assert!(stored.seconds().is_finite() && stored.memory() <= 256 << 20, "{}", format.name);
        // What is written in another format is read as it.
        for to in all() {
            if let Ok(other) = stored.reencode(to) {
                let again = Stored::parse(to, &other, &Bounds::ONLINE);
                assert!(again.is_ok(), "{} as {}", format.name, to.name);
            }
        }
    }
}

/// Any password is checked against any hash that costs little; the first byte is the password's length.
pub(super) fn check(data: &[u8]) {
    const CHEAP: f64 = 0.000_5;
    let Some((length, rest)) = data.split_first() else { return };
    let (password, text) = rest.split_at(usize::from(*length).min(rest.len()));
    let Ok(text) = std::str::from_utf8(text) else { return };
    for format in recognise(text).formats() {
        let Ok(stored) = Stored::parse(format, text, &Bounds::ONLINE) else { continue };
        if stored.seconds() < CHEAP && stored.memory() < 1 << 20 {
            let first = stored.verify(password);
            assert_eq!(first, stored.verify(password), "{}", format.name);
            if let Verdict::Match { upgrade } = first {
                assert_eq!(upgrade, stored.upgrade(), "{}", format.name);
            }
        }
    }
}
