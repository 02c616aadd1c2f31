//! A throwaway PostgreSQL.

use std::path::PathBuf;

use super::{Server, as_nobody, folder, free_port, program, run};

/// A PostgreSQL that ends with its value.
pub struct Postgres {
    /// Its process.
    pub server: Server,
    psql: PathBuf,
}

/// Starts one; `None` where it is not installed. The user `postgres` needs no password, `reader` has the password `secret`.
pub fn postgres() -> Option<Postgres> {
    let initdb = program(&["initdb", "/usr/lib/postgresql/15/bin/initdb"])?;
    let binary = program(&["postgres", "/usr/lib/postgresql/15/bin/postgres"])?;
    let psql = program(&["psql", "/usr/lib/postgresql/15/bin/psql"])?;
    let folder = folder();
    let data = folder.path().join("data");
    let mut init = as_nobody(&initdb);
    run(init.arg("-D").arg(&data).args([
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]));
    let rules = "host all reader 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
    std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
    let port = free_port();
    let mut command = as_nobody(&binary);
    command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-k", ""]);
    for option in ["listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off"] {
        command.args(["-c", option]);
    }
    let postgres = Postgres { server: Server::start(&mut command, port, folder), psql };
    for _ in 0..100 {
        if std::process::Command::new(&postgres.psql)
            .args([&postgres.url(), "-c", "SELECT 1"])
            .output()
            .unwrap()
            .status
            .success()
        {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    postgres.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT pg_read_all_data TO reader;");
    Some(postgres)
}

impl Postgres {
    /// Where it is, for the user that needs no password.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.server.port)
    }

    /// Where it is, for the user with a password.
    pub fn reader_url(&self) -> String {
        self.url().replace("postgres@", "reader@")
    }

    /// Runs statements; one that waits for another's lock fails before the test hangs.
    pub fn execute(&self, sql: &str) {
        let file = self.server.folder.path().join("in.sql");
        std::fs::write(&file, sql).unwrap();
        let mut command = std::process::Command::new(&self.psql);
        command.env("PGOPTIONS", "-c lock_timeout=30s");
        run(command.args([&self.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(file));
    }
}
