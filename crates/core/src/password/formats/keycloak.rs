//! Keycloak's credential: JSON whose members `secretData` and `credentialData` are JSON texts (password-hashes.md 3, 5).

use argon2::{Algorithm, Version};

use super::{
    Family, Format, Refusal,
    algorithm::Hash,
    argon2::Argon2,
    clue::Clue,
    encoding::{Bytes, base64},
    fields::{Fields, Given},
    format::Parsed,
    pbkdf2,
    recipe::{Kdf, Recipe},
};

const MEMBERS: (&str, &[&str]) = ("secretData", &["credentialData"]);

pub(super) static FORMATS: &[Format] = &[
    Format::members(
        "keycloak-argon2",
        Family::Argon2,
        "secretData, credentialData (argon2)",
        MEMBERS,
        Clue::Members(|fields| is(fields, "argon2")),
        argon2,
    ),
    Format::members(
        "keycloak-pbkdf2",
        Family::Pbkdf2,
        "secretData, credentialData (pbkdf2)",
        MEMBERS,
        Clue::Members(|fields| is(fields, "pbkdf2")),
        |given| pbkdf2(given, "pbkdf2", Hash::Sha1),
    ),
    Format::members(
        "keycloak-pbkdf2-sha256",
        Family::Pbkdf2,
        "secretData, credentialData (pbkdf2-sha256)",
        MEMBERS,
        Clue::Members(|fields| is(fields, "pbkdf2-sha256")),
        |given| pbkdf2(given, "pbkdf2-sha256", Hash::Sha256),
    ),
    Format::members(
        "keycloak-pbkdf2-sha512",
        Family::Pbkdf2,
        "secretData, credentialData (pbkdf2-sha512)",
        MEMBERS,
        Clue::Members(|fields| is(fields, "pbkdf2-sha512")),
        |given| pbkdf2(given, "pbkdf2-sha512", Hash::Sha512),
    ),
];

fn is(fields: &Fields, algorithm: &str) -> bool {
    fields.has(&["secretData"])
        && fields.nested("credentialData").is_some_and(|data| data.text(&["algorithm"]) == Some(algorithm))
}

/// The credential's data, its salt and its value.
fn parts(given: &Given<'_>, algorithm: &str) -> Result<(Fields, Bytes, Bytes), Refusal> {
    let fields = given.fields()?;
    let data = fields.nested("credentialData").ok_or(Refusal::Missing("credentialData"))?;
    let secret = fields.nested("secretData").ok_or(Refusal::Missing("secretData"))?;
    if data.text(&["algorithm"]) != Some(algorithm) {
        return Err(Refusal::Malformed("the algorithm"));
    }
    let bytes = |name: &'static str| base64(secret.text(&[name]).ok_or(Refusal::Missing(name))?, name);
    let (salt, value) = (bytes("salt")?, bytes("value")?);
    Ok((data, salt, value))
}

fn iterations(data: &Fields) -> Result<u64, Refusal> {
    data.number(&["hashIterations"]).ok_or(Refusal::Missing("hashIterations"))
}

fn pbkdf2(given: &Given<'_>, algorithm: &str, prf: Hash) -> Result<Parsed, Refusal> {
    let (data, salt, expected) = parts(given, algorithm)?;
    pbkdf2::parsed(prf, iterations(&data)?, salt, expected)
}

fn argon2(given: &Given<'_>) -> Result<Parsed, Refusal> {
    let (data, salt, expected) = parts(given, "argon2")?;
    let more = "additionalParameters";
    let number = |name: &'static str| {
        let number = data.number(&[more, name]).ok_or(Refusal::Missing(name))?;
        u32::try_from(number).map_err(|_| Refusal::TooCostly(name))
    };
    let kind = match data.first_text(&[more, "type"]) {
        Some("id") => Algorithm::Argon2id,
        Some("i") => Algorithm::Argon2i,
        Some("d") => Algorithm::Argon2d,
        _ => return Err(Refusal::Malformed("the type")),
    };
    let version = match data.first_text(&[more, "version"]) {
        Some("1.3") => Version::V0x13,
        Some("1.0") => Version::V0x10,
        _ => return Err(Refusal::Malformed("the version")),
    };
    if number("hashLength")? as usize != expected.len() {
        return Err(Refusal::Malformed("hashLength"));
    }
    let passes = u32::try_from(iterations(&data)?).map_err(|_| Refusal::TooCostly("hashIterations"))?;
    let (kib, lanes, length) = (number("memory")?, number("parallelism")?, expected.len());
    let kdf = Argon2 { kind, version, kib, passes, lanes, salt, length };
    Ok(Parsed { recipe: Recipe::Password.derive(Kdf::Argon2(kdf)), expected })
}
