//! The settings of `ldap-bind`, and what may be made of them.

use std::{path::PathBuf, time::Duration};

use sterna_core::{
    code::{Code, Finding},
    registry::Context,
    settings::{Kind, Need, SecretRef, Setting, Values},
};
use url::Url;

use crate::tls;

/// The settings of a connection to a directory, the same for the source and the check.
pub(crate) const LINE: [Setting; 4] = [
    Setting {
        name: "url",
        kind: Kind::Text,
        need: Need::Required,
        doc: "The directory: ldaps://HOST, or ldap://HOST, which is made safe by StartTLS.",
    },
    Setting {
        name: "start_tls",
        kind: Kind::Flag,
        need: Need::Optional,
        doc: "Whether ldap:// is made safe by StartTLS. Left out: yes, unless the host is this machine.",
    },
    Setting {
        name: "allow_open_line",
        kind: Kind::Flag,
        need: Need::Default("false"),
        doc: "Lets passwords travel without TLS to another machine.",
    },
    Setting {
        name: "ca_file",
        kind: Kind::Path,
        need: Need::Optional,
        doc: "The authorities to trust instead of the operating system's, a PEM file.",
    },
];

/// The settings of `connector = "ldap-bind"`.
pub(super) const SETTINGS: &[Setting] = &[
    LINE[0],
    LINE[1],
    LINE[2],
    LINE[3],
    Setting {
        name: "login",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "The account attribute that {login} stands for, as in mapping rules (`user_name`, `attributes.dn`). Left \
              out: the first local sign-in name.",
    },
    Setting {
        name: "bind_as",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "Whom to bind as: \"uid={login},ou=people,dc=example,dc=org\", \"{login}@corp.example\", or \"{login}\" with \
              login = \"attributes.dn\". Left out: the entry that user_filter finds.",
    },
    Setting {
        name: "base",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "Where user_filter searches, with all below.",
    },
    Setting {
        name: "user_filter",
        kind: Kind::Text,
        need: Need::Default("\"(uid={login})\""),
        doc: "The filter that finds the person's one entry, where bind_as is left out.",
    },
    Setting { name: "bind_dn", kind: Kind::Text, need: Need::Optional, doc: "The service account that searches." },
    Setting { name: "bind_password", kind: Kind::Secret, need: Need::Optional, doc: "Its password, by reference." },
];

/// Where and how to connect.
pub(crate) struct Line {
    pub(crate) url: String,
    pub(crate) start_tls: bool,
    pub(crate) ca_file: Option<PathBuf>,
}

/// How the name to bind as is found.
pub(super) enum Naming {
    /// A text with `{login}`; escaped as part of a distinguished name where the text is one.
    Template(String),
    /// A search by a service account.
    Search { base: String, filter: String, bind_dn: Option<String>, bind_password: Option<SecretRef> },
}

/// Everything that the check is made of.
pub(super) struct Config {
    pub(super) line: Line,
    pub(super) naming: Naming,
    pub(super) login: Option<String>,
}

/// How long opening a connection may take; an attempt's own deadline is mostly shorter.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

impl Config {
    /// Reads checked values.
    pub(super) fn new(values: &Values, context: &Context) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let line = line(values, context, &mut findings);
        let text = |name: &str| values.text(name).map(str::to_owned);
        let naming = match (text("bind_as"), text("base")) {
            (Some(template), _) => {
                if !template.contains("{login}") {
                    let finding = Finding::error(Code::E1005, "`bind_as` has no {login}: everybody would be the same");
                    findings.push(finding.hint("bind_as = \"uid={login},ou=people,dc=example,dc=org\""));
                }
                Naming::Template(template)
            }
            (None, Some(base)) => {
                let filter = text("user_filter").unwrap_or_default();
                if !filter.contains("{login}") || ldap3::parse_filter(filter.replace("{login}", "x")).is_err() {
                    let finding = Finding::error(Code::E1005, "`user_filter` is no filter with {login} (RFC 4515)");
                    findings.push(finding.hint("user_filter = \"(uid={login})\""));
                }
                Naming::Search { base, filter, bind_dn: text("bind_dn"), bind_password: values.secret("bind_password") }
            }
            (None, None) => {
                let finding = Finding::error(Code::E1006, "`ldap-bind` needs `bind_as`, or `base` to search in");
                findings.push(finding.hint("bind_as = \"uid={login},ou=people,dc=example,dc=org\""));
                Naming::Template(String::new())
            }
        };
        if findings.is_empty() { Ok(Self { line, naming, login: text("login") }) } else { Err(findings) }
    }
}

/// Reads the settings of [`LINE`].
pub(crate) fn line(values: &Values, context: &Context, findings: &mut Vec<Finding>) -> Line {
    let url = values.text("url").unwrap_or_default().to_owned();
    let parsed = Url::parse(&url).ok().filter(|url| ["ldap", "ldaps"].contains(&url.scheme()) && url.has_host());
    let here = parsed.as_ref().and_then(Url::host_str).is_some_and(tls::is_loopback);
    let is_plain = parsed.as_ref().is_some_and(|url| url.scheme() == "ldap");
    let start_tls = is_plain && values.flag("start_tls").unwrap_or(!here);
    if parsed.is_none() {
        let finding = Finding::error(Code::E1005, "`url` is no address of a directory");
        findings.push(finding.hint("url = \"ldaps://ldap.example.org\""));
    } else if parsed.as_ref().is_some_and(|url| url.password().is_some() || !url.username().is_empty()) {
        let finding = Finding::error(Code::E1007, "`url` holds a name or a password");
        findings.push(finding.hint("take it out, and set bind_dn and bind_password = { env = \"NAME\" }"));
    } else if is_plain && !start_tls && !here && values.flag("allow_open_line") != Some(true) {
        let finding = Finding::error(Code::E2304, "passwords would travel to another machine without TLS");
        findings.push(finding.hint("use ldaps://, or start_tls = true"));
    }
    let ca_file = values.text("ca_file").map(|path| context.project.join(path));
    Line { url, start_tls, ca_file }
}
