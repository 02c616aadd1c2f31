//! The steps from a password to the bytes that are compared: a small tree, read by everything that follows parsing.

use zeroize::Zeroizing;

use super::{
    Bounds, Refusal, Upgrade,
    algorithm::Hash,
    argon2::Argon2,
    bcrypt::Bcrypt,
    bounds::{MAX_SALT, at_most},
    crypt::Crypt,
    encoding::{Bytes, secret, to_base64, to_h64},
    firebase,
    pbkdf2::Pbkdf2,
    scrypt::Scrypt,
};

/// One step, with the steps that lead to it.
#[derive(Clone)]
pub(super) enum Recipe {
    /// The password's own bytes (UTF-8).
    Password,
    /// Bytes that are known: salts, keys, separators.
    Fixed(Bytes),
    /// One after the other.
    Join(Vec<Recipe>),
    /// UTF-8 as UTF-16LE.
    Utf16(Box<Recipe>),
    /// Every byte as sixteen bits: libxcrypt's `$3$`.
    Widened(Box<Recipe>),
    /// Lower-case hex.
    Hex(Box<Recipe>),
    /// Padded base64.
    Base64(Box<Recipe>),
    /// So many characters of crypt(3)'s alphabet.
    H64(Box<Recipe>, usize),
    /// A digest.
    Hash(Hash, Box<Recipe>),
    /// HMAC of the second under the first.
    Hmac(Hash, Box<Recipe>, Box<Recipe>),
    /// d = H(d ‖ tail), so often, beginning with the seed.
    Iterate { hash: Hash, rounds: u64, seed: Box<Recipe>, tail: Box<Recipe> },
    /// The bytes, encrypted under a derived key as Firebase does.
    Masked { key: Box<Recipe>, text: Bytes },
    /// A key derivation over another step.
    Derive(Kdf, Box<Recipe>),
}

/// A key derivation with everything it needs but its input.
#[derive(Clone)]
pub(super) enum Kdf {
    Bcrypt(Bcrypt),
    Argon2(Argon2),
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
    Crypt(Crypt),
}

/// What every key derivation can say and do.
pub(super) trait Work {
    /// Refuses parameters that the algorithm does not know or that are over the bounds.
    fn admit(&self, bounds: &Bounds) -> Result<(), Refusal>;
    /// Does it. `None` when the algorithm's crate refuses what [`Work::admit`] let through.
    fn derive(&self, input: &[u8]) -> Option<Bytes>;
    /// Seconds of one core, predicted.
    fn seconds(&self) -> f64;
    /// Bytes of memory while it runs.
    fn memory(&self) -> u64;
    /// Why it should be replaced, if so.
    fn upgrade(&self) -> Option<Upgrade>;
    /// What its work depends on, as people write it: `cost 12`, `m=65536 t=3 p=4`. Nothing secret.
    fn parameters(&self) -> String;
}

impl Kdf {
    fn work(&self) -> &dyn Work {
        match self {
            Self::Bcrypt(kdf) => kdf,
            Self::Argon2(kdf) => kdf,
            Self::Scrypt(kdf) => kdf,
            Self::Pbkdf2(kdf) => kdf,
            Self::Crypt(kdf) => kdf,
        }
    }
}

impl Recipe {
    /// Known bytes.
    pub(super) fn fixed(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Fixed(secret(bytes))
    }

    /// A digest of this.
    pub(super) fn hash(self, hash: Hash) -> Self {
        Self::Hash(hash, Box::new(self))
    }

    /// This in lower-case hex.
    pub(super) fn hex(self) -> Self {
        Self::Hex(Box::new(self))
    }

    /// This in UTF-16LE.
    pub(super) fn utf16(self) -> Self {
        Self::Utf16(Box::new(self))
    }

    /// This through a key derivation.
    pub(super) fn derive(self, kdf: Kdf) -> Self {
        Self::Derive(kdf, Box::new(self))
    }

    /// The steps directly below.
    fn below(&self) -> Vec<&Recipe> {
        match self {
            Self::Password | Self::Fixed(_) => Vec::new(),
            Self::Join(parts) => parts.iter().collect(),
            Self::Utf16(one)
            | Self::Widened(one)
            | Self::Hex(one)
            | Self::Base64(one)
            | Self::H64(one, _)
            | Self::Hash(_, one)
            | Self::Masked { key: one, text: _ }
            | Self::Derive(_, one) => vec![one],
            Self::Hmac(_, key, message) => vec![key, message],
            Self::Iterate { seed, tail, .. } => vec![seed, tail],
        }
    }

    /// Refuses a tree whose parameters are unknown or over the bounds. Nothing is derived.
    pub(super) fn admit(&self, bounds: &Bounds) -> Result<(), Refusal> {
        match self {
            Self::Fixed(bytes) if bytes.len() > MAX_SALT => return Err(Refusal::TooLong("the salt")),
            Self::Iterate { rounds: 0, .. } => return Err(Refusal::Malformed("the iterations")),
            Self::Iterate { rounds, .. } => {
                at_most(*rounds, bounds.digest_rounds.max(1 << bounds.phpass_log), "the iterations")?;
            }
            Self::Derive(kdf, _) => kdf.work().admit(bounds)?,
            _ => {}
        }
        self.below().into_iter().try_for_each(|step| step.admit(bounds))
    }

    /// Takes the steps for one password.
    pub(super) fn run(&self, password: &[u8]) -> Option<Bytes> {
        Some(match self {
            Self::Password => secret(password),
            Self::Fixed(bytes) => bytes.clone(),
            Self::Join(parts) => {
                let mut whole = Bytes::default();
                for part in parts {
                    append(&mut whole, &part.run(password)?);
                }
                whole
            }
            Self::Utf16(one) => {
                let text = one.run(password)?;
                let units = Zeroizing::new(std::str::from_utf8(&text).ok()?.encode_utf16().collect::<Vec<u16>>());
                Zeroizing::new(units.iter().flat_map(|unit| unit.to_le_bytes()).collect())
            }
            Self::Widened(one) => Zeroizing::new(one.run(password)?.iter().flat_map(|byte| [*byte, 0]).collect()),
            Self::Hex(one) => secret(::hex::encode(&*one.run(password)?)),
            Self::Base64(one) => secret(to_base64(&one.run(password)?)),
            Self::H64(one, characters) => {
                let mut text = Zeroizing::new(to_h64(&one.run(password)?));
                text.truncate(*characters);
                text
            }
            Self::Hash(hash, one) => hash.digest(&[&one.run(password)?]),
            Self::Hmac(hash, key, message) => hash.hmac(&key.run(password)?, &message.run(password)?),
            Self::Iterate { hash, rounds, seed, tail } => {
                hash.iterate(&seed.run(password)?, &tail.run(password)?, *rounds)
            }
            Self::Masked { key, text } => firebase::mask(&key.run(password)?, text)?,
            Self::Derive(kdf, input) => kdf.work().derive(&input.run(password)?)?,
        })
    }

    /// Seconds of one core, predicted; a digest counts as its compressions.
    pub(super) fn seconds(&self) -> f64 {
        /// Compressions that a digest of a usual password and salt takes.
        const SHORT: f64 = 2.0;
        #[expect(clippy::cast_precision_loss, reason = "iterations are bounded far below 2^52")]
        let own = match self {
            Self::Hash(hash, _) => SHORT * hash.seconds(),
            Self::Hmac(hash, ..) => 2.0 * SHORT * hash.seconds(),
            Self::Iterate { hash, rounds, .. } => *rounds as f64 * SHORT * hash.seconds(),
            Self::Derive(kdf, _) => kdf.work().seconds(),
            _ => 0.0,
        };
        own + self.below().into_iter().map(Self::seconds).sum::<f64>()
    }

    /// Bytes of memory, beyond a few kilobytes.
    pub(super) fn memory(&self) -> u64 {
        let own = if let Self::Derive(kdf, _) = self { kdf.work().memory() } else { 0 };
        self.below().into_iter().map(Self::memory).fold(own, u64::max)
    }

    /// Why the hash should be replaced: the answer of its key derivation, and a digest always.
    pub(super) fn upgrade(&self) -> Option<Upgrade> {
        self.kdf().map_or(Some(Upgrade::Fast), |kdf| kdf.work().upgrade())
    }

    /// What its work depends on, as people write it; nothing for a single digest.
    pub(super) fn parameters(&self) -> String {
        match self {
            Self::Derive(kdf, _) => kdf.work().parameters(),
            Self::Iterate { rounds, .. } => format!("n={rounds}"),
            _ => self.below().into_iter().map(Self::parameters).find(|text| !text.is_empty()).unwrap_or_default(),
        }
    }

    /// The outermost key derivation.
    fn kdf(&self) -> Option<&Kdf> {
        match self {
            Self::Derive(kdf, _) => Some(kdf),
            _ => self.below().into_iter().find_map(Self::kdf),
        }
    }
}

/// Grows secret bytes without leaving a copy behind.
fn append(whole: &mut Bytes, part: &[u8]) {
    let mut longer = Zeroizing::new(Vec::with_capacity(whole.len() + part.len()));
    longer.extend_from_slice(whole);
    longer.extend_from_slice(part);
    *whole = longer;
}
