//! The grammar of one LDIF entry (RFC 2849): folding, comments, base64, and what is refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use sterna_core::code::Code;
use zeroize::Zeroizing;

use crate::{directory::Entry, text::Mistake};

/// Reads the lines between two blank ones. `None` when they hold comments or the version alone.
///
/// # Errors
/// E3110 for what is no entry, E3107 for broken base64, E3106 for bytes that are no text.
pub fn entry(raw: &[u8]) -> Result<Option<Entry>, Mistake> {
    let mut entry: Option<Entry> = None;
    for line in unfolded(raw)? {
        if line.starts_with(b"#") {
            continue;
        }
        let (name, value) = attribute(&line)?;
        match &mut entry {
            None if name.eq_ignore_ascii_case("version") => {}
            None if name.eq_ignore_ascii_case("dn") => {
                let dn = String::from_utf8(value).map_err(|_| Mistake::new(Code::E3106, "the dn is no UTF-8"))?;
                entry = Some(Entry { dn, ..Entry::default() });
            }
            None => return Err(not_ldif("the entry does not begin with `dn:`")),
            Some(_) if name.eq_ignore_ascii_case("dn") => return Err(not_ldif("a second `dn:` without a blank line")),
            Some(_) if name.eq_ignore_ascii_case("control") => return Err(not_ldif("it is a change with a control")),
            Some(_) if name.eq_ignore_ascii_case("changetype") => {
                if !value.eq_ignore_ascii_case(b"add") {
                    return Err(not_ldif("it is a change of an entry, and only whole entries are read"));
                }
            }
            Some(entry) => entry.add(&name, value),
        }
    }
    Ok(entry)
}

fn not_ldif(why: &str) -> Mistake {
    Mistake::new(Code::E3110, why)
}

/// The lines with their continuations, which begin with exactly one space. A fold may stand within a character.
fn unfolded(raw: &[u8]) -> Result<Vec<Zeroizing<Vec<u8>>>, Mistake> {
    let mut lines: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    for line in raw.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.strip_prefix(b" "), lines.last_mut()) {
            (Some(rest), Some(last)) => last.extend_from_slice(rest),
            (Some(_), None) => return Err(not_ldif("it begins with a continuation")),
            (None, _) if line.is_empty() => {}
            (None, _) => lines.push(Zeroizing::new(line.to_vec())),
        }
    }
    Ok(lines)
}

/// `name: text`, `name:: base64`; `name:< url` is never followed.
pub(super) fn attribute(line: &[u8]) -> Result<(String, Vec<u8>), Mistake> {
    let at = memchr::memchr(b':', line).ok_or_else(|| not_ldif("a line has no colon"))?;
    let (name, rest) = (&line[..at], &line[at + 1..]);
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.;_".contains(byte);
    if name.is_empty() || !name.iter().all(plain) {
        return Err(not_ldif("a line does not begin with the name of an attribute"));
    }
    let name = String::from_utf8_lossy(name).into_owned();
    let value = match rest.split_first() {
        Some((b':', rest)) => {
            let text = rest.trim_ascii();
            STANDARD
                .decode(text)
                .map_err(|_| Mistake::new(Code::E3107, format!("the value of `{name}` is no base64")))?
        }
        Some((b'<', _)) => {
            return Err(not_ldif(&format!("the value of `{name}` is an address, which is not followed")));
        }
        _ => {
            let text = rest.strip_prefix(b" ").map_or(rest, |_| rest.trim_ascii_start());
            if text.contains(&0) {
                return Err(Mistake::new(Code::E3106, format!("the value of `{name}` holds NUL")));
            }
            if std::str::from_utf8(text).is_err() {
                let why = format!("the value of `{name}` is no text in the file's encoding");
                return Err(Mistake::new(Code::E3106, why));
            }
            text.to_vec()
        }
    };
    Ok((name, value))
}

/// The entry as LDIF, every value in base64: for a person to mend.
pub fn written(entry: &Entry) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(format!("dn:: {}\n", STANDARD.encode(&entry.dn)).into_bytes());
    for attribute in &entry.attributes {
        for value in &attribute.values {
            let line = match std::str::from_utf8(value) {
                Ok(plain) if is_safe(plain) => Zeroizing::new(format!("{}: {plain}\n", attribute.name)),
                _ => Zeroizing::new(format!("{}:: {}\n", attribute.name, STANDARD.encode(value))),
            };
            text.extend_from_slice(line.as_bytes());
        }
    }
    text
}

/// Whether a value may stand as it is (RFC 2849 SAFE-STRING), and comes back so.
fn is_safe(text: &str) -> bool {
    let plain = text.bytes().all(|byte| (b' '..0x7F).contains(&byte));
    plain && !text.starts_with([' ', ':', '<']) && !text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[(&str, &str)], Code>) {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let read = entry(text.as_bytes()).map(|entry| {
                let entry = entry.unwrap_or_default();
                let mut all = vec![("dn".to_owned(), entry.dn.clone())];
                for attribute in &entry.attributes {
                    all.extend(
                        attribute.values.iter().map(|v| (attribute.name.clone(), String::from_utf8_lossy(v).into())),
                    );
                }
                all
            });
            let expected: Result<Vec<(String, String)>, Code> =
                expected.map(|pairs| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
            assert_eq!(read.map_err(|mistake| mistake.code), expected, "{text:?}");
        }
    }

    #[test]
    fn entries_are_read_by_the_rules_of_rfc_2849() {
        check("version: 1\ndn: cn=a\ncn: a", Ok(&[("dn", "cn=a"), ("cn", "a")]));
        check("dn: cn=a\ncn:a\nsn:  two  ", Ok(&[("dn", "cn=a"), ("cn", "a"), ("sn", "two  ")]));
        check("# note\n  folded\ndn:: Y249UMOpcmV6\ncn:: QW5h", Ok(&[("dn", "cn=Pérez"), ("cn", "Ana")]));
        check(
            "dn: cn=a\ncn:: QW\n 5h\ndescription: on\n e\n  two",
            Ok(&[("dn", "cn=a"), ("cn", "Ana"), ("description", "one two")]),
        );
        check("dn: cn=a\nchangetype: add\ncn:", Ok(&[("dn", "cn=a"), ("cn", "")]));
        check(
            "dn: cn=a\ncn;lang-es: x\nuserCertificate;binary:: QQ==",
            Ok(&[("dn", "cn=a"), ("cn;lang-es", "x"), ("userCertificate", "A")]),
        );
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        check("cn: a", Err(Code::E3110));
        check(" dn: cn=a", Err(Code::E3110));
        check("dn: cn=a\nno colon", Err(Code::E3110));
        check("dn: cn=a\n: x", Err(Code::E3110));
        check("dn: cn=a\njpegPhoto:< file:///etc/passwd", Err(Code::E3110));
        check("dn: cn=a\nchangetype: modify\nreplace: cn", Err(Code::E3110));
        check("dn: cn=a\ncn:: !!", Err(Code::E3107));
        check("dn: cn=a\ndn: cn=b", Err(Code::E3110));
        check("dn: cn=a\ncn: a\0b", Err(Code::E3106));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read = entry(b"dn: cn=a\ncn: a\ncn:: UMOpcmV6\njpegPhoto:: /9j/\ndescription:: IHg=").unwrap().unwrap();
        let again = entry(&written(&read)).unwrap().unwrap();
        assert_eq!(format!("{read:?}"), format!("{again:?}"));
    }

    #[test]
    fn a_fold_within_a_character_is_put_together() {
        let raw = b"dn: cn=a\ncn: P\xC3\n \xA9rez";
        assert_eq!(entry(raw).unwrap().unwrap().text("cn"), Some("Pérez"));
        assert_eq!(entry(b"dn: cn=a\ncn: \xFF").unwrap_err().code, Code::E3106);
    }
}
