//! Filters as the product reads them (wso2-scim.md 2.8): quotes do not protect a value.

use crate::scim::filter::{Filter, Op};
use crate::scim::refusal::Refusal;

/// The operators that users are filtered by; groups have no `ne`.
const OPERATORS: [(&str, Op); 7] =
    [("eq", Op::Eq), ("ne", Op::Ne), ("co", Op::Co), ("sw", Op::Sw), ("ew", Op::Ew), ("ge", Op::Ge), ("le", Op::Le)];

/// What is filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    Users,
    /// No `ne` and nothing compound.
    Groups,
}

impl Among {
    fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }
}

fn invalid(detail: String) -> Refusal {
    Refusal::bad("invalidFilter", detail)
}

/// Reads a filter. `value` changes the value of a comparison of an attribute.
pub(crate) fn read(text: &str, among: Among, value: impl Fn(&str, &str) -> String) -> Result<Filter, Refusal> {
    let mut parts = vec![Vec::new()];
    for word in text.split_whitespace() {
        match word {
            _ if word.eq_ignore_ascii_case("and") => parts.push(Vec::new()),
            _ if word.eq_ignore_ascii_case("or") => {
                return Err(Refusal::new(500, "Unsupported Operation: or"));
            }
            _ if word.eq_ignore_ascii_case("not") => {
                return Err(invalid(unsupported("not", among)));
            }
            _ => {
                // brackets at the ends of a word are brackets of the filter, in a value too
                let word = word.trim_start_matches('(').trim_end_matches(')');
                if let Some(part) = parts.last_mut().filter(|_| !word.is_empty()) {
                    part.push(word);
                }
            }
        }
    }
    if parts.len() > 1 && among == Among::Groups {
        return Err(invalid("Complex filters are not supported for filtering in groups endpoint.".to_owned()));
    }
    let mut read = parts.iter().map(|words| comparison(words, among, &value)).collect::<Result<Vec<_>, _>>()?;
    match read.len() {
        1 => Ok(read.remove(0)),
        _ => Ok(Filter::And(read)),
    }
}

fn unsupported(operator: &str, among: Among) -> String {
    format!("Filter operation: {operator} is not supported for filtering in {} endpoint.", among.name())
}

fn comparison(words: &[&str], among: Among, value: &impl Fn(&str, &str) -> String) -> Result<Filter, Refusal> {
    let malformed = || invalid("Given filter operator is not supported.".to_owned());
    let [attribute, operator, rest @ ..] = words else { return Err(malformed()) };
    let operator = operator.to_ascii_lowercase();
    if ["pr", "gt", "lt"].contains(&operator.as_str()) || operator == "ne" && among == Among::Groups {
        return Err(invalid(unsupported(&operator, among)));
    }
    let (_, op) = *OPERATORS.iter().find(|(name, _)| *name == operator).ok_or_else(malformed)?;
    // a value with the operator in it ends there
    let end = rest.iter().position(|word| word.eq_ignore_ascii_case(&operator)).unwrap_or(rest.len());
    let text = rest[..end].join(" ");
    let text = text.trim_start_matches('"').trim_end_matches('"');
    if text.is_empty() {
        return Err(malformed());
    }
    Ok(Filter::Compare((*attribute).to_owned(), op, value(attribute, text).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match super::read(text, Among::Users, |_, value| value.to_owned()) {
            Ok(Filter::Compare(path, op, value)) => format!("{path} {} {}", op.name(), value.as_str().unwrap()),
            Ok(Filter::And(parts)) => format!("and of {}", parts.len()),
            Ok(other) => format!("{other:?}"),
            Err(refusal) => format!("{} {}", refusal.status, refusal.detail),
        }
    }

    #[test]
    fn quotes_protect_nothing() {
        for (text, expected) in [
            ("userName eq \"ana\"", "userName eq ana"),
            ("userName eq ana", "userName eq ana"),
            ("userName Eq \"ana  maria\"", "userName eq ana maria"),
            ("userName eq \"a eq b\"", "userName eq a"),
            ("userName eq \"(ana)\"", "userName eq (ana)"),
            ("userName eq \"ana (jr)\"", "userName eq ana jr)"),
            ("userName eq \"rock and roll\"", "400 Given filter operator is not supported."),
            ("userName eq \"a\" and name.givenName sw \"b\"", "and of 2"),
            ("userName eq \"this or that\"", "500 Unsupported Operation: or"),
            ("userName pr", "400 Filter operation: pr is not supported for filtering in users endpoint."),
            ("userName gt \"a\"", "400 Filter operation: gt is not supported for filtering in users endpoint."),
            ("not (userName eq \"a\")", "400 Filter operation: not is not supported for filtering in users endpoint."),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn groups_have_neither_ne_nor_compounds() {
        let read = |text: &str| {
            super::read(text, Among::Groups, |_, value| value.to_owned()).map_err(|refusal| refusal.status)
        };
        assert!(read("displayName eq \"staff\"").is_ok());
        assert_eq!(read("displayName ne \"staff\"").unwrap_err(), 400);
        assert_eq!(read("displayName eq \"a\" and displayName eq \"b\"").unwrap_err(), 400);
    }
}
