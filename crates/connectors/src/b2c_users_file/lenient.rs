//! What .NET's JSON readers accept beyond RFC 8259, made strict: comments and trailing commas become blanks.

/// Replaces comments and trailing commas by blanks; every other byte keeps its place.
pub(super) fn strict(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut comma = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                comma = None;
                at = string_end(&bytes, at);
                continue;
            }
            b'/' => {
                let end = comment_end(&bytes, at);
                bytes[at..end].fill(b' ');
                at = end.max(at + 1);
                continue;
            }
            b',' => comma = Some(at),
            b']' | b'}' => {
                if let Some(comma) = comma.take() {
                    bytes[comma] = b' ';
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => comma = None,
        }
        at += 1;
    }
    // Comments go from ASCII byte to ASCII byte, so what is left is text still.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Behind the string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Behind the comment that begins at `start`; `start` when none does.
fn comment_end(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    if rest.starts_with(b"//") {
        return memchr::memchr(b'\n', rest).map_or(bytes.len(), |at| start + at);
    }
    if rest.starts_with(b"/*") {
        return memchr::memmem::find(&rest[2..], b"*/").map_or(start, |at| start + 2 + at + 2);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_become_blanks_outside_strings_only() {
        for (text, expected) in [
            ("{\"a\":1,}", "{\"a\":1 }"),
            ("[1, /* x */ ]", "[1          ]"),
            ("{//é\n\"a\":\"//\\\",}\"}", "{    \n\"a\":\"//\\\",}\"}"),
            ("[1,,]", "[1, ]"),
            ("{\"a\":/", "{\"a\":/"),
            ("[,]", "[ ]"),
        ] {
            assert_eq!(strict(text), expected);
        }
    }
}
