//! `userPassword` with a scheme in braces (password-hashes.md 9). Schemes are read without regard to case.

use super::{
    Family, Format, Refusal,
    algorithm::Hash,
    clue::{Clue, after_scheme},
    crypt,
    digests::{digest, salt_last},
    encoding::{base64, secret},
    fields::Given,
    format::{Parsed, Rules},
    recipe::Recipe,
};

macro_rules! plain {
    ($name:literal, $scheme:literal, $hash:expr) => {
        Format::text($name, Family::Ldap, concat!($scheme, "base64"), Clue::Sure(|text| is(text, $scheme)), |given| {
            let body = after_scheme(given.text, $scheme).ok_or(Refusal::Malformed("the scheme"))?;
            digest(Recipe::Password, $hash, base64(body, "the base64")?)
        })
    };
}

macro_rules! salted {
    ($name:literal, $scheme:literal, $hash:expr) => {
        Format::text(
            $name,
            Family::Ldap,
            concat!($scheme, "base64 of digest, salt"),
            Clue::Sure(|text| is(text, $scheme)),
            |given| salted(given.text, $scheme, $hash),
        )
    };
}

pub(super) static FORMATS: &[Format] = &[
    salted!("ldap-ssha", "{SSHA}", Hash::Sha1),
    salted!("ldap-smd5", "{SMD5}", Hash::Md5),
    plain!("ldap-sha", "{SHA}", Hash::Sha1),
    plain!("ldap-md5", "{MD5}", Hash::Md5),
    salted!("ldap-ssha256", "{SSHA256}", Hash::Sha256),
    salted!("ldap-ssha384", "{SSHA384}", Hash::Sha384),
    salted!("ldap-ssha512", "{SSHA512}", Hash::Sha512),
    plain!("ldap-sha256", "{SHA256}", Hash::Sha256),
    plain!("ldap-sha384", "{SHA384}", Hash::Sha384),
    plain!("ldap-sha512", "{SHA512}", Hash::Sha512),
    Format::text(
        "ldap-crypt",
        Family::Ldap,
        "{CRYPT}crypt(3) text",
        Clue::Sure(|text| after_scheme(text, "{CRYPT}").is_some()),
        |given| crypt::any(after_scheme(given.text, "{CRYPT}").ok_or(Refusal::Malformed("the scheme"))?),
    )
    .with_rules(Rules::CRYPT),
    Format::text(
        "ldap-cleartext",
        Family::Clear,
        "{CLEARTEXT}password, or the password",
        Clue::Sure(|text| after_scheme(text, "{CLEARTEXT}").is_some()),
        |given| Ok(clear(after_scheme(given.text, "{CLEARTEXT}").unwrap_or(given.text))),
    ),
];

/// Whether the text has the scheme and a body of base64: Spring and Joomla put hex after theirs.
fn is(text: &str, scheme: &str) -> bool {
    let body = after_scheme(text, scheme).unwrap_or_default();
    let hex = body.bytes().take_while(u8::is_ascii_hexdigit).count() >= 32;
    !body.is_empty() && !body.starts_with('{') && (!hex || body.ends_with('='))
}

/// The password itself, compared like any other.
pub(super) fn clear(text: &str) -> Parsed {
    Parsed { recipe: Recipe::Password, expected: secret(text) }
}

fn salted(text: &str, scheme: &str, hash: Hash) -> Result<Parsed, Refusal> {
    let bytes = base64(after_scheme(text, scheme).ok_or(Refusal::Malformed("the scheme"))?, "the base64")?;
    let split = bytes.split_at_checked(hash.len()).filter(|(_, salt)| !salt.is_empty());
    let (expected, salt) = split.ok_or(Refusal::Malformed("the length"))?;
    salt_last(hash, secret(salt), secret(expected))
}

/// Any of the digest schemes, as Spring's `{ldap}` takes them.
pub(super) fn any(text: &str) -> Result<Parsed, Refusal> {
    let format = FORMATS.iter().find(|format| format.clue.is_sure() && format.clue.fits(text, None));
    (format.ok_or(Refusal::Malformed("the scheme"))?.parse)(&Given::inner(text))
}
