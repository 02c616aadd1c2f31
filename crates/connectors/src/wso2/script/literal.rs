//! Values as JavaScript: whatever a text holds, it stays a text.

use std::fmt::Write;

/// A text as a string literal of printable ASCII. A full stop after another is escaped, for Asgardeo refuses scripts with
/// two in a row (wso2-scim.md 1.2.9); what could end a script element in a page is escaped, too.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    let mut before = None;
    for c in text.chars() {
        let is_plain = matches!(c, ' '..='~') && !matches!(c, '"' | '\'' | '`' | '\\' | '<' | '>' | '&');
        if is_plain && !(c == '.' && before == Some('.')) {
            literal.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(literal, "\\u{unit:04x}");
            }
        }
        before = Some(c);
    }
    literal.push('"');
    literal
}

/// An object of members that are JavaScript already; the names are ours.
pub(super) fn object(members: &[(&str, String)]) -> String {
    let members = members.iter().map(|(name, value)| format!("\"{name}\": {value}"));
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn a_text_stays_a_text_whatever_it_holds() {
        for (text, expected) in [
            ("plain", r#""plain""#),
            (r#""; evil(); ""#, r#""\u0022; evil(); \u0022""#),
            ("a\\\n\u{2028}", r#""a\u005c\u000a\u2028""#),
            ("</script>", r#""\u003c/script\u003e""#),
            ("a...b..c", r#""a.\u002e\u002eb.\u002ec""#),
            ("😀é", r#""\ud83d\ude00\u00e9""#),
        ] {
            assert_eq!(literal(text), expected);
        }
    }
}
