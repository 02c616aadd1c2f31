//! The salted DES of crypt(3), traditional and `BSDi`'s: the one cipher that no kept crate offers.
//!
//! Bits are numbered as in FIPS 46-3, from 1 for the highest. A salt exchanges bits between the halves of the expanded
//! block; the block that is encrypted is all zeros.

use zeroize::Zeroizing;

use super::{
    super::{
        Refusal,
        encoding::{Bytes, h64_value, secret},
    },
    DesKey,
};

const PC1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, 63, 55,
    47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
const PC2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30,
    40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const SHIFTS: [u8; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
const IP: [u8; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32,
    24, 16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47,
    39, 31, 23, 15, 7,
];
const FP: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21,
    61, 29, 36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, 34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9,
    49, 17, 57, 25,
];
const P: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4,
    25,
];
#[rustfmt::skip]
const S: [[u8; 64]; 8] = [
    [14,4,13,1,2,15,11,8,3,10,6,12,5,9,0,7, 0,15,7,4,14,2,13,1,10,6,12,11,9,5,3,8,
     4,1,14,8,13,6,2,11,15,12,9,7,3,10,5,0, 15,12,8,2,4,9,1,7,5,11,3,14,10,0,6,13],
    [15,1,8,14,6,11,3,4,9,7,2,13,12,0,5,10, 3,13,4,7,15,2,8,14,12,0,1,10,6,9,11,5,
     0,14,7,11,10,4,13,1,5,8,12,6,9,3,2,15, 13,8,10,1,3,15,4,2,11,6,7,12,0,5,14,9],
    [10,0,9,14,6,3,15,5,1,13,12,7,11,4,2,8, 13,7,0,9,3,4,6,10,2,8,5,14,12,11,15,1,
     13,6,4,9,8,15,3,0,11,1,2,12,5,10,14,7, 1,10,13,0,6,9,8,7,4,15,14,3,11,5,2,12],
    [7,13,14,3,0,6,9,10,1,2,8,5,11,12,4,15, 13,8,11,5,6,15,0,3,4,7,2,12,1,10,14,9,
     10,6,9,0,12,11,7,13,15,1,3,14,5,2,8,4, 3,15,0,6,10,1,13,8,9,4,5,11,12,7,2,14],
    [2,12,4,1,7,10,11,6,8,5,3,15,13,0,14,9, 14,11,2,12,4,7,13,1,5,0,15,10,3,9,8,6,
     4,2,1,11,10,13,7,8,15,9,12,5,6,3,0,14, 11,8,12,7,1,14,2,13,6,15,0,9,10,4,5,3],
    [12,1,10,15,9,2,6,8,0,13,3,4,14,7,5,11, 10,15,4,2,7,12,9,5,6,1,13,14,0,11,3,8,
     9,14,15,5,2,8,12,3,7,0,4,10,1,13,11,6, 4,3,2,12,9,5,15,10,11,14,1,7,6,0,8,13],
    [4,11,2,14,15,0,8,13,3,12,9,7,5,10,6,1, 13,0,11,7,4,9,1,10,14,3,5,12,2,15,8,6,
     1,4,11,13,12,3,7,14,10,15,6,8,0,5,9,2, 6,11,13,8,1,4,10,7,9,5,0,15,14,2,3,12],
    [13,2,8,4,6,15,11,1,10,9,3,14,5,0,12,7, 1,15,13,8,10,3,7,4,12,5,6,11,0,14,9,2,
     7,11,4,1,9,12,14,2,0,6,10,13,15,3,5,8, 2,1,14,7,4,10,8,13,15,12,9,0,3,5,6,11],
];

/// Takes bits of a block that has `width` of them, in the table's order.
const fn permute(block: u64, width: u32, table: &[u8]) -> u64 {
    let mut out = 0;
    let mut at = 0;
    while at < table.len() {
        out = out << 1 | (block >> (width - table[at] as u32) & 1);
        at += 1;
    }
    out
}

/// S-box and permutation in one look-up, by box and six bits.
static SP: [[u32; 64]; 8] = {
    let mut tables = [[0; 64]; 8];
    let mut which = 0;
    while which < 8 {
        let mut six = 0;
        while six < 64 {
            let row = (six >> 4 & 2) | (six & 1);
            let column = six >> 1 & 15;
            let value = S[which][row * 16 + column] as u64;
            let bytes = permute(value << (28 - 4 * which), 32, &P).to_be_bytes();
            tables[which][six] = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            six += 1;
        }
        which += 1;
    }
    tables
};

/// The sixteen keys of the rounds, 48 bits each.
type Keys = Zeroizing<[u64; 16]>;

fn schedule(key: u64) -> Keys {
    const HALF: u64 = (1 << 28) - 1;
    let chosen = permute(key, 64, &PC1);
    let (mut left, mut right) = (chosen >> 28, chosen & HALF);
    let mut keys = Zeroizing::new([0; 16]);
    for (round, shift) in keys.iter_mut().zip(SHIFTS) {
        left = (left << shift | left >> (28 - shift)) & HALF;
        right = (right << shift | right >> (28 - shift)) & HALF;
        *round = permute(left << 28 | right, 56, &PC2);
    }
    keys
}

/// What a salt exchanges: its lowest bit stands for the first bit of each half.
fn mask(salt: u32) -> u32 {
    salt.reverse_bits() >> 8
}

/// One half through expansion, salt, key, boxes and permutation.
fn mix(half: u32, mask: u32, key: u64) -> u32 {
    const GROUP: u32 = 63;
    let group = |at: u32| half.rotate_left(5 + 4 * at) & GROUP;
    let mut first = (0..4).fold(0, |block, at| block << 6 | group(at));
    let mut second = (4..8).fold(0, |block, at| block << 6 | group(at));
    let exchanged = (first ^ second) & mask;
    first ^= exchanged;
    second ^= exchanged;
    let block = (u64::from(first) << 24 | u64::from(second)) ^ key;
    SP.iter().enumerate().fold(0, |out, (at, table)| {
        let six = block >> (42 - 6 * at) & u64::from(GROUP);
        out | table[usize::try_from(six).unwrap_or_default()]
    })
}

/// Encrypts a block so many times over.
fn encrypt(block: u64, keys: &Keys, mask: u32, times: u64) -> u64 {
    let block = permute(block, 64, &IP);
    let (mut left, mut right) = halves(block);
    for _ in 0..times {
        for key in keys.iter() {
            (left, right) = (right, left ^ mix(right, mask, *key));
        }
        (left, right) = (right, left);
    }
    permute(u64::from(left) << 32 | u64::from(right), 64, &FP)
}

fn halves(block: u64) -> (u32, u32) {
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
    (half(block >> 32), half(block))
}

/// Up to eight characters as a key: seven bits of each, the lowest bit of a byte is parity.
fn key_of(characters: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (byte, character) in bytes.iter_mut().zip(characters) {
        *byte = character << 1;
    }
    u64::from_be_bytes(bytes)
}

/// The digest of a password.
pub(super) fn crypt(rounds: u64, salt: u32, key: DesKey, password: &[u8]) -> Bytes {
    let mut folded = key_of(password);
    if key == DesKey::Whole {
        for more in password.chunks(8).skip(1) {
            folded = encrypt(folded, &schedule(folded), 0, 1) ^ key_of(more);
        }
    }
    secret(encrypt(0, &schedule(folded), mask(salt), rounds).to_be_bytes())
}

/// The eight bytes of eleven characters, highest bits first.
pub(super) fn digest(text: &[u8]) -> Result<Bytes, Refusal> {
    let wrong = Refusal::Malformed("the digest");
    let mut bits = 0_u128;
    for character in text {
        bits = bits << 6 | u128::from(h64_value(*character).ok_or(wrong)?);
    }
    // Eleven characters hold 66 bits: the last two must be zero.
    if text.len() != 11 || bits & 3 != 0 {
        return Err(wrong);
    }
    Ok(secret(&(bits >> 2).to_be_bytes()[8..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_salt_it_is_des() {
        // FIPS 46-3's worked example as every textbook has it.
        let keys = schedule(0x1334_5779_9BBC_DFF1);
        assert_eq!(encrypt(0x0123_4567_89AB_CDEF, &keys, 0, 1), 0x85E8_1354_0F0A_B405);
    }
}
