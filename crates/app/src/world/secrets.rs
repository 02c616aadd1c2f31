//! Secrets by reference: an environment variable, a file that its owner alone can read, a command's output.
//!
//! A finding about a secret names where it comes from and never any part of it; a command's own words are not shown.

use std::{
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

use sterna_core::{
    code::{Code, Finding},
    secrecy::SecretString,
    settings::{SecretRef, Secrets},
};
use zeroize::Zeroizing;

/// Longest secret, in bytes: a certificate with its key and chain fits.
const SECRET_BYTES: u64 = 256 << 10;
/// How long a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Secrets of the project in a folder.
pub(super) struct WorldSecrets {
    folder: PathBuf,
    command_timeout: Duration,
}

impl WorldSecrets {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), command_timeout: COMMAND_TIMEOUT }
    }
}

impl Secrets for WorldSecrets {
    fn reveal(&self, reference: &SecretRef) -> Result<SecretString, Box<Finding>> {
        let bytes = match reference {
            SecretRef::Env(name) => from_env(name),
            SecretRef::File(path) => from_file(&self.folder.join(path)),
            SecretRef::Command(words) => from_command(words, &self.folder, self.command_timeout),
        };
        bytes.and_then(text).map_err(|mistake| {
            let finding = Finding::error(Code::E1008, format!("{reference} gives no secret: {}", mistake.why));
            Box::new(Finding { hints: mistake.hint.into_iter().collect(), ..finding })
        })
    }
}

type Bytes = Zeroizing<Vec<u8>>;

struct Mistake {
    why: String,
    hint: Option<String>,
}

impl Mistake {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: None }
    }
}

fn text(mut bytes: Bytes) -> Result<SecretString, Mistake> {
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    if bytes.ends_with(b"\r") {
        bytes.pop();
    }
    match std::str::from_utf8(&bytes) {
        Ok("") => Err(Mistake::new("it is empty")),
        Ok(text) => Ok(SecretString::from(text)),
        Err(_) => Err(Mistake::new("it is no text")),
    }
}

fn from_env(name: &str) -> Result<Bytes, Mistake> {
    use std::os::unix::ffi::OsStringExt;
    match std::env::var_os(name) {
        Some(value) => Ok(Zeroizing::new(value.into_vec())),
        None => {
            Err(Mistake { why: "it is not set".to_owned(), hint: Some(format!("export {name}=… before you run it")) })
        }
    }
}

fn from_file(path: &Path) -> Result<Bytes, Mistake> {
    let unreadable = |error: std::io::Error| Mistake::new(error.kind().to_string());
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        let hint = Some(format!("chmod 600 {}", path.display()));
        return Err(Mistake { why: format!("other users can read it (mode {:o})", mode & 0o777), hint });
    }
    bounded(file)
}

fn from_command(words: &[String], folder: &Path, timeout: Duration) -> Result<Bytes, Mistake> {
    let (program, arguments) = words.split_first().ok_or_else(|| Mistake::new("it is empty"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Mistake::new(error.kind().to_string()))?;
    let output = child.stdout.take().ok_or_else(|| Mistake::new("it has no output"))?;
    let (sender, receiver) = mpsc::sync_channel(1);
    // the thread ends with the pipe; after a timeout the command is killed, and nobody waits for the thread
    std::thread::spawn(move || sender.send(bounded(output)));
    let read = receiver.recv_timeout(timeout);
    let status = match read {
        Ok(Ok(_)) => end_of(&mut child, timeout),
        _ => None,
    };
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(match read {
            Ok(Err(mistake)) => mistake,
            _ => Mistake::new(format!("it did not end within {} s", timeout.as_secs_f32())),
        });
    };
    match read {
        Ok(Ok(bytes)) if status.success() => Ok(bytes),
        _ => Err(Mistake { why: format!("it ended with {status}"), hint: Some("try the command by hand".to_owned()) }),
    }
}

/// Waits for a command that has closed its output; `None` when it does not end.
fn end_of(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    const STEP: Duration = Duration::from_millis(5);
    for _ in 0..timeout.as_millis() / STEP.as_millis() {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(STEP);
    }
    None
}

fn bounded(reader: impl Read) -> Result<Bytes, Mistake> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader.take(SECRET_BYTES + 1).read_to_end(&mut bytes).map_err(|error| Mistake::new(error.kind().to_string()))?;
    if bytes.len() as u64 > SECRET_BYTES {
        return Err(Mistake::new(format!("it is longer than {} KiB", SECRET_BYTES >> 10)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{fs, fs::Permissions};

    use sterna_core::secrecy::ExposeSecret;

    use super::*;

    fn check(reference: &SecretRef, folder: &Path, expected: Result<&str, &str>) {
        let secrets = WorldSecrets { folder: folder.to_owned(), command_timeout: Duration::from_millis(500) };
        let revealed = secrets.reveal(reference);
        match (revealed, expected) {
            (Ok(secret), Ok(text)) => assert_eq!(secret.expose_secret(), text),
            (Err(finding), Err(part)) => {
                assert!(finding.message.contains(part), "{finding:?}");
                assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
            }
            (revealed, _) => panic!("{revealed:?} instead of {expected:?}"),
        }
    }

    fn file(mode: u32, bytes: &[u8], expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        check(&SecretRef::File("secret".into()), folder.path(), expected);
    }

    fn command(script: &str, expected: Result<&str, &str>) {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        check(&SecretRef::Command(words), Path::new("."), expected);
    }

    #[test]
    fn a_file_gives_its_text_without_the_last_line_end() {
        file(0o600, b"hunter2\n", Ok("hunter2"));
        file(0o400, b"hunter2\r\n", Ok("hunter2"));
        file(0o600, b"two\nlines\n\n", Ok("two\nlines\n"));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        file(0o640, b"hunter2", Err("other users can read it (mode 640)"));
        file(0o604, b"hunter2", Err("other users can read it"));
        file(0o600, b"\n", Err("it is empty"));
        file(0o600, b"hunter2\xff", Err("it is no text"));
        file(0o600, &vec![b'x'; 300 << 10], Err("longer than 256 KiB"));
        check(&SecretRef::File("nowhere".into()), Path::new("."), Err("the file nowhere gives no secret"));
    }

    #[test]
    fn a_command_gives_what_it_prints_within_its_bounds() {
        command("echo hunter2", Ok("hunter2"));
        command("echo hunter2; echo hunter2 >&2; exit 3", Err("exit status: 3"));
        command("exec sleep 20", Err("did not end within"));
        command("exec >&-; exec sleep 20", Err("did not end within"));
        command("yes hunter2", Err("longer than 256 KiB"));
        check(&SecretRef::Command(vec!["/nowhere/prog".into()]), Path::new("."), Err("gives no secret"));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        check(&SecretRef::Env("STERNA_NO_SUCH".into()), Path::new("."), Err("the environment variable STERNA_NO_SUCH"));
    }
}
