//! `$filter`: the forms that the reference names, parsed into a tree (`entra.md` 4.2 and 4.8).
//!
//! ```text
//! or    := and { "or" and }
//! and   := unary { "and" unary }
//! unary := "not" unary | "(" or ")" | name "eq"|"ne"|"ge"|"le"|"gt"|"lt" value | name "in" "(" value {"," value} ")"
//!        | "startswith"|"endswith" "(" name "," value ")" | name "/any(" x ":" lambda ")"
//! ```

use serde_json::Value;

use crate::entra::refusal::Refusal;

/// Deepest nesting of brackets.
const MAX_DEPTH: usize = 16;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare {
        property: String,
        operator: Operator,
        value: Value,
    },
    In {
        property: String,
        values: Vec<Value>,
    },
    StartsWith {
        property: String,
        prefix: String,
    },
    EndsWith {
        property: String,
        suffix: String,
    },
    /// `identities/any(…)`
    Identity {
        issuer: Option<String>,
        assigned_id: Option<String>,
    },
    /// `otherMails/any(x:x eq '…')` and its like.
    AnyText {
        property: String,
        operator: Operator,
        value: Value,
    },
    /// `otherMails/any(x:startswith(x,'…'))`
    AnyStartsWith {
        property: String,
        prefix: String,
    },
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Ge,
    Le,
    Gt,
    Lt,
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "ge" => Self::Ge,
            "le" => Self::Le,
            "gt" => Self::Gt,
            "lt" => Self::Lt,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

fn invalid() -> Refusal {
    Refusal::bad("Invalid filter clause.")
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut out = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => {}
            '(' => out.push(Token::Open),
            ')' => out.push(Token::Close),
            ',' => out.push(Token::Comma),
            ':' => out.push(Token::Colon),
            '\'' => {
                let mut value = String::new();
                loop {
                    match rest.next() {
                        Some('\'') if rest.peek() == Some(&'\'') => {
                            rest.next();
                            value.push('\'');
                        }
                        Some('\'') => break,
                        Some(other) => value.push(other),
                        None => return Err(invalid()),
                    }
                }
                out.push(Token::Text(value));
            }
            other => {
                let mut word = String::from(other);
                // A colon belongs to a word only inside a time, that is, after a digit word.
                let literal = other.is_ascii_digit() || other == '-';
                while let Some(next) = rest.next_if(|next| !" \t(),'".contains(*next) && (literal || *next != ':')) {
                    word.push(next);
                }
                out.push(Token::Word(word));
            }
        }
    }
    Ok(out)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Filter {
    /// Parses the text of a `$filter`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), depth: 0 };
        let filter = parser.or()?;
        if parser.tokens.next().is_some() { Err(invalid()) } else { Ok(filter) }
    }

    /// This filter and every one inside it.
    pub(crate) fn walk(&self, visit: &mut impl FnMut(&Filter)) {
        visit(self);
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.walk(visit)),
            Self::Not(inner) => inner.walk(visit),
            _ => {}
        }
    }
}

impl Parser {
    fn expect(&mut self, wanted: &Token) -> Result<(), Refusal> {
        match self.tokens.next() {
            Some(token) if token == *wanted => Ok(()),
            _ => Err(invalid()),
        }
    }

    fn word(&mut self) -> Result<String, Refusal> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(invalid()),
        }
    }

    fn text(&mut self) -> Result<String, Refusal> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(text),
            _ => Err(invalid()),
        }
    }

    fn takes(&mut self, keyword: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(word) if word == keyword)).is_some()
    }

    fn or(&mut self) -> Result<Filter, Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(invalid());
        }
        let mut parts = vec![self.and()?];
        while self.takes("or") {
            parts.push(self.and()?);
        }
        self.depth -= 1;
        Ok(single(parts, Filter::Or))
    }

    fn and(&mut self) -> Result<Filter, Refusal> {
        let mut parts = vec![self.unary()?];
        while self.takes("and") {
            parts.push(self.unary()?);
        }
        Ok(single(parts, Filter::And))
    }

    fn unary(&mut self) -> Result<Filter, Refusal> {
        if self.takes("not") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(invalid());
            }
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            let inner = self.or()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        let word = self.word()?;
        if let Some(property) = word.strip_suffix("/any") {
            return self.any(property);
        }
        match word.as_str() {
            "startswith" | "endswith" => {
                let (property, value) = self.call()?;
                Ok(if word == "startswith" {
                    Filter::StartsWith { property, prefix: value }
                } else {
                    Filter::EndsWith { property, suffix: value }
                })
            }
            _ => self.comparison(word),
        }
    }

    fn call(&mut self) -> Result<(String, String), Refusal> {
        self.expect(&Token::Open)?;
        let property = self.word()?;
        self.expect(&Token::Comma)?;
        let value = self.text()?;
        self.expect(&Token::Close)?;
        Ok((property, value))
    }

    fn comparison(&mut self, property: String) -> Result<Filter, Refusal> {
        let operator = self.word()?;
        if operator == "in" {
            self.expect(&Token::Open)?;
            let mut values = vec![self.value()?];
            while self.tokens.next_if_eq(&Token::Comma).is_some() {
                values.push(self.value()?);
            }
            self.expect(&Token::Close)?;
            return Ok(Filter::In { property, values });
        }
        let operator = Operator::parse(&operator).ok_or_else(invalid)?;
        Ok(Filter::Compare { property, operator, value: self.value()? })
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(Value::from(text)),
            Some(Token::Word(word)) => Ok(match word.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => word.parse::<i64>().map_or_else(|_text| Value::from(word.clone()), Value::from),
            }),
            _ => Err(invalid()),
        }
    }

    /// What follows `property/any`.
    fn any(&mut self, property: &str) -> Result<Filter, Refusal> {
        self.expect(&Token::Open)?;
        let variable = self.word()?;
        self.expect(&Token::Colon)?;
        let filter =
            if property == "identities" { self.identity(&variable)? } else { self.any_text(property, &variable)? };
        self.expect(&Token::Close)?;
        Ok(filter)
    }

    fn identity(&mut self, variable: &str) -> Result<Filter, Refusal> {
        let (mut issuer, mut assigned_id) = (None, None);
        loop {
            let member = self.word()?;
            let place = match member.strip_prefix(variable).and_then(|rest| rest.strip_prefix('/')) {
                Some("issuer") => &mut issuer,
                Some("issuerAssignedId") => &mut assigned_id,
                _ => return Err(unsupported_identity()),
            };
            if !self.takes("eq") || place.is_some() {
                return Err(unsupported_identity());
            }
            *place = Some(self.text()?);
            if !self.takes("and") {
                return Ok(Filter::Identity { issuer, assigned_id });
            }
        }
    }

    fn any_text(&mut self, property: &str, variable: &str) -> Result<Filter, Refusal> {
        let property = property.to_owned();
        let word = self.word()?;
        if word == "startswith" {
            let (name, prefix) = self.call()?;
            return if name == variable { Ok(Filter::AnyStartsWith { property, prefix }) } else { Err(invalid()) };
        }
        if word != variable || !self.takes("eq") {
            return Err(invalid());
        }
        Ok(Filter::AnyText { property, operator: Operator::Eq, value: self.value()? })
    }
}

pub(crate) fn unsupported_identity() -> Refusal {
    Refusal::unsupported_query(
        "Unsupported or invalid query filter clause specified for property 'identities' of resource 'User'.",
    )
}

fn single(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_inside_a_value() {
        let filter = Filter::parse("displayName eq 'O''Brien'").unwrap();
        let value = Value::from("O'Brien");
        assert_eq!(filter, Filter::Compare { property: "displayName".into(), operator: Operator::Eq, value });
    }

    #[test]
    fn an_identity_is_looked_up_by_both_parts() {
        let filter = Filter::parse("identities/any(c:c/issuerAssignedId eq 'x' and c/issuer eq 'y')").unwrap();
        assert_eq!(filter, Filter::Identity { issuer: Some("y".into()), assigned_id: Some("x".into()) });
    }

    #[test]
    fn a_time_is_one_value() {
        let filter = Filter::parse("createdDateTime ge 2026-01-02T03:04:05Z").unwrap();
        let value = Value::from("2026-01-02T03:04:05Z");
        assert_eq!(filter, Filter::Compare { property: "createdDateTime".into(), operator: Operator::Ge, value });
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "a", "a eq", "a eq 'b", "a eq 'b' c", "(a eq 1", "identities/any(c:d/issuer eq 'x')", "a xx 'b'"]
        {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        assert!(Filter::parse(&"(".repeat(1_000)).is_err());
        assert!(Filter::parse(&"not ".repeat(1_000)).is_err());
    }
}
