//! How much work and memory a stored hash may ask for (password-hashes.md 11.3).
//!
//! A stored hash is input that an attacker may have written. Everything is checked against these numbers before the
//! first byte is derived; what asks for more is reported, never computed.

use super::Refusal;

/// Longest text of a hash, in bytes.
pub const MAX_TEXT: usize = 4 << 10;
/// Longest text of a hash that comes as JSON, in bytes.
pub const MAX_JSON: usize = 8 << 10;
/// Most braces, brackets and commas in such JSON; keeps what parsing it allocates small.
pub const MAX_JSON_PARTS: usize = 64;
/// Longest salt, in bytes.
pub const MAX_SALT: usize = 1 << 10;
/// Longest digest, in bytes.
pub const MAX_DIGEST: usize = 512;
/// Longest password that is checked, in bytes.
pub const MAX_PASSWORD: usize = 4 << 10;

/// The most that one check may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// bcrypt's cost, as the exponent of two.
    pub bcrypt_cost: u32,
    /// Memory of Argon2, in KiB.
    pub argon2_kib: u32,
    /// Passes of Argon2.
    pub argon2_passes: u32,
    /// Lanes of Argon2.
    pub argon2_lanes: u32,
    /// Memory times passes of Argon2, in KiB.
    pub argon2_kib_passes: u64,
    /// Memory of scrypt and yescrypt (128·N·r), in bytes.
    pub scrypt_bytes: u64,
    /// scrypt's N, as the exponent of two.
    pub scrypt_log_n: u32,
    /// scrypt's p.
    pub scrypt_lanes: u32,
    /// Firebase's `mem_cost`.
    pub firebase_memory: u64,
    /// Firebase's `rounds`.
    pub firebase_rounds: u64,
    /// Iterations of PBKDF2.
    pub pbkdf2_rounds: u64,
    /// Length of a key that PBKDF2 derives, in bytes.
    pub pbkdf2_length: usize,
    /// Iterations times blocks of PBKDF2.
    pub pbkdf2_block_rounds: u64,
    /// Rounds of SHA-crypt, sha1crypt and Sun MD5.
    pub crypt_rounds: u64,
    /// Iterations of phpass and Drupal 7, as the exponent of two.
    pub phpass_log: u32,
    /// Iterations of every other repeated digest.
    pub digest_rounds: u64,
}

impl Bounds {
    /// For checks while somebody waits at a sign-in page.
    pub const ONLINE: Self = Self {
        bcrypt_cost: 15,
        argon2_kib: 256 << 10,
        argon2_passes: 10,
        argon2_lanes: 16,
        argon2_kib_passes: 2 << 20,
        scrypt_bytes: 256 << 20,
        scrypt_log_n: 20,
        scrypt_lanes: 16,
        firebase_memory: 17,
        firebase_rounds: 16,
        pbkdf2_rounds: 10_000_000,
        pbkdf2_length: 128,
        pbkdf2_block_rounds: 20_000_000,
        crypt_rounds: 5_000_000,
        phpass_log: 20,
        digest_rounds: 1_000_000,
    };

    /// For checks from the command line, where nobody waits.
    pub const OFFLINE: Self = Self { bcrypt_cost: 17, argon2_kib: 1 << 20, ..Self::ONLINE };
}

/// Refuses a value over its bound.
pub(super) fn at_most<T: PartialOrd + Copy>(value: T, bound: T, what: &'static str) -> Result<(), Refusal> {
    if value > bound { Err(Refusal::TooCostly(what)) } else { Ok(()) }
}
