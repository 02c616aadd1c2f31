//! Digests as forums, shops and wikis put them together (password-hashes.md 6, 10).

use super::{
    Family, Format, Refusal,
    algorithm::Hash,
    argon2,
    clue::Clue,
    digests::{digest, salt_first, salt_last},
    encoding::{hex, is_hex, secret},
    fields::Given,
    format::Parsed,
    recipe::{Kdf, Recipe},
};

pub(super) static FORMATS: &[Format] = &[
    Format::text("joomla-md5-salt", Family::Digest, "32 hex:salt", Clue::Maybe(|text| is_salted(text, 32)), |given| {
        let (expected, salt) = two(given.text)?;
        salt_last(Hash::Md5, secret(salt), hex(expected, "the digest")?)
    }),
    Format::text("vbulletin-md5", Family::Digest, "32 hex:salt", Clue::Maybe(|text| is_salted(text, 32)), |given| {
        let (expected, salt) = two(given.text)?;
        let inner = Recipe::Password.hash(Hash::Md5).hex();
        digest(Recipe::Join(vec![inner, Recipe::fixed(salt)]), Hash::Md5, hex(expected, "the digest")?)
    }),
    Format::text("ipb-mybb-md5", Family::Digest, "32 hex:salt", Clue::Maybe(|text| is_salted(text, 32)), |given| {
        let (expected, salt) = two(given.text)?;
        let parts = [Recipe::fixed(salt), Recipe::Password].map(|part| part.hash(Hash::Md5).hex());
        digest(Recipe::Join(parts.into()), Hash::Md5, hex(expected, "the digest")?)
    }),
    Format::text("opencart-sha1", Family::Digest, "40 hex:salt", Clue::Maybe(|text| is_salted(text, 40)), |given| {
        let (expected, salt) = two(given.text)?;
        let once = |input: Recipe| Recipe::Join(vec![Recipe::fixed(salt), input.hash(Hash::Sha1).hex()]);
        digest(once(once(Recipe::Password)), Hash::Sha1, hex(expected, "the digest")?)
    }),
    Format::text(
        "joomla-sha256",
        Family::Digest,
        "{SHA256}64 hex:salt",
        Clue::Sure(|text| text.strip_prefix("{SHA256}").is_some_and(|body| is_salted(body, 64))),
        |given| {
            let body = given.text.strip_prefix("{SHA256}").ok_or(Refusal::Malformed("the scheme"))?;
            let (expected, salt) = two(body)?;
            salt_last(Hash::Sha256, secret(salt), hex(expected, "the digest")?)
        },
    ),
    Format::members(
        "smf-sha1",
        Family::Digest,
        "passwd: 40 hex, member_name",
        ("passwd", &["member_name"]),
        Clue::Members(|fields| fields.has(&["member_name"]) && fields.has(&["passwd"])),
        |given| {
            let name = given.member(&["member_name"], "member_name")?.to_lowercase();
            salt_first(Hash::Sha1, secret(name), hex(given.member(&["passwd"], "passwd")?, "the digest")?)
        },
    ),
    Format::members(
        "prestashop-md5",
        Family::Digest,
        "passwd: 32 hex, _COOKIE_KEY_",
        ("passwd", &["_COOKIE_KEY_"]),
        Clue::Members(|fields| fields.has(&["_COOKIE_KEY_"])),
        |given| {
            let key = given.member(&["_COOKIE_KEY_"], "_COOKIE_KEY_")?;
            salt_first(Hash::Md5, secret(key), hex(given.member(&["passwd"], "passwd")?, "the digest")?)
        },
    ),
    Format::text("mediawiki-b", Family::Digest, ":B:salt:32 hex", Clue::Starts(":B:"), |given| {
        let ["", "B", salt, expected] = given.text.split(':').collect::<Vec<_>>()[..] else {
            return Err(Refusal::Malformed("the parts"));
        };
        let inner = Recipe::Password.hash(Hash::Md5).hex();
        let input = Recipe::Join(vec![Recipe::fixed(salt), Recipe::fixed(*b"-"), inner]);
        digest(input, Hash::Md5, hex(expected, "the digest")?)
    }),
    Format::text("magento-0", Family::Digest, "32 hex:salt:0", Clue::Sure(|text| is_magento(text, &["0"])), |given| {
        magento_one(given, "0")
    }),
    Format::text("magento-1", Family::Digest, "64 hex:salt:1", Clue::Sure(|text| is_magento(text, &["1"])), |given| {
        magento_one(given, "1")
    }),
    Format::text("magento-chain", Family::Digest, "hex:salt:version:version…", Clue::Sure(is_chain), magento_chain),
];

/// `digest:salt`.
fn two(text: &str) -> Result<(&str, &str), Refusal> {
    text.split_once(':').ok_or(Refusal::Malformed("the parts"))
}

/// So many hex digits, a colon and a salt without one.
fn is_salted(text: &str, digits: usize) -> bool {
    two(text).is_ok_and(|(digest, salt)| is_hex(digest, digits) && !salt.is_empty() && !salt.contains(':'))
}

fn is_magento(text: &str, versions: &[&str]) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() > 2 && parts[2..] == *versions && parts[0].bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_chain(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() > 3
        && parts[0].bytes().all(|byte| byte.is_ascii_hexdigit())
        && parts[2..].iter().all(|version| ["0", "1"].contains(version) || version.starts_with("3_"))
}

fn magento_one(given: &Given<'_>, version: &str) -> Result<Parsed, Refusal> {
    match given.text.split(':').collect::<Vec<_>>()[..] {
        [expected, salt, found] if found == version => magento(expected, salt, &[version]),
        _ => Err(Refusal::Malformed("the parts")),
    }
}

fn magento_chain(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let parts: Vec<&str> = given.text.split(':').collect();
    match &parts[..] {
        [expected, salt, versions @ ..] if versions.len() > 1 => magento(expected, salt, versions),
        _ => Err(Refusal::Malformed("the parts")),
    }
}

/// An upgraded row hashes the older hash's hex anew, oldest version first.
fn magento(expected: &str, salt: &str, versions: &[&str]) -> Result<Parsed, Refusal> {
    /// There are three versions; a longer chain is somebody's invention.
    const MOST: usize = 4;
    if versions.len() > MOST {
        return Err(Refusal::TooLong("the chain of versions"));
    }
    let mut recipe = Recipe::Password;
    let mut length = 0;
    for (at, version) in versions.iter().enumerate() {
        let input = if at == 0 { recipe } else { recipe.hex() };
        let salted = |hash: Hash, input: Recipe| Recipe::Join(vec![Recipe::fixed(salt), input]).hash(hash);
        (recipe, length) = match *version {
            "0" => (salted(Hash::Md5, input), Hash::Md5.len()),
            "1" => (salted(Hash::Sha256, input), Hash::Sha256.len()),
            other => {
                let kdf = argon2::magento(salt, other)?;
                let length = kdf.length;
                (input.derive(Kdf::Argon2(kdf)), length)
            }
        };
    }
    let expected = hex(expected, "the digest")?;
    if expected.len() != length {
        return Err(Refusal::Malformed("the length of the digest"));
    }
    Ok(Parsed { recipe, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_versions_has_an_end() {
        let text = format!("{}:salt{}", "0".repeat(32), ":0".repeat(100));
        assert!(matches!(magento_chain(&Given::inner(&text)), Err(Refusal::TooLong(_))));
    }

    #[test]
    fn a_digest_has_its_algorithms_length() {
        let short = format!("{}:salt", "0".repeat(30));
        assert!(salt_last(Hash::Md5, secret("salt"), hex(two(&short).unwrap().0, "digest").unwrap()).is_err());
    }
}
