//! The settings of `ldap`.

use std::time::Duration;

use sterna_core::{
    code::Finding,
    registry::Context,
    settings::{Kind, Need, SecretRef, Setting, Values},
};

use crate::{
    directory::RULES,
    ldap_bind::{LINE, Line, line},
};

/// The settings of `connector = "ldap"`.
pub(super) const SETTINGS: &[Setting] = &[
    LINE[0],
    LINE[1],
    LINE[2],
    LINE[3],
    Setting { name: "bind_dn", kind: Kind::Text, need: Need::Optional, doc: "The account that reads." },
    Setting { name: "bind_password", kind: Kind::Secret, need: Need::Optional, doc: "Its password, by reference." },
    Setting {
        name: "base",
        kind: Kind::Text,
        need: Need::Required,
        doc: "Where people are searched, with all below: \"ou=people,dc=example,dc=org\".",
    },
    Setting {
        name: "filter",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "Which entries are read (RFC 4515). Left out: those of `object_classes`.",
    },
    Setting {
        name: "attributes",
        kind: Kind::Texts,
        need: Need::Default("[\"*\", \"+\"]"),
        doc: "Which attributes are asked for; + are the operational ones, with ids and times.",
    },
    Setting {
        name: "group_base",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "Where groups are searched. Left out: in `base`.",
    },
    Setting {
        name: "group_filter",
        kind: Kind::Text,
        need: Need::Default(
            "\"(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=group))\"",
        ),
        doc: "Which entries are groups.",
    },
    Setting {
        name: "page_size",
        kind: Kind::Integer(1, 10_000),
        need: Need::Default("500"),
        doc: "How many entries the directory gives at once (RFC 2696); its own limit may be lower.",
    },
    Setting {
        name: "timeout_secs",
        kind: Kind::Integer(1, 3_600),
        need: Need::Default("60"),
        doc: "The longest wait for the next entry.",
    },
    RULES[0],
    RULES[1],
    RULES[2],
    RULES[3],
    RULES[4],
    RULES[5],
    RULES[6],
    RULES[7],
];

/// Everything that the source is made of besides its rules.
pub(super) struct Config {
    pub(super) line: Line,
    pub(super) bind_dn: Option<String>,
    pub(super) bind_password: Option<SecretRef>,
    pub(super) base: String,
    pub(super) filter: String,
    pub(super) attributes: Vec<String>,
    pub(super) group_base: String,
    pub(super) group_filter: String,
    pub(super) page_size: i32,
    pub(super) timeout: Duration,
}

impl Config {
    pub(super) fn new(values: &Values, context: &Context) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let line = line(values, context, &mut findings);
        let text = |name: &str| values.text(name).map(str::to_owned);
        let mut classes = String::new();
        for class in values.texts("object_classes") {
            classes.push_str("(objectClass=");
            classes.push_str(&ldap3::ldap_escape(class.as_str()));
            classes.push(')');
        }
        let filter = text("filter").unwrap_or_else(|| format!("(|{classes})"));
        let group_filter = text("group_filter").unwrap_or_default();
        for (name, filter) in [("filter", &filter), ("group_filter", &group_filter)] {
            if ldap3::parse_filter(filter).is_err() {
                let code = sterna_core::code::Code::E1005;
                findings.push(Finding::error(code, format!("`{name}` is no filter (RFC 4515)")));
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let base = text("base").unwrap_or_default();
        Ok(Self {
            bind_dn: text("bind_dn"),
            bind_password: values.secret("bind_password"),
            group_base: text("group_base").unwrap_or_else(|| base.clone()),
            base,
            filter,
            attributes: asked(values.texts("attributes")),
            group_filter,
            page_size: values.count("page_size").and_then(|size| i32::try_from(size).ok()).unwrap_or(500),
            timeout: Duration::from_secs(values.count("timeout_secs").unwrap_or(60)),
            line,
        })
    }
}

/// What is asked for; without the object classes nobody could tell people from groups.
fn asked(mut attributes: Vec<String>) -> Vec<String> {
    if !attributes.iter().any(|name| name == "*" || name.eq_ignore_ascii_case("objectClass")) {
        attributes.push("objectClass".to_owned());
    }
    attributes
}
