//! Text of any encoding as UTF-8 in a bounded buffer, with the file's own byte offsets and line numbers.

use std::io::Read;

use zeroize::Zeroizing;

use super::Encoding;

/// How much is read from the file at a time, in bytes.
pub const CHUNK: usize = 128 * 1024;

/// A buffered reader that shows what it holds and lets callers take as much as they understand.
///
/// The buffer may hold passwords: it is wiped when it is dropped or grows.
pub struct Reader<R> {
    input: R,
    encoding: Encoding,
    chunk: usize,
    raw: Zeroizing<Vec<u8>>,
    text: Zeroizing<Vec<u8>>,
    start: usize,
    offset: u64,
    line: u64,
    ended: bool,
    peak: usize,
}

impl<R: Read> Reader<R> {
    /// Reads `input`, which stands at byte `offset` of its file, in line `line`.
    pub fn new(input: R, encoding: Encoding, offset: u64, line: u64) -> Self {
        Self {
            input,
            encoding,
            chunk: CHUNK,
            raw: Zeroizing::new(Vec::new()),
            text: Zeroizing::new(Vec::new()),
            start: 0,
            offset,
            line,
            ended: false,
            peak: 0,
        }
    }

    /// Sets how much is read at a time; tests cut the text in odd places with it.
    #[must_use]
    pub fn with_chunk(mut self, bytes: usize) -> Self {
        self.chunk = bytes.max(1);
        self
    }

    /// What is held: the text from [`Self::offset`] on, as far as it was read.
    pub fn held(&self) -> &[u8] {
        &self.text[self.start..]
    }

    /// Reads more; `false` at the end of the file.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn more(&mut self) -> std::io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let before = self.held().len();
        self.make_room();
        while self.held().len() == before && !self.ended {
            self.read_chunk()?;
        }
        self.peak = self.peak.max(self.text.len() + self.raw.len());
        Ok(self.held().len() > before)
    }

    fn read_chunk(&mut self) -> std::io::Result<()> {
        let limit = self.chunk as u64;
        if self.encoding == Encoding::Utf8 {
            self.ended = (&mut self.input).take(limit).read_to_end(&mut self.text)? == 0;
            return Ok(());
        }
        self.ended = (&mut self.input).take(limit).read_to_end(&mut self.raw)? == 0;
        self.encoding.decode(&mut self.raw, &mut self.text, self.ended);
        Ok(())
    }

    /// Moves what is held to the front; a larger buffer replaces the old one, which is wiped.
    fn make_room(&mut self) {
        let room = match self.encoding {
            Encoding::Utf8 => self.chunk + 1,
            // One byte of UTF-16 or Windows-1252 gives at most three of UTF-8.
            _ => 3 * (self.chunk + self.raw.len()) + 4,
        };
        let held = self.held().len();
        if self.text.capacity() < held + room {
            let mut larger = Zeroizing::new(Vec::with_capacity((held + room).max(2 * held)));
            larger.extend_from_slice(self.held());
            self.text = larger;
        } else if self.start > 0 {
            self.text.copy_within(self.start.., 0);
            self.text.truncate(held);
        }
        self.start = 0;
    }

    /// Takes `count` bytes of what is held.
    pub fn take(&mut self, count: usize) {
        let taken = &self.text[self.start..self.start + count];
        self.offset += self.encoding.source_bytes(taken);
        self.line += memchr::memchr_iter(b'\n', taken).count() as u64;
        self.start += count;
    }

    /// The next byte, without taking it; `None` at the end of the file.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn peek(&mut self) -> std::io::Result<Option<u8>> {
        if self.held().is_empty() {
            self.more()?;
        }
        Ok(self.held().first().copied())
    }

    /// Where in the file, in bytes, the held text begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where in the file, in bytes, stands what is held `ahead` bytes further on.
    pub fn offset_ahead(&self, ahead: usize) -> u64 {
        self.offset + self.encoding.source_bytes(&self.held()[..ahead.min(self.held().len())])
    }

    /// The line, from 1, in which the held text begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The most that was held at once, in bytes.
    pub fn peak(&self) -> usize {
        self.peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_however_it_is_cut_and_offsets_are_the_files_own() {
        let text = "aé€😀\nx";
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for chunk in 1..=bytes.len() {
            let mut reader = Reader::new(bytes.as_slice(), Encoding::Utf16Le, 0, 1).with_chunk(chunk);
            while reader.more().unwrap() {}
            assert_eq!(reader.held(), text.as_bytes());
            assert_eq!(reader.offset_ahead("aé".len()), 4);
            reader.take("aé€😀\n".len());
            assert_eq!((reader.offset(), reader.line()), (bytes.len() as u64 - 2, 2));
        }
    }
}
