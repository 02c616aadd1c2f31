//! The receiver's public keys: X25519 recipients of the age format, <https://age-encryption.org/v1>.
//!
//! What was given is never repeated in an error: it may be a private key that was taken for the public one.

use std::{fs::File, io::Read, path::Path};

use age::x25519::Recipient;
use sterna_core::code::Code;

use crate::failure::Failure;

/// Longest file of keys, in bytes.
const FILE_BYTES: u64 = 64 * 1024;

/// Most keys: each adds a few bytes to the package, and a receiver has a handful.
const KEYS: usize = 100;

/// Whom a package is encrypted to; at least one.
pub(super) struct Recipients(Vec<Recipient>);

impl Recipients {
    /// Reads the keys of the command line and of the file.
    ///
    /// # Errors
    /// E1001 when there is none, or one is not a public key; E3001 when the file cannot be read.
    pub(super) fn read(given: &[String], file: Option<&Path>) -> Result<Self, Failure> {
        let mut keys = Vec::new();
        for (at, text) in given.iter().enumerate() {
            keys.push(key(text, &format!("--recipient number {}", at + 1))?);
        }
        if let Some(path) = file {
            let text = text(path)?;
            for (at, line) in text.lines().enumerate() {
                let line = line.trim();
                if !line.is_empty() && !line.starts_with('#') {
                    keys.push(key(line, &format!("line {} of {}", at + 1, path.display()))?);
                }
            }
        }
        match keys.len() {
            0 => Err(usage("no public key is given").hint("a package is never written unencrypted")),
            1..=KEYS => Ok(Self(keys)),
            _ => Err(usage(&format!("there are more than {KEYS} public keys"))),
        }
    }

    /// The keys as texts; they are public.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// The keys, for the encryption.
    pub(super) fn keys(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.0.iter().map(|key| key as &dyn age::Recipient)
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(Code::E1001, message)
}

fn key(text: &str, place: &str) -> Result<Recipient, Failure> {
    text.trim().parse().map_err(|_| {
        let is_private = text.trim_start().to_ascii_uppercase().starts_with("AGE-SECRET-KEY");
        let message = if is_private { "is a PRIVATE key" } else { "is no public key of the form age1…" };
        let hint = if is_private {
            "it opens what is encrypted to it and has stood in a command or file now: make a new one, and give its public key"
        } else {
            "the receiver makes a pair of keys with `age-keygen -o key.txt` and sends the line \"public key\""
        };
        usage(&format!("{place} {message}")).hint(hint)
    })
}

fn text(path: &Path) -> Result<String, Failure> {
    let unread = |error: &std::io::Error| {
        Failure::new(Code::E3001, format!("{} cannot be read", path.display()))
            .caused_by(error)
            .hint(Code::E3001.mend())
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| unread(&error))?;
    let read = file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| unread(&error))?;
    if read as u64 > FILE_BYTES {
        return Err(usage(&format!("{} is longer than a list of public keys", path.display())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn public_keys_are_taken_and_everything_else_is_refused_without_being_repeated() {
        let given = |keys: &[&str]| {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            Recipients::read(&keys, None).map(|recipients| recipients.names())
        };
        assert_eq!(given(&[PUBLIC]).unwrap(), [PUBLIC]);
        for wrong in ["", "age1", &PUBLIC[..60], "ssh-ed25519 AAAAC3Nz", "AGE-SECRET-KEY-1ZQZQZQZQ", "age1pqzqzqzq"] {
            let failure = given(&[PUBLIC, wrong]).unwrap_err();
            let told = format!("{failure:?}");
            assert!(told.contains("number 2") && (wrong.len() < 5 || !told.contains(wrong)), "{told}");
        }
        assert!(given(&[]).is_err());
    }
}
