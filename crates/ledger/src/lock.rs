//! The lock of a changing phase: an operating-system lock that dies with its process.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::error::LedgerError;

/// Held while a changing phase runs; released when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub struct PhaseLock(#[expect(dead_code, reason = "held for its lock")] File);

impl PhaseLock {
    /// Takes the lock for `phase`.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] names the phase and process that hold it.
    pub(crate) fn take(folder: &Path, phase: &str) -> Result<Self, LedgerError> {
        let path = folder.join("phase.lock");
        let open = LedgerError::file(&path);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(&open)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                drop(file.take(200).read_to_string(&mut holder));
                let holder =
                    if holder.trim().is_empty() { "another phase".to_owned() } else { holder.trim().to_owned() };
                return Err(LedgerError::Locked { holder });
            }
            Err(TryLockError::Error(source)) => return Err(open(source)),
        }
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(&open)?;
        write!(file, "{phase} (process {})", std::process::id()).map_err(open)?;
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_changing_phase_is_refused_and_the_first_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let first = PhaseLock::take(folder.path(), "apply").unwrap();
        let error = PhaseLock::take(folder.path(), "extract").unwrap_err();
        assert!(error.to_string().starts_with("apply (process "), "{error}");
        drop(first);
        assert!(PhaseLock::take(folder.path(), "extract").is_ok());
    }
}
