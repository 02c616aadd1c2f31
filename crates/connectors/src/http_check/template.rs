//! Templates: text with placeholders such as `{login}`, filled so that no value can change what is around it.
//!
//! Start at [`Template::parse`]. A pair of braces around a name is a placeholder; any other brace stands for itself.
//! What is filled in is never read for placeholders again.

use std::fmt::Write as _;

use zeroize::Zeroizing;

/// Longest template.
const LONGEST: usize = 64 << 10;

/// How a value is made harmless for its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As it is: only where the whole text is encoded afterwards.
    None,
    /// For XML text and attribute values.
    Xml,
    /// For the inside of a JSON string.
    Json,
    /// Percent-encoded, all but letters, digits and `-._~`.
    Url,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(String, Escape),
}

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// Whether placeholders say themselves how they are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// Each has to: nothing else would escape it.
    Demanded,
    /// None may: what is around them is encoded as a whole, or always in this way.
    Always(Escape),
}

/// Attributes of an account that placeholders can name, besides `attributes.NAME`.
const NAMES: &[&str] = &[
    "login",
    "password",
    "key",
    "email",
    "phone",
    "user_name",
    "display_name",
    "given_name",
    "family_name",
    "middle_name",
    "nick_name",
    "title",
    "preferred_language",
];

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str, escapes: Escapes) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a template has at most {LONGEST} bytes"));
        }
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            let Some((inside, after)) = slot(from) else {
                plain.push('{');
                rest = from.get(1..).unwrap_or_default();
                continue;
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(placeholder(inside, escapes)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// Whether it has this placeholder.
    pub fn uses(&self, name: &str) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Slot(slot, _) if slot == name))
    }

    /// The text with each placeholder filled by `value`; nothing when one has no value.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<std::borrow::Cow<'v, str>>) -> Option<Zeroizing<String>> {
        let mut values = Vec::with_capacity(self.0.len());
        let mut room = 0;
        for piece in &self.0 {
            let text = match piece {
                Piece::Text(text) => Zeroizing::new(text.clone()),
                Piece::Slot(name, escape) => escape.apply(&Zeroizing::new(value(name)?.into_owned())),
            };
            room += text.len();
            values.push(text);
        }
        // of its full size at once: what grows leaves copies behind
        let mut filled = Zeroizing::new(String::with_capacity(room));
        for text in &values {
            filled.push_str(text);
        }
        Some(filled)
    }
}

/// The inside of a placeholder that the text begins with, and what follows it.
fn slot(text: &str) -> Option<(&str, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    let name = inside.split('|').next().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    (begins && inside.chars().all(|c| fits(c) || c == '|')).then_some((inside, after))
}

fn placeholder(inside: &str, escapes: Escapes) -> Result<Piece, String> {
    let (name, way) = match inside.split_once('|') {
        Some((name, way)) => (name, Some(way)),
        None => (inside, None),
    };
    if !NAMES.contains(&name) && !name.starts_with("attributes.") {
        return Err(format!("{{{name}}} is no placeholder; there are {}, attributes.NAME", NAMES.join(", ")));
    }
    let escape = match (escapes, way) {
        (Escapes::Always(escape), None) => escape,
        (Escapes::Always(_), Some(_)) => return Err(format!("{{{inside}}} is escaped anyway here: write {{{name}}}")),
        (Escapes::Demanded, Some("xml")) => Escape::Xml,
        (Escapes::Demanded, Some("json")) => Escape::Json,
        (Escapes::Demanded, Some("url")) => Escape::Url,
        (Escapes::Demanded, _) => {
            return Err(format!("{{{inside}}} must be {{{name}|xml}}, {{{name}|json}} or {{{name}|url}} here"));
        }
    };
    Ok(Piece::Slot(name.to_owned(), escape))
}

impl Escape {
    /// The text, harmless in its place.
    fn apply(self, text: &str) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(text.len() * 6));
        match self {
            Self::None => out.push_str(text),
            Self::Xml => text.chars().for_each(|c| xml(c, &mut out)),
            Self::Json => text.chars().for_each(|c| json(c, &mut out)),
            Self::Url => text.bytes().for_each(|byte| url(byte, &mut out)),
        }
        out
    }
}

fn xml(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        // readers change these unless they are named
        '\t' | '\n' | '\r' => write!(out, "&#{};", u32::from(c)).unwrap_or_default(),
        // XML 1.0 has no way to hold the others: what comes is another password, which does not match
        c if c < ' ' => out.push('\u{FFFD}'),
        c => out.push(c),
    }
}

fn json(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default(),
        c => out.push(c),
    }
}

fn url(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        out.push(char::from(byte));
    } else {
        write!(out, "%{byte:02X}").unwrap_or_default();
    }
}
