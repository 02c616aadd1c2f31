//! What a server says that a user has: its schemas, read once (RFC 7643 7, RFC 7644 4). Pure and tolerant: a server that
//! describes nothing is taken to hold what RFC 7643 defines.

use std::collections::BTreeMap;

use serde_json::Value;

/// Core attributes of a user (RFC 7643 4.1).
pub(crate) const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The enterprise extension (RFC 7643 4.3).
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// WSO2's own attributes, since Identity Server 7.1 (wso2-scim.md 2.6).
pub(crate) const WSO2_SYSTEM: &str = "urn:scim:wso2:schema";
/// Where WSO2 puts custom attributes unless it was configured otherwise (wso2-scim.md 2.6).
pub(super) const WSO2_CUSTOM: &str = "urn:scim:schemas:extension:custom:User";

/// Most attributes of one schema that are taken note of.
const MOST: usize = 5_000;

/// One attribute of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// Its name as the server writes it.
    pub(super) name: String,
    /// `string`, `boolean`, `integer`, `decimal`, `dateTime`, `complex` …
    pub(super) sort: String,
    /// Whether it holds a list.
    pub(super) is_list: bool,
    /// Whether clients may write it.
    pub(super) is_writable: bool,
    /// Whether it is given back without being asked for.
    pub(super) is_returned: bool,
    /// Values that it may have; empty: any.
    pub(super) canonical: Vec<String>,
}

/// What a user can hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schemas {
    /// Attributes of each schema by its URN, by their names in lower case.
    by_urn: BTreeMap<String, BTreeMap<String, Attribute>>,
    /// The extensions of a user, in the order in which the server lists them.
    extensions: Vec<String>,
}

impl Schemas {
    /// Reads the resources of `/Schemas` and `/ResourceTypes`.
    pub(super) fn read(schemas: &[Value], resource_types: &[Value]) -> Self {
        let mut read = Self::default();
        for schema in schemas {
            let Some(urn) = schema.get("id").and_then(Value::as_str) else { continue };
            let attributes = schema.get("attributes").and_then(Value::as_array).into_iter().flatten();
            let attributes = attributes.take(MOST).filter_map(attribute);
            read.by_urn.insert(urn.to_owned(), attributes.map(|one| (one.name.to_lowercase(), one)).collect());
        }
        let user = resource_types.iter().find(|kind| {
            let says = |name: &str, wanted: &str| kind.get(name).and_then(Value::as_str) == Some(wanted);
            says("schema", CORE) || says("name", "User") || says("id", "User")
        });
        let listed = user.and_then(|user| user.get("schemaExtensions")).and_then(Value::as_array);
        let urns = listed.into_iter().flatten().filter_map(|one| one.get("schema").and_then(Value::as_str));
        read.extensions = urns.map(str::to_owned).collect();
        if user.is_none() {
            let is_user = |urn: &&String| urn.as_str() != CORE && !urn.contains(":core:2.0:") && !urn.contains(":api:");
            read.extensions = read.by_urn.keys().filter(is_user).cloned().collect();
        }
        read
    }

    /// Whether the server described its users.
    pub(super) fn are_known(&self) -> bool {
        self.by_urn.contains_key(CORE)
    }

    /// Whether a user may have this core attribute: servers leave out what they do not hold, and refuse it then.
    pub(super) fn has_core(&self, name: &str) -> bool {
        self.by_urn.get(CORE).is_none_or(|attributes| {
            attributes.get(&name.to_lowercase()).is_some_and(|attribute| attribute.is_writable)
        })
    }

    /// Whether an attribute, by its path, comes back with every user. What the server does not describe does.
    pub(super) fn is_returned(&self, path: &str) -> bool {
        let (urn, name) = split(path).unwrap_or((CORE, path.split('.').next().unwrap_or(path)));
        let attribute = self.by_urn.get(urn).and_then(|attributes| attributes.get(&name.to_lowercase()));
        attribute.is_none_or(|attribute| attribute.is_returned)
    }

    /// The extensions of a user.
    pub(super) fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// An attribute of an extension.
    pub(super) fn extension(&self, urn: &str, name: &str) -> Option<&Attribute> {
        self.by_urn.get(urn)?.get(&name.to_lowercase())
    }

    /// The extension's attribute that a bare name means: the first extension that has a writable one. WSO2 declares its own
    /// attributes in the enterprise extension too (wso2-scim.md 2.6); they are meant where they belong.
    pub(super) fn find(&self, name: &str) -> Option<(&str, &Attribute)> {
        let own = self.extensions.iter().filter(|urn| *urn == WSO2_SYSTEM);
        own.chain(&self.extensions).find_map(|urn| {
            let attribute = self.extension(urn, name).filter(|attribute| attribute.is_writable)?;
            Some((urn.as_str(), attribute))
        })
    }

    /// The attribute with this full path, `urn:…:User:department`.
    pub(super) fn by_path(&self, path: &str) -> Option<(&str, &Attribute)> {
        self.extensions.iter().find_map(|urn| {
            let name = path.strip_prefix(urn.as_str())?.strip_prefix(':')?;
            Some((urn.as_str(), self.extension(urn, name)?))
        })
    }

    /// Where the product keeps attributes of its own, such as `askPassword` (wso2-scim.md 2.6).
    pub(super) fn system(&self) -> &'static str {
        if self.extensions.iter().any(|urn| urn == WSO2_SYSTEM) { WSO2_SYSTEM } else { ENTERPRISE }
    }
}

fn attribute(value: &Value) -> Option<Attribute> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = value.get("name").and_then(Value::as_str)?;
    let canonical = value.get("canonicalValues").and_then(Value::as_array).into_iter().flatten();
    Some(Attribute {
        name: name.to_owned(),
        sort: if text("type").is_empty() { "string".into() } else { text("type").to_owned() },
        is_list: flag(value.get("multiValued")),
        is_writable: !text("mutability").eq_ignore_ascii_case("readOnly"),
        is_returned: !["never", "request"].iter().any(|word| text("returned").eq_ignore_ascii_case(word))
            && !text("mutability").eq_ignore_ascii_case("writeOnly"),
        canonical: canonical.filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

/// The schema and the attribute of a full path, `urn:…:User:department` (RFC 7644 3.10).
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("urn:")?;
    path.rsplit_once(':')
}

/// A flag, also as a text, as WSO2 writes some.
pub(crate) fn flag(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_are_read_as_servers_write_them() {
        let schemas = [
            json!({"id": CORE, "attributes": [{"name": "userName", "type": "string"}, {"name": "id", "mutability": "readOnly"}]}),
            json!({"id": "urn:x:custom", "attributes": [
                {"name": "tier", "multiValued": "false", "mutability": "readWrite", "canonicalValues": ["gold"]},
                {"name": "seen", "type": "dateTime", "mutability": "readonly"}, {"no": "name"}]}),
            json!({"attributes": []}),
        ];
        // WSO2's `schemas` here is a bare text, and does not matter
        let types = [
            json!({"schemas": "urn", "name": "User", "schemaExtensions": [{"schema": ENTERPRISE}, {"schema": "urn:x:custom"}]}),
        ];
        let read = Schemas::read(&schemas, &types);
        assert!(read.are_known() && read.has_core("USERNAME") && !read.has_core("id") && !read.has_core("title"));
        assert_eq!(read.find("Tier").map(|(urn, one)| (urn, one.name.as_str())), Some(("urn:x:custom", "tier")));
        assert_eq!(read.find("seen"), None);
        assert_eq!(read.by_path("urn:x:custom:seen").map(|(_, one)| one.is_writable), Some(false));
        assert_eq!(read.system(), ENTERPRISE);
    }

    #[test]
    fn a_server_that_says_nothing_holds_what_the_standard_defines() {
        let read = Schemas::read(&[], &[]);
        assert!(!read.are_known() && read.has_core("title") && read.extensions().is_empty());
        let one = Schemas::read(&[json!({"id": ENTERPRISE, "attributes": [{"name": "department"}]})], &[]);
        assert_eq!(one.find("department").map(|(urn, _)| urn), Some(ENTERPRISE));
    }
}
