//! Opening a file, and knowing it again after a crash.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::UNIX_EPOCH,
};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use sterna_core::{code::Code, port::SourceError};
use zeroize::Zeroizing;

/// How much of a file's beginning is looked at to detect its encoding, in bytes.
const HEAD: u64 = 1 << 20;

/// How much of a file's beginning goes into its [`Mark`], in bytes.
const MARK_HEAD: usize = 4_096;

/// What tells a file from another one under the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    size: u64,
    modified_ns: u64,
    head: String,
}

/// An open file.
pub struct Opened {
    /// The file.
    pub file: File,
    /// What it is known by.
    pub mark: Mark,
    /// Its first MiB; may hold passwords, wiped when dropped.
    pub head: Zeroizing<Vec<u8>>,
}

impl Opened {
    /// Opens a file and reads its head.
    ///
    /// # Errors
    /// E3001 when it is not there, not a file, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let refuse = |why: &str| {
            SourceError::new(Code::E3001, format!("the source file {} {why}", path.display()))
                .hint("check `path`; relative paths are taken from the project folder")
        };
        let mut file = File::open(path).map_err(|error| refuse("cannot be opened").caused_by(error))?;
        let kind = file.metadata().map_err(|error| refuse("cannot be looked at").caused_by(error))?;
        if !kind.is_file() {
            return Err(refuse("is not a regular file"));
        }
        let mut head = Zeroizing::new(Vec::with_capacity(usize::try_from(kind.len().min(HEAD)).unwrap_or(0) + 1));
        (&mut file).take(HEAD).read_to_end(&mut head).map_err(|error| refuse("cannot be read").caused_by(error))?;
        let (size, modified_ns) = stamp(&file).map_err(|error| refuse("cannot be looked at").caused_by(error))?;
        let mark = Mark { size, modified_ns, head: fingerprint(&[&head[..head.len().min(MARK_HEAD)]]) };
        Ok(Self { file, mark, head })
    }

    /// The file's size in bytes when it was opened.
    pub fn size(&self) -> u64 {
        self.mark.size
    }

    /// Whether the file is still as long and as old as when it was opened.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn is_unchanged(&self) -> std::io::Result<bool> {
        Ok(stamp(&self.file)? == (self.mark.size, self.mark.modified_ns))
    }

    /// A second handle of the same file that stands at a byte.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn at(&self, offset: u64) -> std::io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }
}

/// The head of a digest of some bytes, as text.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> String {
    let mut digest = digest::Context::new(&digest::SHA256);
    for part in parts {
        digest.update(part);
    }
    let digest = digest.finish();
    let head: [u8; 16] = std::array::from_fn(|at| digest.as_ref().get(at).copied().unwrap_or(0));
    format!("{:032x}", u128::from_be_bytes(head))
}

/// What is said when the file system fails in the middle of a file.
pub(crate) fn unreadable(error: std::io::Error) -> SourceError {
    SourceError::new(Code::E3001, "the source file cannot be read").caused_by(error)
}

/// Length, and nanoseconds since 1970 (0 where the file system keeps no time).
fn stamp(file: &File) -> std::io::Result<(u64, u64)> {
    let data = file.metadata()?;
    let since = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok((data.len(), since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)))
}
