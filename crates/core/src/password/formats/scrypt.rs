//! scrypt (password-hashes.md 4); Firebase's modified one is in `firebase.rs`.

use scrypt::Params;
use zeroize::Zeroizing;

use super::{
    Bounds, Family, Format, Refusal, Upgrade,
    bounds::{MAX_DIGEST, MAX_SALT, at_most},
    clue::Clue,
    encoding::{Bytes, base64, base64_bare, decimal, h64, h64_number, h64_value, hex, secret},
    fields::Given,
    format::{Parsed, Rules},
    recipe::{Kdf, Recipe, Work},
};

/// scrypt's parameters.
#[derive(Clone)]
pub(super) struct Scrypt {
    pub(super) log_n: u32,
    pub(super) r: u64,
    pub(super) p: u64,
    pub(super) salt: Bytes,
    pub(super) length: usize,
}

pub(super) static FORMATS: &[Format] = &[
    Format::text(
        "scrypt-phc",
        Family::Scrypt,
        "$scrypt$ln=log2N,r=n,p=n$salt$digest",
        Clue::Maybe(|text| cost_of(text).is_some_and(|ln| ln <= 63)),
        |given| {
            let (ln, r, p, salt, digest) = phc(given.text)?;
            let log_n = u32::try_from(ln).map_err(|_| Refusal::TooCostly("N"))?;
            parsed(log_n, r, p, base64_bare(salt, "the salt")?, base64_bare(digest, "the digest")?)
        },
    ),
    Format::text(
        "kratos-scrypt",
        Family::Scrypt,
        "$scrypt$ln=N,r=n,p=n$salt$digest, padded base64",
        Clue::Maybe(|text| cost_of(text).is_some_and(|n| n > 1)),
        |given| {
            let (n, r, p, salt, digest) = phc(given.text)?;
            parsed(log2(n)?, r, p, base64(salt, "the salt")?, base64(digest, "the digest")?)
        },
    ),
    Format::text("django-scrypt", Family::Scrypt, "scrypt$N$salt$r$p$base64", Clue::Starts("scrypt$"), |given| {
        let ["scrypt", n, salt, r, p, digest] = given.text.split('$').collect::<Vec<_>>()[..] else {
            return Err(Refusal::Malformed("the parts"));
        };
        let (n, r, p) = (decimal(n, "N")?, decimal(r, "r")?, decimal(p, "p")?);
        parsed(log2(n)?, r, p, secret(salt), base64(digest, "the digest")?)
    }),
    Format::text("werkzeug-scrypt", Family::Scrypt, "scrypt:N:r:p$salt$hex", Clue::Starts("scrypt:"), |given| {
        let [parameters, salt, digest] = given.text.split('$').collect::<Vec<_>>()[..] else {
            return Err(Refusal::Malformed("the parts"));
        };
        let ["scrypt", n, r, p] = parameters.split(':').collect::<Vec<_>>()[..] else {
            return Err(Refusal::Malformed("the parameters"));
        };
        let (n, r, p) = (decimal(n, "N")?, decimal(r, "r")?, decimal(p, "p")?);
        parsed(log2(n)?, r, p, secret(salt), hex(digest, "the digest")?)
    }),
    Format::text("crypt-scrypt-7", Family::Crypt, "$7$N r p salt$digest43", Clue::Starts("$7$"), |given| {
        crypt_7(given.text)
    })
    .with_rules(Rules::CRYPT),
    Format::members(
        "auth0-scrypt",
        Family::Scrypt,
        "algorithm scrypt, hash, salt, keylen, cost, blockSize, parallelization",
        ("hash", &["salt", "keylen", "cost", "blockSize", "parallelization"]),
        Clue::Members(|fields| fields.text(&["algorithm"]) == Some("scrypt")),
        auth0,
    ),
];

/// The number after `ln=`.
fn cost_of(text: &str) -> Option<u64> {
    text.strip_prefix("$scrypt$ln=")?.split(',').next()?.parse().ok()
}

fn phc(text: &str) -> Result<(u64, u64, u64, &str, &str), Refusal> {
    let rest = text.strip_prefix("$scrypt$").ok_or(Refusal::Malformed("the prefix"))?;
    let [parameters, salt, digest] = rest.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let [ln, r, p] = parameters.split(',').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parameters"));
    };
    let number = |part: &str, name: &str| {
        decimal(part.strip_prefix(name).ok_or(Refusal::Malformed("the parameters"))?, "a parameter")
    };
    Ok((number(ln, "ln=")?, number(r, "r=")?, number(p, "p=")?, salt, digest))
}

/// The exponent of an N that must be a power of two over one.
pub(super) fn log2(n: u64) -> Result<u32, Refusal> {
    if n > 1 && n.is_power_of_two() { Ok(n.ilog2()) } else { Err(Refusal::Malformed("N")) }
}

/// scrypt of the password.
pub(super) fn parsed(log_n: u32, r: u64, p: u64, salt: Bytes, expected: Bytes) -> Result<Parsed, Refusal> {
    if expected.is_empty() {
        return Err(Refusal::Malformed("the digest"));
    }
    let kdf = Scrypt { log_n, r, p, salt, length: expected.len() };
    Ok(Parsed { recipe: Recipe::Password.derive(Kdf::Scrypt(kdf)), expected })
}

/// libxcrypt's `$7$`: N in one character, r and p in five each, the salt as text.
pub(super) fn crypt_7(text: &str) -> Result<Parsed, Refusal> {
    let rest = text.strip_prefix("$7$").ok_or(Refusal::Malformed("the prefix"))?;
    let (setting, digest) = rest.rsplit_once('$').ok_or(Refusal::Malformed("the parts"))?;
    let (parameters, salt) = setting.as_bytes().split_at_checked(11).ok_or(Refusal::Malformed("the parameters"))?;
    let log_n = h64_value(parameters[0]).ok_or(Refusal::Malformed("N"))?;
    let (r, p) = (h64_number(&parameters[1..6], "r")?, h64_number(&parameters[6..], "p")?);
    if digest.len() != 43 {
        return Err(Refusal::Malformed("the digest"));
    }
    parsed(log_n, u64::from(r), u64::from(p), secret(salt), h64(digest, "the digest")?)
}

fn auth0(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let expected = given.encoded(&["hash", "value"], "base64", "hash.value")?;
    if given.number(&["keylen"], "keylen")? != expected.len() as u64 {
        return Err(Refusal::Malformed("keylen"));
    }
    let salt = given.encoded(&["salt", "value"], "utf8", "salt.value")?;
    let (r, p) = (given.number(&["blockSize"], "blockSize")?, given.number(&["parallelization"], "parallelization")?);
    parsed(log2(given.number(&["cost"], "cost")?)?, r, p, salt, expected)
}

impl Scrypt {
    /// 128·N·r, or nothing when that is beyond counting.
    fn bytes(&self) -> Option<u64> {
        1_u64.checked_shl(self.log_n)?.checked_mul(self.r)?.checked_mul(128)
    }

    #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^52")]
    fn work(&self) -> f64 {
        self.bytes().unwrap_or(u64::MAX) as f64 / 128.0 * self.p as f64
    }
}

impl Work for Scrypt {
    fn admit(&self, bounds: &Bounds) -> Result<(), Refusal> {
        if self.log_n == 0 || self.r == 0 || self.p == 0 {
            return Err(Refusal::Malformed("the parameters"));
        }
        if self.salt.len() > MAX_SALT || self.length > MAX_DIGEST {
            return Err(Refusal::TooLong("the salt or the digest"));
        }
        at_most(self.log_n, bounds.scrypt_log_n, "N")?;
        at_most(self.p, u64::from(bounds.scrypt_lanes), "p")?;
        at_most(self.bytes().unwrap_or(u64::MAX), bounds.scrypt_bytes, "the memory")
    }

    fn derive(&self, input: &[u8]) -> Option<Bytes> {
        let log_n = u8::try_from(self.log_n).ok()?;
        let parameters = Params::new(log_n, u32::try_from(self.r).ok()?, u32::try_from(self.p).ok()?).ok()?;
        let mut key = Zeroizing::new(vec![0; self.length]);
        ::scrypt::scrypt(input, &self.salt, &parameters, &mut key).ok()?;
        Some(key)
    }

    fn seconds(&self) -> f64 {
        1.8e-7 * self.work()
    }

    fn memory(&self) -> u64 {
        self.bytes().unwrap_or(u64::MAX)
    }

    fn parameters(&self) -> String {
        format!("N=2^{} r={} p={}", self.log_n, self.r, self.p)
    }

    fn upgrade(&self) -> Option<Upgrade> {
        // N 2^14, r 8, p 1, times five: below that scrypt is weaker than bcrypt with cost 10.
        (self.work() < 131_072.0).then_some(Upgrade::LowCost)
    }
}
