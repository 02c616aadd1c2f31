//! The settings by which entries become accounts, the same for LDIF and LDAP.

use sterna_core::{
    code::{Code, Finding},
    settings::{Kind, Need, Setting, Values},
};

use super::{
    Rules,
    account::{Layout, Options},
};
use crate::text::Column;

/// How entries become accounts.
pub const RULES: [Setting; 8] = [
    Setting {
        name: "layout",
        kind: Kind::Choice(&["auto", "inetorgperson", "active-directory"]),
        need: Need::Default("\"auto\""),
        doc: "Whose attributes count; auto: Active Directory's for an entry with objectGUID or sAMAccountName.",
    },
    Setting {
        name: "key",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "The attribute that is an entry's own immutable id. Left out: entryUUID, nsUniqueId, ipaUniqueID or \
              objectGUID, whichever is there; else the first sign-in name.",
    },
    Setting {
        name: "sign_in",
        kind: Kind::Texts,
        need: Need::Optional,
        doc: "Attributes whose values are local sign-in names. Left out: uid (Active Directory: userPrincipalName, \
              else sAMAccountName), else mail.",
    },
    Setting {
        name: "ignore",
        kind: Kind::Texts,
        need: Need::Optional,
        doc: "Attributes that are not read at all. Every other one that has no place is kept as an attribute.",
    },
    Setting {
        name: "columns",
        kind: Kind::TextTable,
        need: Need::Optional,
        doc: "Account attribute = attribute of the directory; wins over what the layout says (docs/ldap.md).",
    },
    Setting {
        name: "clear_text_passwords",
        kind: Kind::Choice(&["keep", "drop"]),
        need: Need::Default("\"keep\""),
        doc: "What becomes of values of userPassword in clear text; drop: only the directory can tell such a password.",
    },
    Setting {
        name: "object_classes",
        kind: Kind::Texts,
        need: Need::Default(
            "[\"person\", \"inetOrgPerson\", \"organizationalPerson\", \"user\", \"posixAccount\", \"account\"]",
        ),
        doc: "Object classes whose entries are accounts; other entries are passed over. `computer` and `contact` are \
              none unless they are named here.",
    },
    Setting {
        name: "max_memberships",
        kind: Kind::Integer(0, 100_000_000),
        need: Need::Default("5000000"),
        doc: "Most memberships of groups that are held in memory, 16 bytes each; 0: groups are not read, only memberOf.",
    },
];

/// The rules that the values give.
///
/// # Errors
/// A finding for each name in `columns` that is no account attribute.
pub fn rules(values: &Values) -> Result<Rules, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut columns = Vec::new();
    for (name, from) in values.text_table("columns") {
        match Column::parse(&name) {
            Ok(column) => columns.push((column, from)),
            Err(near) => {
                let text = format!("`columns` has `{name}`, which is no account attribute");
                let finding = Finding::error(Code::E1004, text);
                let hint = near.map_or("docs/sources.md lists account attributes".to_owned(), |near| {
                    format!("did you mean `{near}`?")
                });
                findings.push(finding.hint(hint));
            }
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let layout = match values.text("layout") {
        Some("inetorgperson") => Layout::InetOrgPerson,
        Some("active-directory") => Layout::ActiveDirectory,
        _ => Layout::Auto,
    };
    Ok(Rules::new(Options {
        layout,
        key: values.text("key").map(str::to_owned),
        sign_in: values.get("sign_in").map(|_| values.texts("sign_in")),
        ignore: values.texts("ignore"),
        columns,
        clear_text: values.text("clear_text_passwords") != Some("drop"),
        object_classes: values.texts("object_classes"),
    }))
}

/// How many memberships of groups may be held.
pub fn most(values: &Values) -> usize {
    usize::try_from(values.count("max_memberships").unwrap_or(5_000_000)).unwrap_or(usize::MAX)
}

impl Rules {
    /// The rules of the default settings.
    pub fn usual() -> Self {
        let classes = ["person", "inetOrgPerson", "organizationalPerson", "user", "posixAccount", "account"];
        Self::new(Options {
            layout: Layout::Auto,
            key: None,
            sign_in: None,
            ignore: Vec::new(),
            columns: Vec::new(),
            clear_text: true,
            object_classes: classes.map(str::to_owned).to_vec(),
        })
    }
}
