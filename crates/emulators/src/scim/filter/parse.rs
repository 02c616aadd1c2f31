//! From tokens to a filter: `or` binds weaker than `and`, `not` needs parentheses, brackets do not nest.

use serde_json::Value;

use super::lexer::{Token, tokens};
use super::{Filter, Op, invalid};
use crate::scim::refusal::Refusal;

/// Bytes of a filter.
const MOST_BYTES: usize = 16 * 1024;
/// Parentheses and brackets within each other.
const MOST_DEPTH: usize = 24;

/// Reads a filter.
pub(crate) fn parse(text: &str) -> Result<Filter, Refusal> {
    whole(text, Brackets::Allowed).map_err(|why| invalid(&why))
}

/// Reads what stands inside `[…]` of a path.
pub(crate) fn parse_within(text: &str) -> Result<Filter, Refusal> {
    whole(text, Brackets::Forbidden).map_err(|why| invalid(&why))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Brackets {
    Allowed,
    Forbidden,
}

fn whole(text: &str, brackets: Brackets) -> Result<Filter, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("it is longer than {MOST_BYTES} bytes"));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), depth: 0, brackets };
    let filter = parser.any_of()?;
    match parser.tokens.next() {
        None => Ok(filter),
        Some(token) => Err(format!("{} is not expected", named(&token))),
    }
}

fn named(token: &Token) -> String {
    match token {
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::OpenBracket => "[".to_owned(),
        Token::CloseBracket => "]".to_owned(),
        Token::Word(word) => word.clone(),
        Token::Literal(_) => "a value".to_owned(),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
    brackets: Brackets,
}

impl Parser {
    fn takes_word(&mut self, wanted: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        self.tokens.next_if(is).is_some()
    }

    fn expects(&mut self, wanted: &Token) -> Result<(), String> {
        match self.tokens.next() {
            Some(token) if token == *wanted => Ok(()),
            Some(token) => Err(format!("{} is expected, not {}", named(wanted), named(&token))),
            None => Err(format!("{} is missing at the end", named(wanted))),
        }
    }

    fn any_of(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.all_of()?];
        while self.takes_word("or") {
            parts.push(self.all_of()?);
        }
        Ok(one_or(parts, Filter::Or))
    }

    fn all_of(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.term()?];
        while self.takes_word("and") {
            parts.push(self.term()?);
        }
        Ok(one_or(parts, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, String> {
        match self.tokens.next() {
            Some(Token::Open) => self.closed(),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("not") => {
                self.expects(&Token::Open)?;
                Ok(Filter::Not(Box::new(self.closed()?)))
            }
            Some(Token::Word(path)) => self.comparison(path),
            Some(token) => Err(format!("an attribute is expected, not {}", named(&token))),
            None => Err("it ends where an attribute is expected".to_owned()),
        }
    }

    /// What follows an opening parenthesis, up to the closing one.
    fn closed(&mut self) -> Result<Filter, String> {
        self.deeper()?;
        let filter = self.any_of()?;
        self.expects(&Token::Close)?;
        self.depth -= 1;
        Ok(filter)
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MOST_DEPTH { Err(format!("it is nested deeper than {MOST_DEPTH}")) } else { Ok(()) }
    }

    fn comparison(&mut self, path: String) -> Result<Filter, String> {
        if self.tokens.next_if(|token| *token == Token::OpenBracket).is_some() {
            if self.brackets == Brackets::Forbidden {
                return Err("brackets do not nest".to_owned());
            }
            self.deeper()?;
            self.brackets = Brackets::Forbidden;
            let inner = self.any_of()?;
            self.brackets = Brackets::Allowed;
            self.expects(&Token::CloseBracket)?;
            self.depth -= 1;
            return Ok(Filter::Each(path, Box::new(inner)));
        }
        let Some(Token::Word(operator)) = self.tokens.next() else {
            return Err(format!("an operator is expected after {path}"));
        };
        if operator.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let op = Op::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&operator));
        let (_, op) = op.ok_or_else(|| format!("{operator} is not an operator"))?;
        Ok(Filter::Compare(path, *op, self.value()?))
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.tokens.next() {
            Some(Token::Literal(value)) => Ok(value),
            Some(Token::Word(word)) => match word.as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                "null" => Ok(Value::Null),
                _ => Err(format!("{word} is not a JSON value")),
            },
            Some(token) => Err(format!("a value is expected, not {}", named(&token))),
            None => Err("a value is missing at the end".to_owned()),
        }
    }
}

fn one_or(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
