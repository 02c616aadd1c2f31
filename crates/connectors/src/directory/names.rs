//! Distinguished names: taken apart and compared (RFC 4514).

/// The form in which two distinguished names are the same: case, spaces, order within a part and escapes do not count.
/// A text that is no distinguished name is compared without case.
pub fn normalised(dn: &str) -> String {
    let Some(parts) = parse(dn) else { return dn.trim().to_lowercase() };
    let mut whole = String::with_capacity(dn.len());
    for part in parts {
        let mut pairs: Vec<_> = part.into_iter().map(|(kind, value)| format!("{kind}={}", folded(&value))).collect();
        pairs.sort_unstable();
        whole.push_str(&pairs.join("\u{1}"));
        whole.push('\u{2}');
    }
    whole
}

/// The value of a distinguished name's first part: `staff` of `cn=staff,ou=groups`.
pub fn first_value(dn: &str) -> Option<String> {
    let value = parse(dn)?.into_iter().next()?.into_iter().next()?.1;
    (!value.is_empty()).then_some(value)
}

type Part = Vec<(String, String)>;

/// The parts of a distinguished name, each one or more pairs of a lower-case type and an unescaped value.
fn parse(dn: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut part = Part::new();
    let mut rest = dn.trim_start();
    while !rest.is_empty() {
        let (kind, after) = rest.split_once('=')?;
        let kind = kind.trim().to_ascii_lowercase();
        if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
            return None;
        }
        let (value, end, length) = value(after)?;
        part.push((kind, value));
        rest = &after[length..];
        match end {
            Some('+') => {}
            _ => parts.push(std::mem::take(&mut part)),
        }
        if end.is_some() && rest.trim_start().is_empty() {
            return None;
        }
        rest = rest.trim_start();
    }
    (!parts.is_empty()).then_some(parts)
}

/// The unescaped value at the beginning, what ended it, and how many bytes were taken.
fn value(text: &str) -> Option<(String, Option<char>, usize)> {
    let mut bytes = Vec::new();
    let mut kept = 0; // spaces up to here were escaped or stand before something else
    let mut quoted = false;
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => {
                let (_, next) = chars.next()?;
                match next.to_digit(16) {
                    Some(high) => {
                        let low = chars.next()?.1.to_digit(16)?;
                        bytes.push(u8::try_from(high * 16 + low).ok()?);
                    }
                    None => push(&mut bytes, next),
                }
                kept = bytes.len();
            }
            '"' => quoted = !quoted,
            ',' | ';' | '+' if !quoted => return finished(bytes, kept, Some(char), at + 1),
            ' ' if !quoted && bytes.is_empty() => {}
            char => {
                push(&mut bytes, char);
                if char != ' ' || quoted {
                    kept = bytes.len();
                }
            }
        }
    }
    if quoted { None } else { finished(bytes, kept, None, text.len()) }
}

fn finished(
    mut bytes: Vec<u8>,
    kept: usize,
    end: Option<char>,
    length: usize,
) -> Option<(String, Option<char>, usize)> {
    bytes.truncate(kept);
    Some((String::from_utf8(bytes).ok()?, end, length))
}

fn push(bytes: &mut Vec<u8>, char: char) {
    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Without case, and runs of spaces as one.
fn folded(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_without_case_spaces_and_escapes() {
        for (one, other) in [
            ("uid=ana,ou=People,dc=example,dc=org", "UID = Ana , OU=people,DC=example, dc=org"),
            ("cn=P\\c3\\a9rez\\, Ana,dc=x", "cn=\"Pérez, Ana\",dc=x"),
            ("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x"),
            ("cn=a  b,dc=x", "cn=a b;dc=x"),
            ("cn=a\\20,dc=x", "cn=a\\ ,dc=x"),
        ] {
            assert_eq!(normalised(one), normalised(other), "{one}");
        }
        assert_ne!(normalised("cn=a\\,dc=x"), normalised("cn=a,dc=x"));
    }
}
