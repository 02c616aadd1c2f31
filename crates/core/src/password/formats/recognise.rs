//! Which format a text may be (password-hashes.md 11.5, 11.6). It only proposes; the source's settings decide.

use super::{
    Format,
    bounds::{MAX_JSON, MAX_TEXT},
    fields::Fields,
    format::all,
};

/// What a text may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// This and nothing else that is known.
    One(&'static Format),
    /// One of these, the likeliest first, or something that looks like them: the shape does not tell more. A shape that
    /// one known format has is still only a proposal.
    Several(Vec<&'static Format>),
    /// Nothing that is known. A password in clear text cannot be told from anything.
    None,
}

impl Recognised {
    /// All that it may be, the likeliest first.
    pub fn formats(&self) -> Vec<&'static Format> {
        match self {
            Self::One(format) => vec![format],
            Self::Several(formats) => formats.clone(),
            Self::None => Vec::new(),
        }
    }
}

/// Looks at a stored hash. Nothing is derived, and its parameters may still be refused.
pub fn recognise(text: &str) -> Recognised {
    if text.len() > MAX_JSON {
        return Recognised::None;
    }
    let fields = Fields::read(text);
    if fields.is_none() && text.len() > MAX_TEXT {
        return Recognised::None;
    }
    let fitting: Vec<&'static Format> = all().filter(|format| format.clue.fits(text, fields.as_ref())).collect();
    match fitting.as_slice() {
        [] => Recognised::None,
        [only] if only.is_told_by_its_text() => Recognised::One(only),
        _ => Recognised::Several(fitting),
    }
}
