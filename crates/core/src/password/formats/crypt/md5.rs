//! MD5-crypt, and Apache's with another magic.

use super::super::{
    algorithm::Hash,
    encoding::{Bytes, secret},
};

/// The order in which the digest's bytes are written, as least-first groups; Sun's MD5 has the same.
const ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/// The digest in the order of writing.
pub(super) fn in_order(digest: &[u8]) -> Bytes {
    secret(ORDER.iter().filter_map(|at| digest.get(*at).copied()).collect::<Vec<u8>>())
}

/// A thousand digests of password, salt and the last one, in an order that changes with the round.
pub(super) fn crypt(magic: &str, salt: &[u8], password: &[u8]) -> Bytes {
    let hash = Hash::Md5;
    let inner = hash.digest(&[password, salt, password]);
    let mut parts: Vec<&[u8]> = vec![password, magic.as_bytes(), salt];
    let mut left = password.len();
    while left > 0 {
        parts.push(&inner[..left.min(inner.len())]);
        left = left.saturating_sub(inner.len());
    }
    // For each bit of the length: a NUL, or the first character.
    let mut bits = password.len();
    while bits > 0 {
        parts.push(if bits & 1 == 1 { b"\0" } else { &password[..1] });
        bits >>= 1;
    }
    let mut last = hash.digest(&parts);
    for round in 0..1_000 {
        let mut parts: Vec<&[u8]> = vec![if round & 1 == 1 { password } else { &last }];
        if round % 3 != 0 {
            parts.push(salt);
        }
        if round % 7 != 0 {
            parts.push(password);
        }
        parts.push(if round & 1 == 1 { &last } else { password });
        last = hash.digest(&parts);
    }
    in_order(&last)
}
