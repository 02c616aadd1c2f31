//! Decrypting a compact JWE (RFC 7516) by the receiver rules of entra.md 1.4: few algorithms, all sizes bounded, the tag
//! before everything, and one and the same refusal whatever is wrong.

use std::cell::RefCell;

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    constant_time::verify_slices_are_equal,
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Decompress, FlushDecompress, Status};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    json::{is_there, read},
    keys::{Key, MOST_KEYS},
};

/// Longest message that is looked at, in bytes.
pub const MESSAGE_BYTES: usize = 16 * 1024;
/// Longest text that a compressed message may become, in bytes.
pub const INFLATED_BYTES: usize = 64 * 1024;

/// What nearly every message becomes at most; longer ones are inflated twice.
const USUAL_BYTES: usize = 4 * 1024;

/// It cannot be decrypted; why is nobody's business outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be decrypted")]
pub(super) struct Undecryptable;

/// The members of the header that are looked at. A member that comes twice is an error.
#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    #[serde(default)]
    zip: Option<String>,
    #[serde(default)]
    x5t: Option<String>,
    #[serde(default, rename = "x5t#S256")]
    x5t_s256: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    /// What must be understood: nothing is.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

thread_local! {
    /// Its tables and its window, which stays empty, are 40 KiB: too much to make for every message.
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// How the content is encrypted.
#[derive(Clone, Copy)]
enum Content {
    /// AES-CBC with HMAC (RFC 7518 5.2): half of the key signs, half decrypts.
    CbcHmac { half: usize, mac: hmac::Algorithm },
    /// AES-GCM (RFC 7518 5.3).
    Gcm { bytes: usize, algorithm: &'static Algorithm },
}

/// How many private keys a message is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tries {
    /// Every one that may be meant: who sends it has proved to be the caller.
    Few,
    /// One, which it has to name where there are several: anybody may have sent it.
    One,
}

/// Decrypts a compact JWE with the key that it names, or with each of a few where it names none.
///
/// # Errors
/// [`Undecryptable`] for everything that is not exactly as it should be.
pub(super) fn decrypt(message: &str, keys: &[Key], tries: Tries) -> Result<Zeroizing<Vec<u8>>, Undecryptable> {
    if message.len() > MESSAGE_BYTES {
        return Err(Undecryptable);
    }
    let mut parts = message.split('.');
    let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(Undecryptable);
    let (header, key, iv, text, tag) = (part()?, part()?, part()?, part()?, part()?);
    if parts.next().is_some() {
        return Err(Undecryptable);
    }
    let aad = header;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Undecryptable);
    let header: Header = read(&decode(header)?).ok_or(Undecryptable)?;
    let wrapping = wrapping(&header.alg).ok_or(Undecryptable)?;
    let content = content(&header.enc).ok_or(Undecryptable)?;
    let is_compressed = match header.zip.as_deref() {
        None => false,
        Some("DEF") => true,
        Some(_) => return Err(Undecryptable),
    };
    if header.crit {
        return Err(Undecryptable);
    }
    let (wrapped, iv, text, tag) = (decode(key)?, decode(iv)?, decode(text)?, decode(tag)?);
    let meant = |key: &&Key| key.is_meant(header.x5t.as_deref(), header.x5t_s256.as_deref(), header.kid.as_deref());
    if tries == Tries::One && keys.iter().filter(meant).count() != 1 {
        return Err(Undecryptable);
    }
    for key in keys.iter().filter(meant).take(MOST_KEYS) {
        let Ok(cek) = unwrap(key, wrapping, &wrapped) else { continue };
        if let Ok(plain) = open(content, &cek, aad.as_bytes(), &iv, &text, &tag) {
            return if is_compressed { inflate(&plain) } else { Ok(plain) };
        }
    }
    Err(Undecryptable)
}

fn wrapping(alg: &str) -> Option<&'static OaepAlgorithm> {
    match alg {
        "RSA-OAEP" => Some(&OAEP_SHA1_MGF1SHA1),
        "RSA-OAEP-256" => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}

fn content(enc: &str) -> Option<Content> {
    Some(match enc {
        "A128CBC-HS256" => Content::CbcHmac { half: 16, mac: hmac::HMAC_SHA256 },
        "A256CBC-HS512" => Content::CbcHmac { half: 32, mac: hmac::HMAC_SHA512 },
        "A128GCM" => Content::Gcm { bytes: 16, algorithm: &AES_128_GCM },
        "A256GCM" => Content::Gcm { bytes: 32, algorithm: &AES_256_GCM },
        _ => return None,
    })
}

fn unwrap(key: &Key, wrapping: &'static OaepAlgorithm, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Undecryptable> {
    if wrapped.len() != key.private.key_size_bytes() {
        return Err(Undecryptable);
    }
    let mut room = Zeroizing::new(vec![0; key.private.min_output_size()]);
    let length = key.private.decrypt(wrapping, wrapped, &mut room, None).map_err(|_| Undecryptable)?.len();
    room.truncate(length);
    Ok(room)
}

fn open(
    content: Content,
    cek: &[u8],
    aad: &[u8],
    iv: &[u8],
    text: &[u8],
    tag: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Undecryptable> {
    match content {
        Content::CbcHmac { half, mac } => open_cbc((half, mac), cek, aad, iv, text, tag),
        Content::Gcm { bytes, algorithm } => {
            if cek.len() != bytes || tag.len() != 16 {
                return Err(Undecryptable);
            }
            let nonce = Nonce::try_assume_unique_for_key(iv).map_err(|_| Undecryptable)?;
            let key = UnboundKey::new(algorithm, cek).map(LessSafeKey::new).map_err(|_| Undecryptable)?;
            let mut room = Zeroizing::new(Vec::with_capacity(text.len() + tag.len()));
            room.extend_from_slice(text);
            room.extend_from_slice(tag);
            let length = key.open_in_place(nonce, Aad::from(aad), &mut room).map_err(|_| Undecryptable)?.len();
            room.truncate(length);
            Ok(room)
        }
    }
}

fn open_cbc(
    (half, mac): (usize, hmac::Algorithm),
    cek: &[u8],
    aad: &[u8],
    iv: &[u8],
    text: &[u8],
    tag: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Undecryptable> {
    if cek.len() != 2 * half || tag.len() != half {
        return Err(Undecryptable);
    }
    let (signing, decrypting) = cek.split_at(half);
    let bits = u64::try_from(aad.len()).map_err(|_| Undecryptable)? * 8;
    let mut context = hmac::Context::with_key(&hmac::Key::new(mac, signing));
    for part in [aad, iv, text, &bits.to_be_bytes()] {
        context.update(part);
    }
    verify_slices_are_equal(&context.sign().as_ref()[..half], tag).map_err(|_| Undecryptable)?;
    let iv: [u8; 16] = iv.try_into().map_err(|_| Undecryptable)?;
    let cipher = if half == 16 { &AES_128 } else { &AES_256 };
    let key = UnboundCipherKey::new(cipher, decrypting).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let mut room = Zeroizing::new(text.to_vec());
    let iv = DecryptionContext::Iv128(FixedLength::from(iv));
    let length = key.and_then(|key| key.decrypt(&mut room, iv).map(|plain| plain.len())).map_err(|_| Undecryptable)?;
    room.truncate(length);
    Ok(room)
}

fn inflate(deflated: &[u8]) -> Result<Zeroizing<Vec<u8>>, Undecryptable> {
    // making and wiping all the room that a message may need costs more than inflating what nearly every message needs
    match inflate_within(deflated, USUAL_BYTES)? {
        Some(plain) => Ok(plain),
        None => inflate_within(deflated, INFLATED_BYTES)?.ok_or(Undecryptable),
    }
}

/// `None` when it is longer than `most`, or not whole.
fn inflate_within(deflated: &[u8], most: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Undecryptable> {
    // its room never grows, and all goes there at once: anything else would leave copies of the password behind
    let mut room = Zeroizing::new(Vec::with_capacity(most + 1));
    let status = INFLATER.with_borrow_mut(|inflater| {
        inflater.reset(false);
        inflater.decompress_vec(deflated, &mut room, FlushDecompress::Finish)
    });
    let ended = status.map_err(|_| Undecryptable)? == Status::StreamEnd;
    Ok((ended && room.len() <= most).then_some(room))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::DeflateEncoder};

    use super::*;

    fn deflated(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_deflated_comes_back_up_to_the_bound_and_whole_or_not_at_all() {
        for length in [0, 1, USUAL_BYTES, USUAL_BYTES + 1, INFLATED_BYTES] {
            let text = vec![b'x'; length];
            let whole = deflated(&text);
            assert_eq!(*inflate(&whole).unwrap(), text, "{length}");
            assert_eq!(inflate(&whole[..whole.len() - 1]), Err(Undecryptable), "{length}");
        }
        assert_eq!(inflate(&deflated(&vec![b'x'; INFLATED_BYTES + 1])), Err(Undecryptable));
        assert_eq!(inflate(&[0xFF; 20]), Err(Undecryptable));
    }
}
