//! Plain, salted and keyed digests (password-hashes.md 6). All of them are seconds to crack: read them to replace them.

use super::{
    Family, Format, Refusal,
    algorithm::Hash,
    clue::Clue,
    encoding::{Bytes, base64, hex, is_base64_of, is_hex, secret},
    fields::{Fields, Given},
    format::Parsed,
    recipe::Recipe,
};

/// A digest that is the whole text.
macro_rules! plain {
    ($name:literal, $looks:literal, $hash:expr, $is:expr, $decode:ident) => {
        Format::text($name, Family::Digest, $looks, Clue::Maybe(|text| $is(text, $hash)), |given| {
            digest(Recipe::Password, $hash, $decode(given.text, "the digest")?)
        })
    };
}

/// A digest with salt as Auth0's `custom_password_hash`.
macro_rules! auth0 {
    ($name:literal, $algorithm:literal, $hash:expr) => {
        Format::members(
            $name,
            Family::Digest,
            concat!("algorithm ", $algorithm, ", hash, salt"),
            ("hash", &["salt"]),
            Clue::Members(|fields| fields.text(&["algorithm"]) == Some($algorithm) && fields.has(&["salt", "value"])),
            |given| auth0_salted(given, $algorithm, $hash),
        )
    };
}

pub(super) static FORMATS: &[Format] = &[
    plain!("hex-md5", "32 hex", Hash::Md5, is_hex_of, hex),
    Format::text("nt-hash", Family::Digest, "32 hex", Clue::Maybe(|text| is_hex(text, 32)), |given| nt(given.text)),
    plain!("hex-sha1", "40 hex", Hash::Sha1, is_hex_of, hex),
    plain!("hex-sha256", "64 hex", Hash::Sha256, is_hex_of, hex),
    plain!("hex-sha512", "128 hex", Hash::Sha512, is_hex_of, hex),
    plain!("base64-md5", "base64 of 16 bytes", Hash::Md5, is_base64, base64),
    plain!("base64-sha1", "base64 of 20 bytes", Hash::Sha1, is_base64, base64),
    plain!("base64-sha256", "base64 of 32 bytes", Hash::Sha256, is_base64, base64),
    plain!("base64-sha512", "base64 of 64 bytes", Hash::Sha512, is_base64, base64),
    auth0!("auth0-salted-md5", "md5", Hash::Md5),
    auth0!("auth0-salted-sha1", "sha1", Hash::Sha1),
    auth0!("auth0-salted-sha256", "sha256", Hash::Sha256),
    auth0!("auth0-salted-sha512", "sha512", Hash::Sha512),
    Format::members(
        "auth0-utf16le-sha256",
        Family::Digest,
        "algorithm sha256, hash, password.encoding utf16le",
        ("hash", &["password"]),
        Clue::Members(is_auth0_utf16),
        |given| {
            if given.member(&["password", "encoding"], "password.encoding")? != "utf16le" {
                return Err(Refusal::Malformed("password.encoding"));
            }
            auth0_salted(given, "sha256", Hash::Sha256)
        },
    ),
    Format::members(
        "auth0-hmac",
        Family::Digest,
        "algorithm hmac, hash with digest and key",
        ("hash", &[]),
        Clue::Members(|fields| fields.text(&["algorithm"]) == Some("hmac") && fields.has(&["hash", "key"])),
        |given| {
            let hash = named(given.member(&["hash", "digest"], "hash.digest")?)?;
            let key = given.encoded(&["hash", "key", "value"], "utf8", "hash.key.value")?;
            keyed(hash, key, given.encoded(&["hash", "value"], "hex", "hash.value")?)
        },
    ),
    Format::members(
        "firebase-hmac",
        Family::Digest,
        "passwordHash, hashAlgo HMAC_…, hashKey",
        ("passwordHash", &["hashAlgo", "hashKey"]),
        Clue::Members(|fields| fields.text(&["hashAlgo"]).is_some_and(|name| name.starts_with("HMAC_"))),
        |given| {
            let name = given.member(&["hashAlgo"], "hashAlgo")?;
            let hash = named(name.strip_prefix("HMAC_").ok_or(Refusal::Malformed("hashAlgo"))?)?;
            let key = base64(given.member(&["hashKey"], "hashKey")?, "hashKey")?;
            keyed(hash, key, base64(given.member(&["passwordHash"], "passwordHash")?, "passwordHash")?)
        },
    ),
    Format::members(
        "okta-salted-digest",
        Family::Digest,
        "algorithm SHA-1 …, salt, saltOrder, value",
        ("value", &["algorithm", "salt", "saltOrder"]),
        Clue::Members(|fields| fields.has(&["saltOrder"]) && fields.has(&["value"])),
        okta,
    ),
    Format::text(
        "kratos-salted-digest",
        Family::Digest,
        "$sha256$pf=template$salt$digest",
        Clue::Sure(is_kratos_salted),
        kratos_salted,
    ),
    Format::text("kratos-md5", Family::Digest, "$md5$base64 of 16 bytes", Clue::Sure(is_kratos_md5), |given| {
        let body = given.text.strip_prefix("$md5$").ok_or(Refusal::Malformed("the prefix"))?;
        digest(Recipe::Password, Hash::Md5, base64(body, "the digest")?)
    }),
    Format::text("kratos-hmac", Family::Digest, "$hmac-sha256$base64 of hex$key", Clue::Starts("$hmac-"), kratos_hmac),
    Format::text(
        "passwap-md5salted",
        Family::Digest,
        "$md5salted-suffix$salt$base64",
        Clue::Starts("$md5salted-"),
        passwap,
    ),
    Format::members(
        "fusionauth-salted-sha256",
        Family::Digest,
        "encryptionScheme salted-sha256, factor, salt, password",
        ("password", &["salt", "factor"]),
        Clue::Members(|fields| fields.text(&["encryptionScheme"]) == Some("salted-sha256")),
        |given| {
            let (salt, expected) = fusionauth(given)?;
            Ok(Parsed {
                recipe: Recipe::Iterate {
                    hash: Hash::Sha256,
                    rounds: given.number(&["factor"], "factor")?,
                    seed: Box::new(Recipe::Join(vec![Recipe::Password, Recipe::Fixed(salt)])),
                    tail: Box::new(Recipe::fixed([])),
                },
                expected: sized(expected, Hash::Sha256)?,
            })
        },
    ),
    Format::members(
        "fusionauth-salted-hmac-sha256",
        Family::Digest,
        "encryptionScheme salted-hmac-sha256, salt, password",
        ("password", &["salt"]),
        Clue::Members(|fields| fields.text(&["encryptionScheme"]) == Some("salted-hmac-sha256")),
        |given| {
            let (salt, expected) = fusionauth(given)?;
            keyed(Hash::Sha256, salt, expected)
        },
    ),
];

fn named(name: &str) -> Result<Hash, Refusal> {
    Hash::named(name).ok_or(Refusal::Malformed("the algorithm"))
}

fn is_hex_of(text: &str, hash: Hash) -> bool {
    is_hex(text, hash.len() * 2)
}

fn is_base64(text: &str, hash: Hash) -> bool {
    is_base64_of(text, hash.len())
}

/// The bytes, if they are as many as the digest has.
pub(super) fn sized(expected: Bytes, hash: Hash) -> Result<Bytes, Refusal> {
    if expected.len() == hash.len() { Ok(expected) } else { Err(Refusal::Malformed("the length of the digest")) }
}

/// A digest of one thing.
pub(super) fn digest(input: Recipe, hash: Hash, expected: Bytes) -> Result<Parsed, Refusal> {
    Ok(Parsed { recipe: input.hash(hash), expected: sized(expected, hash)? })
}

/// H(salt ‖ password).
pub(super) fn salt_first(hash: Hash, salt: Bytes, expected: Bytes) -> Result<Parsed, Refusal> {
    digest(Recipe::Join(vec![Recipe::Fixed(salt), Recipe::Password]), hash, expected)
}

/// H(password ‖ salt).
pub(super) fn salt_last(hash: Hash, salt: Bytes, expected: Bytes) -> Result<Parsed, Refusal> {
    digest(Recipe::Join(vec![Recipe::Password, Recipe::Fixed(salt)]), hash, expected)
}

fn keyed(hash: Hash, key: Bytes, expected: Bytes) -> Result<Parsed, Refusal> {
    let recipe = Recipe::Hmac(hash, Box::new(Recipe::Fixed(key)), Box::new(Recipe::Password));
    Ok(Parsed { recipe, expected: sized(expected, hash)? })
}

/// MD4 over UTF-16LE, in hex.
pub(super) fn nt(text: &str) -> Result<Parsed, Refusal> {
    digest(Recipe::Password.utf16(), Hash::Md4, hex(text, "the digest")?)
}

fn auth0_salted(given: &Given<'_>, algorithm: &str, hash: Hash) -> Result<Parsed, Refusal> {
    if given.member(&["algorithm"], "algorithm")? != algorithm {
        return Err(Refusal::Malformed("the algorithm"));
    }
    let expected = given.encoded(&["hash", "value"], "hex", "hash.value")?;
    let utf16 = given.fields()?.text(&["password", "encoding"]) == Some("utf16le");
    let password = if utf16 { Recipe::Password.utf16() } else { Recipe::Password };
    if utf16 && !given.fields()?.has(&["salt"]) {
        return digest(password, hash, expected);
    }
    let salt = given.encoded(&["salt", "value"], "utf8", "salt.value")?;
    let parts = match given.fields()?.text(&["salt", "position"]).unwrap_or("prefix") {
        "prefix" => vec![Recipe::Fixed(salt), password],
        "suffix" => vec![password, Recipe::Fixed(salt)],
        _ => return Err(Refusal::Malformed("salt.position")),
    };
    digest(Recipe::Join(parts), hash, expected)
}

fn is_auth0_utf16(fields: &Fields) -> bool {
    fields.text(&["algorithm"]) == Some("sha256")
        && fields.text(&["password", "encoding"]) == Some("utf16le")
        && !fields.has(&["salt", "value"])
}

fn okta(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let hash = named(given.member(&["algorithm"], "algorithm")?)?;
    let salt = base64(given.member(&["salt"], "salt")?, "salt")?;
    let expected = base64(given.member(&["value"], "value")?, "value")?;
    match given.member(&["saltOrder"], "saltOrder")? {
        "PREFIX" => salt_first(hash, salt, expected),
        "POSTFIX" => salt_last(hash, salt, expected),
        _ => Err(Refusal::Malformed("saltOrder")),
    }
}

fn is_kratos_md5(text: &str) -> bool {
    text.strip_prefix("$md5$").is_some_and(|body| is_base64_of(body, 16))
}

fn is_kratos_salted(text: &str) -> bool {
    ["$md5$pf=", "$sha1$pf=", "$sha256$pf=", "$sha512$pf="].iter().any(|prefix| text.starts_with(prefix))
}

/// A template in which `{SALT}` and `{PASSWORD}` are put, then a digest.
fn kratos_salted(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let ["", name, template, salt, expected] = given.text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let template = base64(template.strip_prefix("pf=").ok_or(Refusal::Malformed("the template"))?, "the template")?;
    let template = std::str::from_utf8(&template).map_err(|_| Refusal::Malformed("the template"))?;
    let parts = fill(template, &base64(salt, "the salt")?)?;
    digest(Recipe::Join(parts), named(name)?, base64(expected, "the digest")?)
}

/// The template's parts in order.
fn fill(template: &str, salt: &[u8]) -> Result<Vec<Recipe>, Refusal> {
    /// More would only make a short text a long digest.
    const MOST: usize = 16;
    let mut parts = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("{SALT}") {
            parts.push(Recipe::fixed(salt));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("{PASSWORD}") {
            parts.push(Recipe::Password);
            rest = after;
        } else {
            let next = ["{SALT}", "{PASSWORD}"].iter().filter_map(|name| rest.find(name)).min().unwrap_or(rest.len());
            parts.push(Recipe::fixed(&rest.as_bytes()[..next]));
            rest = &rest[next..];
        }
        if parts.len() > MOST {
            return Err(Refusal::TooLong("the template"));
        }
    }
    if parts.iter().any(|part| matches!(part, Recipe::Password)) {
        Ok(parts)
    } else {
        // Every password would match.
        Err(Refusal::Malformed("the template"))
    }
}

fn kratos_hmac(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let ["", name, expected, key] = given.text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let hash = named(name.strip_prefix("hmac-").ok_or(Refusal::Malformed("the prefix"))?)?;
    let text = base64(expected, "the digest")?;
    let text = std::str::from_utf8(&text).map_err(|_| Refusal::Malformed("the digest"))?;
    keyed(hash, base64(key, "the key")?, hex(text, "the digest")?)
}

fn passwap(given: &Given<'_>) -> Result<Parsed, Refusal> {
    // The salt stands for itself, even where it looks like base64.
    match given.text.split('$').collect::<Vec<_>>()[..] {
        ["", "md5salted-prefix", salt, expected] => {
            salt_first(Hash::Md5, secret(salt), base64(expected, "the digest")?)
        }
        ["", "md5salted-suffix", salt, expected] => salt_last(Hash::Md5, secret(salt), base64(expected, "the digest")?),
        _ => Err(Refusal::Malformed("the parts")),
    }
}

/// `FusionAuth`'s salt and digest.
fn fusionauth(given: &Given<'_>) -> Result<(Bytes, Bytes), Refusal> {
    let expected = base64(given.member(&["password"], "password")?, "password")?;
    Ok((base64(given.member(&["salt"], "salt")?, "salt")?, expected))
}
