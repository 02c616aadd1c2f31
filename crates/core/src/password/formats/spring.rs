//! Spring Security's `{id}` texts (password-hashes.md 10). Spring refuses an empty password before it hashes.

use super::{
    Family, Format, Refusal,
    algorithm::Hash,
    argon2, bcrypt,
    bounds::MAX_PASSWORD,
    clue::Clue,
    digests::salt_last,
    encoding::{Bytes, base64, hex, secret},
    fields::Given,
    format::{Parsed, Rules},
    ldap, pbkdf2,
    recipe::Recipe,
    scrypt,
};

const RULES: Rules = Rules { empty: false, nul: true, trims: false, longest: MAX_PASSWORD };

/// A format by its scheme; `$read` is given what follows it.
macro_rules! scheme {
    ($name:literal, $family:ident, $scheme:literal, $body:literal, $read:expr) => {
        Format::text($name, Family::$family, concat!($scheme, $body), Clue::Starts($scheme), |given| {
            ($read)(after(given, $scheme)?)
        })
        .with_rules(RULES)
    };
}

/// A salted digest: LDAP has the same schemes with base64, so the body decides.
macro_rules! salted {
    ($name:literal, $scheme:literal, $hash:expr) => {
        Format::text(
            $name,
            Family::Digest,
            concat!($scheme, "{salt}hex"),
            Clue::Sure(|text| is_hex_scheme(text, $scheme, $hash)),
            |given| salted(after(given, $scheme)?, $hash),
        )
        .with_rules(RULES)
    };
}

pub(super) static FORMATS: &[Format] = &[
    scheme!("spring-bcrypt", Bcrypt, "{bcrypt}", "$2a$…", bcrypt::any),
    scheme!("spring-ldap", Ldap, "{ldap}", "{SSHA}…", ldap::any),
    scheme!("spring-noop", Clear, "{noop}", "password", |text| Ok(ldap::clear(text))),
    salted!("spring-md4", "{MD4}", Hash::Md4),
    salted!("spring-md5", "{MD5}", Hash::Md5),
    salted!("spring-sha1", "{SHA-1}", Hash::Sha1),
    salted!("spring-sha256", "{SHA-256}", Hash::Sha256),
    Format::text(
        "spring-standard-sha256",
        Family::Digest,
        "{sha256}hex of salt 8, digest 32",
        Clue::Sure(|text| text.strip_prefix("{sha256}").is_some_and(|body| super::encoding::is_hex(body, 80))),
        |given| standard(after(given, "{sha256}")?),
    )
    .with_rules(RULES),
    Format::text(
        "spring-pbkdf2",
        Family::Pbkdf2,
        "{pbkdf2}hex of salt 8, key 32",
        Clue::Sure(|text| text.starts_with("{pbkdf2}") && !text.contains('$')),
        |given| {
            let (salt, key) = split(after(given, "{pbkdf2}")?, 8)?;
            pbkdf2::parsed(Hash::Sha1, 185_000, salt, key)
        },
    )
    .with_rules(RULES),
    scheme!("spring-pbkdf2-5.8", Pbkdf2, "{pbkdf2@SpringSecurity_v5_8}", "hex of salt 16, key 32", |text| {
        let (salt, key) = split(text, 16)?;
        pbkdf2::parsed(Hash::Sha256, 310_000, salt, key)
    }),
    scheme!("spring-scrypt", Scrypt, "{scrypt}", "$parameters$salt$key", scrypt_text),
    scheme!("spring-scrypt-5.8", Scrypt, "{scrypt@SpringSecurity_v5_8}", "$parameters$salt$key", scrypt_text),
    Format::text(
        "spring-argon2",
        Family::Argon2,
        "{argon2}$argon2id$…",
        Clue::Maybe(|text| text.starts_with("{argon2}")),
        |given| argon2::phc(after(given, "{argon2}")?),
    )
    .with_rules(RULES),
    scheme!("spring-argon2-5.8", Argon2, "{argon2@SpringSecurity_v5_8}", "$argon2id$…", argon2::phc),
];

fn after<'a>(given: &Given<'a>, scheme: &str) -> Result<&'a str, Refusal> {
    given.text.strip_prefix(scheme).ok_or(Refusal::Malformed("the scheme"))
}

/// The salt with its braces, and the hex.
fn parts(text: &str) -> (&str, &str) {
    match text.find('}') {
        Some(end) if text.starts_with('{') => text.split_at(end + 1),
        _ => ("", text),
    }
}

fn is_hex_scheme(text: &str, scheme: &str, hash: Hash) -> bool {
    text.strip_prefix(scheme).is_some_and(|body| super::encoding::is_hex(parts(body).1, hash.len() * 2))
}

/// H(password ‖ "{salt}"): the braces are part of the salt.
fn salted(text: &str, hash: Hash) -> Result<Parsed, Refusal> {
    let (salt, digest) = parts(text);
    salt_last(hash, secret(salt), hex(digest, "the digest")?)
}

/// Hex of a salt and a key of 32 bytes.
fn split(text: &str, salt: usize) -> Result<(Bytes, Bytes), Refusal> {
    let bytes = hex(text, "the hex")?;
    let split = bytes.split_at_checked(salt).filter(|(_, key)| key.len() == 32);
    let (salt, key) = split.ok_or(Refusal::Malformed("the length"))?;
    Ok((secret(salt), secret(key)))
}

/// `StandardPasswordEncoder`: SHA-256 of salt and password, 1,024 times in all.
fn standard(text: &str) -> Result<Parsed, Refusal> {
    let (salt, expected) = split(text, 8)?;
    let seed = Recipe::Join(vec![Recipe::Fixed(salt), Recipe::Password]);
    let tail = Box::new(Recipe::fixed([]));
    Ok(Parsed { recipe: Recipe::Iterate { hash: Hash::Sha256, rounds: 1024, seed: Box::new(seed), tail }, expected })
}

/// `$parameters$salt$key`, the parameters as one hex number: log2 N, r, p.
fn scrypt_text(text: &str) -> Result<Parsed, Refusal> {
    let ["", parameters, salt, key] = text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    if !parameters.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::Malformed("the parameters"));
    }
    let number = u32::from_str_radix(parameters, 16).map_err(|_| Refusal::Malformed("the parameters"))?;
    let (r, p) = (u64::from(number >> 8 & 0xff), u64::from(number & 0xff));
    scrypt::parsed(number >> 16, r, p, base64(salt, "the salt")?, base64(key, "the key")?)
}
