//! A stored hash, taken apart for somebody who has to check passwords against it with other software: the same steps that
//! are taken here, as JSON and in words.
//!
//! Every step is an object with `op`; what it works on is in `of`. Bytes are given in base64, or as a length where the
//! description is to hold for many accounts and to tell nothing of any.

use argon2::{Algorithm, Version};
use serde_json::{Value, json};

use super::{
    Stored,
    bcrypt::KeySchedule,
    crypt::{Crypt, DesKey},
    encoding::to_base64,
    recipe::{Kdf, Recipe},
};

/// Whether known bytes (salts, separators, keys) are given, or only how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// As they are, in base64. As secret as the hash.
    Given,
    /// Their number alone. Nothing secret.
    Counted,
}

impl Known {
    fn bytes(self, bytes: &[u8]) -> Value {
        match self {
            Self::Given => json!({ "op": "bytes", "base64": to_base64(bytes) }),
            Self::Counted => json!({ "op": "bytes", "length": bytes.len() }),
        }
    }

    fn salt(self, bytes: &[u8]) -> Value {
        match self {
            Self::Given => Value::from(to_base64(bytes)),
            Self::Counted => json!({ "bytes": bytes.len() }),
        }
    }
}

impl Stored {
    /// The steps from a password (UTF-8) to the bytes that are compared with [`Stored::expected`].
    pub fn steps(&self, known: Known) -> Value {
        self.recipe().describe(known)
    }

    /// The same in words; nothing secret.
    pub fn words(&self) -> String {
        self.recipe().words()
    }

    /// The bytes that a right password leads to, in base64. As secret as the hash.
    pub fn expected(&self) -> String {
        to_base64(self.expected_bytes())
    }
}

impl Recipe {
    fn describe(&self, known: Known) -> Value {
        let of = |one: &Self| one.describe(known);
        match self {
            Self::Password => json!({ "op": "password" }),
            Self::Fixed(bytes) => known.bytes(bytes),
            Self::Join(parts) => json!({ "op": "concat", "of": parts.iter().map(of).collect::<Vec<_>>() }),
            Self::Utf16(one) => json!({ "op": "utf-16le", "of": of(one) }),
            Self::Widened(one) => json!({ "op": "zero-after-each-byte", "of": of(one) }),
            Self::Hex(one) => json!({ "op": "hex", "of": of(one) }),
            Self::Base64(one) => json!({ "op": "base64", "of": of(one) }),
            Self::H64(one, characters) => json!({ "op": "crypt64", "characters": characters, "of": of(one) }),
            Self::Hash(hash, one) => json!({ "op": "digest", "algorithm": hash.name(), "of": of(one) }),
            Self::Hmac(hash, key, message) => {
                json!({ "op": "hmac", "algorithm": hash.name(), "key": of(key), "of": of(message) })
            }
            Self::Iterate { hash, rounds, seed, tail } => json!({
                "op": "repeated-digest", "algorithm": hash.name(), "rounds": rounds, "of": of(seed), "tail": of(tail),
            }),
            Self::Masked { key, text } => {
                json!({ "op": "aes-256-ctr", "key": of(key), "key_bytes": 32, "iv": "zero", "of": known.bytes(text) })
            }
            Self::Derive(kdf, input) => kdf.describe(known, &of(input)),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Password => "the password".to_owned(),
            Self::Fixed(bytes) => format!("{} known bytes", bytes.len()),
            Self::Join(parts) => {
                let parts: Vec<String> = parts.iter().map(Self::words).collect();
                format!("({})", parts.join(" followed by "))
            }
            Self::Utf16(one) => format!("{} in UTF-16LE", one.words()),
            Self::Widened(one) => format!("{} with a zero byte after each byte", one.words()),
            Self::Hex(one) => format!("the lower-case hex of {}", one.words()),
            Self::Base64(one) => format!("the padded base64 of {}", one.words()),
            Self::H64(one, characters) => {
                format!("the first {characters} characters of {} in crypt(3)'s base64", one.words())
            }
            Self::Hash(hash, one) => format!("{} of {}", hash.name(), one.words()),
            Self::Hmac(hash, key, message) => {
                format!("HMAC-{} under the key {} of {}", hash.name(), key.words(), message.words())
            }
            Self::Iterate { hash, rounds, seed, tail } => format!(
                "{rounds} rounds of {} over (the last result followed by {}), beginning with {}",
                hash.name(),
                tail.words(),
                seed.words()
            ),
            Self::Masked { key, text } => format!(
                "{} known bytes encrypted with AES-256-CTR from zero under the first 32 bytes of {}",
                text.len(),
                key.words()
            ),
            Self::Derive(kdf, input) => format!("{} of {}", kdf.words(), input.words()),
        }
    }
}

impl Kdf {
    fn describe(&self, known: Known, of: &Value) -> Value {
        match self {
            Self::Bcrypt(kdf) => json!({
                "op": "bcrypt", "cost": kdf.cost, "salt": known.salt(&kdf.salt), "password_bytes_at_most": 72,
                "sign_extension_bug": kdf.key == KeySchedule::SignExtended, "result_bytes": 23, "of": of,
            }),
            Self::Argon2(kdf) => json!({
                "op": kdf.kind.as_str(), "version": if kdf.version == Version::V0x10 { 16 } else { 19 },
                "memory_kib": kdf.kib, "passes": kdf.passes, "lanes": kdf.lanes, "salt": known.salt(&kdf.salt),
                "result_bytes": kdf.length, "of": of,
            }),
            Self::Scrypt(kdf) => json!({
                "op": "scrypt", "log2_n": kdf.log_n, "r": kdf.r, "p": kdf.p, "salt": known.salt(&kdf.salt),
                "result_bytes": kdf.length, "of": of,
            }),
            Self::Pbkdf2(kdf) => json!({
                "op": "pbkdf2", "prf": format!("hmac-{}", kdf.prf.name()), "iterations": kdf.rounds,
                "salt": known.salt(&kdf.salt), "result_bytes": kdf.length, "of": of,
            }),
            Self::Crypt(kdf) => json!({
                "op": "crypt(3)", "scheme": scheme(kdf), "parameters": parameters(self),
                "note": "the value, or what follows its scheme's mark, is the setting that crypt(3) takes", "of": of,
            }),
        }
    }

    fn words(&self) -> String {
        let parameters = parameters(self);
        match self {
            Self::Bcrypt(_) => format!("bcrypt ({parameters}, 16 bytes of salt)"),
            Self::Argon2(kdf) => {
                let name = match kdf.kind {
                    Algorithm::Argon2d => "Argon2d",
                    Algorithm::Argon2i => "Argon2i",
                    Algorithm::Argon2id => "Argon2id",
                };
                format!("{name} ({parameters}, {} bytes of salt, {} bytes of result)", kdf.salt.len(), kdf.length)
            }
            Self::Scrypt(kdf) => {
                format!("scrypt ({parameters}, {} bytes of salt, {} bytes of result)", kdf.salt.len(), kdf.length)
            }
            Self::Pbkdf2(kdf) => format!(
                "PBKDF2 (HMAC-{}, {} iterations, {} bytes of salt, {} bytes of result)",
                kdf.prf.name(),
                kdf.rounds,
                kdf.salt.len(),
                kdf.length
            ),
            Self::Crypt(kdf) => format!("crypt(3)'s {} ({parameters})", scheme(kdf)),
        }
    }
}

fn parameters(kdf: &Kdf) -> String {
    Recipe::Password.derive(kdf.clone()).parameters()
}

fn scheme(crypt: &Crypt) -> &'static str {
    match crypt {
        Crypt::Md5 { magic, .. } => magic,
        Crypt::Sun { .. } => "$md5$",
        Crypt::Sha1 { .. } => "$sha1$",
        Crypt::Sha2 { hash: super::algorithm::Hash::Sha256, .. } => "$5$",
        Crypt::Sha2 { .. } => "$6$",
        Crypt::Des { key: DesKey::First, .. } => "DES",
        Crypt::Des { key: DesKey::Whole, .. } => "BSDi's DES",
        Crypt::Yescrypt(_) => "$y$",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::formats::{Bounds, find};

    fn check(format: &str, text: &str, words: &str, counted: &str) {
        let stored = Stored::parse(find(format).unwrap(), text, &Bounds::OFFLINE).unwrap();
        assert_eq!(stored.words(), words);
        assert_eq!(stored.steps(Known::Counted).to_string(), counted);
    }

    #[test]
    fn a_hash_is_told_by_its_steps() {
        check(
            "ldap-ssha",
            "{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a",
            "sha1 of (the password followed by 4 known bytes)",
            r#"{"algorithm":"sha1","of":{"of":[{"op":"password"},{"length":4,"op":"bytes"}],"op":"concat"},"op":"digest"}"#,
        );
        check(
            "bcrypt-2b",
            "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "bcrypt (cost 10, 16 bytes of salt) of the password",
            r#"{"cost":10,"of":{"op":"password"},"op":"bcrypt","password_bytes_at_most":72,"result_bytes":23,"salt":{"bytes":16},"sign_extension_bug":false}"#,
        );
        check(
            "django-pbkdf2-sha256",
            "pbkdf2_sha256$260000$seasalt$W6dOYVxyFbDqtMvcSuAlPAAQl9eVMCpiOZ8DAGV6S3I=",
            "PBKDF2 (HMAC-sha256, 260000 iterations, 7 bytes of salt, 32 bytes of result) of the password",
            r#"{"iterations":260000,"of":{"op":"password"},"op":"pbkdf2","prf":"hmac-sha256","result_bytes":32,"salt":{"bytes":7}}"#,
        );
    }

    #[test]
    fn bytes_are_given_only_where_they_are_wanted() {
        let text = "{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a";
        let stored = Stored::parse(find("ldap-ssha").unwrap(), text, &Bounds::OFFLINE).unwrap();
        assert_eq!(stored.steps(Known::Given)["of"]["of"][1]["base64"], "v9u+mg==");
        assert_eq!(stored.expected(), "JFZFs0oHzxbMwkSJmYVeI8MnTDw=");
    }
}
