//! Attribute rules of a project: what of an account goes into which attribute of the target.
//!
//! [`Mapper`] is the place behind which richer languages come; [`Rules`] are the simple per-attribute ones of
//! `[mapping]`: take from, join, trim, lower, upper, table, default, constant, omit.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use crate::account::{Account, Identity, LocalName};

/// What a rule may look like, for error messages.
pub const HELP: &str = "write a source attribute in quotes, or { from = \"a\" or [\"a\", \"b\"], join = \" \", trim = true, \
lower = true, upper = true, table = { x = \"y\" }, default = \"…\" }, { constant = … } or { omit = true }";

/// Gives attributes of the target for an account; they win over the connector's default mapping.
pub trait Mapper: Send + Sync {
    /// The attributes by the target's name; JSON null leaves an attribute out that the default mapping would give.
    fn map(&self, account: &Account) -> BTreeMap<String, Value>;
}

/// Rules by the target's attribute name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(BTreeMap<String, Rule>);

/// How one attribute of the target is made.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the rule's own language")]
pub struct Rule {
    from: Vec<String>,
    join: Option<String>,
    trim: bool,
    lower: bool,
    upper: bool,
    table: Option<BTreeMap<String, String>>,
    default: Option<Value>,
    constant: Option<Value>,
    omit: bool,
}

impl Rules {
    /// Reads checked `[mapping]` values; rules that are wrong were told by the settings checker.
    pub fn from_value(value: &Value) -> Self {
        let members = value.as_object().into_iter().flatten();
        Self(members.filter_map(|(name, rule)| Some((name.clone(), Rule::from_value(rule).ok()?))).collect())
    }

    /// The target attributes that rules are given for.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Each target attribute with the source attributes that its rule takes from; none for a constant or an omission.
    pub fn lineage(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, rule)| (name.as_str(), rule.from.as_slice()))
    }

    /// The source attributes that rules take from, for lineage and checks.
    pub fn takes(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|rule| rule.from.iter().map(String::as_str))
    }
}

impl Mapper for Rules {
    fn map(&self, account: &Account) -> BTreeMap<String, Value> {
        let mapped = self.0.iter().filter_map(|(name, rule)| Some((name.clone(), rule.apply(account)?)));
        mapped.collect()
    }
}

impl Rule {
    /// Reads one rule.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        let table = match value {
            Value::String(from) if !from.is_empty() => {
                return Ok(Self { from: vec![from.clone()], ..Self::default() });
            }
            Value::Object(table) => table,
            _ => return Err("a rule is a text or a table".to_owned()),
        };
        let mut rule = Self::default();
        for (key, value) in table {
            rule.set(key, value)?;
        }
        let ways = [!rule.from.is_empty(), rule.constant.is_some(), rule.omit];
        match ways.iter().filter(|way| **way).count() {
            1 => Ok(rule),
            0 => Err("a rule needs one of `from`, `constant` or `omit`".to_owned()),
            _ => Err("a rule has only one of `from`, `constant` and `omit`".to_owned()),
        }
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let flag = || value.as_bool().ok_or_else(|| format!("`{key}` must be true or false"));
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| format!("`{key}` must be a text"));
        match key {
            "from" => {
                self.from = match value {
                    Value::Array(list) => list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
                    _ => vec![text()?],
                };
            }
            "join" => self.join = Some(text()?),
            "trim" => self.trim = flag()?,
            "lower" => self.lower = flag()?,
            "upper" => self.upper = flag()?,
            "omit" => self.omit = flag()?,
            "default" => self.default = Some(value.clone()),
            "constant" => self.constant = Some(value.clone()),
            "table" => {
                let table = value.as_object().ok_or("`table` must be a table of texts")?;
                let entries = table.iter().map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())));
                self.table = Some(entries.collect::<Option<_>>().ok_or("`table` must be a table of texts")?);
            }
            _ => {
                let known = ["from", "join", "trim", "lower", "upper", "table", "default", "constant", "omit"];
                let near = crate::settings::nearest(key, known.into_iter());
                return Err(match near {
                    Some(near) => format!("a rule has no `{key}`; did you mean `{near}`?"),
                    None => format!("a rule has no `{key}`"),
                });
            }
        }
        Ok(())
    }

    fn apply(&self, account: &Account) -> Option<Value> {
        if self.omit {
            return Some(Value::Null);
        }
        if let Some(constant) = &self.constant {
            return Some(constant.clone());
        }
        let found = self.from.iter().filter_map(|path| lookup(account, path)).filter(|value| !is_empty(value));
        let value = match &self.join {
            Some(separator) => {
                let parts: Vec<String> =
                    found.map(|value| self.change(&text_of(&value))).filter(|t| !t.is_empty()).collect();
                (!parts.is_empty()).then(|| Value::from(parts.join(separator)))
            }
            None => found.into_iter().next().map(|value| self.change_value(value)),
        };
        let value = value.filter(|value| !is_empty(value));
        value.and_then(|value| self.look_up(value)).or_else(|| self.default.clone())
    }

    fn change_value(&self, value: Value) -> Value {
        if (self.trim || self.lower || self.upper) && value.is_string() {
            return Value::from(self.change(&text_of(&value)));
        }
        value
    }

    fn change(&self, text: &str) -> String {
        let text = if self.trim { text.trim() } else { text };
        match (self.lower, self.upper) {
            (true, _) => text.to_lowercase(),
            (false, true) => text.to_uppercase(),
            (false, false) => text.to_owned(),
        }
    }

    fn look_up(&self, value: Value) -> Option<Value> {
        match &self.table {
            Some(table) => table.get(&text_of(&value)).map(|text| Value::from(text.as_str())),
            None => Some(value),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text_of).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The value of an account's attribute by its name in rules: a name of the account form (`given_name`, `email`,
/// `address.locality`), else the source's own name (`attributes.plan`, or `plan`).
pub fn lookup(account: &Account, path: &str) -> Option<Value> {
    let profile = &account.profile;
    let text = |value: &Option<String>| value.as_deref().map(Value::from);
    let address =
        |of: fn(&crate::account::Address) -> &Option<String>| profile.address.as_ref().and_then(|a| text(of(a)));
    match path {
        "key" => Some(Value::from(account.key.as_str())),
        "display_name" => text(&profile.display_name),
        "given_name" => text(&profile.given_name),
        "family_name" => text(&profile.family_name),
        "middle_name" => text(&profile.middle_name),
        "nick_name" => text(&profile.nick_name),
        "title" => text(&profile.title),
        "preferred_language" => text(&profile.preferred_language),
        // somebody who signs in with an address has it, whether or not the source says so twice
        "email" => profile.email().or_else(|| local(account, LocalName::Email)).map(Value::from),
        "phone" => profile.phone().or_else(|| local(account, LocalName::Phone)).map(Value::from),
        "emails" => Some(profile.emails.iter().map(|contact| contact.value.as_str()).collect()),
        "phones" => Some(profile.phones.iter().map(|contact| contact.value.as_str()).collect()),
        "user_name" => local(account, LocalName::UserName).map(Value::from),
        "active" => profile.active.map(Value::from),
        "groups" => Some(profile.groups.iter().map(String::as_str).collect()),
        "roles" => Some(profile.roles.iter().map(String::as_str).collect()),
        "address.street" => address(|a| &a.street),
        "address.locality" => address(|a| &a.locality),
        "address.region" => address(|a| &a.region),
        "address.postal_code" => address(|a| &a.postal_code),
        "address.country" => address(|a| &a.country),
        "created" => profile.times.created.map(|at| Value::from(at.to_string())),
        "last_sign_in" => profile.times.last_sign_in.map(|at| Value::from(at.to_string())),
        _ => custom(account, path),
    }
}

fn custom(account: &Account, path: &str) -> Option<Value> {
    let attributes = &account.profile.attributes;
    let path = path.strip_prefix("attributes.").map_or(Cow::Borrowed(path), Cow::Borrowed);
    if let Some(value) = attributes.get(path.as_ref()) {
        return Some(value.clone());
    }
    let (first, rest) = path.split_once('.')?;
    let pointer = format!("/{}", rest.replace('.', "/"));
    attributes.get(first)?.pointer(&pointer).cloned()
}

fn local(account: &Account, wanted: LocalName) -> Option<&str> {
    account.identities.iter().find_map(|identity| match identity {
        Identity::Local { name, value } if *name == wanted => Some(value.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ids::SourceKey;

    fn ana() -> Account {
        let mut account = Account::new(SourceKey::new("1").unwrap());
        account.profile.given_name = Some(" Ana ".into());
        account.profile.family_name = Some("Pérez".into());
        account.profile.add_email("Ana@Example.org", None);
        account.profile.attributes.insert("country".into(), json!("Spain"));
        account.profile.attributes.insert("app".into(), json!({"plan": "gold"}));
        account
    }

    #[expect(clippy::needless_pass_by_value, reason = "a table of literals")]
    fn check(rule: Value, expected: Option<Value>) {
        let rules = Rules::from_value(&json!({ "x": rule }));
        assert_eq!(rules.map(&ana()).remove("x"), expected);
    }

    #[test]
    fn rules_take_join_trim_lower_look_up_and_default() {
        check(json!("family_name"), Some(json!("Pérez")));
        check(json!({"from": ["given_name", "family_name"], "join": " ", "trim": true}), Some(json!("Ana Pérez")));
        check(json!({"from": "email", "lower": true}), Some(json!("ana@example.org")));
        check(json!({"from": ["nick_name", "family_name"]}), Some(json!("Pérez")));
        check(json!({"from": "country", "table": {"Spain": "ES"}}), Some(json!("ES")));
        check(json!({"from": "country", "table": {"Peru": "PE"}, "default": "??"}), Some(json!("??")));
        check(json!({"from": "attributes.app.plan"}), Some(json!("gold")));
        check(json!({"from": "nick_name"}), None);
        check(json!({"constant": 7}), Some(json!(7)));
        check(json!({"omit": true}), Some(Value::Null));
    }

    #[test]
    fn a_sign_in_address_is_an_address_where_the_record_gives_no_other() {
        let mut account = Account::new(SourceKey::new("1").unwrap());
        account.identities.push(Identity::email("bo@example.org"));
        assert_eq!(lookup(&account, "email"), Some(json!("bo@example.org")));
        account.profile.add_email("main@example.org", None);
        assert_eq!(lookup(&account, "email"), Some(json!("main@example.org")));
        assert_eq!(lookup(&account, "phone"), None);
    }

    #[test]
    fn wrong_rules_are_told_with_the_nearest_word() {
        let mistake = Rule::from_value(&json!({"form": "x"})).unwrap_err();
        assert!(mistake.contains("did you mean `from`?"), "{mistake}");
        assert!(Rule::from_value(&json!({"from": "a", "constant": 1})).is_err());
        assert!(Rule::from_value(&json!({"trim": true})).is_err());
    }
}
