//! PBKDF2 in all its texts (password-hashes.md 5); Keycloak's are in `keycloak.rs`, Spring's in `spring.rs`.

use super::{
    Bounds, Family, Format, Refusal, Upgrade,
    algorithm::Hash,
    bounds::{MAX_SALT, at_most},
    clue::{Clue, after_scheme},
    encoding::{Bytes, base64, base64_adapted, base64_bare, decimal, hex, secret},
    fields::Given,
    format::{Parsed, Rules},
    recipe::{Kdf, Recipe, Work},
};

/// PBKDF2's parameters.
#[derive(Clone)]
pub(super) struct Pbkdf2 {
    pub(super) prf: Hash,
    pub(super) rounds: u64,
    pub(super) salt: Bytes,
    pub(super) length: usize,
}

pub(super) static FORMATS: &[Format] = &[
    Format::text(
        "phc-pbkdf2",
        Family::Pbkdf2,
        "$pbkdf2-sha256$i=n,l=length$salt$digest",
        Clue::Sure(|text| text.starts_with("$pbkdf2-") && text.contains("$i=")),
        phc,
    ),
    Format::text("passlib-pbkdf2-sha1", Family::Pbkdf2, "$pbkdf2$n$salt$digest", Clue::Starts("$pbkdf2$"), |given| {
        passlib(given.text, "$pbkdf2$", Hash::Sha1)
    }),
    Format::text(
        "passlib-pbkdf2-sha256",
        Family::Pbkdf2,
        "$pbkdf2-sha256$n$salt$digest",
        Clue::Sure(|text| is_passlib(text, "$pbkdf2-sha256$")),
        |given| passlib(given.text, "$pbkdf2-sha256$", Hash::Sha256),
    ),
    Format::text(
        "passlib-pbkdf2-sha512",
        Family::Pbkdf2,
        "$pbkdf2-sha512$n$salt$digest",
        Clue::Sure(|text| is_passlib(text, "$pbkdf2-sha512$")),
        |given| passlib(given.text, "$pbkdf2-sha512$", Hash::Sha512),
    ),
    Format::text(
        "django-pbkdf2-sha256",
        Family::Pbkdf2,
        "pbkdf2_sha256$n$salt$base64",
        Clue::Starts("pbkdf2_sha256$"),
        |given| django(given.text, "pbkdf2_sha256", Hash::Sha256),
    ),
    Format::text(
        "django-pbkdf2-sha1",
        Family::Pbkdf2,
        "pbkdf2_sha1$n$salt$base64",
        Clue::Starts("pbkdf2_sha1$"),
        |given| django(given.text, "pbkdf2_sha1", Hash::Sha1),
    ),
    Format::text("werkzeug-pbkdf2", Family::Pbkdf2, "pbkdf2:sha256:n$salt$hex", Clue::Starts("pbkdf2:"), werkzeug),
    Format::text(
        "ldap-pbkdf2-sha512",
        Family::Pbkdf2,
        "{PBKDF2-SHA512}n$salt$digest",
        Clue::Maybe(|text| after_scheme(text, "{PBKDF2-SHA512}").is_some()),
        |given| ldap(given.text, &["{PBKDF2-SHA512}"], Hash::Sha512),
    ),
    Format::text(
        "ldap-pbkdf2-sha256",
        Family::Pbkdf2,
        "{PBKDF2-SHA256}n$salt$digest",
        Clue::Sure(|text| after_scheme(text, "{PBKDF2-SHA256}").is_some()),
        |given| ldap(given.text, &["{PBKDF2-SHA256}"], Hash::Sha256),
    ),
    Format::text("ldap-pbkdf2", Family::Pbkdf2, "{PBKDF2}n$salt$digest", Clue::Sure(is_ldap_sha1), |given| {
        ldap(given.text, &["{PBKDF2}", "{PBKDF2-SHA1}"], Hash::Sha1)
    }),
    Format::text(
        "aspnet-identity-v2",
        Family::Pbkdf2,
        "base64 of 00, salt 16, key 32",
        Clue::Sure(|text| base64(text, "").is_ok_and(|bytes| bytes.len() == 49 && bytes[0] == 0)),
        identity_2,
    ),
    Format::text(
        "aspnet-identity-v3",
        Family::Pbkdf2,
        "base64 of 01, PRF, n, salt length, salt, key",
        Clue::Sure(|text| text.starts_with("AQAAA") && base64(text, "").is_ok_and(|bytes| bytes.len() >= 29)),
        identity_3,
    ),
    Format::members(
        "okta-pbkdf2",
        Family::Pbkdf2,
        "algorithm PBKDF2, digestAlgorithm, iterationCount, keySize, salt, value",
        ("value", &["digestAlgorithm", "iterationCount", "keySize", "salt"]),
        Clue::Members(|fields| fields.text(&["algorithm"]) == Some("PBKDF2") && fields.has(&["iterationCount"])),
        okta,
    ),
    Format::text(
        "atlassian-pkcs5s2",
        Family::Pbkdf2,
        "{PKCS5S2}base64 of salt 16, key 32",
        Clue::Sure(|text| after_scheme(text, "{PKCS5S2}").is_some()),
        |given| {
            let body = after_scheme(given.text, "{PKCS5S2}").ok_or(Refusal::Malformed("the scheme"))?;
            let bytes = base64(body, "the base64")?;
            let Some((salt, key)) = bytes.split_at_checked(16).filter(|(_, key)| key.len() == 32) else {
                return Err(Refusal::Malformed("the length"));
            };
            parsed(Hash::Sha1, 10_000, secret(salt), secret(key))
        },
    ),
    Format::text(
        "forgerock-pbkdf2-hmac-sha256",
        Family::Pbkdf2,
        "{PBKDF2-HMAC-SHA256}n:base64 of key 32, salt",
        Clue::Sure(|text| after_scheme(text, "{PBKDF2-HMAC-SHA256}").is_some()),
        |given| {
            let body = after_scheme(given.text, "{PBKDF2-HMAC-SHA256}").ok_or(Refusal::Malformed("the scheme"))?;
            let (rounds, rest) = body.split_once(':').ok_or(Refusal::Malformed("the parts"))?;
            let bytes = base64(rest, "the base64")?;
            let (key, salt) = bytes.split_at_checked(32).ok_or(Refusal::Malformed("the length"))?;
            parsed(Hash::Sha256, decimal(rounds, "the iterations")?, secret(salt), secret(key))
        },
    ),
    Format::text(
        "liferay-pbkdf2",
        Family::Pbkdf2,
        "{PBKDF2WithHmacSHA1}base64 of key bits, n, salt, key",
        Clue::Sure(|text| after_scheme(text, "{PBKDF2WithHmacSHA").is_some()),
        liferay,
    ),
    Format::members(
        "wso2-pbkdf2",
        Family::Pbkdf2,
        "UM_USER_PASSWORD, UM_SALT_VALUE, pbkdf2.prf, pbkdf2.iteration.count, pbkdf2.dkLength",
        ("UM_USER_PASSWORD", &["UM_SALT_VALUE", "pbkdf2.prf", "pbkdf2.iteration.count", "pbkdf2.dkLength"]),
        Clue::Members(|fields| fields.has(&["UM_USER_PASSWORD"]) && fields.has(&["pbkdf2.prf"])),
        wso2,
    )
    .with_rules(Rules::TRIMMED),
    Format::text(
        "mediawiki-pbkdf2",
        Family::Pbkdf2,
        ":pbkdf2:sha512:n:length:salt:digest",
        Clue::Starts(":pbkdf2:"),
        mediawiki,
    ),
    Format::members(
        "fusionauth-salted-pbkdf2-hmac-sha256",
        Family::Pbkdf2,
        "encryptionScheme salted-pbkdf2-hmac-sha256, factor, salt, password",
        ("password", &["salt", "factor"]),
        Clue::Members(|fields| fusionauth_digest(fields.text(&["encryptionScheme"])).is_some()),
        fusionauth,
    ),
];

/// PBKDF2 of the password with the key that is expected.
pub(super) fn parsed(prf: Hash, rounds: u64, salt: Bytes, expected: Bytes) -> Result<Parsed, Refusal> {
    if expected.is_empty() {
        return Err(Refusal::Malformed("the key"));
    }
    let kdf = Pbkdf2 { prf, rounds, salt, length: expected.len() };
    Ok(Parsed { recipe: Recipe::Password.derive(Kdf::Pbkdf2(kdf)), expected })
}

/// The same when the key must be as long as the digest.
fn whole(prf: Hash, rounds: &str, salt: Bytes, expected: Bytes) -> Result<Parsed, Refusal> {
    if expected.len() != prf.len() {
        return Err(Refusal::Malformed("the length of the key"));
    }
    parsed(prf, decimal(rounds, "the iterations")?, salt, expected)
}

fn hash_named(name: &str) -> Result<Hash, Refusal> {
    Hash::named(name).ok_or(Refusal::Malformed("the digest's name"))
}

fn phc(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let ["", name, parameters, salt, key] = given.text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let prf = hash_named(name.strip_prefix("pbkdf2-").ok_or(Refusal::Malformed("the prefix"))?)?;
    let (rounds, length) = parameters
        .strip_prefix("i=")
        .and_then(|rest| rest.split_once(",l="))
        .ok_or(Refusal::Malformed("the parameters"))?;
    let expected = base64_bare(key, "the key")?;
    if decimal(length, "the length")? != expected.len() as u64 {
        return Err(Refusal::Malformed("the length of the key"));
    }
    parsed(prf, decimal(rounds, "the iterations")?, base64_bare(salt, "the salt")?, expected)
}

fn is_passlib(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with("i="))
}

/// `n$salt$key` in passlib's base64.
fn adapted(body: &str, prf: Hash) -> Result<Parsed, Refusal> {
    let [rounds, salt, key] = body.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    whole(prf, rounds, base64_adapted(salt, "the salt")?, base64_adapted(key, "the key")?)
}

fn passlib(text: &str, prefix: &str, prf: Hash) -> Result<Parsed, Refusal> {
    adapted(text.strip_prefix(prefix).ok_or(Refusal::Malformed("the prefix"))?, prf)
}

fn is_ldap_sha1(text: &str) -> bool {
    // Spring writes `{pbkdf2}` and hex.
    ["{PBKDF2}", "{PBKDF2-SHA1}"].iter().any(|s| after_scheme(text, s).is_some_and(|body| body.contains('$')))
}

fn ldap(text: &str, schemes: &[&str], prf: Hash) -> Result<Parsed, Refusal> {
    let body = schemes.iter().find_map(|scheme| after_scheme(text, scheme));
    adapted(body.ok_or(Refusal::Malformed("the scheme"))?, prf)
}

fn django(text: &str, name: &str, prf: Hash) -> Result<Parsed, Refusal> {
    if text.starts_with('!') {
        return Err(Refusal::Unusable);
    }
    match text.split('$').collect::<Vec<_>>()[..] {
        [found, rounds, salt, key] if found == name => whole(prf, rounds, secret(salt), base64(key, "the key")?),
        _ => Err(Refusal::Malformed("the parts")),
    }
}

fn werkzeug(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let [parameters, salt, key] = given.text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    match parameters.split(':').collect::<Vec<_>>()[..] {
        ["pbkdf2", name, rounds] => whole(hash_named(name)?, rounds, secret(salt), hex(key, "the key")?),
        // The default has changed with Werkzeug's versions, so it cannot be known from the text.
        ["pbkdf2", _] => Err(Refusal::Missing("the iterations")),
        _ => Err(Refusal::Malformed("the parameters")),
    }
}

fn identity_2(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let bytes = base64(given.text, "the base64")?;
    match bytes.as_slice() {
        [0, rest @ ..] if rest.len() == 48 => parsed(Hash::Sha1, 1_000, secret(&rest[..16]), secret(&rest[16..])),
        _ => Err(Refusal::Malformed("the layout")),
    }
}

/// A big-endian number and what follows it.
fn number(bytes: &[u8]) -> Result<(u32, &[u8]), Refusal> {
    let (number, rest) = bytes.split_first_chunk::<4>().ok_or(Refusal::Malformed("the length"))?;
    Ok((u32::from_be_bytes(*number), rest))
}

fn identity_3(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let bytes = base64(given.text, "the base64")?;
    let Some((1, rest)) = bytes.split_first() else { return Err(Refusal::Malformed("the layout")) };
    let (prf, rest) = number(rest)?;
    let (rounds, rest) = number(rest)?;
    let (salt_length, rest) = number(rest)?;
    let prf = match prf {
        0 => Hash::Sha1,
        1 => Hash::Sha256,
        2 => Hash::Sha512,
        _ => return Err(Refusal::Malformed("the PRF")),
    };
    let split = usize::try_from(salt_length).ok().and_then(|length| rest.split_at_checked(length));
    match split {
        // Identity itself refuses less than 16 bytes of either.
        Some((salt, key)) if salt.len() >= 16 && key.len() >= 16 => {
            parsed(prf, u64::from(rounds), secret(salt), secret(key))
        }
        _ => Err(Refusal::Malformed("the lengths")),
    }
}

fn okta(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let name = given.member(&["digestAlgorithm"], "digestAlgorithm")?;
    let prf = hash_named(name.strip_suffix("_HMAC").unwrap_or(name))?;
    let expected = base64(given.member(&["value"], "value")?, "value")?;
    if given.number(&["keySize"], "keySize")? != expected.len() as u64 {
        return Err(Refusal::Malformed("keySize"));
    }
    let salt = base64(given.member(&["salt"], "salt")?, "salt")?;
    parsed(prf, given.number(&["iterationCount"], "iterationCount")?, salt, expected)
}

fn liferay(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let (prf, body) = [
        ("{PBKDF2WithHmacSHA1}", Hash::Sha1),
        ("{PBKDF2WithHmacSHA256}", Hash::Sha256),
        ("{PBKDF2WithHmacSHA512}", Hash::Sha512),
    ]
    .into_iter()
    .find_map(|(scheme, prf)| Some((prf, after_scheme(given.text, scheme)?)))
    .ok_or(Refusal::Malformed("the scheme"))?;
    let bytes = base64(body, "the base64")?;
    let (bits, rest) = number(&bytes)?;
    let (rounds, rest) = number(rest)?;
    let key_length = usize::try_from(bits / 8).map_err(|_| Refusal::TooLong("the key"))?;
    let salt_length = rest.len().checked_sub(key_length).filter(|length| *length > 0 && bits % 8 == 0);
    let (salt, key) = rest.split_at(salt_length.ok_or(Refusal::Malformed("the lengths"))?);
    parsed(prf, u64::from(rounds), secret(salt), secret(key))
}

fn wso2(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let name = given.member(&["pbkdf2.prf"], "pbkdf2.prf")?;
    let prf = hash_named(name.strip_prefix("PBKDF2WithHmac").unwrap_or(name))?;
    let expected = base64(given.member(&["UM_USER_PASSWORD"], "UM_USER_PASSWORD")?, "UM_USER_PASSWORD")?;
    if given.number(&["pbkdf2.dkLength"], "pbkdf2.dkLength")? != expected.len() as u64 * 8 {
        return Err(Refusal::Malformed("pbkdf2.dkLength"));
    }
    // The salt is the column's text, not what it encodes.
    let salt = secret(given.member(&["UM_SALT_VALUE"], "UM_SALT_VALUE")?);
    parsed(prf, given.number(&["pbkdf2.iteration.count"], "pbkdf2.iteration.count")?, salt, expected)
}

fn mediawiki(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let ["", "pbkdf2", name, rounds, length, salt, key] = given.text.split(':').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let expected = base64(key, "the key")?;
    if decimal(length, "the length")? != expected.len() as u64 {
        return Err(Refusal::Malformed("the length of the key"));
    }
    parsed(hash_named(name)?, decimal(rounds, "the iterations")?, base64(salt, "the salt")?, expected)
}

/// The digest in `FusionAuth`'s name of a scheme; a suffix tells the key's length.
fn fusionauth_digest(scheme: Option<&str>) -> Option<Hash> {
    let rest = scheme?.strip_prefix("salted-pbkdf2-hmac-")?;
    Hash::named(rest.strip_suffix("-512").unwrap_or(rest))
}

fn fusionauth(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let scheme = given.fields()?.text(&["encryptionScheme"]).unwrap_or("salted-pbkdf2-hmac-sha256");
    let prf = fusionauth_digest(Some(scheme)).ok_or(Refusal::Malformed("encryptionScheme"))?;
    let expected = base64(given.member(&["password"], "password")?, "password")?;
    let salt = base64(given.member(&["salt"], "salt")?, "salt")?;
    parsed(prf, given.number(&["factor"], "factor")?, salt, expected)
}

impl Pbkdf2 {
    fn blocks(&self) -> u64 {
        self.length.div_ceil(self.prf.len()) as u64
    }

    fn block_rounds(&self) -> u64 {
        self.blocks().saturating_mul(self.rounds)
    }
}

impl Work for Pbkdf2 {
    fn admit(&self, bounds: &Bounds) -> Result<(), Refusal> {
        if self.rounds == 0 || self.length == 0 {
            return Err(Refusal::Malformed("the parameters"));
        }
        if self.salt.len() > MAX_SALT || self.length > bounds.pbkdf2_length {
            return Err(Refusal::TooLong("the salt or the key"));
        }
        at_most(self.rounds, bounds.pbkdf2_rounds, "the iterations")?;
        at_most(self.block_rounds(), bounds.pbkdf2_block_rounds, "iterations times blocks")
    }

    fn derive(&self, input: &[u8]) -> Option<Bytes> {
        Some(self.prf.pbkdf2(input, &self.salt, u32::try_from(self.rounds).ok()?, self.length))
    }

    #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^52")]
    fn seconds(&self) -> f64 {
        2.0 * self.prf.seconds() * self.block_rounds() as f64
    }

    fn memory(&self) -> u64 {
        0
    }

    fn parameters(&self) -> String {
        format!("{} n={}", self.prf.name(), self.rounds)
    }

    fn upgrade(&self) -> Option<Upgrade> {
        // What OWASP advised in 2023 for each digest; every default older than that is below.
        let advised = match self.prf {
            Hash::Sha512 | Hash::Sha384 => 210_000,
            Hash::Sha256 => 600_000,
            _ => 1_300_000,
        };
        (self.rounds < advised).then_some(Upgrade::LowCost)
    }
}
