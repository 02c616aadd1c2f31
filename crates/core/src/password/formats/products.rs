//! Digests of single products: WSO2, Symfony, Oracle, ASP.NET Membership (password-hashes.md 6, 10).

use super::{
    Family, Format, Refusal,
    algorithm::Hash,
    clue::Clue,
    digests::{digest, salt_last, sized},
    encoding::{Bytes, base64, decimal, hex, is_hex, secret},
    fields::Given,
    format::{Parsed, Rules},
    pbkdf2::Pbkdf2,
    recipe::{Kdf, Recipe},
};

pub(super) static FORMATS: &[Format] = &[
    Format::members(
        "wso2-salted-sha256",
        Family::Digest,
        "UM_USER_PASSWORD: base64 of 32 bytes, UM_SALT_VALUE",
        ("UM_USER_PASSWORD", &["UM_SALT_VALUE"]),
        Clue::Members(|fields| {
            let others = ["pbkdf2.prf", "PasswordDigest"];
            let told = ["UM_USER_PASSWORD", "UM_SALT_VALUE"].iter().all(|name| fields.has(&[name]));
            told && !others.iter().any(|name| fields.has(&[name]))
        }),
        |given| wso2(given, Hash::Sha256, Some(given.member(&["UM_SALT_VALUE"], "UM_SALT_VALUE")?)),
    )
    .with_rules(Rules::TRIMMED),
    Format::members(
        "wso2-digest",
        Family::Digest,
        "UM_USER_PASSWORD: base64 of a digest, PasswordDigest SHA-512, UM_SALT_VALUE or none",
        ("UM_USER_PASSWORD", &["PasswordDigest", "UM_SALT_VALUE"]),
        Clue::Members(|fields| fields.has(&["UM_USER_PASSWORD"]) && fields.has(&["PasswordDigest"])),
        |given| {
            let name = given.member(&["PasswordDigest"], "PasswordDigest")?;
            let hash = Hash::named(name).ok_or(Refusal::Malformed("PasswordDigest"))?;
            wso2(given, hash, given.fields()?.text(&["UM_SALT_VALUE"]))
        },
    )
    .with_rules(Rules::TRIMMED),
    Format::members(
        "symfony-message-digest",
        Family::Digest,
        "algorithm sha512, iterations, encode_as_base64, salt, password",
        ("password", &["salt", "algorithm", "iterations", "encode_as_base64"]),
        Clue::Members(|fields| fields.has(&["iterations"]) && fields.has(&["password"]) && fields.has(&["salt"])),
        symfony,
    ),
    Format::text(
        "clerk-sha512-symfony",
        Family::Digest,
        "sha512_symfony$n$salt$base64",
        Clue::Starts("sha512_symfony$"),
        |given| {
            let ["sha512_symfony", rounds, salt, expected] = given.text.split('$').collect::<Vec<_>>()[..] else {
                return Err(Refusal::Malformed("the parts"));
            };
            repeated(Hash::Sha512, decimal(rounds, "the iterations")?, salt, base64(expected, "the digest")?)
        },
    ),
    Format::members(
        "aspnet-membership-sha1",
        Family::Digest,
        "Password: base64 of 20 bytes, PasswordSalt, PasswordFormat 1",
        ("Password", &["PasswordSalt"]),
        Clue::Members(|fields| {
            fields.has(&["PasswordSalt"]) && fields.text(&["Password"]).is_some_and(|t| t.len() == 28)
        }),
        |given| membership(given, Hash::Sha1),
    ),
    Format::members(
        "aspnet-membership-sha256",
        Family::Digest,
        "Password: base64 of 32 bytes, PasswordSalt, PasswordFormat 1",
        ("Password", &["PasswordSalt"]),
        Clue::Members(|fields| {
            fields.has(&["PasswordSalt"]) && fields.text(&["Password"]).is_some_and(|t| t.len() == 44)
        }),
        |given| membership(given, Hash::Sha256),
    ),
    Format::text("oracle11", Family::Digest, "S:60 hex", Clue::Sure(|text| is_oracle(text, "S:", 60)), |given| {
        let (expected, salt) = oracle(given.text, "S:", Hash::Sha1, 10)?;
        salt_last(Hash::Sha1, salt, expected)
    }),
    Format::text("oracle12", Family::Digest, "T:160 hex", Clue::Sure(|text| is_oracle(text, "T:", 160)), |given| {
        let (expected, salt) = oracle(given.text, "T:", Hash::Sha512, 16)?;
        let long = secret([salt.as_slice(), b"AUTH_PBKDF2_SPEEDY_KEY"].concat());
        let key =
            Recipe::Password.derive(Kdf::Pbkdf2(Pbkdf2 { prf: Hash::Sha512, rounds: 4096, salt: long, length: 64 }));
        digest(Recipe::Join(vec![key, Recipe::Fixed(salt)]), Hash::Sha512, expected)
    }),
];

/// WSO2's JDBC user store (wso2-scim.md 7.1). The salt is the column's text, not what it encodes; without one nothing is
/// appended.
fn wso2(given: &Given<'_>, hash: Hash, salt: Option<&str>) -> Result<Parsed, Refusal> {
    let expected = base64(given.member(&["UM_USER_PASSWORD"], "UM_USER_PASSWORD")?, "UM_USER_PASSWORD")?;
    match salt {
        Some(salt) => salt_last(hash, secret(salt), expected),
        None => digest(Recipe::Password, hash, expected),
    }
}

/// d = H(s), then d = H(d ‖ s) so often that there are n digests; s is `password{salt}`, or the password alone.
fn repeated(hash: Hash, rounds: u64, salt: &str, expected: Bytes) -> Result<Parsed, Refusal> {
    if salt.contains(['{', '}']) {
        // Symfony refuses such a salt, which could belong to two passwords.
        return Err(Refusal::Malformed("the salt"));
    }
    let merged = if salt.is_empty() {
        Recipe::Password
    } else {
        Recipe::Join(vec![Recipe::Password, Recipe::fixed(format!("{{{salt}}}"))])
    };
    let expected = sized(expected, hash)?;
    let first = merged.clone().hash(hash);
    let recipe = match rounds {
        0 => return Err(Refusal::Malformed("the iterations")),
        1 => first,
        more => Recipe::Iterate { hash, rounds: more - 1, seed: Box::new(first), tail: Box::new(merged) },
    };
    Ok(Parsed { recipe, expected })
}

fn symfony(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let fields = given.fields()?;
    let hash = Hash::named(fields.text(&["algorithm"]).unwrap_or("sha512")).ok_or(Refusal::Malformed("algorithm"))?;
    let stored = given.member(&["password"], "password")?;
    let expected = if is_hex(stored, hash.len() * 2) { hex(stored, "password") } else { base64(stored, "password") };
    let rounds = if fields.has(&["iterations"]) { given.number(&["iterations"], "iterations")? } else { 5_000 };
    repeated(hash, rounds, fields.text(&["salt"]).unwrap_or_default(), expected?)
}

/// H(salt ‖ UTF-16LE of the password).
fn membership(given: &Given<'_>, hash: Hash) -> Result<Parsed, Refusal> {
    if given.fields()?.number(&["PasswordFormat"]).is_some_and(|format| format != 1) {
        // 0 is clear text, 2 is encrypted under the machine's key.
        return Err(Refusal::Unsupported("a password format other than hashed"));
    }
    let salt = base64(given.member(&["PasswordSalt"], "PasswordSalt")?, "PasswordSalt")?;
    let expected = base64(given.member(&["Password"], "Password")?, "Password")?;
    digest(Recipe::Join(vec![Recipe::Fixed(salt), Recipe::Password.utf16()]), hash, expected)
}

fn is_oracle(text: &str, prefix: &str, digits: usize) -> bool {
    text.strip_prefix(prefix).is_some_and(|body| is_hex(body, digits))
}

/// Digest and salt in one hex text.
fn oracle(text: &str, prefix: &str, hash: Hash, salt: usize) -> Result<(Bytes, Bytes), Refusal> {
    let body = text.strip_prefix(prefix).ok_or(Refusal::Malformed("the prefix"))?;
    let bytes = hex(body, "the hex")?;
    let split = bytes.split_at_checked(hash.len()).filter(|(_, rest)| rest.len() == salt);
    let (digest, salt) = split.ok_or(Refusal::Malformed("the length"))?;
    Ok((secret(digest), secret(salt)))
}
