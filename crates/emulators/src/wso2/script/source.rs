//! The outline of a script: its variables and its functions, one after the other.

use super::lex::{Token, words};
use super::value::{Value, expression};

/// What product functions a script may call; others of the product's are not emulated.
const CALLABLE: &[&str] = &[
    "callChoreo",
    "executeStep",
    "getUniqueUserWithClaimValues",
    "httpPost",
    "prompt",
    "resolveMultiAttributeLoginIdentifier",
    "sendError",
    "updateUserPassword",
];

/// A script's variables and functions.
#[derive(Debug)]
pub(super) struct Source {
    variables: Vec<(String, Value)>,
    functions: Vec<Function>,
}

#[derive(Debug)]
struct Function {
    name: String,
    parameters: Vec<String>,
    body: Vec<(Token, usize)>,
}

impl Source {
    /// Reads a text that is nothing but `var NAME = …;`.
    ///
    /// # Errors
    /// What is not understood, with its line.
    pub(super) fn read(script: &str) -> Result<Self, String> {
        let all = words(script)?;
        let mut source = Self { variables: Vec::new(), functions: Vec::new() };
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            rest = source.declaration(rest)?;
        }
        source.demand_known_words(&all)?;
        Ok(source)
    }

    fn declaration<'a>(&mut self, rest: &'a [(Token, usize)]) -> Result<&'a [(Token, usize)], String> {
        let line = rest.first().map_or(0, |(_, line)| *line);
        let unknown = || format!("line {line}: a script is `var NAME = …;` throughout, and this is not");
        let [(var, _), (Token::Name(name), _), (equals, _), value @ ..] = rest else { return Err(unknown()) };
        if !var.is_name("var") || !equals.is_sign("=") {
            return Err(unknown());
        }
        let (read, length) = expression(value).ok_or_else(unknown)?;
        if read == Value::Function {
            self.functions.push(function(name, &value[..length]).ok_or_else(unknown)?);
        } else {
            self.variables.push((name.clone(), read));
        }
        match value.get(length) {
            Some((end, _)) if end.is_sign(";") => Ok(&value[length + 1..]),
            _ => Err(unknown()),
        }
    }

    /// Loops are no part of the language of login scripts (wso2-scim.md 1.2.9), and what is called has to be known.
    fn demand_known_words(&self, all: &[(Token, usize)]) -> Result<(), String> {
        for (at, (token, line)) in all.iter().enumerate() {
            let Token::Name(name) = token else { continue };
            if ["for", "while", "do"].contains(&name.as_str()) {
                return Err(format!("line {line}: login scripts have no loops"));
            }
            let is_called = all.get(at + 1).is_some_and(|(next, _)| next.is_sign("("));
            let is_member = at > 0 && all[at - 1].0.is_sign(".");
            let is_word = ["if", "function", "return"].contains(&name.as_str());
            let is_known = CALLABLE.contains(&name.as_str()) || self.body(name).is_ok();
            if is_called && !is_member && !is_word && !is_known {
                return Err(format!("line {line}: calls {name}, which this emulator does not have"));
            }
        }
        Ok(())
    }

    /// A variable's value.
    pub(super) fn variable(&self, name: &str) -> Result<&Value, String> {
        let found = self.variables.iter().find(|(own, _)| own == name).map(|(_, value)| value);
        found.ok_or_else(|| format!("the script has no variable {name}"))
    }

    /// A text that is written out or in a variable.
    pub(super) fn text_of(&self, value: &Value, what: &str) -> Result<String, String> {
        let value = match value.variable() {
            Some(name) => self.variable(name)?,
            None => value,
        };
        value.text().map(ToOwned::to_owned).ok_or_else(|| format!("{what} is no text"))
    }

    /// A truth value that is written out or in a variable.
    pub(super) fn bool_of(&self, value: &Value, what: &str) -> Result<bool, String> {
        let value = match value.variable() {
            Some(name) => self.variable(name)?,
            None => value,
        };
        match value {
            Value::Bool(value) => Ok(*value),
            _ => Err(format!("{what} is no truth value")),
        }
    }

    /// The words of a function's body.
    pub(super) fn body(&self, name: &str) -> Result<&[(Token, usize)], String> {
        let found = self.functions.iter().find(|function| function.name == name);
        found.map(|function| function.body.as_slice()).ok_or_else(|| format!("the script has no function {name}"))
    }

    /// The parameters of a function.
    pub(super) fn parameters(&self, name: &str) -> Vec<&str> {
        let found = self.functions.iter().find(|function| function.name == name);
        found.into_iter().flat_map(|function| &function.parameters).map(String::as_str).collect()
    }

    /// Demands that a function has these words one after the other.
    pub(super) fn demand(&self, function: &str, snippet: &str) -> Result<(), String> {
        if self.has(function, snippet)? {
            return Ok(());
        }
        Err(format!("the function {function} does not say `{snippet}`, so what it does is not understood"))
    }

    /// Whether a function has these words one after the other.
    pub(super) fn has(&self, function: &str, snippet: &str) -> Result<bool, String> {
        let (body, wanted) = (self.body(function)?, words(snippet)?);
        let is_same = |part: &[(Token, usize)]| part.iter().zip(&wanted).all(|((own, _), (other, _))| own == other);
        Ok(body.windows(wanted.len().max(1)).any(is_same))
    }
}

/// Takes `function(a, b) { … }` apart.
fn function(name: &str, words: &[(Token, usize)]) -> Option<Function> {
    let end = words.iter().position(|(token, _)| token.is_sign(")"))?;
    let parameters = words.get(2..end)?.iter().filter_map(|(token, _)| match token {
        Token::Name(name) => Some(name.clone()),
        Token::Text(_) | Token::Number(_) | Token::Sign(_) => None,
    });
    let body = words.get(end + 2..words.len() - 1)?.to_vec();
    Some(Function { name: name.to_owned(), parameters: parameters.collect(), body })
}
