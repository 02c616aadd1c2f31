//! Finds where one JSON value ends, byte by byte, without keeping it.

/// How deep brackets are told apart; deeper ones are only counted, and the value is rejected when it is read.
const DEPTH: u32 = 128;

/// Goes along one JSON value (with comments) in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Scan {
    state: State,
    depth: u32,
    braces: u128,
    begun: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    Text,
    Escape,
    Slash,
    Line,
    Block,
    Star,
    /// A number or word at depth 0.
    Bare,
}

/// How far a piece took the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value goes on behind the piece.
    More,
    /// The value ends before this byte of the piece.
    End(usize),
    /// This byte of the piece closes a bracket of the other kind, or none.
    Broken(usize),
}

impl Scan {
    /// Goes along the next piece.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Step {
        for (at, byte) in piece.iter().enumerate() {
            match self.state {
                State::Plain => {
                    if let Some(step) = self.plain(*byte, at) {
                        return step;
                    }
                }
                State::Text => match byte {
                    b'\\' => self.state = State::Escape,
                    b'"' if self.depth == 0 => return Step::End(at + 1),
                    // No string goes over a line end: its closing quote is missing, and the value will be rejected.
                    b'"' | b'\n' => self.state = State::Plain,
                    _ => {}
                },
                State::Escape => self.state = State::Text,
                State::Slash => match byte {
                    b'/' => self.state = State::Line,
                    b'*' => self.state = State::Block,
                    _ => {
                        self.state = State::Plain;
                        if let Some(step) = self.plain(*byte, at) {
                            return step;
                        }
                    }
                },
                State::Line if *byte == b'\n' => self.state = State::Plain,
                State::Block if *byte == b'*' => self.state = State::Star,
                State::Star if *byte == b'/' => self.state = State::Plain,
                State::Star if *byte != b'*' => self.state = State::Block,
                State::Bare => {
                    if matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' | b'/') {
                        return Step::End(at);
                    }
                }
                State::Line | State::Block | State::Star => {}
            }
        }
        Step::More
    }

    fn plain(&mut self, byte: u8, at: usize) -> Option<Step> {
        match byte {
            b'"' => self.state = State::Text,
            b'/' => self.state = State::Slash,
            b'{' | b'[' => self.open(byte == b'{'),
            b'}' | b']' => return self.close(byte == b'}', at),
            _ if self.depth == 0 && !self.begun => self.state = State::Bare,
            // A string that broke off at a line end, at depth 0.
            b'\n' | b',' if self.depth == 0 => return Some(Step::End(at)),
            _ => {}
        }
        self.begun = true;
        None
    }

    fn open(&mut self, brace: bool) {
        if self.depth < DEPTH {
            self.braces = self.braces & !(1 << self.depth) | u128::from(brace) << self.depth;
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn close(&mut self, brace: bool, at: usize) -> Option<Step> {
        if self.depth == 0 {
            return Some(if self.begun { Step::End(at) } else { Step::Broken(at) });
        }
        self.depth -= 1;
        if self.depth < DEPTH && (self.braces >> self.depth & 1 == 1) != brace {
            return Some(Step::Broken(at));
        }
        (self.depth == 0).then_some(Step::End(at + 1))
    }

    /// Whether a value that ends with the document is whole: only a number or word at depth 0 is.
    pub(super) fn may_end(&self) -> bool {
        self.state == State::Bare
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Step) {
        for chunk in 1..=text.len() {
            let (mut scan, mut begun, mut step) = (Scan::default(), 0, Step::More);
            for piece in text.as_bytes().chunks(chunk) {
                step = match scan.feed(piece) {
                    Step::More => Step::More,
                    Step::End(at) => Step::End(begun + at),
                    Step::Broken(at) => Step::Broken(begun + at),
                };
                if step != Step::More {
                    break;
                }
                begun += piece.len();
            }
            assert_eq!(step, expected, "{text} in pieces of {chunk}");
        }
    }

    #[test]
    fn a_values_end_is_found_through_strings_escapes_and_comments() {
        check(r#"{"a":"}","b":[1,{}]},"#, Step::End(20));
        check("\"a\\\"b\",", Step::End(6));
        check("12 ,", Step::End(2));
        check("null]", Step::End(4));
        check("{ // }\n /* } **/ \"/*\":1}]", Step::End(24));
        check("{\"a\":[1,2}", Step::Broken(9));
        check("]", Step::Broken(0));
        check("{\"a\":1", Step::More);
    }

    #[test]
    fn a_string_without_its_closing_quote_ends_with_its_line() {
        check("{\"a\": \"x,\n\"b\": \"}\"\n}, {", Step::End(20));
    }
}
