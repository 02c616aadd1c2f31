//! Firebase's modified scrypt, and the texts that others write it in (password-hashes.md 4.1).
//!
//! The signer key belongs to a whole project: treat it as a key.

use aes::{
    Aes256,
    cipher::{KeyIvInit as _, StreamCipher as _},
};

use super::{
    Family, Format, Refusal,
    bounds::{Bounds, at_most},
    clue::Clue,
    encoding::{Bytes, base64_any, decimal, secret},
    fields::Given,
    format::Parsed,
    recipe::{Kdf, Recipe},
    scrypt::Scrypt,
};

/// The one tuple that all the texts carry.
struct Tuple<'a> {
    hash: &'a str,
    salt: &'a str,
    separator: &'a str,
    signer: &'a str,
    memory: u64,
    rounds: u64,
}

pub(super) static FORMATS: &[Format] = &[
    Format::members(
        "firebase-scrypt",
        Family::Scrypt,
        "passwordHash, salt, hash_config",
        ("passwordHash", &["salt", "hash_config"]),
        Clue::Members(|fields| fields.has(&["passwordHash"]) && fields.has(&["hash_config"])),
        export,
    ),
    Format::text(
        "kratos-firescrypt",
        Family::Scrypt,
        "$firescrypt$ln=n,r=n,p=1$salt$hash$separator$signer",
        Clue::Starts("$firescrypt$"),
        kratos,
    ),
    Format::text(
        "supabase-fbscrypt",
        Family::Scrypt,
        "$fbscrypt$v=1,n=n,r=n,p=1,ss=separator,sk=signer$salt$hash",
        Clue::Starts("$fbscrypt$"),
        supabase,
    ),
    Format::members(
        "supertokens-fscrypt",
        Family::Scrypt,
        "$f_scrypt$hash$salt$m=n$r=n$s=separator, with the signer key",
        ("hash", &["firebase_password_hashing_signer_key"]),
        Clue::Members(|fields| fields.has(&["firebase_password_hashing_signer_key"])),
        supertokens,
    ),
    Format::text(
        "clerk-scrypt-firebase",
        Family::Scrypt,
        "hash$salt$signer$separator$rounds$mem",
        Clue::Sure(is_clerk),
        clerk,
    ),
];

fn export(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let config = given.fields()?.nested("hash_config").ok_or(Refusal::Missing("hash_config"))?;
    let text = |name: &'static str| config.text(&[name]).ok_or(Refusal::Missing(name));
    let number = |name: &'static str| config.number(&[name]).ok_or(Refusal::Missing(name));
    Tuple {
        hash: given.member(&["passwordHash"], "passwordHash")?,
        salt: given.member(&["salt"], "salt")?,
        separator: text("base64_salt_separator")?,
        signer: text("base64_signer_key")?,
        memory: number("mem_cost")?,
        rounds: number("rounds")?,
    }
    .parsed()
}

/// `name=value` of a list whose order is fixed.
fn named<'a>(part: &'a str, name: &str) -> Result<&'a str, Refusal> {
    part.strip_prefix(name).ok_or(Refusal::Malformed("the parameters"))
}

fn kratos(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let ["", "firescrypt", parameters, salt, hash, separator, signer] = given.text.split('$').collect::<Vec<_>>()[..]
    else {
        return Err(Refusal::Malformed("the parts"));
    };
    let [ln, r, "p=1"] = parameters.split(',').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parameters"));
    };
    let (memory, rounds) = (decimal(named(ln, "ln=")?, "ln")?, decimal(named(r, "r=")?, "r")?);
    Tuple { hash, salt, separator, signer, memory, rounds }.parsed()
}

fn supabase(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let ["", "fbscrypt", parameters, salt, hash] = given.text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let ["v=1", n, r, "p=1", separator, signer] = parameters.split(',').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parameters"));
    };
    let (separator, signer) = (named(separator, "ss=")?, named(signer, "sk=")?);
    let (memory, rounds) = (decimal(named(n, "n=")?, "n")?, decimal(named(r, "r=")?, "r")?);
    Tuple { hash, salt, separator, signer, memory, rounds }.parsed()
}

fn supertokens(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let text = given.member(&["hash"], "hash")?;
    let signer = "firebase_password_hashing_signer_key";
    let signer = given.member(&[signer], signer)?;
    let ["", "f_scrypt", hash, salt, m, r, s] = text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let (memory, rounds) = (decimal(named(m, "m=")?, "m")?, decimal(named(r, "r=")?, "r")?);
    Tuple { hash, salt, separator: named(s, "s=")?, signer, memory, rounds }.parsed()
}

/// Six parts of which the last two are small numbers.
fn is_clerk(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    matches!(parts[..], [hash, _, _, _, r, m] if hash.len() > 40 && [r, m].iter().all(|n| decimal(n, "n").is_ok()))
}

fn clerk(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let [hash, salt, signer, separator, r, m] = given.text.split('$').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed("the parts"));
    };
    let (memory, rounds) = (decimal(m, "mem")?, decimal(r, "rounds")?);
    Tuple { hash, salt, separator, signer, memory, rounds }.parsed()
}

impl Tuple<'_> {
    fn parsed(self) -> Result<Parsed, Refusal> {
        // Firebase's own bounds are lower still; both numbers are exponents or factors of memory.
        at_most(self.memory, Bounds::ONLINE.firebase_memory, "mem_cost")?;
        at_most(self.rounds, Bounds::ONLINE.firebase_rounds, "rounds")?;
        let mut salt = base64_any(self.salt, "the salt")?;
        let separator = base64_any(self.separator, "the salt separator")?;
        salt = secret([salt.as_slice(), separator.as_slice()].concat());
        let signer = base64_any(self.signer, "the signer key")?;
        let expected = base64_any(self.hash, "the hash")?;
        if signer.is_empty() || signer.len() != expected.len() {
            return Err(Refusal::Malformed("the signer key or the hash"));
        }
        let log_n = u32::try_from(self.memory).map_err(|_| Refusal::TooCostly("mem_cost"))?;
        let key = Recipe::Password.derive(Kdf::Scrypt(Scrypt { log_n, r: self.rounds, p: 1, salt, length: 64 }));
        Ok(Parsed { recipe: Recipe::Masked { key: Box::new(key), text: signer }, expected })
    }
}

/// AES-256 in counter mode from zero, under the first half of the derived key.
pub(super) fn mask(key: &[u8], text: &[u8]) -> Option<Bytes> {
    let mut cipher = ctr::Ctr128BE::<Aes256>::new_from_slices(key.get(..32)?, &[0; 16]).ok()?;
    let mut masked = secret(text);
    cipher.apply_keystream(&mut masked);
    Some(masked)
}
