//! Which encoding a file has, and its bytes as UTF-8.
//!
//! What is no text in the encoding stays invalid UTF-8 in the result (a lone surrogate as its three generalised
//! bytes, an odd last byte as 0xFF), so that one check per record finds it and only that record is rejected.

use encoding_rs::WINDOWS_1252;

/// An encoding that files are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Windows-1252, the superset of Latin-1 that browsers and Excel mean by it.
    Windows1252,
}

impl Encoding {
    /// Its name as in `encoding = "…"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// How many bytes of the file gave this piece of decoded text.
    pub fn source_bytes(self, text: &[u8]) -> u64 {
        let units = |byte: &u8| match byte {
            0x80..=0xBF => 0,
            0xF0..=0xF7 => 2,
            _ => 1_u64,
        };
        match self {
            Self::Utf8 => text.len() as u64,
            Self::Windows1252 => text.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count() as u64,
            // 0xFF stands for an odd last byte, which is half a unit.
            Self::Utf16Le | Self::Utf16Be => {
                text.iter().map(|byte| if *byte == 0xFF { 1 } else { 2 * units(byte) }).sum()
            }
        }
    }

    /// Decodes as much of `raw` as is whole and takes it away; at the end of the file everything.
    pub fn decode(self, raw: &mut Vec<u8>, out: &mut Vec<u8>, at_end: bool) {
        match self {
            Self::Utf8 => out.append(raw),
            Self::Windows1252 => {
                out.extend_from_slice(WINDOWS_1252.decode_without_bom_handling(raw).0.as_bytes());
                raw.clear();
            }
            Self::Utf16Le => decode_utf16(raw, out, at_end, u16::from_le_bytes),
            Self::Utf16Be => decode_utf16(raw, out, at_end, u16::from_be_bytes),
        }
    }
}

fn decode_utf16(raw: &mut Vec<u8>, out: &mut Vec<u8>, at_end: bool, unit: fn([u8; 2]) -> u16) {
    let mut whole = raw.len() / 2 * 2;
    if !at_end && whole >= 2 && matches!(unit([raw[whole - 2], raw[whole - 1]]), 0xD800..=0xDBFF) {
        whole -= 2; // its other half comes with the next chunk
    }
    let units = raw[..whole].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let [high, low] = lone.unpaired_surrogate().to_be_bytes();
                out.extend_from_slice(&[0xED, 0x80 | (high << 2 & 0x3C) | low >> 6, 0x80 | (low & 0x3F)]);
            }
        }
    }
    if at_end && whole < raw.len() {
        out.push(0xFF);
        whole = raw.len();
    }
    raw.drain(..whole);
}

/// What `encoding = "…"` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stated {
    /// To be detected.
    #[default]
    Auto,
    /// UTF-16 of either order: by the byte-order mark, else by where the zero bytes are.
    Utf16,
    /// This one.
    Just(Encoding),
}

impl Stated {
    /// The words of the setting.
    pub const WORDS: &'static [&'static str] = &["auto", "utf-8", "utf-16", "utf-16le", "utf-16be", "windows-1252"];

    /// Reads the setting; the checker has seen to it that it is one of [`Self::WORDS`].
    pub fn from_word(word: &str) -> Self {
        let all = [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Windows1252];
        match all.into_iter().find(|encoding| encoding.name() == word) {
            Some(encoding) => Self::Just(encoding),
            None if word == "utf-16" => Self::Utf16,
            None => Self::Auto,
        }
    }
}

/// The encoding a file is read in, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detected {
    /// The encoding.
    pub encoding: Encoding,
    /// Length of the byte-order mark, in bytes.
    pub mark: usize,
    /// How it is known, as part of a sentence.
    pub why: &'static str,
}

/// Decides by the file's head (its first MiB, or all of it).
///
/// # Errors
/// A sentence that says why the stated encoding cannot be right.
pub fn detect(head: &[u8], stated: Stated) -> Result<Detected, String> {
    let marked = marked(head);
    let zeros = marked.is_none().then(|| by_zeros(head)).flatten();
    let evident = marked.map(|(encoding, mark)| (encoding, mark, "by its byte-order mark"));
    let evident = evident.or(zeros.map(|encoding| (encoding, 0, "by its zero bytes")));
    match (stated, evident) {
        (Stated::Auto, Some((encoding, mark, why))) => Ok(Detected { encoding, mark, why }),
        (Stated::Auto, None) => Ok(by_bytes(head)),
        (Stated::Utf16, Some((encoding @ (Encoding::Utf16Le | Encoding::Utf16Be), mark, why))) => {
            Ok(Detected { encoding, mark, why })
        }
        (Stated::Utf16, evident) => Err(misfit("utf-16", evident.map(|(encoding, ..)| encoding))),
        (Stated::Just(encoding), Some((other, ..))) if other != encoding => Err(misfit(encoding.name(), Some(other))),
        (Stated::Just(encoding), evident) => {
            let detected = Detected { encoding, mark: evident.map_or(0, |(_, mark, _)| mark), why: "as stated" };
            if fits(head, encoding) { Ok(detected) } else { Err(misfit(encoding.name(), None)) }
        }
    }
}

fn misfit(stated: &str, evident: Option<Encoding>) -> String {
    match evident {
        Some(encoding) => format!("`encoding` says {stated}, but the file is {}", encoding.name()),
        None => format!("`encoding` says {stated}, but nothing in the file's first part fits that"),
    }
}

fn marked(head: &[u8]) -> Option<(Encoding, usize)> {
    match head {
        [0xEF, 0xBB, 0xBF, ..] => Some((Encoding::Utf8, 3)),
        [0xFF, 0xFE, ..] => Some((Encoding::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => Some((Encoding::Utf16Be, 2)),
        _ => None,
    }
}

/// Markup and Western text in UTF-16 has a zero in every other byte; other text files have none.
fn by_zeros(head: &[u8]) -> Option<Encoding> {
    let sample = &head[..head.len().min(4_096) / 2 * 2];
    let zeros = |parity: usize| sample.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let many = (sample.len() / 16).max(1);
    match () {
        () if odd >= many && even * 8 <= odd => Some(Encoding::Utf16Le),
        () if even >= many && odd * 8 <= even => Some(Encoding::Utf16Be),
        () => None,
    }
}

/// UTF-8, unless most bytes above ASCII are not and every one is a letter of Windows-1252.
fn by_bytes(head: &[u8]) -> Detected {
    let (mut good, mut bad) = (0, 0);
    let mut rest = head;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                good += above_ascii(text);
                break;
            }
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                good += std::str::from_utf8(valid).map_or(0, above_ascii);
                let Some(length) = error.error_len() else { break }; // cut at the end of the head
                bad += length;
                rest = &after[length..];
            }
        }
    }
    let western = !head.iter().any(|byte| matches!(byte, 0x00..=0x08 | 0x81 | 0x8D | 0x8F | 0x90 | 0x9D));
    if bad > good && western {
        return Detected { encoding: Encoding::Windows1252, mark: 0, why: "because it is not UTF-8" };
    }
    Detected { encoding: Encoding::Utf8, mark: 0, why: "by its bytes" }
}

fn above_ascii(text: &str) -> usize {
    text.chars().filter(|char| !char.is_ascii()).count()
}

/// Whether there is any ASCII at all when the head is read so: every form has some (line ends, commas, brackets).
fn fits(head: &[u8], encoding: Encoding) -> bool {
    let mut text = Vec::new();
    encoding.decode(&mut head[..head.len().min(65_536)].to_vec(), &mut text, true);
    head.is_empty() || text.iter().any(|byte| (1..0x80).contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    fn check(bytes: &[u8], stated: &str, expected: Result<Encoding, ()>) {
        let detected = detect(bytes, Stated::from_word(stated));
        assert_eq!(detected.map(|d| d.encoding).map_err(drop), expected, "{stated} {bytes:?}");
    }

    #[test]
    fn encodings_are_detected_by_mark_zeros_and_bytes() {
        check("id;name\n1;Zoë\n".as_bytes(), "auto", Ok(Encoding::Utf8));
        check(b"\xEF\xBB\xBFid", "auto", Ok(Encoding::Utf8));
        check(b"id;name\n1;Zo\xEB\n2;J\xFCrgen\n", "auto", Ok(Encoding::Windows1252));
        check("id;name\n1;Zoë Zoë\n2;J\u{0}".replace('\0', "").as_bytes(), "auto", Ok(Encoding::Utf8));
        check(&utf16("id;name\n", u16::to_le_bytes), "auto", Ok(Encoding::Utf16Le));
        check(&utf16("id;name\n", u16::to_be_bytes), "auto", Ok(Encoding::Utf16Be));
        check(&utf16("\u{feff}名,前\n", u16::to_be_bytes), "auto", Ok(Encoding::Utf16Be));
        check(b"", "auto", Ok(Encoding::Utf8));
    }

    #[test]
    fn one_bad_byte_in_a_utf8_file_does_not_make_it_windows_1252() {
        check("1;Zoë;Jürgen\n2;".as_bytes().iter().copied().chain([0xEB]).collect::<Vec<_>>().as_slice(), "auto", {
            Ok(Encoding::Utf8)
        });
        check(b"id\n\x81\x8D\xFF", "auto", Ok(Encoding::Utf8));
    }

    #[test]
    fn a_stated_encoding_that_cannot_be_right_is_refused() {
        check(&utf16("id;name\n", u16::to_le_bytes), "utf-8", Err(()));
        check(b"id;name\nx\n", "utf-16", Err(()));
        check(b"id;name\nx\n", "utf-16le", Err(()));
        check(b"\xFF\xFEi\0d\0", "utf-16be", Err(()));
        check(b"\xFF\xFEi\0d\0", "utf-16", Ok(Encoding::Utf16Le));
        check(b"1;Zo\xEB\n", "utf-8", Ok(Encoding::Utf8));
        check(b"1;Zo\xEB\n", "windows-1252", Ok(Encoding::Windows1252));
    }

    #[test]
    fn decoded_text_tells_how_many_bytes_of_the_file_it_took() {
        for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
            let order = if encoding == Encoding::Utf16Le { u16::to_le_bytes } else { u16::to_be_bytes };
            let mut raw = utf16("aé€😀", order);
            raw.extend(order(0xD800));
            raw.extend(order(u16::from(b'x')));
            raw.push(7);
            let (length, mut text) = (raw.len() as u64, Vec::new());
            encoding.decode(&mut raw, &mut text, true);
            assert_eq!(encoding.source_bytes(&text), length);
            assert!(std::str::from_utf8(&text).is_err(), "a lone surrogate stays invalid");
        }
        let (mut raw, mut text) = (b"Zo\xEB \x80 \x81".to_vec(), Vec::new());
        Encoding::Windows1252.decode(&mut raw, &mut text, true);
        assert_eq!(Encoding::Windows1252.source_bytes(&text), 7);
        assert_eq!(std::str::from_utf8(&text), Ok("Zoë € \u{81}"));
    }
}
