//! One line at a time, bounded.

use std::io::Read;

use super::{Reader, keep_head};

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// `text` bytes of what the reader holds, and `whole` bytes with its line end; nothing has been taken yet.
    Whole {
        /// Length without line end.
        text: usize,
        /// Length with line end.
        whole: usize,
    },
    /// Longer than the bound: it has been taken, and this is its head.
    TooLong(Vec<u8>),
    /// There is none.
    End,
}

/// Finds the next line; LF and CRLF end one, and so does the end of the file.
///
/// # Errors
/// Whatever the file system says.
pub fn next_line<R: Read>(reader: &mut Reader<R>, limit: usize) -> std::io::Result<Line> {
    let mut seen = 0;
    loop {
        if let Some(at) = memchr::memchr(b'\n', &reader.held()[seen..]) {
            let end = seen + at;
            return Ok(if end > limit { skip(reader)? } else { whole(reader.held(), end, end + 1) });
        }
        seen = reader.held().len();
        if seen > limit {
            return skip(reader);
        }
        if !reader.more()? {
            return Ok(if seen == 0 { Line::End } else { whole(reader.held(), seen, seen) });
        }
    }
}

fn whole(held: &[u8], end: usize, whole: usize) -> Line {
    Line::Whole { text: end - usize::from(held[..end].last() == Some(&b'\r')), whole }
}

/// Takes the rest of a line that is too long, and keeps its head.
fn skip<R: Read>(reader: &mut Reader<R>) -> std::io::Result<Line> {
    let mut head = Vec::new();
    loop {
        let end = memchr::memchr(b'\n', reader.held());
        let piece = &reader.held()[..end.unwrap_or(reader.held().len())];
        keep_head(&mut head, piece);
        reader.take(end.map_or(piece.len(), |at| at + 1));
        if end.is_some() || !reader.more()? {
            return Ok(Line::TooLong(head));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Encoding;

    fn lines(text: &str, chunk: usize, limit: usize) -> Vec<String> {
        let mut reader = Reader::new(text.as_bytes(), Encoding::Utf8, 0, 1).with_chunk(chunk);
        let mut lines = Vec::new();
        loop {
            match next_line(&mut reader, limit).unwrap() {
                Line::Whole { text, whole } => {
                    lines.push(String::from_utf8(reader.held()[..text].to_vec()).unwrap());
                    reader.take(whole);
                }
                Line::TooLong(_) => lines.push("!".into()),
                Line::End => return lines,
            }
        }
    }

    #[test]
    fn lines_end_with_lf_crlf_or_the_file_and_long_ones_cost_themselves_only() {
        for chunk in 1..12 {
            assert_eq!(lines("a\r\n\nbcd\nabcdefgh\nx", chunk, 4), ["a", "", "bcd", "!", "x"]);
            assert_eq!(lines("abcdefgh", chunk, 4), ["!"]);
            assert_eq!(lines("", chunk, 4), Vec::<String>::new());
        }
    }
}
