//! Hashes of known passwords, in the forms that old systems keep; cheap ones, for a thousand have to be checked.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    pbkdf2,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use md5::{Digest, Md5};

/// Every form that [`mixed`] gives.
pub(crate) const FORMS: usize = 5;

/// A hash of `password` in the form of that number, with a salt of its own.
pub(crate) fn mixed(form: usize, password: &str, salt: u64) -> String {
    match form % FORMS {
        0 => bcrypt(password, salt),
        1 => argon2id(password, salt),
        2 => django(password, salt),
        3 => ssha(password, salt),
        _ => phpass(password, salt),
    }
}

pub(super) fn bcrypt(password: &str, salt: u64) -> String {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&salt.to_be_bytes());
    bcrypt::hash_with_salt(password, 4, bytes).unwrap().to_string()
}

fn argon2id(password: &str, salt: u64) -> String {
    let params = Params::new(256, 1, 1, Some(32)).unwrap();
    let salt = format!("{salt:016}");
    let mut hash = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(password.as_bytes(), salt.as_bytes(), &mut hash).unwrap();
    let text = |bytes: &[u8]| BASE64_STANDARD_NO_PAD.encode(bytes);
    format!("$argon2id$v=19$m=256,t=1,p=1${}${}", text(salt.as_bytes()), text(&hash))
}

/// As Django writes PBKDF2.
fn django(password: &str, salt: u64) -> String {
    let rounds = 1_000.try_into().unwrap();
    let salt = format!("salt{salt}");
    let mut hash = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt.as_bytes(), password.as_bytes(), &mut hash);
    format!("pbkdf2_sha256${rounds}${salt}${}", BASE64_STANDARD.encode(hash))
}

/// As directories write salted SHA-1.
pub(super) fn ssha(password: &str, salt: u64) -> String {
    let salt = salt.to_be_bytes();
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[password.as_bytes(), &salt].concat());
    format!("{{SSHA}}{}", BASE64_STANDARD.encode([hash.as_ref(), &salt].concat()))
}

/// As WordPress wrote them for long: MD5 over and over, in an alphabet of its own.
fn phpass(password: &str, salt: u64) -> String {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const LOG2_ROUNDS: usize = 7;
    let salt = format!("{salt:08}");
    let mut hash = Md5::digest([salt.as_bytes(), password.as_bytes()].concat());
    for _ in 0..1 << LOG2_ROUNDS {
        hash = Md5::digest([hash.as_slice(), password.as_bytes()].concat());
    }
    let mut text = format!("$P${}{salt}", char::from(ALPHABET[LOG2_ROUNDS]));
    for bytes in hash.chunks(3) {
        let mut word = bytes.iter().rev().fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for _ in 0..=bytes.len() {
            text.push(char::from(ALPHABET[word & 63]));
            word >>= 6;
        }
    }
    text
}
