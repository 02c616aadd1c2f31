//! Argon2 (password-hashes.md 3).

use argon2::{Algorithm, Params, Version};
use zeroize::Zeroizing;

use super::{
    Bounds, Family, Format, Refusal, Upgrade,
    bounds::{MAX_DIGEST, MAX_SALT, at_most},
    clue::{Clue, after_scheme},
    encoding::{Bytes, base64_bare, decimal, hex, secret},
    format::Parsed,
    recipe::{Kdf, Recipe, Work},
};

/// Argon2's parameters.
#[derive(Clone)]
pub(super) struct Argon2 {
    pub(super) kind: Algorithm,
    pub(super) version: Version,
    pub(super) kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
    pub(super) salt: Bytes,
    pub(super) length: usize,
}

pub(super) static FORMATS: &[Format] = &[
    Format::text(
        "argon2id",
        Family::Argon2,
        "$argon2id$v=19$m=KiB,t=n,p=n$salt$digest",
        Clue::Starts("$argon2id$"),
        |given| one_kind(given.text, "$argon2id$"),
    ),
    Format::text(
        "argon2i",
        Family::Argon2,
        "$argon2i$v=19$m=KiB,t=n,p=n$salt$digest",
        Clue::Starts("$argon2i$"),
        |given| one_kind(given.text, "$argon2i$"),
    ),
    Format::text(
        "argon2d",
        Family::Argon2,
        "$argon2d$v=19$m=KiB,t=n,p=n$salt$digest",
        Clue::Starts("$argon2d$"),
        |given| one_kind(given.text, "$argon2d$"),
    ),
    Format::text("django-argon2", Family::Argon2, "argon2$argon2id$v=19$…", Clue::Starts("argon2$"), |given| {
        given.text.strip_prefix("argon2").ok_or(Refusal::Malformed("the prefix")).and_then(phc)
    }),
    Format::text(
        "ldap-argon2",
        Family::Argon2,
        "{ARGON2}$argon2id$v=19$…",
        Clue::Maybe(|text| after_scheme(text, "{ARGON2}").is_some()),
        |given| after_scheme(given.text, "{ARGON2}").ok_or(Refusal::Malformed("the scheme")).and_then(phc),
    ),
    Format::text(
        "magento-3",
        Family::Argon2,
        "hex:salt:3_length_passes_bytes",
        Clue::Sure(|text| {
            let mut parts = text.split(':').skip(2);
            parts.next().is_some_and(|version| version.starts_with("3_")) && parts.next().is_none()
        }),
        |given| {
            let [digest, salt, version] = given.text.split(':').collect::<Vec<_>>()[..] else {
                return Err(Refusal::Malformed("the parts"));
            };
            let kdf = magento(salt, version)?;
            let expected = hex(digest, "the digest")?;
            if expected.len() != kdf.length {
                return Err(Refusal::Malformed("the digest"));
            }
            Ok(Parsed { recipe: Recipe::Password.derive(Kdf::Argon2(kdf)), expected })
        },
    ),
];

fn one_kind(text: &str, prefix: &str) -> Result<Parsed, Refusal> {
    if text.starts_with(prefix) { phc(text) } else { Err(Refusal::Malformed("the prefix")) }
}

/// A PHC string: kind, version, m,t,p in this order, salt, digest.
pub(super) fn phc(text: &str) -> Result<Parsed, Refusal> {
    let mut parts = text.split('$');
    let (Some(""), Some(kind), Some(mut next)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::Malformed("the parts"));
    };
    let kind = Algorithm::new(kind).map_err(|_| Refusal::Malformed("the kind"))?;
    // Without a version it is the first one, 0x10.
    let mut version = Version::V0x10;
    if let Some(number) = next.strip_prefix("v=") {
        version = match number {
            "16" => Version::V0x10,
            "19" => Version::V0x13,
            _ => return Err(Refusal::Malformed("the version")),
        };
        next = parts.next().ok_or(Refusal::Malformed("the parts"))?;
    }
    let (Some(salt), Some(digest), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::Malformed("the parts"));
    };
    let [kib, passes, lanes] = numbers(next)?;
    let expected = base64_bare(digest, "the digest")?;
    let kdf =
        Argon2 { kind, version, kib, passes, lanes, salt: base64_bare(salt, "the salt")?, length: expected.len() };
    Ok(Parsed { recipe: Recipe::Password.derive(Kdf::Argon2(kdf)), expected })
}

fn numbers(text: &str) -> Result<[u32; 3], Refusal> {
    let parts: Vec<&str> = text.split(',').collect();
    let [m, t, p] = parts[..] else {
        let keyed = parts.iter().any(|part| part.starts_with("keyid=") || part.starts_with("data="));
        return Err(if keyed { Refusal::Unsupported("a key or data") } else { Refusal::Malformed("the parameters") });
    };
    let number = |part: &str, name: &str| {
        let digits = part.strip_prefix(name).ok_or(Refusal::Malformed("the parameters"))?;
        u32::try_from(decimal(digits, "a parameter")?).map_err(|_| Refusal::TooCostly("a parameter"))
    };
    Ok([number(m, "m=")?, number(t, "t=")?, number(p, "p=")?])
}

/// Magento's version `3_length_passes_bytes`; the salt's text is its bytes, cut to sixteen.
pub(super) fn magento(salt: &str, version: &str) -> Result<Argon2, Refusal> {
    let Some(["3", length, passes, bytes]) = version.split('_').collect::<Vec<_>>().first_chunk().copied() else {
        return Err(Refusal::Malformed("the version"));
    };
    if version.split('_').count() != 4 {
        return Err(Refusal::Malformed("the version"));
    }
    // How Magento pads a shorter one is not known for certain (password-hashes.md 3).
    let salt = salt.as_bytes().get(..16).ok_or(Refusal::Unsupported("a salt under sixteen bytes"))?;
    let small =
        |text: &str| u32::try_from(decimal(text, "the version")?).map_err(|_| Refusal::TooCostly("the version"));
    let kib = u32::try_from(decimal(bytes, "the memory")? / 1024).map_err(|_| Refusal::TooCostly("the memory"))?;
    let length = usize::try_from(small(length)?).map_err(|_| Refusal::TooLong("the digest"))?;
    Ok(Argon2 {
        kind: Algorithm::Argon2id,
        version: Version::V0x13,
        kib,
        passes: small(passes)?,
        lanes: 1,
        salt: secret(salt),
        length,
    })
}

impl Work for Argon2 {
    fn admit(&self, bounds: &Bounds) -> Result<(), Refusal> {
        if self.passes == 0 || self.lanes == 0 || u64::from(self.kib) < 8 * u64::from(self.lanes) {
            return Err(Refusal::Malformed("the parameters"));
        }
        if self.salt.len() < ::argon2::MIN_SALT_LEN || self.length < Params::MIN_OUTPUT_LEN {
            return Err(Refusal::Malformed("the salt or the digest"));
        }
        if self.salt.len() > MAX_SALT || self.length > MAX_DIGEST {
            return Err(Refusal::TooLong("the salt or the digest"));
        }
        at_most(self.kib, bounds.argon2_kib, "the memory")?;
        at_most(self.passes, bounds.argon2_passes, "the passes")?;
        at_most(self.lanes, bounds.argon2_lanes, "the lanes")?;
        at_most(u64::from(self.kib) * u64::from(self.passes), bounds.argon2_kib_passes, "memory times passes")
    }

    fn derive(&self, input: &[u8]) -> Option<Bytes> {
        let parameters = Params::new(self.kib, self.passes, self.lanes, Some(self.length)).ok()?;
        let mut digest = Zeroizing::new(vec![0; self.length]);
        ::argon2::Argon2::new(self.kind, self.version, parameters)
            .hash_password_into(input, &self.salt, &mut digest)
            .ok()?;
        Some(digest)
    }

    fn seconds(&self) -> f64 {
        5.0e-7 * f64::from(self.kib) * f64::from(self.passes)
    }

    fn memory(&self) -> u64 {
        u64::from(self.kib) << 10
    }

    fn parameters(&self) -> String {
        format!("m={} t={} p={}", self.kib, self.passes, self.lanes)
    }

    fn upgrade(&self) -> Option<Upgrade> {
        if self.version == Version::V0x10 || self.kind != Algorithm::Argon2id {
            return Some(Upgrade::Retired);
        }
        // The least that is advised takes 7 MiB five times, or 19 MiB twice.
        (u64::from(self.kib) * u64::from(self.passes) < 5 * (7 << 10)).then_some(Upgrade::LowCost)
    }
}
