//! An entry of a directory: its name and its attributes, values as bytes.

use zeroize::Zeroizing;

/// One attribute with its values.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its description as the directory writes it, options included: `cn;lang-es`.
    pub name: String,
    /// Its values; may be passwords, wiped when dropped.
    pub values: Vec<Zeroizing<Vec<u8>>>,
}

/// One entry.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Its distinguished name.
    pub dn: String,
    /// Its attributes, each description once, without regard to case.
    pub attributes: Vec<Attribute>,
}

impl Entry {
    /// Adds a value. `;binary` is a way of transfer and no part of the name.
    pub fn add(&mut self, name: &str, value: Vec<u8>) {
        let value = Zeroizing::new(value);
        let bare = strip_binary(name);
        // attributes come value after value: the last one is looked at first
        match self.attributes.iter_mut().rev().find(|known| known.name.eq_ignore_ascii_case(bare)) {
            Some(known) => known.values.push(value),
            None => self.attributes.push(Attribute { name: bare.to_owned(), values: vec![value] }),
        }
    }

    /// About how many bytes it holds.
    pub fn size(&self) -> usize {
        let values = |attribute: &Attribute| attribute.values.iter().map(|value| value.len()).sum::<usize>();
        self.dn.len() + self.attributes.iter().map(|attribute| attribute.name.len() + values(attribute)).sum::<usize>()
    }

    /// The values of an attribute, without those that have options.
    pub fn values(&self, name: &str) -> &[Zeroizing<Vec<u8>>] {
        self.attributes.iter().find(|known| known.name.eq_ignore_ascii_case(name)).map_or(&[], |known| &known.values)
    }

    /// The values of an attribute that are text and not empty.
    pub fn texts<'e>(&'e self, name: &str) -> impl Iterator<Item = &'e str> + use<'e> {
        self.values(name).iter().filter_map(|value| std::str::from_utf8(value).ok()).filter(|text| !text.is_empty())
    }

    /// The first value of an attribute that is text and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// Whether an attribute says yes: `TRUE` without regard to case.
    pub fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Whether it is of an object class, without regard to case.
    pub fn is_a(&self, class: &str) -> bool {
        self.texts("objectClass").any(|known| known.eq_ignore_ascii_case(class))
    }
}

fn strip_binary(name: &str) -> &str {
    let cut = name.len().checked_sub(";binary".len()).filter(|at| name.is_char_boundary(*at));
    cut.filter(|at| name[*at..].eq_ignore_ascii_case(";binary")).map_or(name, |at| &name[..at])
}
