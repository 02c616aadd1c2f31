//! The encodings that stored hashes come in: hex, the base64 dialects, and the two of crypt(3).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use zeroize::Zeroizing;

use super::Refusal;

/// Secret bytes: overwritten when dropped.
pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// The 64 characters of crypt(3), of phpass and of yescrypt.
const H64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
/// Spare bits may be set: some encoders leave them so (password-hashes.md 2.1).
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT);
const PADDING_OPTIONAL: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// Keeps secret bytes.
pub(super) fn secret(bytes: impl Into<Vec<u8>>) -> Bytes {
    Zeroizing::new(bytes.into())
}

fn decode(engine: &GeneralPurpose, text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    engine.decode(text).map(Zeroizing::new).map_err(|_| Refusal::Malformed(what))
}

/// Padded standard base64.
pub(super) fn base64(text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    decode(&general_purpose::STANDARD, text, what)
}

/// Unpadded standard base64, as in PHC strings.
pub(super) fn base64_bare(text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    decode(&general_purpose::STANDARD_NO_PAD, text, what)
}

/// Standard base64 with or without padding.
pub(super) fn base64_either(text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    decode(&PADDING_OPTIONAL, text, what)
}

/// Base64 in the standard or the URL alphabet, with or without padding.
pub(super) fn base64_any(text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    if text.contains(['-', '_']) { decode(&URL, text, what) } else { base64_either(text, what) }
}

/// passlib's base64: `.` for `+`; the standard alphabet and padding are seen too (password-hashes.md 5).
pub(super) fn base64_adapted(text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    base64_either(&Zeroizing::new(text.replace('.', "+")), what)
}

/// The alphabet of bcrypt.
pub(super) fn bcrypt64<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], Refusal> {
    decode(&BCRYPT, text, what)?.as_slice().try_into().map_err(|_| Refusal::Malformed(what))
}

/// Writes the alphabet of bcrypt.
pub(super) fn to_bcrypt64(bytes: &[u8]) -> String {
    BCRYPT.encode(bytes)
}

/// Writes padded standard base64.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}

/// Writes unpadded standard base64.
pub(super) fn to_base64_bare(bytes: &[u8]) -> String {
    general_purpose::STANDARD_NO_PAD.encode(bytes)
}

/// Hex in either case.
pub(super) fn hex(text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    ::hex::decode(text).map(Zeroizing::new).map_err(|_| Refusal::Malformed(what))
}

/// The value of one character of crypt(3)'s alphabet.
pub(super) fn h64_value(character: u8) -> Option<u32> {
    H64.iter().position(|known| *known == character).and_then(|at| u32::try_from(at).ok())
}

/// The character of a six-bit value.
pub(super) fn h64_char(value: u32) -> u8 {
    H64[(value & 63) as usize]
}

/// A number in crypt(3)'s alphabet, least six bits first.
pub(super) fn h64_number(text: &[u8], what: &'static str) -> Result<u32, Refusal> {
    let mut number = 0;
    for (at, character) in text.iter().enumerate() {
        let value = h64_value(*character).ok_or(Refusal::Malformed(what))?;
        number |= value.checked_shl(6 * u32::try_from(at).unwrap_or(u32::MAX)).ok_or(Refusal::Malformed(what))?;
    }
    Ok(number)
}

/// Bytes in crypt(3)'s alphabet: groups of 24 bits, least first; spare bits must be zero.
pub(super) fn h64(text: &str, what: &'static str) -> Result<Bytes, Refusal> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 3 / 4 + 1));
    for group in text.as_bytes().chunks(4) {
        let mut number = h64_number(group, what)?;
        for _ in 0..group.len() * 6 / 8 {
            bytes.push(number.to_le_bytes()[0]);
            number >>= 8;
        }
        if number != 0 || group.len() == 1 {
            return Err(Refusal::Malformed(what));
        }
    }
    Ok(bytes)
}

/// Writes bytes in crypt(3)'s alphabet.
pub(super) fn to_h64(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() * 4 / 3 + 2);
    for group in bytes.chunks(3) {
        let mut number = group.iter().rev().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        for _ in 0..(group.len() * 8).div_ceil(6) {
            text.push(h64_char(number));
            number >>= 6;
        }
    }
    text
}

/// A decimal number without sign or leading zero.
pub(super) fn decimal(text: &str, what: &'static str) -> Result<u64, Refusal> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return Err(Refusal::Malformed(what));
    }
    // More digits than a number holds: no format has a bound that high.
    text.parse().map_err(|_| Refusal::TooCostly(what))
}

/// Whether the text is hex of so many digits.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether the text is in crypt(3)'s alphabet.
pub(super) fn is_h64(text: &str) -> bool {
    text.bytes().all(|byte| h64_value(byte).is_some())
}

/// Whether the text looks like padded base64 of so many bytes.
pub(super) fn is_base64_of(text: &str, bytes: usize) -> bool {
    text.len() == bytes.div_ceil(3) * 4 && general_purpose::STANDARD.decode(text).is_ok_and(|got| got.len() == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crypts_alphabet_reads_what_it_writes_for_every_length() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            let text = String::from_utf8(to_h64(&bytes)).unwrap();
            assert_eq!(*h64(&text, "text").unwrap(), bytes);
        }
    }

    #[test]
    fn numbers_have_no_sign_no_space_no_leading_zero_and_an_end() {
        for bad in ["", "+1", "-1", " 1", "01", "1 ", "0x1", "99999999999999999999999"] {
            assert!(decimal(bad, "number").is_err(), "{bad}");
        }
        assert_eq!(decimal("4294967295", "number").unwrap(), 4_294_967_295);
    }
}
