//! The package: a tar archive inside one file of the age format, made under a name of its own, renamed when it is whole.
//!
//! What goes to the disk has passed the encryption. An interrupted run leaves at most an encrypted part, and mostly
//! nothing: the part is removed with its value.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use age::{Encryptor, stream::StreamWriter};
use aws_lc_rs::digest::{Context, SHA256, digest};
use sterna_core::code::Code;
use sterna_engine::handover::{Package, PackedFile};
use tempfile::NamedTempFile;

use super::recipients::Recipients;
use crate::{failure::Failure, out::table::add};

/// The folder that the files of the archive are in.
const FOLDER: &str = "handover";

/// A package under way.
pub(super) struct Archive {
    tar: tar::Builder<StreamWriter<Counted<BufWriter<File>>>>,
    part: NamedTempFile,
    path: PathBuf,
    checksums: PathBuf,
    files: Vec<PackedFile>,
}

/// A package that is whole.
pub(super) struct Written {
    /// Where it is.
    pub(super) path: PathBuf,
    /// The list of checksums.
    pub(super) checksums: PathBuf,
    /// SHA-256 of the encrypted file, in hex.
    pub(super) sha256: String,
    /// Its length.
    pub(super) bytes: u64,
}

impl Archive {
    /// Begins a package that will be at `path`, with `PATH.sha256` beside it. Neither may be there.
    ///
    /// # Errors
    /// E1013 when one is there, or nothing can be made in the folder.
    pub(super) fn create(path: &Path, recipients: &Recipients) -> Result<Self, Failure> {
        let mut checksums = path.as_os_str().to_owned();
        checksums.push(".sha256");
        let checksums = PathBuf::from(checksums);
        for there in [path, &checksums] {
            if there.symlink_metadata().is_ok() {
                return Err(over(there));
            }
        }
        let part = part_beside(path)?;
        let file = part.as_file().try_clone().map_err(|error| unwritten(path, &error))?;
        let encryptor = Encryptor::with_recipients(recipients.keys()).map_err(|error| {
            Failure::new(Code::E1001, "the package cannot be encrypted to these keys").caused_by(&error)
        })?;
        let output = Counted { inner: BufWriter::new(file), hash: Context::new(&SHA256), bytes: 0 };
        let stream = encryptor.wrap_output(output).map_err(|error| unwritten(path, &error))?;
        let tar = tar::Builder::new(stream);
        Ok(Self { tar, part, path: path.to_owned(), checksums, files: Vec::new() })
    }

    /// Ends the archive and its encryption, and gives the file its name.
    ///
    /// # Errors
    /// E1013 when the disk is full, or something has taken the name meanwhile.
    pub(super) fn finish(self) -> Result<Written, Failure> {
        let Self { tar, part, path, checksums, files } = self;
        let ended = tar.into_inner().and_then(StreamWriter::finish).and_then(Counted::end);
        let (sha256, bytes) = ended.map_err(|error| unwritten(&path, &error))?;
        let list = list(&path, &sha256, &files);
        let mut beside = part_beside(&checksums)?;
        let synced = beside.write_all(list.as_bytes()).and_then(|()| beside.as_file().sync_all());
        synced.and_then(|()| part.as_file().sync_all()).map_err(|error| unwritten(&path, &error))?;
        // the list first: a package that is there is whole, and has its list
        beside.persist_noclobber(&checksums).map_err(|error| unwritten(&checksums, &error.error))?;
        if let Err(error) = part.persist_noclobber(&path) {
            // nothing but what was made a moment ago is taken away
            let _ = std::fs::remove_file(&checksums);
            return Err(unwritten(&path, &error.error));
        }
        Ok(Written { path, checksums, sha256, bytes })
    }
}

impl Package for Archive {
    fn add(&mut self, name: &str, content: &[u8]) -> io::Result<PackedFile> {
        let name = format!("{FOLDER}/{name}");
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        self.tar.append_data(&mut header, &name, content)?;
        let sha256 = hex::encode(digest(&SHA256, content));
        let file = PackedFile { name, bytes: content.len() as u64, sha256 };
        self.files.push(file.clone());
        Ok(file)
    }
}

/// The list as `sha256sum` reads it: the package first, then what is in it.
fn list(path: &Path, sha256: &str, files: &[PackedFile]) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut list = format!("{sha256}  {name}\n");
    for file in files {
        add(&mut list, format_args!("{}  {}\n", file.sha256, file.name));
    }
    list
}

/// A new file in the same folder, for its owner alone (tempfile makes them 0600).
fn part_beside(path: &Path) -> Result<NamedTempFile, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = tempfile::Builder::new().prefix(".sterna-handover-").suffix(".part").tempfile_in(folder);
    made.map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return over(path);
    }
    Failure::new(Code::E1013, format!("{} cannot be written", path.display())).caused_by(error).hint(Code::E1013.mend())
}

fn over(path: &Path) -> Failure {
    Failure::new(Code::E1013, format!("{} is there already", path.display()))
        .hint("exports are never written over another file")
}

/// Counts and hashes what passes.
struct Counted<W> {
    inner: W,
    hash: Context,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Counted<W> {
    fn end(mut self) -> io::Result<(String, u64)> {
        self.flush()?;
        Ok((hex::encode(self.hash.finish()), self.bytes))
    }
}
