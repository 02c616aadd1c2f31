//! Where the database is and how it is spoken to: the settings that the source and the legacy check share.

use std::{path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;
use sterna_core::{
    code::{Code, Finding},
    registry::Context,
    settings::{Kind, Need, SecretRef, Setting, Values},
};

use super::failure::{Failure, Fault};
use crate::tls;

/// The settings of a connection.
pub(crate) const CONNECTION: [Setting; 6] = [
    Setting {
        name: "url",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "postgres://USER@HOST:PORT/DATABASE or mysql://USER@HOST:PORT/DATABASE, without the password. For a Unix \
              socket add ?socket=PATH.",
    },
    Setting {
        name: "path",
        kind: Kind::Path,
        need: Need::Optional,
        doc: "The file of an SQLite database, instead of `url`.",
    },
    Setting {
        name: "password",
        kind: Kind::Secret,
        need: Need::Optional,
        doc: "The password of the database user; it should be a user that may only read.",
    },
    Setting {
        name: "tls",
        kind: Kind::Choice(&["auto", "require", "off"]),
        need: Need::Default("\"auto\""),
        doc: "require: encrypted and the certificate checked, or no connection. auto: off on this machine, else \
              require.",
    },
    Setting {
        name: "ca_file",
        kind: Kind::Path,
        need: Need::Optional,
        doc: "PEM file with the authorities that the server's certificate is checked by, instead of the usual ones.",
    },
    Setting {
        name: "timeout_secs",
        kind: Kind::Integer(1, 3_600),
        need: Need::Default("30"),
        doc: "The longest that connecting, or the next page of rows, may take.",
    },
];

/// The products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// PostgreSQL and what speaks its protocol.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// An SQLite file.
    Sqlite,
}

/// Where and how.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) engine: Engine,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) socket: Option<PathBuf>,
    pub(super) file: PathBuf,
    pub(super) encrypted: bool,
    pub(super) ca_file: Option<PathBuf>,
    pub(crate) timeout: Duration,
    password: Option<SecretRef>,
    secrets: Arc<dyn sterna_core::settings::Secrets>,
}

impl Connection {
    /// Takes the settings apart.
    ///
    /// # Errors
    /// Findings about values that do not fit together.
    pub(crate) fn new(values: &Values, context: &Context) -> Result<Self, Vec<Finding>> {
        let mut this = Self {
            engine: Engine::Sqlite,
            host: String::new(),
            port: 0,
            user: String::new(),
            database: String::new(),
            socket: None,
            file: PathBuf::new(),
            encrypted: false,
            ca_file: values.text("ca_file").map(|path| context.project.join(path)),
            timeout: Duration::from_secs(values.count("timeout_secs").unwrap_or(30)),
            password: values.secret("password"),
            secrets: Arc::clone(&context.secrets),
        };
        let place = match (values.text("url"), values.text("path")) {
            (Some(url), None) => this.place(url, context),
            (None, Some(path)) => {
                this.file = context.project.join(path);
                Ok(())
            }
            _ => Err(Finding::error(Code::E1005, "either `url` or `path` says which database is meant")),
        };
        place.map_err(|finding| vec![finding])?;
        this.encrypted = match values.text("tls") {
            Some("off") => false,
            Some("require") => this.engine != Engine::Sqlite,
            _ => !this.is_here(),
        };
        Ok(this)
    }

    fn place(&mut self, text: &str, context: &Context) -> Result<(), Finding> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            self.file = context.project.join(path.strip_prefix("//").unwrap_or(path));
            return Ok(());
        }
        // the text may hold a password: it is never quoted
        let wrong = |what: &str| Finding::error(Code::E1005, format!("`url` {what}"));
        let url = url::Url::parse(text).map_err(|_| wrong("is no URL"))?;
        (self.engine, self.port) = match url.scheme() {
            "postgres" | "postgresql" => (Engine::Postgres, 5432),
            "mysql" | "mariadb" => (Engine::Mysql, 3306),
            _ => return Err(wrong("must begin with postgres://, mysql:// or sqlite:")),
        };
        if url.password().is_some() {
            return Err(Finding::error(Code::E1007, "`url` holds a password")
                .hint("take it out, and set password = { env = \"NAME\" }"));
        }
        self.port = url.port().unwrap_or(self.port);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host.clone_into(&mut self.host);
        self.user = decoded(url.username()).ok_or_else(|| wrong("has a user that is no text"))?;
        self.database = decoded(url.path().trim_start_matches('/')).ok_or_else(|| wrong("has no database"))?;
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "socket" => self.socket = Some(PathBuf::from(value.as_ref())),
                _ => return Err(wrong("may have no parameter but `socket`; TLS is set with `tls` and `ca_file`")),
            }
        }
        if self.host.is_empty() && self.socket.is_none() {
            return Err(wrong("names no host"));
        }
        if self.user.is_empty() || self.database.is_empty() {
            return Err(wrong("must name a user and a database: postgres://USER@HOST/DATABASE"));
        }
        Ok(())
    }

    fn is_here(&self) -> bool {
        self.engine == Engine::Sqlite || self.socket.is_some() || tls::is_loopback(&self.host)
    }

    /// A warning where rows, and so password hashes, would travel in the clear.
    pub(crate) fn open_line(&self) -> Option<Finding> {
        (!self.encrypted && !self.is_here()).then(|| {
            Finding::warning(Code::E2304, "`tls` is off, and the database is on another machine")
                .hint("set tls = \"require\"; password hashes travel over this line")
        })
    }

    /// The password of the database user, if it has one.
    pub(super) fn password(&self) -> Result<Option<SecretString>, Failure> {
        let revealed = self.password.as_ref().map(|reference| self.secrets.reveal(reference)).transpose();
        revealed.map_err(|finding| Failure::new(Fault::Secret, finding.message))
    }
}

fn decoded(text: &str) -> Option<String> {
    // a form decoder would take `+` for a space
    let escaped = text.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map_or(Some(String::new()), |(name, _)| (!name.contains('\u{fffd}')).then(|| name.into_owned()))
}
