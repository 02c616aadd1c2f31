//! What `userPassword` says (password-hashes.md 9). Within a directory the LDAP reading of a scheme wins.

use sterna_core::{
    account::{Credential, StoredHash},
    password::held::stored_hash,
};
use zeroize::Zeroizing;

/// Schemes, in upper case, and the format that each is in a directory.
const SCHEMES: &[(&str, &str)] = &[
    ("SSHA", "ldap-ssha"),
    ("SMD5", "ldap-smd5"),
    ("SHA", "ldap-sha"),
    ("MD5", "ldap-md5"),
    ("SSHA256", "ldap-ssha256"),
    ("SSHA384", "ldap-ssha384"),
    ("SSHA512", "ldap-ssha512"),
    ("SHA256", "ldap-sha256"),
    ("SHA384", "ldap-sha384"),
    ("SHA512", "ldap-sha512"),
    ("CRYPT", "ldap-crypt"),
    ("ARGON2", "ldap-argon2"),
    ("PBKDF2", "ldap-pbkdf2"),
    ("PBKDF2-SHA1", "ldap-pbkdf2"),
    ("PBKDF2-SHA256", "ldap-pbkdf2-sha256"),
    ("PBKDF2-SHA512", "ldap-pbkdf2-sha512"),
];

/// Schemes by which the directory asks another system.
const ELSEWHERE: &[&str] = &["SASL", "KERBEROS", "RADIUS"];

/// What is known of a password by the values of `userPassword`.
///
/// Without values, or with none that says anything, the directory alone can tell. Clear text (RFC 4519 2.41: a value
/// without a scheme) wins over hashes, unless `clear_text` says to leave it.
pub(super) fn credential(values: &[Zeroizing<Vec<u8>>], clear_text: bool) -> Credential {
    let mut hashes: Vec<StoredHash> = Vec::new();
    let mut plain = None;
    let mut unusable = false;
    let mut elsewhere = values.is_empty();
    for value in values {
        let Ok(text) = std::str::from_utf8(value) else {
            elsewhere = true;
            continue;
        };
        let clear = match scheme(text) {
            Some((name, body)) if name == "CLEARTEXT" => body,
            Some((name, _)) if ELSEWHERE.contains(&name.as_str()) => {
                elsewhere = true;
                continue;
            }
            // how crypt(3) marks an account that has no usable password
            Some((name, body)) if name == "CRYPT" && body.starts_with(['!', '*']) => {
                unusable = true;
                continue;
            }
            Some((name, _)) => {
                let format = SCHEMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
                match stored_hash(text, format, &std::collections::BTreeMap::new()) {
                    Some(hash) => hashes.push(hash),
                    None => unusable = true,
                }
                continue;
            }
            None => text,
        };
        match (clear.is_empty(), clear_text) {
            (true, _) => unusable = true,
            (false, true) => plain = plain.or(Some(clear)),
            (false, false) => elsewhere = true,
        }
    }
    let mut hashes = hashes.into_iter();
    match (plain, hashes.next()) {
        (Some(plain), _) => Credential::Plaintext(plain.into()),
        (None, Some(first)) => Credential::Hash { format: first.format, value: first.value, also: hashes.collect() },
        (None, None) if elsewhere || !unusable => Credential::HeldByLegacy,
        (None, None) => Credential::Nothing,
    }
}

/// The scheme in upper case, and what stands behind it.
fn scheme(text: &str) -> Option<(String, &str)> {
    let (name, body) = text.strip_prefix('{')?.split_once('}')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    (!name.is_empty() && name.bytes().all(plain)).then(|| (name.to_ascii_uppercase(), body))
}

#[cfg(test)]
mod tests {
    use sterna_core::secrecy::ExposeSecret;

    use super::*;

    fn check(values: &[&str], expected: &str) {
        let values: Vec<_> = values.iter().map(|value| Zeroizing::new(value.as_bytes().to_vec())).collect();
        let told = match credential(&values, true) {
            Credential::Nothing => "nothing".to_owned(),
            Credential::HeldByLegacy => "legacy".to_owned(),
            Credential::Plaintext(text) => format!("plain {}", text.expose_secret()),
            Credential::Hash { format, also, .. } => {
                let also: Vec<_> = also.iter().map(|hash| hash.format.as_str()).collect();
                format!("{format} {}", also.join(" ")).trim_end().to_owned()
            }
        };
        assert_eq!(told, expected, "{values:?}");
    }

    #[test]
    fn schemes_fix_the_format_and_several_values_all_count() {
        check(&["{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a"], "ldap-ssha");
        check(&["{md5}X03MO1qnZdYdgyfeuILPmQ==", "{CRYPT}$1$a$b"], "ldap-md5 ldap-crypt");
        check(&["{MD5}5f4dcc3b5aa765d61d8327deb882cf99"], "ldap-md5");
        check(&["{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$KwgjEHAVSFWj4Hq$G4j"], "ldap-argon2");
        check(&["{PBKDF2-SHA512}10000$a$b"], "ldap-pbkdf2-sha512");
        check(&["{X-OWN}abc"], "unknown");
        check(&["{CLEARTEXT}Pass!w0rd"], "plain Pass!w0rd");
        check(&["Pass!w0rd", "{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a"], "plain Pass!w0rd");
        check(&["{not a scheme}"], "plain {not a scheme}");
        check(&["{SASL}ana@EXAMPLE.ORG"], "legacy");
        check(&[], "legacy");
        check(&["{CRYPT}*"], "nothing");
        check(&["{CRYPT}!$6$a$b"], "nothing");
    }

    #[test]
    fn clear_text_can_be_left_in_the_directory() {
        let value = [Zeroizing::new(b"Pass!w0rd".to_vec())];
        assert!(matches!(credential(&value, false), Credential::HeldByLegacy));
    }
}
