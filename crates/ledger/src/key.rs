//! The project's key, which wraps the ledger's data key: from a 0600 file, the environment or a command.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::error::LedgerError;

/// How much of a key file is read, in bytes; what is longer is no key.
const KEY_TEXT: usize = 256;

/// 32 secret bytes, wiped when dropped.
pub struct ProjectKey(Zeroizing<[u8; 32]>);

impl ProjectKey {
    /// A new random one.
    pub fn generate() -> Result<Self, LedgerError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *bytes).map_err(|_| LedgerError::Entropy)?;
        Ok(Self(bytes))
    }

    /// Reads a key from its text: 64 hex digits, or 44 characters of base64. `origin` is named in the error.
    ///
    /// # Errors
    /// [`LedgerError::KeyForm`] when it is neither.
    pub fn parse(text: &str, origin: &str) -> Result<Self, LedgerError> {
        let text = text.trim();
        let bytes = Zeroizing::new(from_hex(text).or_else(|| from_base64(text)).unwrap_or_default());
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| LedgerError::KeyForm(origin.to_owned()))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// Reads a key file that its owner alone can read.
    ///
    /// # Errors
    /// [`LedgerError::KeyMissing`], [`LedgerError::KeyOpen`], [`LedgerError::KeyForm`], [`LedgerError::Open`].
    pub fn read(path: &Path) -> Result<Self, LedgerError> {
        let name = format!("the key file {}", path.display());
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => LedgerError::KeyMissing(name.clone()),
            _ => LedgerError::file(path)(error),
        };
        let meta = fs::metadata(path).map_err(unreadable)?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(LedgerError::KeyOpen(path.to_owned()));
        }
        let mut text = Zeroizing::new(Vec::with_capacity(KEY_TEXT));
        File::open(path).and_then(|file| file.take(KEY_TEXT as u64).read_to_end(&mut text)).map_err(unreadable)?;
        Self::parse(std::str::from_utf8(&text).unwrap_or_default(), &name)
    }

    /// Makes a key file with mode 0600; never over one that exists, and whole or not at all.
    ///
    /// # Errors
    /// [`LedgerError::Open`] when the file is there or cannot be written, [`LedgerError::Full`].
    pub fn create(path: &Path) -> Result<Self, LedgerError> {
        let key = Self::generate()?;
        let text = Zeroizing::new(hex(&*key.0));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // temporary files are made with mode 0600
        let mut file = NamedTempFile::new_in(folder).map_err(LedgerError::file(path))?;
        writeln!(file, "{}", text.as_str())
            .and_then(|()| file.as_file().sync_all())
            .and_then(|()| file.persist_noclobber(path).map_err(|error| error.error))
            .map_err(LedgerError::file(path))?;
        Ok(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // writing to a String cannot fail
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..32).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()).collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_with_0600_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sterna.key");
        let key = ProjectKey::create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ProjectKey::read(&path).unwrap().bytes(), key.bytes());
        assert!(ProjectKey::create(&path).is_err());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sterna.key");
        ProjectKey::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(ProjectKey::read(&path), Err(LedgerError::KeyOpen(_))));
        assert!(matches!(ProjectKey::read(&folder.path().join("none")), Err(LedgerError::KeyMissing(_))));
    }

    #[test]
    fn keys_are_hex_or_base64_of_32_bytes() {
        assert!(ProjectKey::parse(&"ab".repeat(32), "env").is_ok());
        assert!(ProjectKey::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "env").is_ok());
        assert!(matches!(ProjectKey::parse("hunter2", "env"), Err(LedgerError::KeyForm(_))));
    }
}
