//! A format as data, and the list of all of them.

use super::{
    Refusal, argon2, bcrypt, bounds::MAX_PASSWORD, clue::Clue, crypt, digests, encoding::Bytes, fields::Given,
    firebase, forums, keycloak, ldap, pbkdf2, phpass, products, recipe::Recipe, scrypt, spring,
};

/// What a stored hash is at heart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// bcrypt, and bcrypt over something.
    Bcrypt,
    /// Argon2.
    Argon2,
    /// scrypt, Firebase's included.
    Scrypt,
    /// PBKDF2.
    Pbkdf2,
    /// Plain, salted, keyed and repeated digests.
    Digest,
    /// phpass and Drupal.
    Phpass,
    /// crypt(3).
    Crypt,
    /// LDAP's `{SCHEME}`.
    Ldap,
    /// The password itself.
    Clear,
}

impl Family {
    /// The family's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bcrypt => "bcrypt",
            Self::Argon2 => "Argon2",
            Self::Scrypt => "scrypt",
            Self::Pbkdf2 => "PBKDF2",
            Self::Digest => "digest",
            Self::Phpass => "phpass",
            Self::Crypt => "crypt(3)",
            Self::Ldap => "LDAP",
            Self::Clear => "clear text",
        }
    }
}

/// Passwords that the format's own system refuses before it hashes.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) empty: bool,
    pub(super) nul: bool,
    /// The system cuts blanks off both ends before it hashes, mostly: the password counts as typed and as cut.
    pub(super) trims: bool,
    pub(super) longest: usize,
}

impl Rules {
    /// Every password of a bearable length.
    pub(super) const ANY: Self = Self { empty: true, nul: true, trims: false, longest: MAX_PASSWORD };
    /// C code stops at a NUL.
    pub(super) const CRYPT: Self = Self { empty: true, nul: false, trims: false, longest: MAX_PASSWORD };
    /// WSO2 trims a password that it is given as a text, as Java does (wso2-scim.md 7.4).
    pub(super) const TRIMMED: Self = Self { empty: true, nul: true, trims: true, longest: MAX_PASSWORD };
}

/// What reading a stored hash gives: the steps from a password, and what they must lead to.
pub(super) struct Parsed {
    pub(super) recipe: Recipe,
    pub(super) expected: Bytes,
}

pub(super) type Parse = fn(&Given<'_>) -> Result<Parsed, Refusal>;

/// One way to store a password.
pub struct Format {
    /// The name, as in the settings and in the files of `sterna password verify`.
    pub name: &'static str,
    /// What it is at heart.
    pub family: Family,
    /// The text or the members it consists of.
    pub looks: &'static str,
    /// For a format of several values: the member that holds the hash itself. Its text is JSON, or this member's value
    /// with the others as settings.
    pub main: Option<&'static str>,
    /// The values that it needs beside the hash: peppers, keys, user names, salts in columns of their own.
    pub needs: &'static [&'static str],
    pub(super) clue: Clue,
    pub(super) parse: Parse,
    pub(super) rules: Rules,
}

impl Format {
    /// A format whose text says everything.
    pub(super) const fn text(
        name: &'static str,
        family: Family,
        looks: &'static str,
        clue: Clue,
        parse: Parse,
    ) -> Self {
        Self { name, family, looks, main: None, needs: &[], clue, parse, rules: Rules::ANY }
    }

    /// A format of several values.
    pub(super) const fn members(
        name: &'static str,
        family: Family,
        looks: &'static str,
        (main, needs): (&'static str, &'static [&'static str]),
        clue: Clue,
        parse: Parse,
    ) -> Self {
        Self { name, family, looks, main: Some(main), needs, clue, parse, rules: Rules::ANY }
    }

    pub(super) const fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Whether the text alone tells this format, with no other format that looks like it.
    pub fn is_told_by_its_text(&self) -> bool {
        self.clue.is_sure()
    }
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

/// The families' lists; within one, what looks alike stands with the likeliest first.
static FAMILIES: &[&[Format]] = &[
    bcrypt::FORMATS,
    argon2::FORMATS,
    scrypt::FORMATS,
    firebase::FORMATS,
    pbkdf2::FORMATS,
    keycloak::FORMATS,
    digests::FORMATS,
    forums::FORMATS,
    products::FORMATS,
    phpass::FORMATS,
    crypt::FORMATS,
    ldap::FORMATS,
    spring::FORMATS,
];

/// All formats, in the order of their families.
pub fn all() -> impl Iterator<Item = &'static Format> {
    FAMILIES.iter().copied().flatten()
}

/// The format of this name.
pub fn find(name: &str) -> Option<&'static Format> {
    all().find(|format| format.name == name)
}

/// All formats as a Markdown table: what `docs/password-hashes.md` holds, compared in a test.
pub struct FormatTable;

impl std::fmt::Display for FormatTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "| Name | Family | Looks like | Needs beside it | Told by its text |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for format in all() {
            let looks = format.looks.replace('|', "\\|");
            let needs = format.needs.join("`, `");
            let needs = if needs.is_empty() { String::new() } else { format!("`{needs}`") };
            let told = if format.is_told_by_its_text() { "yes" } else { "proposed" };
            writeln!(f, "| `{}` | {} | `{looks}` | {needs} | {told} |", format.name, format.family.name())?;
        }
        Ok(())
    }
}
