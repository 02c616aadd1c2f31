//! A throwaway MariaDB.

use std::{path::PathBuf, process::Stdio};

use super::{Server, as_nobody, folder, free_port, program, run};

/// A MariaDB that ends with its value.
pub struct MariaDb {
    /// Its process.
    pub server: Server,
    client: PathBuf,
}

/// Starts one; `None` where it is not installed. The user `reader` has the password `secret`, root has none.
pub fn mariadb() -> Option<MariaDb> {
    let install = program(&["mariadb-install-db"])?;
    let binary = program(&["mariadbd", "/usr/sbin/mariadbd"])?;
    let client = program(&["mariadb"])?;
    let folder = folder();
    let data = format!("--datadir={}", folder.path().join("data").display());
    let normal = "--auth-root-authentication-method=normal";
    run(as_nobody(&install).args(["--no-defaults", "--basedir=/usr", &data, normal, "--skip-test-db"]));
    let port = free_port();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let mut command = as_nobody(&binary);
    command.args(["--no-defaults", &data, "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0"]);
    command.args([format!("--port={port}"), format!("--socket={}", place("s")), format!("--pid-file={}", place("p"))]);
    let mariadb = MariaDb { server: Server::start(&mut command, port, folder), client };
    mariadb.run("mysql", "CREATE DATABASE app CHARACTER SET utf8mb4; CREATE USER reader@'%' IDENTIFIED BY 'secret'; GRANT SELECT ON app.* TO reader@'%'; CREATE USER reader@localhost IDENTIFIED BY 'secret'; GRANT SELECT ON app.* TO reader@localhost;");
    Some(mariadb)
}

impl MariaDb {
    /// Where it is, for root, who needs no password.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/app", self.server.port)
    }

    /// Where it is, for the user with a password.
    pub fn reader_url(&self) -> String {
        self.url().replace("root@", "reader@")
    }

    /// Runs statements.
    pub fn execute(&self, sql: &str) {
        self.run("app", sql);
    }

    fn run(&self, database: &str, sql: &str) {
        let file = self.server.folder.path().join("in.sql");
        std::fs::write(&file, sql).unwrap();
        let mut command = std::process::Command::new(&self.client);
        command.args(["--no-defaults", "--protocol=tcp", "-h127.0.0.1", "-uroot"]);
        command.arg(format!("-P{}", self.server.port)).arg(database);
        let output = command.stdin(Stdio::from(std::fs::File::open(file).unwrap())).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
