//! A filter's text as tokens.

use serde_json::Value;

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// A name, an operator or a word such as `and`.
    Word(String),
    /// A JSON string or number. `true`, `false` and `null` come as words.
    Literal(Value),
}

/// Tokens of one filter at most.
const MOST_TOKENS: usize = 4_000;

/// Parts a text; the error says why it cannot be parted.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(' ');
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '[' => (Token::OpenBracket, 1),
            ']' => (Token::CloseBracket, 1),
            '"' => string(rest)?,
            '-' | '0'..='9' => number(rest)?,
            first if first.is_ascii_alphabetic() || first == '$' => word(rest),
            other => return Err(format!("{other:?} is not expected")),
        };
        tokens.push(token);
        if tokens.len() > MOST_TOKENS {
            return Err("it is too long".to_owned());
        }
        rest = &rest[length..];
    }
}

/// A JSON string: its end is found first, then it is read as JSON.
fn string(text: &str) -> Result<(Token, usize), String> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let value = serde_json::from_str(&text[..=at]);
                let value = value.map_err(|_error| "a quoted value is not a JSON string".to_owned())?;
                return Ok((Token::Literal(value), at + 1));
            }
            _ => {}
        }
    }
    Err("a quoted value has no end".to_owned())
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let end = text.find([' ', ')', ']']).unwrap_or(text.len());
    let value = serde_json::from_str(&text[..end]);
    let value = value.map_err(|_error| format!("{:?} is not a JSON number", &text[..end]))?;
    Ok((Token::Literal(value), end))
}

/// Names, with the characters of a URN (RFC 7644 3.4.2.2 and 3.10).
fn word(text: &str) -> (Token, usize) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:$".contains(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (Token::Word(text[..end].to_owned()), end)
}
