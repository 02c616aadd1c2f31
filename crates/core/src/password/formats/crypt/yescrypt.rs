//! yescrypt's texts, `$y$` and `$gy$`; the algorithm is the `yescrypt` crate's.

use yescrypt::{Mode, Params};
use zeroize::Zeroizing;

use super::{
    super::{
        Bounds, Refusal, Upgrade,
        algorithm::Hash,
        bounds::at_most,
        encoding::{Bytes, h64, h64_value},
        format::Parsed,
        recipe::{Kdf, Recipe},
    },
    Crypt,
};

/// yescrypt's parameters.
#[derive(Clone)]
pub(in super::super) struct Yescrypt {
    mode: Mode,
    log_n: u32,
    r: u32,
    p: u32,
    t: u32,
    salt: Bytes,
}

/// A number of one to six characters: the first one tells how many follow.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn character(&mut self) -> Result<u32, Refusal> {
        let (first, rest) = self.0.split_first().ok_or(Refusal::Malformed("the parameters"))?;
        self.0 = rest;
        h64_value(*first).ok_or(Refusal::Malformed("the parameters"))
    }

    fn next(&mut self, least: u32) -> Result<u32, Refusal> {
        let first = self.character()?;
        let (mut start, mut end, mut more) = (0, 47, 0);
        let mut number = u64::from(least);
        while first > end {
            number += u64::from(end + 1 - start) << (6 * more);
            start = end + 1;
            end = start + (62 - end) / 2;
            more += 1;
        }
        number += u64::from(first - start) << (6 * more);
        while more > 0 {
            more -= 1;
            number += u64::from(self.character()?) << (6 * more);
        }
        u32::try_from(number).map_err(|_| Refusal::TooCostly("a parameter"))
    }
}

fn parameters(text: &str, salt: Bytes) -> Result<Yescrypt, Refusal> {
    let mut numbers = Numbers(text.as_bytes());
    let mode = Mode::try_from(numbers.next(0)?).map_err(|_| Refusal::Unsupported("the flavour"))?;
    let (log_n, r) = (numbers.next(1)?, numbers.next(1)?);
    let have = if numbers.0.is_empty() { 0 } else { numbers.next(1)? };
    let p = if have & 1 == 0 { 1 } else { numbers.next(2)? };
    let t = if have & 2 == 0 { 0 } else { numbers.next(1)? };
    if have & !3 != 0 {
        return Err(Refusal::Unsupported("an upgraded hash or a ROM"));
    }
    if numbers.0.is_empty() {
        Ok(Yescrypt { mode, log_n, r, p, t, salt })
    } else {
        Err(Refusal::Malformed("the parameters"))
    }
}

fn read(body: &str) -> Result<(Yescrypt, Bytes), Refusal> {
    let [numbers, salt, digest] = body.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let salt = h64(salt, "the salt")?;
    if salt.len() > 64 {
        return Err(Refusal::TooLong("the salt"));
    }
    let expected = h64(digest, "the digest")?;
    if expected.len() != 32 {
        return Err(Refusal::Malformed("the digest"));
    }
    Ok((parameters(numbers, salt)?, expected))
}

/// `$y$`.
pub(super) fn plain(body: &str) -> Result<Parsed, Refusal> {
    let (yescrypt, expected) = read(body)?;
    Ok(Parsed { recipe: Recipe::Password.derive(Kdf::Crypt(Crypt::Yescrypt(yescrypt))), expected })
}

/// `$gy$`: HMAC with GOST R 34.11-2012 of yescrypt's answer, keyed by the password and the setting.
pub(super) fn gost(text: &str, body: &str) -> Result<Parsed, Refusal> {
    let (yescrypt, expected) = read(body)?;
    let (setting, _) = text.rsplit_once('$').ok_or(Refusal::Malformed("the parts"))?;
    let hash = Hash::Streebog256;
    let key = Recipe::Hmac(hash, Box::new(Recipe::Password.hash(hash)), Box::new(Recipe::fixed(setting)));
    let inner = Recipe::Password.derive(Kdf::Crypt(Crypt::Yescrypt(yescrypt)));
    Ok(Parsed { recipe: Recipe::Hmac(hash, Box::new(key), Box::new(inner)), expected })
}

impl Yescrypt {
    fn bytes(&self) -> Option<u64> {
        1_u64.checked_shl(self.log_n)?.checked_mul(u64::from(self.r))?.checked_mul(128)
    }

    pub(super) fn admit(&self, bounds: &Bounds) -> Result<(), Refusal> {
        if self.log_n == 0 || self.r == 0 || self.p == 0 {
            return Err(Refusal::Malformed("the parameters"));
        }
        at_most(self.log_n, bounds.scrypt_log_n, "N")?;
        at_most(self.p, bounds.scrypt_lanes, "p")?;
        at_most(self.t, 3, "t")?;
        at_most(self.bytes().unwrap_or(u64::MAX), bounds.scrypt_bytes, "the memory")?;
        // The algorithm shares N between the lanes.
        if 1_u64 << self.log_n <= u64::from(self.p) { Err(Refusal::Malformed("the parameters")) } else { Ok(()) }
    }

    pub(super) fn derive(&self, input: &[u8]) -> Option<Bytes> {
        let n = 1_u64.checked_shl(self.log_n)?;
        let parameters = Params::new_with_all_params(self.mode, n, self.r, self.p, self.t, 0).ok()?;
        let mut key = Zeroizing::new(vec![0; 32]);
        ::yescrypt::yescrypt(input, &self.salt, &parameters, &mut key).ok()?;
        Some(key)
    }

    #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^52")]
    pub(super) fn seconds(&self) -> f64 {
        let lanes = if self.mode.is_rw() { 1 } else { self.p };
        2.1e-7 * self.memory() as f64 / 128.0 * f64::from(lanes) * f64::from(self.t + 1)
    }

    pub(super) fn memory(&self) -> u64 {
        self.bytes().unwrap_or(u64::MAX)
    }

    pub(super) fn parameters(&self) -> String {
        format!("N=2^{} r={} p={} t={}", self.log_n, self.r, self.p, self.t)
    }

    pub(super) fn upgrade(&self) -> Option<Upgrade> {
        // libxcrypt's own default, `j9T`, is N 4096 and r 32.
        (self.memory() < 128 * 4096 * 32).then_some(Upgrade::LowCost)
    }
}
