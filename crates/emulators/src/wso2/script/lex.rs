//! The words of a script: ECMAScript 5, as far as login scripts use it. Every one knows its line, for messages.

use std::iter::Peekable;
use std::str::Chars;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(String),
    /// A text, unescaped.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// One character, or one of the comparisons and `&&`, `||`.
    Sign(&'static str),
}

impl Token {
    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(own) if own == name)
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Sign(own) if *own == sign)
    }
}

/// Signs, the longer ones first.
const SIGNS: &[&str] = &[
    "===", "!==", "==", "!=", "&&", "||", "<=", ">=", "(", ")", "{", "}", "[", "]", ",", ";", ":", ".", "=", "!", "+",
    "-", "*", "/", "%", "<", ">", "?",
];

/// Reads a script into words; the second of each pair is its line.
///
/// # Errors
/// The line and what stands there.
pub(super) fn words(script: &str) -> Result<Vec<(Token, usize)>, String> {
    let mut reader = Reader { rest: script.chars().peekable(), text: script, at: 0, line: 1 };
    let mut words = Vec::new();
    while let Some(word) = reader.next()? {
        words.push(word);
    }
    Ok(words)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    text: &'a str,
    /// Bytes that were read.
    at: usize,
    line: usize,
}

impl Reader<'_> {
    fn bump(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.at += c.len_utf8();
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn ahead(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip(&mut self) -> Result<(), String> {
        loop {
            if self.ahead().starts_with("//") {
                while self.rest.peek().is_some_and(|c| *c != '\n') {
                    self.bump();
                }
            } else if self.ahead().starts_with("/*") {
                let line = self.line;
                let end = self.ahead().find("*/").map(|end| self.at + end + 2);
                let end = end.ok_or_else(|| format!("line {line}: a comment that does not end"))?;
                while self.at < end {
                    self.bump();
                }
            } else if self.rest.peek().is_some_and(|c| c.is_whitespace()) {
                self.bump();
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Option<(Token, usize)>, String> {
        self.skip()?;
        let line = self.line;
        let Some(first) = self.rest.peek().copied() else { return Ok(None) };
        let token = match first {
            '"' | '\'' => Token::Text(self.text_literal()?),
            c if is_name(c) && !c.is_ascii_digit() => Token::Name(self.take_while(is_name)),
            c if c.is_ascii_digit() => Token::Number(self.take_while(|c| c.is_ascii_digit() || c == '.')),
            c => {
                let known = SIGNS.iter().find(|sign| self.ahead().starts_with(**sign));
                let sign = known.ok_or_else(|| format!("line {line}: a '{c}', which no script here has"))?;
                for _ in 0..sign.len() {
                    self.bump();
                }
                Token::Sign(sign)
            }
        };
        Ok(Some((token, line)))
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.rest.peek().copied().filter(|c| is_part(*c)) {
            taken.push(c);
            self.bump();
        }
        taken
    }

    fn text_literal(&mut self) -> Result<String, String> {
        let line = self.line;
        let open = || format!("line {line}: a text that does not end");
        let quote = self.bump();
        let mut units: Vec<u16> = Vec::new();
        loop {
            match self.bump().filter(|c| *c != '\n').ok_or_else(open)? {
                c if Some(c) == quote => break,
                '\\' => units.push(self.escaped(line)?),
                c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
        String::from_utf16(&units).map_err(|_half| format!("line {line}: half of a character in a text"))
    }

    fn escaped(&mut self, line: usize) -> Result<u16, String> {
        let unknown = || format!("line {line}: an escape in a text that is not understood");
        let digits = match self.bump().ok_or_else(unknown)? {
            'n' => return Ok(10),
            'r' => return Ok(13),
            't' => return Ok(9),
            c @ ('"' | '\'' | '\\' | '/') => return u16::try_from(u32::from(c)).map_err(|_large| unknown()),
            'x' => 2,
            'u' => 4,
            _ => return Err(unknown()),
        };
        let hex: String = (0..digits).filter_map(|_| self.bump()).collect();
        u16::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == digits).ok_or_else(unknown)
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::{Token, words};

    #[test]
    fn texts_are_unescaped_and_comments_are_no_words() {
        let read = words("// no\nvar a = \"\\u0022\\ud83d\\ude00'\"; /* \n */ a !== 'b'").unwrap();
        let texts: Vec<_> = read.iter().filter(|(token, _)| matches!(token, Token::Text(_))).collect();
        assert_eq!(texts, [&(Token::Text("\"😀'".into()), 2), &(Token::Text("b".into()), 3)]);
        assert!(read.iter().any(|(token, _)| token.is_sign("!==")) && read[0].0.is_name("var"));
    }

    #[test]
    fn what_is_no_script_names_its_line() {
        for (script, line) in [("a\n\"b\n\"", "line 2"), ("a\n/* b", "line 2"), ("#", "line 1"), ("'\\q'", "line 1")] {
            let error = words(script).unwrap_err();
            assert!(error.starts_with(line), "{error}");
        }
    }
}
