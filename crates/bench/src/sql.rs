//! Part `sql`: extract of rows from PostgreSQL, beside `COPY … TO STDOUT` of the same rows in the same run.
//!
//! It starts a throwaway server on loopback, as nobody where it runs as root, and says so and goes on where none is there.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    Bench,
    project::Project,
    report::{Figure, Goal, Report, say},
};

/// Numbers of rows.
const SIZES: &[(u64, &str)] = &[(10_000, "10 k"), (100_000, "100 k"), (1_000_000, "1 M")];
/// The most memory, in MiB.
const MEMORY: f64 = 300.0;

/// Runs it.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let Some(server) = Postgres::start()? else {
        say("PostgreSQL is not installed: nothing is measured");
        return Ok(());
    };
    let sizes = if bench.is_quick { &SIZES[..2] } else { SIZES };
    let mut smallest = None;
    for (rows, name) in sizes {
        let peak = size(bench, report, &server, (*rows, name), smallest)?;
        smallest = smallest.or(Some(peak));
    }
    Ok(())
}

/// Measures one size; the peak of memory.
fn size(
    bench: &Bench,
    report: &mut Report,
    server: &Postgres,
    (rows, name): (u64, &str),
    smallest: Option<f64>,
) -> Result<f64> {
    server.fill(rows)?;
    let copy = server.copy()?;
    let text = format!(
        "[migration]\nname = \"bench\"\n[sources.people]\nconnector = \"sql\"\nurl = \"{}\"\n\
         query = \"select * from person\"\npassword_format = \"bcrypt\"\n[sources.people.columns]\nkey = \"id\"\n\
         email = \"email\"\ndisplay_name = \"name\"\npassword_hash = \"pw\"\ncreated = \"made\"\n",
        server.url()
    );
    let project = Project::with(bench, Project::folder(bench, "sql")?, &text)?;
    let (extract, said) = project.run(&["extract"])?;
    let read = said.pointer("/sources/0/new").and_then(Value::as_u64);
    ensure!(read == Some(rows), "{read:?} of {rows} rows were read");
    let count = f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
    report.add(
        Figure::new(format!("{name}: rows a second, beside COPY"), count / extract.wall, "/s").over(count / copy),
    )?;
    report.add(Figure::new(format!("{name}: extract, beside COPY"), extract.wall, "s").over(copy))?;
    let memory = Figure::new(format!("{name}: memory of extract"), extract.peak, "MiB").goal(Goal::AtMost(MEMORY));
    report.add(match smallest {
        Some(smallest) => memory.over(smallest),
        None => memory,
    })?;
    Ok(extract.peak)
}

/// A server that ends with its value.
struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    fn start() -> Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let folder = std::env::temp_dir().join(format!("sterna-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).context("making a folder for PostgreSQL")?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&folder, Some(65_534), Some(65_534))?;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let server = Self { folder, programs, port };
        let data = server.folder.join("data");
        let mut init = server.program("initdb");
        init.arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]);
        finish(&mut init)?;
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off -c shared_buffers=64MB",
            server.folder.display()
        );
        let mut start = server.program("pg_ctl");
        start
            .arg("-D")
            .arg(&data)
            .args(["-w", "-t", "30", "-l"])
            .arg(server.folder.join("log"))
            .args(["-o", &options, "start"]);
        finish(&mut start)?;
        Ok(Some(server))
    }

    /// One of its programs, run as nobody where this one runs as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.env("HOME", &self.folder).current_dir(&self.folder);
        command
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", &self.url()]);
        psql
    }

    fn fill(&self, rows: u64) -> Result<()> {
        let sql = format!(
            "drop table if exists person; create table person as select n::bigint as id, \
             'person' || n || '@example.org' as email, 'Person Number ' || n as name, \
             '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy' as pw, \
             timestamptz '2020-01-01' + n * interval '1 second' as made, n % 7 = 0 as active, md5(n::text) as tag \
             from generate_series(1, {rows}) n; alter table person add primary key (id); analyze person;"
        );
        finish(self.psql().args(["-c", &sql]))
    }

    /// Seconds of the bare way.
    fn copy(&self) -> Result<f64> {
        let began = Instant::now();
        finish(self.psql().args(["-c", "copy (select * from person) to stdout"]))?;
        Ok(began.elapsed().as_secs_f64())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        drop(finish(self.program("pg_ctl").arg("-D").arg(data).args(["-m", "immediate", "stop"])));
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The folder of PostgreSQL's server programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.into_iter().rev().find(|folder| Path::new(&folder.join("initdb")).exists())
}

fn finish(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("{}", command.get_program().display()))?;
    ensure!(status.success(), "{} ended with {status}", command.get_program().display());
    Ok(())
}
