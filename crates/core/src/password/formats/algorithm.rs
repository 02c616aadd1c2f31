//! Digests, HMAC and PBKDF2 over them, chosen at run time. The algorithms are other crates'; this is the switch.

use hmac::{Hmac, KeyInit as _, Mac as _, digest::Digest as _};
use md4::Md4;
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use streebog::Streebog256;
use zeroize::Zeroizing;

use super::encoding::Bytes;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md4,
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    /// GOST R 34.11-2012, 256 bits.
    Streebog256,
}

/// Runs `$body` with `$digest` standing for the crate's type.
macro_rules! with_digest {
    ($hash:expr, $digest:ident => $body:expr) => {
        match $hash {
            Hash::Md4 => {
                type $digest = Md4;
                $body
            }
            Hash::Md5 => {
                type $digest = Md5;
                $body
            }
            Hash::Sha1 => {
                type $digest = Sha1;
                $body
            }
            Hash::Sha256 => {
                type $digest = Sha256;
                $body
            }
            Hash::Sha384 => {
                type $digest = Sha384;
                $body
            }
            Hash::Sha512 => {
                type $digest = Sha512;
                $body
            }
            Hash::Streebog256 => {
                type $digest = Streebog256;
                $body
            }
        }
    };
}

impl Hash {
    /// The digest's length in bytes.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Md4 | Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Streebog256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Seconds one compression takes on a server core (`crates.md` 3e, rounded up).
    pub(super) fn seconds(self) -> f64 {
        match self {
            Self::Md4 | Self::Md5 => 1.5e-7,
            Self::Sha1 => 1.0e-7,
            Self::Sha256 => 0.6e-7,
            Self::Sha384 | Self::Sha512 => 2.4e-7,
            Self::Streebog256 => 1.0e-6,
        }
    }

    /// The digest by its usual names: `sha1`, `SHA-1`, `sha256`, `SHA-256` …
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().replace('-', "").as_str() {
            "md4" => Self::Md4,
            "md5" => Self::Md5,
            "sha" | "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The name without a dash, as most formats write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Md4 => "md4",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Streebog256 => "streebog256",
        }
    }

    /// The digest of all parts in a row.
    pub(super) fn digest(self, parts: &[&[u8]]) -> Bytes {
        with_digest!(self, D => {
            let mut state = D::new();
            for part in parts {
                state.update(part);
            }
            Zeroizing::new(state.finalize().to_vec())
        })
    }

    /// The HMAC of `message`.
    pub(super) fn hmac(self, key: &[u8], message: &[u8]) -> Bytes {
        with_digest!(self, D => {
            // A key of any length is taken; the empty answer cannot be reached and would match nothing.
            let Ok(mut state) = Hmac::<D>::new_from_slice(key) else { return Bytes::default() };
            state.update(message);
            Zeroizing::new(state.finalize().into_bytes().to_vec())
        })
    }

    /// HMAC applied `rounds` times with one key, each time to the last answer.
    pub(super) fn hmac_chain(self, key: &[u8], message: &[u8], rounds: u32) -> Bytes {
        with_digest!(self, D => {
            let Ok(keyed) = Hmac::<D>::new_from_slice(key) else { return Bytes::default() };
            let mut last = Zeroizing::new(message.to_vec());
            for _ in 0..rounds {
                let mut state = keyed.clone();
                state.update(&last);
                last = Zeroizing::new(state.finalize().into_bytes().to_vec());
            }
            last
        })
    }

    /// d = H(d ‖ tail), `rounds` times.
    pub(super) fn iterate(self, seed: &[u8], tail: &[u8], rounds: u64) -> Bytes {
        with_digest!(self, D => {
            let mut last = Zeroizing::new(seed.to_vec());
            for _ in 0..rounds {
                let mut state = D::new();
                state.update(&*last);
                state.update(tail);
                let next = state.finalize();
                last.clear();
                last.extend_from_slice(&next);
            }
            last
        })
    }

    /// PBKDF2 with HMAC over this digest.
    pub(super) fn pbkdf2(self, password: &[u8], salt: &[u8], rounds: u32, length: usize) -> Bytes {
        let mut key = Zeroizing::new(vec![0; length]);
        with_digest!(self, D => pbkdf2::pbkdf2_hmac::<D>(password, salt, rounds, &mut key));
        key
    }
}
