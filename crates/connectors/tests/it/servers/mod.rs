//! Real servers that nobody here wrote, as throwaway instances on free ports of this machine, ended by their process id.
//!
//! A test whose server is not installed says so and passes; with `REQUIRE_COUNTERPARTS=1` it fails.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    reason = "several test binaries share this module and each uses a part"
)]

pub mod mariadb;
pub mod postgres;

pub(crate) mod proxy;
pub(crate) mod scim;
pub(crate) mod slapd;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The user and group that servers run as where tests run as root: some refuse to be root.
const NOBODY: u32 = 65_534;

/// A server process that ends with its value.
pub(crate) struct Server {
    child: Child,
    /// The port that it listens on.
    pub(crate) port: u16,
    /// Its folder; removed with it.
    pub(crate) folder: tempfile::TempDir,
}

impl Server {
    /// Starts `command` and waits until something accepts connections on `port`.
    pub(crate) fn start(command: &mut Command, port: u16, folder: tempfile::TempDir) -> Self {
        let child = spawn(command, folder.path());
        let mut server = Self { child, port, folder };
        server.wait_until_it_listens();
        server
    }

    /// Starts it again, with the same port and folder, after it was killed.
    pub(crate) fn start_again(&mut self, command: &mut Command) {
        self.kill();
        self.child = spawn(command, self.folder.path());
        self.wait_until_it_listens();
    }

    fn wait_until_it_listens(&mut self) {
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
                panic!("the server did not start ({ended:?}): {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Sends its process a signal by name: `STOP` makes it hang, `CONT` go on.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        if name == "STOP" {
            self.wait_until_stopped();
        }
    }

    /// A signal is delivered in its own time: every thread has to stand still before the process hangs.
    fn wait_until_stopped(&self) {
        let threads = format!("/proc/{}/task", self.child.id());
        let stands = |thread: std::fs::DirEntry| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with('T'))
        };
        let until = Instant::now() + Duration::from_secs(10);
        while !std::fs::read_dir(&threads).unwrap().flatten().all(stands) {
            assert!(Instant::now() < until, "the server does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it now.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(command: &mut Command, folder: &Path) -> Child {
    let log = std::fs::File::create(folder.join("server.log")).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The first of these programs that is there; else the test is to be skipped, and must not be where they are required.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let found = names.iter().find_map(|name| {
        let path = Path::new(name);
        if path.is_absolute() {
            return path.exists().then(|| path.to_owned());
        }
        std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.exists())
    });
    if found.is_none() {
        let text = format!("skipped: none of {names:?} is installed; `make setup` installs them");
        assert!(std::env::var_os("REQUIRE_COUNTERPARTS").is_none_or(|value| value != "1"), "{text}");
        eprintln!("{text}");
    }
    found
}

/// A folder that a server of another user may enter, and that this user owns unless [`as_nobody`] is used.
pub(crate) fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    folder
}

/// The command, run as nobody where tests run as root.
pub(crate) fn as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

/// Runs a command to its end; its output where it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}
