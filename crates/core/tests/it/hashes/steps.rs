//! The steps that a hash is described by lead from the password to the bytes that are compared: taken here by another reader
//! of theirs, over every vector.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use hmac::{Hmac, KeyInit, Mac};
use md5::Digest;
use serde_json::Value;
use sterna_core::password::formats::{Bounds, Family, Known, Stored, find};

use super::vectors::vectors;

/// Runs `$body` with `$digest` standing for the digest of this name.
macro_rules! with_digest {
    ($name:expr, $digest:ident => $body:expr) => {
        match $name {
            "md4" => with_digest!(@ md4::Md4, $digest => $body),
            "md5" => with_digest!(@ md5::Md5, $digest => $body),
            "sha1" => with_digest!(@ sha1::Sha1, $digest => $body),
            "sha256" => with_digest!(@ sha2::Sha256, $digest => $body),
            "sha384" => with_digest!(@ sha2::Sha384, $digest => $body),
            "sha512" => with_digest!(@ sha2::Sha512, $digest => $body),
            other => panic!("{other} is no digest"),
        }
    };
    (@ $type:ty, $digest:ident => $body:expr) => {{
        type $digest = $type;
        $body
    }};
}

struct Taking<'p> {
    password: &'p [u8],
}

impl Taking<'_> {
    fn of(&self, step: &Value) -> Vec<u8> {
        self.take(&step["of"])
    }

    fn take(&self, step: &Value) -> Vec<u8> {
        let number = |name: &str| u32::try_from(step[name].as_u64().unwrap()).unwrap();
        let algorithm = step["algorithm"].as_str().unwrap_or_default();
        match step["op"].as_str().unwrap() {
            "password" => self.password.to_vec(),
            "bytes" => bytes(&step["base64"]),
            "concat" => step["of"].as_array().unwrap().iter().flat_map(|part| self.take(part)).collect(),
            "utf-16le" => {
                let text = String::from_utf8(self.of(step)).unwrap();
                text.encode_utf16().flat_map(u16::to_le_bytes).collect()
            }
            "zero-after-each-byte" => self.of(step).into_iter().flat_map(|byte| [byte, 0]).collect(),
            "hex" => hex::encode(self.of(step)).into_bytes(),
            "base64" => BASE64_STANDARD.encode(self.of(step)).into_bytes(),
            "crypt64" => crypt64(&self.of(step), number("characters") as usize),
            "digest" => digest(algorithm, &self.of(step)),
            "hmac" => hmac(algorithm, &self.take(&step["key"]), &self.of(step)),
            "repeated-digest" => {
                let (first, tail) = (self.of(step), self.take(&step["tail"]));
                (0..number("rounds")).fold(first, |last, _| digest(algorithm, &[last.as_slice(), &tail].concat()))
            }
            _ => derived(step, &self.of(step), number("result_bytes") as usize),
        }
    }
}

fn bytes(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}

fn digest(algorithm: &str, input: &[u8]) -> Vec<u8> {
    with_digest!(algorithm, D => D::digest(input).to_vec())
}

fn hmac(algorithm: &str, key: &[u8], message: &[u8]) -> Vec<u8> {
    with_digest!(algorithm, D => {
        let mut state = Hmac::<D>::new_from_slice(key).unwrap();
        state.update(message);
        state.finalize().into_bytes().to_vec()
    })
}

/// The least six bits of each group of three bytes first, the first byte being the least one.
fn crypt64(input: &[u8], characters: usize) -> Vec<u8> {
    const ALPHABET: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let bit = |at: usize| input.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
    let character = |at: usize| (0..6).filter(|offset| bit(6 * at + offset)).map(|offset| 1 << offset).sum::<usize>();
    (0..characters).map(|at| ALPHABET[character(at)]).collect()
}

fn derived(step: &Value, input: &[u8], length: usize) -> Vec<u8> {
    let number = |name: &str| u32::try_from(step[name].as_u64().unwrap()).unwrap();
    let (op, salt) = (step["op"].as_str().unwrap(), bytes(&step["salt"]));
    let mut result = vec![0; length];
    match op {
        "pbkdf2" => {
            let prf = step["prf"].as_str().unwrap().strip_prefix("hmac-").unwrap();
            with_digest!(prf, D => pbkdf2::pbkdf2_hmac::<D>(input, &salt, number("iterations"), &mut result));
        }
        "scrypt" => {
            let log_n = u8::try_from(number("log2_n")).unwrap();
            let parameters = scrypt::Params::new(log_n, number("r"), number("p")).unwrap();
            scrypt::scrypt(input, &salt, &parameters, &mut result).unwrap();
        }
        "bcrypt" => {
            assert_eq!(step["sign_extension_bug"], false);
            let most = input.len().min(number("password_bytes_at_most") as usize);
            let text =
                bcrypt::hash_with_salt(&input[..most], number("cost"), salt.try_into().unwrap()).unwrap().to_string();
            let lenient = GeneralPurposeConfig::new()
                .with_decode_allow_trailing_bits(true)
                .with_decode_padding_mode(DecodePaddingMode::Indifferent);
            result = GeneralPurpose::new(&alphabet::BCRYPT, lenient).decode(&text[29..]).unwrap();
        }
        "argon2id" | "argon2i" | "argon2d" => {
            let algorithm: Algorithm = op.parse().unwrap();
            let version = if step["version"] == 16 { Version::V0x10 } else { Version::V0x13 };
            let parameters =
                Params::new(number("memory_kib"), number("passes"), number("lanes"), Some(length)).unwrap();
            Argon2::new(algorithm, version, parameters).hash_password_into(input, &salt, &mut result).unwrap();
        }
        other => panic!("{other} is not taken here"),
    }
    assert_eq!(result.len(), length);
    result
}

/// Whether a step is one that crypt(3), or a cipher or bug of one product, is needed for.
fn is_special(steps: &Value) -> bool {
    let text = steps.to_string();
    ["\"crypt(3)\"", "\"aes-256-ctr\"", "\"sign_extension_bug\":true", "\"streebog256\""]
        .iter()
        .any(|op| text.contains(op))
}

#[test]
fn the_steps_of_every_vector_lead_from_its_password_to_what_is_compared() {
    let (mut taken, mut special) = (0, 0);
    for vector in vectors().iter().filter(|vector| vector.valid) {
        let format = find(&vector.format).unwrap();
        let Ok(stored) = Stored::parse(format, &vector.hash, &Bounds::ONLINE) else { continue };
        let steps = stored.steps(Known::Given);
        assert!(!stored.words().is_empty());
        if is_special(&steps) {
            special += 1;
            let families = [Family::Crypt, Family::Ldap, Family::Scrypt, Family::Bcrypt, Family::Digest];
            assert!(families.contains(&format.family), "{}", vector.format);
            continue;
        }
        let result = Taking { password: vector.password.as_bytes() }.take(&steps);
        assert_eq!(BASE64_STANDARD.encode(result), stored.expected(), "{}: {steps}", vector.format);
        taken += 1;
    }
    assert!(taken > 200 && special < taken / 3, "{taken} taken, {special} special");
}

#[test]
fn what_is_told_of_many_tells_no_bytes_of_one() {
    for vector in vectors().iter().filter(|vector| vector.valid) {
        let Ok(stored) = Stored::parse(find(&vector.format).unwrap(), &vector.hash, &Bounds::ONLINE) else { continue };
        let (given, counted) = (stored.steps(Known::Given), stored.steps(Known::Counted).to_string());
        for bytes in known_bytes(&given).iter().filter(|bytes| bytes.len() > 7) {
            assert!(!counted.contains(bytes.as_str()) && !stored.words().contains(bytes.as_str()), "{}", vector.format);
        }
    }
}

/// Everything in base64 in some steps.
fn known_bytes(steps: &Value) -> Vec<String> {
    match steps {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if ["base64", "salt"].contains(&name.as_str()) => vec![text.clone()],
                other => known_bytes(other),
            })
            .collect(),
        Value::Array(parts) => parts.iter().flat_map(known_bytes).collect(),
        _ => Vec::new(),
    }
}
