//! bcrypt, and bcrypt over something (password-hashes.md 2).

use zeroize::{Zeroize as _, Zeroizing};

use super::{
    Bounds, Family, Format, Refusal, Upgrade,
    algorithm::Hash,
    bounds::at_most,
    clue::Clue,
    encoding::{Bytes, base64, bcrypt64, decimal, secret},
    fields::Given,
    format::{Parsed, Rules},
    recipe::{Kdf, Recipe, Work},
};

/// Only so many bytes of a password count.
const COUNTED: usize = 72;

/// bcrypt's parameters.
#[derive(Clone)]
pub(super) struct Bcrypt {
    pub(super) cost: u32,
    pub(super) salt: [u8; 16],
    pub(super) key: KeySchedule,
}

/// How the password's bytes become words of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeySchedule {
    /// As designed.
    Sound,
    /// With the sign-extension bug of `$2x$`: a byte over 127 also sets the bits above it.
    SignExtended,
}

pub(super) static FORMATS: &[Format] = &[
    Format::text("bcrypt-2b", Family::Bcrypt, "$2b$cost$salt22hash31", Clue::Maybe(|t| is_plain(t, "$2b$")), |given| {
        plain(given.text)
    }),
    Format::text("bcrypt-2a", Family::Bcrypt, "$2a$cost$salt22hash31", Clue::Maybe(|t| is_plain(t, "$2a$")), |given| {
        plain(given.text)
    }),
    Format::text("bcrypt-2y", Family::Bcrypt, "$2y$cost$salt22hash31", Clue::Maybe(|t| is_plain(t, "$2y$")), |given| {
        plain(given.text)
    }),
    Format::text("bcrypt-2x", Family::Bcrypt, "$2x$cost$salt22hash31", Clue::Starts("$2x$"), |given| {
        faulty(given.text)
    }),
    Format::text(
        "bcrypt-nul",
        Family::Bcrypt,
        "$2b$…, made with a NUL inside the password",
        Clue::Maybe(is_any),
        |given| any(given.text),
    ),
    Format::text("bcrypt-of-hex-sha256", Family::Bcrypt, "$2b$… over hex SHA-256", Clue::Maybe(is_any), |given| {
        over(given.text, Recipe::Password.hash(Hash::Sha256).hex())
    }),
    Format::text("bcrypt-of-hex-md5", Family::Bcrypt, "$2b$… over hex MD5", Clue::Maybe(is_any), |given| {
        over(given.text, Recipe::Password.hash(Hash::Md5).hex())
    }),
    Format::members(
        "devise-bcrypt-pepper",
        Family::Bcrypt,
        "encrypted_password, pepper",
        ("encrypted_password", &["pepper"]),
        Clue::Members(|fields| fields.has(&["encrypted_password"]) && fields.has(&["pepper"])),
        devise,
    ),
    Format::text(
        "django-bcrypt-sha256",
        Family::Bcrypt,
        "bcrypt_sha256$$2b$…",
        Clue::Starts("bcrypt_sha256$"),
        |given| over(after(given.text, "bcrypt_sha256$")?, Recipe::Password.hash(Hash::Sha256).hex()),
    ),
    Format::text("django-bcrypt", Family::Bcrypt, "bcrypt$$2b$…", Clue::Starts("bcrypt$"), |given| {
        any(after(given.text, "bcrypt$")?)
    }),
    Format::text(
        "passlib-bcrypt-sha256-v2",
        Family::Bcrypt,
        "$bcrypt-sha256$v=2,t=2b,r=cost$salt22$hash31",
        Clue::Starts("$bcrypt-sha256$v="),
        passlib_v2,
    ),
    Format::text(
        "passlib-bcrypt-sha256-v1",
        Family::Bcrypt,
        "$bcrypt-sha256$2b,cost$salt22$hash31",
        Clue::Starts("$bcrypt-sha256$2"),
        passlib_v1,
    ),
    Format::text("wordpress-bcrypt", Family::Bcrypt, "$wp$2y$cost$salt22hash31", Clue::Starts("$wp$2"), |given| {
        let key = Recipe::fixed(*b"wp-sha384");
        let digest = Recipe::Hmac(Hash::Sha384, Box::new(key), Box::new(Recipe::Password));
        over(after(given.text, "$wp")?, Recipe::Base64(Box::new(digest)))
    })
    .with_rules(Rules { longest: 4096, ..Rules::ANY }),
    Format::members(
        "okta-bcrypt",
        Family::Bcrypt,
        "algorithm BCRYPT, workFactor, salt, value",
        ("value", &["salt", "workFactor"]),
        Clue::Members(|fields| fields.text(&["algorithm"]) == Some("BCRYPT") && fields.has(&["workFactor"])),
        |given| split(given, "workFactor", "value"),
    ),
    Format::members(
        "fusionauth-bcrypt",
        Family::Bcrypt,
        "encryptionScheme bcrypt, factor, salt, password",
        ("password", &["salt", "factor"]),
        Clue::Members(|fields| fields.text(&["encryptionScheme"]) == Some("bcrypt")),
        |given| split(given, "factor", "password"),
    ),
    Format::members(
        "wso2-bcrypt",
        Family::Bcrypt,
        "UM_USER_PASSWORD: base64 of a bcrypt text",
        ("UM_USER_PASSWORD", &[]),
        Clue::Members(|fields| {
            let is_bcrypt = fields.text(&["UM_USER_PASSWORD"]).is_some_and(|text| text.starts_with("JDJ"));
            is_bcrypt && !fields.has(&["PasswordDigest"])
        }),
        |given| {
            let text = base64(given.member(&["UM_USER_PASSWORD"], "UM_USER_PASSWORD")?, "the base64")?;
            any(std::str::from_utf8(&text).map_err(|_| Refusal::Malformed("the text inside"))?)
        },
    )
    .with_rules(Rules::TRIMMED),
];

/// Whether the text has bcrypt's shape and this prefix. The cost is looked at by the parser.
fn is_plain(text: &str, prefix: &str) -> bool {
    text.starts_with(prefix)
}

/// Whether the text has a prefix of today's bcrypt.
pub(super) fn is_any(text: &str) -> bool {
    ["$2b$", "$2a$", "$2y$"].iter().any(|prefix| text.starts_with(prefix))
}

fn after<'a>(text: &'a str, prefix: &str) -> Result<&'a str, Refusal> {
    text.strip_prefix(prefix).ok_or(Refusal::Malformed("the prefix"))
}

/// bcrypt of the password; `$2a$`, `$2b$` and `$2y$` are one algorithm, so a column may mix them.
fn plain(text: &str) -> Result<Parsed, Refusal> {
    if is_any(text) { any(text) } else { Err(Refusal::Malformed("the prefix")) }
}

/// `$2x$` alone.
fn faulty(text: &str) -> Result<Parsed, Refusal> {
    read(text, after(text, "$2x$")?, Recipe::Password)
}

/// bcrypt of the password, `$2a$`, `$2b$`, `$2x$` or `$2y$`.
pub(super) fn any(text: &str) -> Result<Parsed, Refusal> {
    over(text, Recipe::Password)
}

/// bcrypt of something.
pub(super) fn over(text: &str, input: Recipe) -> Result<Parsed, Refusal> {
    let rest = ["$2b$", "$2a$", "$2y$", "$2x$"].iter().find_map(|prefix| text.strip_prefix(prefix));
    read(text, rest.ok_or(Refusal::Malformed("the prefix"))?, input)
}

fn read(whole: &str, rest: &str, input: Recipe) -> Result<Parsed, Refusal> {
    let (cost, body) = rest.split_once('$').ok_or(Refusal::Malformed("the cost"))?;
    if cost.len() != 2 || !cost.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Malformed("the cost"));
    }
    let cost = cost.parse().map_err(|_| Refusal::Malformed("the cost"))?;
    let (salt, digest) = body.split_at_checked(22).ok_or(Refusal::Malformed("the length"))?;
    let key = if whole.starts_with("$2x$") { KeySchedule::SignExtended } else { KeySchedule::Sound };
    parts(cost, salt, digest, key, input)
}

fn parts(cost: u32, salt: &str, digest: &str, key: KeySchedule, input: Recipe) -> Result<Parsed, Refusal> {
    if salt.len() != 22 || digest.len() != 31 {
        return Err(Refusal::Malformed("the length"));
    }
    let kdf = Bcrypt { cost, salt: bcrypt64(salt, "the salt")?, key };
    let expected = secret(bcrypt64::<23>(digest, "the digest")?);
    Ok(Parsed { recipe: input.derive(Kdf::Bcrypt(kdf)), expected })
}

fn devise(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let pepper = Recipe::fixed(given.member(&["pepper"], "pepper")?);
    let text = given.member(&["encrypted_password"], "encrypted_password")?;
    over(text, Recipe::Join(vec![Recipe::Password, pepper]))
}

/// The parts of passlib's own text: parameters, salt, digest.
fn passlib(text: &str) -> Result<(&str, &str, &str), Refusal> {
    let mut parts = after(text, "$bcrypt-sha256$")?.split('$');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(parameters), Some(salt), Some(digest), None) => Ok((parameters, salt, digest)),
        _ => Err(Refusal::Malformed("the parts")),
    }
}

fn passlib_cost(text: &str) -> Result<u32, Refusal> {
    u32::try_from(decimal(text, "the cost")?).map_err(|_| Refusal::TooCostly("the cost"))
}

fn is_variant(text: &str) -> Result<(), Refusal> {
    if ["2a", "2b", "2y"].contains(&text) { Ok(()) } else { Err(Refusal::Malformed("the variant")) }
}

fn passlib_v1(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let (parameters, salt, digest) = passlib(given.text)?;
    let (variant, cost) = parameters.split_once(',').ok_or(Refusal::Malformed("the parameters"))?;
    is_variant(variant)?;
    let input = Recipe::Base64(Box::new(Recipe::Password.hash(Hash::Sha256)));
    parts(passlib_cost(cost)?, salt, digest, KeySchedule::Sound, input)
}

fn passlib_v2(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let (parameters, salt, digest) = passlib(given.text)?;
    let rest = parameters.strip_prefix("v=2,t=").ok_or(Refusal::Malformed("the parameters"))?;
    let (variant, cost) = rest.split_once(",r=").ok_or(Refusal::Malformed("the parameters"))?;
    is_variant(variant)?;
    // The key is the salt as it is written, not its bytes.
    let keyed = Recipe::Hmac(Hash::Sha256, Box::new(Recipe::fixed(salt)), Box::new(Recipe::Password));
    parts(passlib_cost(cost)?, salt, digest, KeySchedule::Sound, Recipe::Base64(Box::new(keyed)))
}

/// bcrypt in members: cost, 22 characters of salt, 31 of digest.
fn split(given: &Given<'_>, cost: &'static str, digest: &'static str) -> Result<Parsed, Refusal> {
    let number = u32::try_from(given.number(&[cost], cost)?).map_err(|_| Refusal::TooCostly("the cost"))?;
    let salt = given.member(&["salt"], "salt")?;
    parts(number, salt, given.member(&[digest], digest)?, KeySchedule::Sound, Recipe::Password)
}

impl Work for Bcrypt {
    fn admit(&self, bounds: &Bounds) -> Result<(), Refusal> {
        if !(4..=31).contains(&self.cost) {
            return Err(Refusal::Malformed("the cost"));
        }
        at_most(self.cost, bounds.bcrypt_cost, "the cost")
    }

    fn derive(&self, input: &[u8]) -> Option<Bytes> {
        let input = match self.key {
            KeySchedule::Sound => secret(&input[..input.len().min(COUNTED)]),
            KeySchedule::SignExtended => sign_extended(input),
        };
        let parts = ::bcrypt::hash_with_salt(&*input, self.cost, self.salt).ok()?;
        let mut text = parts.format_for_version(::bcrypt::Version::TwoB);
        let digest = text.get(29..).and_then(|digest| bcrypt64::<23>(digest, "the digest").ok());
        text.zeroize();
        digest.map(secret)
    }

    fn seconds(&self) -> f64 {
        5.7e-5 * f64::from(1_u32.checked_shl(self.cost).unwrap_or(u32::MAX))
    }

    fn memory(&self) -> u64 {
        0
    }

    fn parameters(&self) -> String {
        format!("cost {}", self.cost)
    }

    fn upgrade(&self) -> Option<Upgrade> {
        match self.key {
            KeySchedule::SignExtended => Some(Upgrade::Retired),
            KeySchedule::Sound if self.cost < 10 => Some(Upgrade::LowCost),
            KeySchedule::Sound => None,
        }
    }
}

/// The whole key as the faulty schedule fills it: eighteen words of four bytes, each byte or-ed in with its sign.
///
/// A key of exactly 72 bytes is used as it is, so that the sound schedule then leads to what the faulty one did.
fn sign_extended(password: &[u8]) -> Bytes {
    let mut bytes = password.iter().copied().chain([0]).cycle();
    let mut key = Zeroizing::new(Vec::with_capacity(COUNTED));
    for _ in 0..COUNTED / 4 {
        let word = bytes.by_ref().take(4).fold(0_u32, |word, byte| word << 8 | sign_extend(byte));
        key.extend_from_slice(&word.to_be_bytes());
    }
    key
}

fn sign_extend(byte: u8) -> u32 {
    i32::from(i8::from_ne_bytes([byte])).cast_unsigned()
}
