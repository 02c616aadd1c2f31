//! The same hash as another format writes it, where nothing is lost (password-hashes.md 11.2).
//!
//! What is written is read from the recipe, so every format that was read can be written as every format that can say
//! the same. A test writes each vector as each format, reads it again and checks the password.

use argon2::{Algorithm, Version};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Format,
    algorithm::Hash,
    argon2::Argon2,
    bcrypt::{Bcrypt, KeySchedule},
    crypt::Crypt,
    encoding::{to_base64, to_base64_bare, to_bcrypt64, to_h64},
    pbkdf2::Pbkdf2,
    recipe::{Kdf, Recipe},
    scrypt::Scrypt,
};

/// The other format cannot say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be written as {0} without losing something")]
pub struct NotLossless(&'static str);

/// Writes a recipe and what it must lead to.
pub(super) fn write(recipe: &Recipe, expected: &[u8], to: &'static Format) -> Result<Zeroizing<String>, NotLossless> {
    let text = match recipe {
        Recipe::Derive(kdf, input) if matches!(**input, Recipe::Password) => match kdf {
            Kdf::Bcrypt(kdf) => bcrypt(kdf, expected, to.name),
            Kdf::Pbkdf2(kdf) => pbkdf2(kdf, expected, to.name),
            Kdf::Argon2(kdf) => argon2(kdf, expected, to.name),
            Kdf::Scrypt(kdf) => scrypt(kdf, expected, to.name),
            Kdf::Crypt(kdf) => crypt(kdf, expected, to.name),
        },
        Recipe::Hash(hash, input) => match &**input {
            Recipe::Password => plain(*hash, expected, to.name),
            Recipe::Utf16(inner) if *hash == Hash::Md4 && matches!(**inner, Recipe::Password) => {
                (to.name == "nt-hash").then(|| ::hex::encode(expected))
            }
            Recipe::Join(parts) => match parts.as_slice() {
                [Recipe::Password, Recipe::Fixed(salt)] => salted(*hash, Side::After, salt, expected, to.name),
                [Recipe::Fixed(salt), Recipe::Password] => salted(*hash, Side::Before, salt, expected, to.name),
                [Recipe::Fixed(salt), Recipe::Utf16(inner)] if matches!(**inner, Recipe::Password) => (to.name
                    == format!("auth0-salted-{}", hash.name()))
                .then(|| auth0(*hash, Side::Before, "utf16le", salt, expected).to_string()),
                _ => None,
            },
            _ => None,
        },
        Recipe::Hmac(hash, key, message) => match (&**key, &**message) {
            (Recipe::Fixed(key), Recipe::Password) => keyed(*hash, key, expected, to.name),
            _ => None,
        },
        Recipe::Masked { key, text } => firebase(key, text, expected, to.name),
        _ => None,
    };
    text.map(Zeroizing::new).ok_or(NotLossless(to.name))
}

fn bcrypt(kdf: &Bcrypt, expected: &[u8], to: &str) -> Option<String> {
    if kdf.key != KeySchedule::Sound {
        return None;
    }
    let (salt, digest) = (to_bcrypt64(&kdf.salt), to_bcrypt64(expected));
    let text = |letter: char| format!("$2{letter}${:02}${salt}{digest}", kdf.cost);
    Some(match to {
        "bcrypt-2a" => text('a'),
        "bcrypt-2b" => text('b'),
        "bcrypt-2y" => text('y'),
        "django-bcrypt" => format!("bcrypt${}", text('b')),
        "spring-bcrypt" => format!("{{bcrypt}}{}", text('a')),
        "ldap-crypt" => format!("{{CRYPT}}{}", text('b')),
        "wso2-bcrypt" => json!({ "UM_USER_PASSWORD": to_base64(text('b').as_bytes()) }).to_string(),
        "okta-bcrypt" if kdf.cost <= 20 => {
            json!({ "algorithm": "BCRYPT", "workFactor": kdf.cost, "salt": salt, "value": digest }).to_string()
        }
        "fusionauth-bcrypt" => {
            json!({ "encryptionScheme": "bcrypt", "factor": kdf.cost, "salt": salt, "password": digest }).to_string()
        }
        _ => return None,
    })
}

/// passlib's base64.
fn adapted(bytes: &[u8]) -> String {
    to_base64_bare(bytes).replace('+', ".")
}

/// A salt that may stand as text between dollars.
fn as_text(salt: &[u8]) -> Option<&str> {
    std::str::from_utf8(salt).ok().filter(|text| !text.is_empty() && !text.contains(['$', ':']) && !text.contains('\0'))
}

fn pbkdf2(kdf: &Pbkdf2, expected: &[u8], to: &str) -> Option<String> {
    let Pbkdf2 { prf, rounds, salt, length } = kdf;
    let name = prf.name();
    // What PBKDF2 derives begins with what it derives for a shorter key, so a longer one may be cut.
    let whole = *length >= prf.len();
    let expected = if whole && needs_whole(to) { expected.get(..prf.len())? } else { expected };
    let suffix = if *prf == Hash::Sha1 { String::new() } else { format!("-{name}") };
    let modular = || format!("{rounds}${}${}", adapted(salt), adapted(expected));
    let common = matches!(prf, Hash::Sha1 | Hash::Sha256 | Hash::Sha512);
    if !common {
        return (to == "phc-pbkdf2").then(|| phc_pbkdf2(kdf, expected));
    }
    Some(match to {
        "phc-pbkdf2" => phc_pbkdf2(kdf, expected),
        _ if whole && to == format!("passlib-pbkdf2-{name}") => format!("$pbkdf2{suffix}${}", modular()),
        _ if whole && to == format!("ldap-pbkdf2{suffix}") => {
            format!("{{PBKDF2{}}}{}", suffix.to_uppercase(), modular())
        }
        _ if whole && to == format!("django-pbkdf2-{name}") => {
            format!("pbkdf2_{name}${rounds}${}${}", as_text(salt)?, to_base64(expected))
        }
        "werkzeug-pbkdf2" if whole => {
            format!("pbkdf2:{name}:{rounds}${}${}", as_text(salt)?, ::hex::encode(expected))
        }
        "mediawiki-pbkdf2" => {
            format!(":pbkdf2:{name}:{rounds}:{length}:{}:{}", to_base64(salt), to_base64(expected))
        }
        // Okta refuses fewer iterations, and SHA-1.
        "okta-pbkdf2" if *rounds >= 4096 && *prf != Hash::Sha1 => json!({
            "algorithm": "PBKDF2",
            "digestAlgorithm": format!("{}_HMAC", name.to_uppercase()),
            "iterationCount": rounds,
            "keySize": length,
            "salt": to_base64(salt),
            "value": to_base64(expected),
        })
        .to_string(),
        "fusionauth-salted-pbkdf2-hmac-sha256" if *prf == Hash::Sha256 && whole => json!({
            "encryptionScheme": "salted-pbkdf2-hmac-sha256",
            "factor": rounds,
            "salt": to_base64(salt),
            "password": to_base64(expected),
        })
        .to_string(),
        _ if to == format!("keycloak-pbkdf2{suffix}") => {
            let data =
                json!({ "hashIterations": rounds, "algorithm": format!("pbkdf2{suffix}"), "additionalParameters": {} });
            keycloak(&data, salt, expected)
        }
        _ => return None,
    })
}

/// Whether the format has keys of the digest's length only.
fn needs_whole(to: &str) -> bool {
    ["passlib-", "ldap-", "django-", "werkzeug-", "fusionauth-"].iter().any(|prefix| to.starts_with(prefix))
}

fn phc_pbkdf2(kdf: &Pbkdf2, expected: &[u8]) -> String {
    let Pbkdf2 { prf, rounds, salt, length } = kdf;
    format!("$pbkdf2-{}$i={rounds},l={length}${}${}", prf.name(), to_base64_bare(salt), to_base64_bare(expected))
}

fn keycloak(data: &Value, salt: &[u8], expected: &[u8]) -> String {
    let secret = json!({ "value": to_base64(expected), "salt": to_base64(salt), "additionalParameters": {} });
    json!({ "type": "password", "secretData": secret.to_string(), "credentialData": data.to_string() }).to_string()
}

fn argon2(kdf: &Argon2, expected: &[u8], to: &str) -> Option<String> {
    let Argon2 { kind, version, kib, passes, lanes, salt, length } = kdf;
    let number = if *version == Version::V0x13 { 19 } else { 16 };
    let (salt64, digest) = (to_base64_bare(salt), to_base64_bare(expected));
    let phc = format!("${}$v={number}$m={kib},t={passes},p={lanes}${salt64}${digest}", kind.as_str());
    Some(match to {
        "argon2id" | "argon2i" | "argon2d" if to == kind.as_str() => phc,
        "django-argon2" => format!("argon2{phc}"),
        "ldap-argon2" => format!("{{ARGON2}}{phc}"),
        "spring-argon2" => format!("{{argon2}}{phc}"),
        "keycloak-argon2" => {
            let kind = match kind {
                Algorithm::Argon2id => "id",
                Algorithm::Argon2i => "i",
                Algorithm::Argon2d => "d",
            };
            let version = if number == 19 { "1.3" } else { "1.0" };
            let more = json!({
                "hashLength": [length.to_string()], "memory": [kib.to_string()], "type": [kind],
                "version": [version], "parallelism": [lanes.to_string()],
            });
            let data = json!({ "hashIterations": passes, "algorithm": "argon2", "additionalParameters": more });
            keycloak(&data, salt, expected)
        }
        _ => return None,
    })
}

fn scrypt(kdf: &Scrypt, expected: &[u8], to: &str) -> Option<String> {
    let Scrypt { log_n, r, p, salt, length } = kdf;
    let n = 1_u64.checked_shl(*log_n)?;
    Some(match to {
        "scrypt-phc" => {
            format!("$scrypt$ln={log_n},r={r},p={p}${}${}", to_base64_bare(salt), to_base64_bare(expected))
        }
        // Below 64 it would be read as an exponent.
        "kratos-scrypt" if n > 63 => format!("$scrypt$ln={n},r={r},p={p}${}${}", to_base64(salt), to_base64(expected)),
        "django-scrypt" => format!("scrypt${n}${}${r}${p}${}", as_text(salt)?, to_base64(expected)),
        "werkzeug-scrypt" => format!("scrypt:{n}:{r}:{p}${}${}", as_text(salt)?, ::hex::encode(expected)),
        "auth0-scrypt" => json!({
            "algorithm": "scrypt",
            "hash": { "value": to_base64(expected), "encoding": "base64" },
            "salt": { "value": to_base64(salt), "encoding": "base64" },
            "keylen": length, "cost": n, "blockSize": r, "parallelization": p,
        })
        .to_string(),
        _ => return None,
    })
}

fn plain(hash: Hash, expected: &[u8], to: &str) -> Option<String> {
    let name = hash.name();
    let scheme = if hash == Hash::Sha1 { "sha" } else { name };
    let known = !matches!(hash, Hash::Md4 | Hash::Streebog256);
    match to {
        _ if to == format!("hex-{name}") => Some(::hex::encode(expected)),
        _ if to == format!("base64-{name}") => Some(to_base64(expected)),
        _ if known && to == format!("ldap-{scheme}") => {
            Some(format!("{{{}}}{}", scheme.to_uppercase(), to_base64(expected)))
        }
        "kratos-md5" if hash == Hash::Md5 => Some(format!("$md5${}", to_base64(expected))),
        _ => None,
    }
}

/// Where the salt stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

fn salted(hash: Hash, side: Side, salt: &[u8], expected: &[u8], to: &str) -> Option<String> {
    let name = hash.name();
    let before = side == Side::Before;
    let common = matches!(hash, Hash::Md5 | Hash::Sha1 | Hash::Sha256 | Hash::Sha512);
    let scheme = match hash {
        Hash::Md5 => "smd5",
        Hash::Sha1 => "ssha",
        Hash::Sha256 => "ssha256",
        Hash::Sha384 => "ssha384",
        Hash::Sha512 => "ssha512",
        Hash::Md4 | Hash::Streebog256 => return None,
    };
    if !before && !salt.is_empty() && to == format!("ldap-{scheme}") {
        return Some(format!("{{{}}}{}", scheme.to_uppercase(), to_base64(&[expected, salt].concat())));
    }
    match to {
        _ if !common => None,
        _ if to == format!("auth0-salted-{name}") => Some(auth0(hash, side, "utf8", salt, expected).to_string()),
        "okta-salted-digest" => Some(
            json!({
                "algorithm": if hash == Hash::Md5 { "MD5".to_owned() } else { name.to_uppercase().replace("SHA", "SHA-") },
                "salt": to_base64(salt), "saltOrder": if before { "PREFIX" } else { "POSTFIX" },
                "value": to_base64(expected),
            })
            .to_string(),
        ),
        "kratos-salted-digest" => {
            let template = to_base64(if before { b"{SALT}{PASSWORD}" } else { b"{PASSWORD}{SALT}" });
            Some(format!("${name}$pf={template}${}${}", to_base64(salt), to_base64(expected)))
        }
        _ => None,
    }
}

fn auth0(hash: Hash, side: Side, encoding: &str, salt: &[u8], expected: &[u8]) -> Value {
    let position = if side == Side::Before { "prefix" } else { "suffix" };
    json!({
        "algorithm": hash.name(),
        "hash": { "value": to_base64(expected), "encoding": "base64" },
        "salt": { "value": to_base64(salt), "encoding": "base64", "position": position },
        "password": { "encoding": encoding },
    })
}

/// crypt(3)'s SHA-2 and MD5, and Kratos's names of them.
fn crypt(kdf: &Crypt, expected: &[u8], to: &str) -> Option<String> {
    let (name, id, kratos, salt, rounds) = match kdf {
        Crypt::Md5 { magic: "$1$", salt } => ("md5crypt", "1", "md5-crypt", salt, String::new()),
        Crypt::Sha2 { hash, rounds, salt } => {
            let rounds = if *rounds == 5_000 { String::new() } else { format!("rounds={rounds}$") };
            match hash {
                Hash::Sha256 => ("sha256crypt", "5", "sha256-crypt", salt, rounds),
                _ => ("sha512crypt", "6", "sha512-crypt", salt, rounds),
            }
        }
        _ => return None,
    };
    let rest = format!("{rounds}{}${}", std::str::from_utf8(salt).ok()?, String::from_utf8(to_h64(expected)).ok()?);
    match to {
        "kratos-crypt" => Some(format!("${kratos}${rest}")),
        "ldap-crypt" => Some(format!("{{CRYPT}}${id}${rest}")),
        _ => (to == name).then(|| format!("${id}${rest}")),
    }
}

fn keyed(hash: Hash, key: &[u8], expected: &[u8], to: &str) -> Option<String> {
    let name = hash.name();
    Some(match to {
        "auth0-hmac" => json!({ "algorithm": "hmac", "hash": {
            "value": to_base64(expected), "encoding": "base64", "digest": name,
            "key": { "value": to_base64(key), "encoding": "base64" },
        } })
        .to_string(),
        "firebase-hmac" => json!({
            "hashAlgo": format!("HMAC_{}", name.to_uppercase()),
            "hashKey": to_base64(key), "passwordHash": to_base64(expected),
        })
        .to_string(),
        "kratos-hmac" => {
            format!("$hmac-{name}${}${}", to_base64(::hex::encode(expected).as_bytes()), to_base64(key))
        }
        _ => return None,
    })
}

/// Firebase's tuple. Salt and separator are one run of bytes to the algorithm; its own separator is a single 7.
fn firebase(key: &Recipe, signer: &[u8], expected: &[u8], to: &str) -> Option<String> {
    let Recipe::Derive(Kdf::Scrypt(Scrypt { log_n, r, p: 1, salt, .. }), _) = key else { return None };
    let (salt, separator) = match salt.split_last() {
        Some((7, rest)) => (rest, &salt[rest.len()..]),
        _ => (salt.as_slice(), [].as_slice()),
    };
    let [salt, separator, signer, hash] = [salt, separator, signer, expected].map(to_base64);
    Some(match to {
        "firebase-scrypt" => json!({
            "hash_config": {
                "algorithm": "SCRYPT", "base64_signer_key": signer, "base64_salt_separator": separator,
                "rounds": r, "mem_cost": log_n,
            },
            "passwordHash": hash, "salt": salt,
        })
        .to_string(),
        "kratos-firescrypt" => format!("$firescrypt$ln={log_n},r={r},p=1${salt}${hash}${separator}${signer}"),
        "supabase-fbscrypt" => {
            format!("$fbscrypt$v=1,n={log_n},r={r},p=1,ss={separator},sk={signer}${salt}${hash}")
        }
        "clerk-scrypt-firebase" => format!("{hash}${salt}${signer}${separator}${r}${log_n}"),
        _ => return None,
    })
}
