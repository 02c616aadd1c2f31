//! An account out of an entry, by the layout of its directory.

use base64::{Engine, engine::general_purpose::STANDARD};
use sterna_core::account::{Account, Credential, Identity};

use super::{Entry, Memberships, file_time, generalized_time, password};
use crate::text::{Column, Columns, Given, Mistake};

/// Whose attributes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Auto,
    InetOrgPerson,
    ActiveDirectory,
}

/// What the settings say.
pub(super) struct Options {
    pub(super) layout: Layout,
    pub(super) key: Option<String>,
    pub(super) sign_in: Option<Vec<String>>,
    pub(super) ignore: Vec<String>,
    pub(super) columns: Vec<(Column, String)>,
    pub(super) clear_text: bool,
    pub(super) object_classes: Vec<String>,
}

/// How entries become accounts.
pub struct Rules {
    options: Options,
    columns: Columns,
}

/// Attributes that hold secrets: never kept as attributes.
const SECRET: &[&str] = &[
    "userPassword",
    "unicodePwd",
    "dBCSPwd",
    "ntPwdHistory",
    "lmPwdHistory",
    "supplementalCredentials",
    "pwdHistory",
    "passwordHistory",
    "sambaPasswordHistory",
    "userPKCS12",
    "ms-Mcs-AdmPwd",
    "msDS-ManagedPassword",
    "authPassword",
    "sambaNTPassword",
    "sambaLMPassword",
    "ipaNTHash",
    "krbPrincipalKey",
    "krbExtraData",
];

/// Immutable ids, the first that is there counts.
const KEYS: &[&str] = &["entryUUID", "nsUniqueId", "ipaUniqueID", "objectGUID"];

/// Account attributes and the directory's attributes that they are taken from, the first that is there.
const PLACES: &[(&str, &[&str])] = &[
    ("display_name", &["displayName", "cn"]),
    ("given_name", &["givenName"]),
    ("family_name", &["sn"]),
    ("middle_name", &["middleName", "initials"]),
    ("title", &["title"]),
    ("preferred_language", &["preferredLanguage"]),
    ("email", &["mail"]),
    ("emails", &["mail"]),
    ("phone", &["mobile", "telephoneNumber"]),
    ("phones", &["mobile", "telephoneNumber"]),
    ("address.street", &["street", "streetAddress"]),
    ("address.locality", &["l"]),
    ("address.region", &["st"]),
    ("address.postal_code", &["postalCode"]),
    ("address.country", &["c", "co"]),
];

/// Instants, likewise.
const TIMES: &[(&str, &[&str])] = &[
    ("created", &["createTimestamp", "whenCreated"]),
    ("updated", &["modifyTimestamp", "whenChanged"]),
    ("last_sign_in", &["lastLogonTimestamp", "authTimestamp", "pwdLastSuccess"]),
    ("password_changed", &["pwdChangedTime", "pwdLastSet"]),
];

/// Attributes that say more than one thing; they count where it is said, and have no further place.
const USED: &[&str] = &["objectClass", "memberOf", "pwdReset", "proxyAddresses"];

/// `userAccountControl`: the account is disabled.
const ACCOUNT_DISABLE: u64 = 0x2;

impl Rules {
    pub(super) fn new(options: Options) -> Self {
        Self { options, columns: Columns::default() }
    }

    /// Whether the entry is a person's, rather than a group, a unit or a machine.
    pub fn is_account(&self, entry: &Entry) -> bool {
        let wanted = |class: &str| self.options.object_classes.iter().any(|known| known.eq_ignore_ascii_case(class));
        let is_machine = ["computer", "contact"].iter().any(|class| entry.is_a(class) && !wanted(class));
        !is_machine && entry.texts("objectClass").any(wanted)
    }

    /// Makes an account.
    ///
    /// # Errors
    /// As [`Columns::account`].
    pub fn account(&self, entry: &Entry, groups: &Memberships) -> Result<Account, Mistake> {
        let is_ad = self.is_active_directory(entry);
        let names = self.sign_in_names(entry, is_ad);
        let mut values = Values::default();
        places(entry, groups, is_ad, &mut values);
        if let Some(key) = self.key(entry) {
            values.put("key", vec![key]);
        } else if let Some(first) = names.first() {
            values.put("key", vec![first.canonical()]);
        }
        self.rest(entry, &mut values);
        let columns: Vec<(Column, Vec<String>)> = values.0;
        let given = columns.iter().map(|(column, texts)| (column, given(column, texts)));
        let mut account = self.columns.account(given)?;
        account.identities.retain(|identity| !identity.is_local());
        account.identities.splice(0..0, names);
        if account.credential == Credential::Nothing {
            account.credential = match password::credential(entry.values("userPassword"), self.options.clear_text) {
                Credential::HeldByLegacy if !account.is_local() => Credential::Nothing,
                credential => credential,
            };
        }
        Ok(account)
    }

    fn is_active_directory(&self, entry: &Entry) -> bool {
        match self.options.layout {
            Layout::ActiveDirectory => true,
            Layout::InetOrgPerson => false,
            Layout::Auto => !entry.values("objectGUID").is_empty() || entry.text("sAMAccountName").is_some(),
        }
    }

    fn key(&self, entry: &Entry) -> Option<String> {
        let one = |name: &str| {
            let value = entry.values(name).first()?;
            if name.eq_ignore_ascii_case("objectGUID") { guid(value) } else { entry.text(name).map(str::to_owned) }
        };
        match &self.options.key {
            Some(name) => one(name),
            None => KEYS.iter().find_map(|name| one(name)),
        }
    }

    fn sign_in_names(&self, entry: &Entry, is_ad: bool) -> Vec<Identity> {
        if let Some(attributes) = &self.options.sign_in {
            let mut names: Vec<Identity> = Vec::new();
            for text in attributes.iter().flat_map(|name| entry.texts(name)) {
                let name = local(text);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            return names;
        }
        let usual: &[&str] = if is_ad { &["userPrincipalName", "sAMAccountName", "mail"] } else { &["uid", "mail"] };
        usual.iter().find_map(|name| entry.text(name)).map(local).into_iter().collect()
    }

    /// What the settings say, and everything else under its own name.
    fn rest(&self, entry: &Entry, values: &mut Values) {
        for (column, from) in &self.options.columns {
            let texts: Vec<String> = entry.texts(from).map(str::to_owned).collect();
            if !texts.is_empty() {
                values.set(column.clone(), texts);
            }
        }
        values.set(Column::Attribute("dn".to_owned()), vec![entry.dn.clone()]);
        for attribute in &entry.attributes {
            let name = attribute.name.as_str();
            let is = |known: &&str| known.eq_ignore_ascii_case(name);
            let has_place = PLACES.iter().chain(TIMES).any(|(_, from)| from.iter().any(is));
            let mapped = self.options.columns.iter().any(|(_, from)| from.eq_ignore_ascii_case(name));
            let ignored = self.options.ignore.iter().any(|known| known.eq_ignore_ascii_case(name));
            let bare = name.split(';').next().unwrap_or(name);
            let is_secret = SECRET.iter().any(|known| known.eq_ignore_ascii_case(bare));
            if has_place || mapped || ignored || is_secret || USED.iter().chain(KEYS).any(is) {
                continue;
            }
            let texts = attribute.values.iter().map(|value| match std::str::from_utf8(value) {
                Ok(text) if !text.contains('\0') => text.to_owned(),
                _ => STANDARD.encode(value),
            });
            values.set(Column::Attribute(name.to_owned()), texts.collect());
        }
    }
}

/// What the layout says.
fn places(entry: &Entry, groups: &Memberships, is_ad: bool, values: &mut Values) {
    for (place, from) in PLACES {
        let is_list = ["emails", "phones"].contains(place);
        let found = from.iter().filter(|name| entry.text(name).is_some());
        let texts: Vec<String> = if is_list {
            found.flat_map(|name| entry.texts(name)).map(str::to_owned).collect()
        } else {
            found.take(1).filter_map(|name| entry.text(name)).map(str::to_owned).collect()
        };
        values.put(place, texts);
    }
    for (place, from) in TIMES {
        let found = from.iter().find_map(|name| entry.text(name));
        let at = found.and_then(|text| generalized_time(text).or_else(|| file_time(text)));
        values.put(place, at.map(|at| at.to_string()).into_iter().collect());
    }
    let aliases = entry.texts("proxyAddresses").filter_map(|alias| alias.split_at_checked(5));
    let (main, others): (Vec<_>, Vec<_>) =
        aliases.filter(|(kind, _)| kind.eq_ignore_ascii_case("smtp:")).partition(|(kind, _)| *kind == "SMTP:");
    let addresses = main.iter().chain(&others).map(|(_, address)| (*address).to_owned());
    values.add("emails", addresses.collect());
    if let (Some((_, address)), None) = (main.first(), entry.text("mail")) {
        values.put("email", vec![(*address).to_owned()]);
    }
    values.put("groups", groups.of(entry));
    values.put("active", is_active(entry).map(|active| active.to_string()).into_iter().collect());
    if entry.is_true("pwdReset") || (is_ad && entry.text("pwdLastSet") == Some("0")) {
        values.put("must_change_password", vec!["true".to_owned()]);
    }
}

/// Values of an account's attributes, in order; the last one set counts.
#[derive(Default)]
struct Values(Vec<(Column, Vec<String>)>);

impl Values {
    fn put(&mut self, name: &str, texts: Vec<String>) {
        if let (Ok(column), false) = (Column::parse(name), texts.is_empty()) {
            self.set(column, texts);
        }
    }

    fn add(&mut self, name: &str, texts: Vec<String>) {
        let Ok(column) = Column::parse(name) else { return };
        let mut all: Vec<String> =
            self.0.iter().find(|(known, _)| *known == column).map_or_else(Vec::new, |(_, texts)| texts.clone());
        for text in texts {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(&text)) {
                all.push(text);
            }
        }
        if !all.is_empty() {
            self.set(column, all);
        }
    }

    fn set(&mut self, column: Column, texts: Vec<String>) {
        self.0.retain(|(known, _)| *known != column);
        self.0.push((column, texts));
    }
}

fn given<'t>(column: &Column, texts: &'t [String]) -> Given<'t> {
    let is_list = match column {
        Column::Named(name) => ["emails", "phones", "groups", "roles"].contains(name),
        Column::Attribute(_) => texts.len() > 1,
        Column::Federated(_) | Column::Password(_) => false,
    };
    match texts {
        [first, ..] if !is_list => Given::Text(first),
        texts => Given::Texts(texts.iter().map(String::as_str).collect()),
    }
}

/// A name that is an e-mail address counts as one, like everywhere.
fn local(text: &str) -> Identity {
    let text = text.trim();
    if email_address::EmailAddress::is_valid(text) { Identity::email(text) } else { Identity::user_name(text) }
}

/// Whether the account may be used, where the entry says so.
fn is_active(entry: &Entry) -> Option<bool> {
    const NEVER: &str = "000001010000Z";
    let off = ["nsAccountLock", "ds-pwp-account-disabled", "loginDisabled"].iter().any(|name| entry.is_true(name));
    if off || entry.text("pwdAccountLockedTime") == Some(NEVER) {
        return Some(false);
    }
    let flags = entry.text("userAccountControl")?.parse::<u64>().ok()?;
    Some(flags & ACCOUNT_DISABLE == 0)
}

/// Sixteen bytes as Active Directory prints them: the first three fields have their low byte first.
fn guid(bytes: &[u8]) -> Option<String> {
    match <[u8; 16]>::try_from(bytes) {
        Ok(bytes) => Some(uuid::Uuid::from_bytes_le(bytes).to_string()),
        Err(_) => std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty()).map(str::to_owned),
    }
}
