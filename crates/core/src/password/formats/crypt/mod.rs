//! crypt(3) (password-hashes.md 8). bcrypt and `$7$` have files of their own.
//!
//! MD5-crypt, Sun MD5 and the salted DES are compositions that no kept crate offers: they are here, in a file each.

mod des;
mod md5;
mod sun;
mod yescrypt;

use zeroize::Zeroizing;

use self::yescrypt::Yescrypt;
use super::{
    Bounds, Family, Format, Refusal, Upgrade,
    algorithm::Hash,
    bcrypt,
    bounds::{MAX_SALT, at_most},
    clue::Clue,
    digests::sized,
    encoding::{Bytes, decimal, h64, h64_number, hex, is_h64, secret},
    format::{Parsed, Rules},
    recipe::{Kdf, Recipe, Work},
    scrypt,
};

/// One of crypt(3)'s own key derivations.
#[derive(Clone)]
pub(super) enum Crypt {
    /// `$1$` and `$apr1$`.
    Md5 { magic: &'static str, salt: Bytes },
    /// `$md5$`; the setting is the text up to the digest.
    Sun { rounds: u64, setting: Bytes },
    /// `$sha1$`.
    Sha1 { rounds: u64, salt: Bytes },
    /// `$5$` and `$6$`.
    Sha2 { hash: Hash, rounds: u64, salt: Bytes },
    /// The traditional one, and `BSDi`'s with more rounds and the whole password.
    Des { rounds: u64, salt: u32, key: DesKey },
    /// `$y$`.
    Yescrypt(Yescrypt),
}

/// How much of the password DES gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DesKey {
    /// The first eight characters.
    First,
    /// All of it, folded.
    Whole,
}

/// A format by its prefix.
macro_rules! prefixed {
    ($name:literal, $looks:literal, $prefix:literal) => {
        Format::text($name, Family::Crypt, $looks, Clue::Starts($prefix), |given| {
            if given.text.starts_with($prefix) { any(given.text) } else { Err(Refusal::Malformed("the prefix")) }
        })
        .with_rules(Rules::CRYPT)
    };
}

pub(super) static FORMATS: &[Format] = &[
    prefixed!("md5crypt", "$1$salt$digest22", "$1$"),
    prefixed!("apr1", "$apr1$salt$digest22", "$apr1$"),
    prefixed!("sha256crypt", "$5$[rounds=n$]salt$digest43", "$5$"),
    prefixed!("sha512crypt", "$6$[rounds=n$]salt$digest86", "$6$"),
    Format::text(
        "kratos-crypt",
        Family::Crypt,
        "$sha512-crypt$[rounds=n$]salt$digest",
        Clue::Sure(|text| kratos(text).is_some()),
        |given| any(&kratos(given.text).ok_or(Refusal::Malformed("the prefix"))?),
    )
    .with_rules(Rules::CRYPT),
    prefixed!("yescrypt", "$y$parameters$salt$digest43", "$y$"),
    prefixed!("gost-yescrypt", "$gy$parameters$salt$digest43", "$gy$"),
    Format::text("sunmd5", Family::Crypt, "$md5[,rounds=n]$salt$[$]digest22", Clue::Sure(is_sun), |given| {
        sun(given.text)
    })
    .with_rules(Rules::CRYPT),
    prefixed!("sha1crypt", "$sha1$n$salt$digest28", "$sha1$"),
    prefixed!("crypt-nt-3", "$3$$32 hex", "$3$"),
    Format::text("bsdi-crypt", Family::Crypt, "_rounds4 salt4 digest11", Clue::Maybe(is_bsdi), |given| {
        bsdi(given.text)
    })
    .with_rules(Rules::CRYPT),
    Format::text(
        "des-crypt",
        Family::Crypt,
        "salt2 digest11",
        Clue::Maybe(|text| text.len() == 13 && is_h64(text)),
        |given| traditional(given.text),
    )
    .with_rules(Rules::CRYPT),
];

/// Any text that crypt(3) makes.
pub(super) fn any(text: &str) -> Result<Parsed, Refusal> {
    let Some(rest) = text.strip_prefix('$') else {
        return if text.starts_with('_') { bsdi(text) } else { traditional(text) };
    };
    let (id, body) = rest.split_once('$').ok_or(Refusal::Malformed("the parts"))?;
    match id {
        "1" => md5(body, "$1$"),
        "apr1" => md5(body, "$apr1$"),
        "2a" | "2b" | "2x" | "2y" => bcrypt::any(text),
        "3" => nt(body),
        "5" => sha2(body, Hash::Sha256),
        "6" => sha2(body, Hash::Sha512),
        "7" => scrypt::crypt_7(text),
        "sha1" => sha1(body),
        "y" => yescrypt::plain(body),
        "gy" => yescrypt::gost(text, body),
        _ if id == "md5" || id.starts_with("md5,") => sun(text),
        _ => Err(Refusal::Malformed("the prefix")),
    }
}

/// crypt(3)'s text for Kratos's longer names of it.
fn kratos(text: &str) -> Option<Zeroizing<String>> {
    [("$md5-crypt$", "$1$"), ("$sha256-crypt$", "$5$"), ("$sha512-crypt$", "$6$")]
        .iter()
        .find_map(|(name, id)| Some(Zeroizing::new(format!("{id}{}", text.strip_prefix(name)?))))
}

fn derived(crypt: Crypt, expected: Bytes) -> Parsed {
    Parsed { recipe: Recipe::Password.derive(Kdf::Crypt(crypt)), expected }
}

/// A salt of the characters that crypt(3) lets through, and at most so many.
fn salt(text: &str, most: usize) -> Result<Bytes, Refusal> {
    let clean = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"$:*!".contains(&byte));
    match (clean, text.len() <= most) {
        (true, true) => Ok(secret(text)),
        (true, false) => Err(Refusal::TooLong("the salt")),
        (false, _) => Err(Refusal::Malformed("the salt")),
    }
}

fn md5(body: &str, magic: &'static str) -> Result<Parsed, Refusal> {
    let (text, digest) = body.split_once('$').ok_or(Refusal::Malformed("the parts"))?;
    let expected = sized(h64(digest, "the digest")?, Hash::Md5)?;
    Ok(derived(Crypt::Md5 { magic, salt: salt(text, 8)? }, expected))
}

fn sha2(body: &str, hash: Hash) -> Result<Parsed, Refusal> {
    let (rounds, rest) = match body.strip_prefix("rounds=") {
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$').ok_or(Refusal::Malformed("the rounds"))?;
            (decimal(rounds, "the rounds")?, rest)
        }
        None => (5_000, body),
    };
    let (text, digest) = rest.split_once('$').ok_or(Refusal::Malformed("the parts"))?;
    let expected = sized(h64(digest, "the digest")?, hash)?;
    Ok(derived(Crypt::Sha2 { hash, rounds, salt: salt(text, 16)? }, expected))
}

fn sha1(body: &str) -> Result<Parsed, Refusal> {
    let [rounds, text, digest] = body.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let rounds = decimal(rounds, "the rounds")?;
    // Seven groups of three: the last one takes the first byte again.
    let expected = h64(digest, "the digest")?;
    if digest.len() != 28 || expected.len() != 21 {
        return Err(Refusal::Malformed("the digest"));
    }
    Ok(derived(Crypt::Sha1 { rounds, salt: salt(text, 64)? }, expected))
}

/// libxcrypt widens bytes, not characters: not the true NT hash for what is not ASCII.
fn nt(body: &str) -> Result<Parsed, Refusal> {
    let digest = body.strip_prefix('$').ok_or(Refusal::Malformed("the parts"))?;
    let recipe = Recipe::Widened(Box::new(Recipe::Password)).hash(Hash::Md4);
    Ok(Parsed { recipe, expected: sized(hex(digest, "the digest")?, Hash::Md4)? })
}

fn is_sun(text: &str) -> bool {
    let ours = text.starts_with("$md5$") || text.starts_with("$md5,rounds=");
    ours && text.rsplit('$').next().is_some_and(|digest| digest.len() == 22 && is_h64(digest))
}

fn sun(text: &str) -> Result<Parsed, Refusal> {
    let (setting, digest) = text.rsplit_once('$').ok_or(Refusal::Malformed("the parts"))?;
    let rest = setting.strip_prefix("$md5").ok_or(Refusal::Malformed("the prefix"))?;
    let (rounds, rest) = match rest.strip_prefix(",rounds=") {
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$').ok_or(Refusal::Malformed("the rounds"))?;
            (decimal(rounds, "the rounds")?, rest)
        }
        None => (0, rest.strip_prefix('$').ok_or(Refusal::Malformed("the parts"))?),
    };
    // A second dollar before the digest belongs to what is hashed.
    salt(rest.strip_suffix('$').unwrap_or(rest), 64)?;
    let expected = sized(h64(digest, "the digest")?, Hash::Md5)?;
    Ok(derived(Crypt::Sun { rounds: rounds.saturating_add(4096), setting: secret(setting) }, expected))
}

fn is_bsdi(text: &str) -> bool {
    text.len() == 20 && text.strip_prefix('_').is_some_and(is_h64)
}

fn bsdi(text: &str) -> Result<Parsed, Refusal> {
    if !is_bsdi(text) {
        return Err(Refusal::Malformed("the text"));
    }
    let bytes = text.as_bytes();
    let rounds = u64::from(h64_number(&bytes[1..5], "the rounds")?);
    let salt = h64_number(&bytes[5..9], "the salt")?;
    Ok(derived(Crypt::Des { rounds, salt, key: DesKey::Whole }, des::digest(&bytes[9..])?))
}

fn traditional(text: &str) -> Result<Parsed, Refusal> {
    if text.len() != 13 || !is_h64(text) {
        return Err(Refusal::Malformed("the text"));
    }
    let (salt, digest) = text.as_bytes().split_at(2);
    let salt = h64_number(salt, "the salt")?;
    Ok(derived(Crypt::Des { rounds: 25, salt, key: DesKey::First }, des::digest(digest)?))
}

/// A SHA-crypt digest in the order of writing, as least-first groups: each takes a byte of every third, turned.
fn permuted(hash: Hash, digest: &[u8]) -> Bytes {
    let third = digest.len() / 3;
    let mut order = Vec::with_capacity(digest.len());
    for group in 0..third {
        let mut three = [group, group + third, group + 2 * third];
        if hash == Hash::Sha256 {
            three.rotate_right(group % 3);
        } else {
            three.rotate_left(group % 3);
        }
        order.extend(three.into_iter().rev());
    }
    order.extend(third * 3..digest.len());
    Zeroizing::new(order.into_iter().map(|at| digest[at]).collect())
}

fn sha2_crypt(hash: Hash, input: &[u8], salt: &[u8], rounds: u64) -> Option<Bytes> {
    /// Rounds times blocks of 64 bytes of password: the most rounds with a password of 511 bytes, as long as crypt(3) of
    /// today takes one. Each round goes over the whole password.
    const MOST: u64 = 5_000_000 * 8;
    if rounds.saturating_mul(input.len() as u64 / 64 + 1) > MOST {
        return None;
    }
    let parameters = sha_crypt::Params::new(u32::try_from(rounds).ok()?).ok()?;
    let digest = if hash == Hash::Sha256 {
        secret(sha_crypt::sha256_crypt(input, salt, parameters))
    } else {
        secret(sha_crypt::sha512_crypt(input, salt, parameters))
    };
    Some(permuted(hash, &digest))
}

fn sha1_crypt(input: &[u8], salt: &[u8], rounds: u64) -> Option<Bytes> {
    let seed = secret([salt, b"$sha1$", rounds.to_string().as_bytes()].concat());
    let digest = Hash::Sha1.hmac_chain(input, &seed, u32::try_from(rounds).ok()?);
    let around = secret([&*digest, digest.get(..1)?].concat());
    let mut bytes = Zeroizing::new(Vec::with_capacity(around.len()));
    for group in around.chunks(3) {
        bytes.extend(group.iter().rev());
    }
    Some(bytes)
}

impl Work for Crypt {
    fn admit(&self, bounds: &Bounds) -> Result<(), Refusal> {
        let (rounds, salt) = match self {
            Self::Md5 { salt, .. } => (1_000, salt.len()),
            Self::Sun { rounds, setting } => (*rounds, setting.len()),
            Self::Sha1 { rounds, salt } => (*rounds, salt.len()),
            Self::Sha2 { rounds, .. } if !(1_000..=999_999_999).contains(rounds) => {
                return Err(Refusal::Malformed("the rounds"));
            }
            Self::Sha2 { rounds, salt, .. } => (*rounds, salt.len()),
            Self::Des { rounds, .. } => (*rounds, 0),
            Self::Yescrypt(yescrypt) => return yescrypt.admit(bounds),
        };
        if rounds == 0 {
            return Err(Refusal::Malformed("the rounds"));
        }
        if salt > MAX_SALT {
            return Err(Refusal::TooLong("the salt"));
        }
        at_most(rounds, bounds.crypt_rounds, "the rounds")
    }

    fn derive(&self, input: &[u8]) -> Option<Bytes> {
        match self {
            Self::Md5 { magic, salt } => Some(md5::crypt(magic, salt, input)),
            Self::Sun { rounds, setting } => Some(sun::crypt(*rounds, setting, input)),
            Self::Sha1 { rounds, salt } => sha1_crypt(input, salt, *rounds),
            Self::Sha2 { hash, rounds, salt } => sha2_crypt(*hash, input, salt, *rounds),
            Self::Des { rounds, salt, key } => Some(des::crypt(*rounds, *salt, *key, input)),
            Self::Yescrypt(yescrypt) => yescrypt.derive(input),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "rounds are bounded far below 2^52")]
    fn seconds(&self) -> f64 {
        match self {
            Self::Md5 { .. } => 4.0e-4,
            Self::Sun { rounds, .. } => 2.4e-6 * *rounds as f64,
            Self::Sha1 { rounds, .. } => 2.0 * Hash::Sha1.seconds() * *rounds as f64,
            Self::Sha2 { rounds, .. } => 2.7e-7 * *rounds as f64,
            Self::Des { rounds, .. } => 1.2e-7 * *rounds as f64,
            Self::Yescrypt(yescrypt) => yescrypt.seconds(),
        }
    }

    fn memory(&self) -> u64 {
        if let Self::Yescrypt(yescrypt) = self { yescrypt.memory() } else { 0 }
    }

    fn parameters(&self) -> String {
        match self {
            Self::Md5 { .. } => "n=1000".to_owned(),
            Self::Sun { rounds, .. }
            | Self::Sha1 { rounds, .. }
            | Self::Sha2 { rounds, .. }
            | Self::Des { rounds, .. } => {
                format!("n={rounds}")
            }
            Self::Yescrypt(yescrypt) => yescrypt.parameters(),
        }
    }

    fn upgrade(&self) -> Option<Upgrade> {
        match self {
            Self::Md5 { .. } | Self::Des { .. } => Some(Upgrade::Fast),
            Self::Sun { .. } | Self::Sha1 { .. } => Some(Upgrade::Retired),
            // A round is about as fast as one of PBKDF2 with the same digest.
            Self::Sha2 { rounds, .. } => (*rounds < 210_000).then_some(Upgrade::LowCost),
            Self::Yescrypt(yescrypt) => yescrypt.upgrade(),
        }
    }
}
