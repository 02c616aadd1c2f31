//! Expressions of a script, as far as its settings and its calls need them.

use std::iter::Peekable;
use std::slice::Iter;

use super::lex::Token;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    Number(String),
    Null,
    /// A variable, or a member of one: `secrets.token` is `["secrets", "token"]`.
    Name(Vec<String>),
    Object(Vec<(String, Value)>),
    /// Members added up.
    Sum(Vec<Value>),
    /// A call without looking at its arguments.
    Call(String),
    Function,
}

impl Value {
    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The one variable that it names.
    pub(super) fn variable(&self) -> Option<&str> {
        match self {
            Self::Name(path) if path.len() == 1 => path.first().map(String::as_str),
            _ => None,
        }
    }

    /// A member of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

type Words<'a> = Peekable<Iter<'a, (Token, usize)>>;

/// Reads an expression at the beginning of `words`, and says how many words it has.
pub(super) fn expression(words: &[(Token, usize)]) -> Option<(Value, usize)> {
    let mut rest = words.iter().peekable();
    let value = sum(&mut rest)?;
    Some((value, words.len() - rest.len()))
}

/// The arguments of the first call of `name`.
pub(super) fn call(words: &[(Token, usize)], name: &str) -> Option<Vec<Value>> {
    let starts = |pair: &[(Token, usize)]| pair[0].0.is_name(name) && pair[1].0.is_sign("(");
    let at = words.windows(2).position(starts)?;
    let mut rest = words[at + 2..].iter().peekable();
    list(&mut rest, ")", sum)
}

fn is_sign(rest: &mut Words<'_>, sign: &str) -> bool {
    rest.peek().is_some_and(|(token, _)| token.is_sign(sign))
}

fn take(rest: &mut Words<'_>, sign: &str) -> Option<()> {
    is_sign(rest, sign).then(|| rest.next()).map(|_| ())
}

fn sum(rest: &mut Words<'_>) -> Option<Value> {
    let first = single(rest)?;
    if !is_sign(rest, "+") {
        return Some(first);
    }
    let mut parts = vec![first];
    while take(rest, "+").is_some() {
        parts.push(single(rest)?);
    }
    Some(Value::Sum(parts))
}

fn single(rest: &mut Words<'_>) -> Option<Value> {
    match &rest.next()?.0 {
        Token::Text(text) => Some(Value::Text(text.clone())),
        Token::Number(text) => Some(Value::Number(text.clone())),
        Token::Sign("{") => list(rest, "}", member).map(Value::Object),
        Token::Sign(_) => None,
        Token::Name(name) => match name.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            "function" => {
                take(rest, "(")?;
                past(rest, "(", ")")?;
                take(rest, "{")?;
                past(rest, "{", "}")?;
                Some(Value::Function)
            }
            _ => named(rest, name),
        },
    }
}

fn named(rest: &mut Words<'_>, name: &str) -> Option<Value> {
    if take(rest, "(").is_some() {
        past(rest, "(", ")")?;
        return Some(Value::Call(name.to_owned()));
    }
    let mut path = vec![name.to_owned()];
    while take(rest, ".").is_some() {
        let Token::Name(member) = &rest.next()?.0 else { return None };
        path.push(member.clone());
    }
    Some(Value::Name(path))
}

fn member(rest: &mut Words<'_>) -> Option<(String, Value)> {
    let name = match &rest.next()?.0 {
        Token::Name(name) | Token::Text(name) => name.clone(),
        Token::Number(_) | Token::Sign(_) => return None,
    };
    take(rest, ":")?;
    Some((name, sum(rest)?))
}

fn list<T>(rest: &mut Words<'_>, end: &str, item: fn(&mut Words<'_>) -> Option<T>) -> Option<Vec<T>> {
    let mut items = Vec::new();
    while take(rest, end).is_none() {
        items.push(item(rest)?);
        if take(rest, ",").is_none() && !is_sign(rest, end) {
            return None;
        }
    }
    Some(items)
}

/// Goes on to behind the bracket that closes the one before.
fn past(rest: &mut Words<'_>, open: &str, close: &str) -> Option<()> {
    let mut depth = 1_u32;
    while depth > 0 {
        let (token, _) = rest.next()?;
        depth += u32::from(token.is_sign(open));
        depth -= u32::from(token.is_sign(close));
    }
    Some(())
}
