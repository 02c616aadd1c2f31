//! The certificate that the service shows, and taking a new one when its files change.

use std::sync::{Mutex, PoisonError};

use sterna_wire::ServerTls;

use crate::{config::TlsFiles, service::ServeError};

/// The certificate that is shown, the files that it comes from, and what was in them when they were last read.
pub(crate) struct Tls {
    present: ServerTls,
    files: TlsFiles,
    read: Mutex<Vec<u8>>,
}

/// When a certificate is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// In any case.
    Always,
    /// When its files are others.
    WhenChanged,
}

impl Tls {
    /// Reads the files.
    pub(crate) fn read(files: TlsFiles) -> Result<Self, ServeError> {
        let bytes = bytes(&files)?;
        Ok(Self { present: ServerTls::from_pem(&bytes)?, files, read: Mutex::new(bytes) })
    }

    /// What a listener shows; it takes part in later changes.
    pub(crate) fn shown(&self) -> ServerTls {
        self.present.clone()
    }

    /// Reads the files again; what cannot be used changes nothing.
    pub(crate) fn reload(&self, when: Reload) {
        let bytes = match bytes(&self.files) {
            Ok(bytes) => bytes,
            Err(error) => return tracing::error!("The TLS certificate stays as it was: {error}"),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if when == Reload::WhenChanged && *read == bytes {
            return;
        }
        match self.present.replace(&bytes) {
            Ok(()) => tracing::info!("The TLS certificate was read again"),
            Err(error) => tracing::error!("The TLS certificate stays as it was: {error}"),
        }
        // a half-written pair is tried again when it changes again
        *read = bytes;
    }
}

/// Chain and key, one after the other.
fn bytes(files: &TlsFiles) -> Result<Vec<u8>, ServeError> {
    let mut all = Vec::new();
    for path in [&files.certificate, &files.key] {
        let read = std::fs::read(path);
        let bytes = read.map_err(|source| ServeError::File { path: path.display().to_string(), source })?;
        all.extend_from_slice(&bytes);
        all.push(b'\n');
    }
    Ok(all)
}
