//! Under which name the attribute of an extension is kept: its short one where no other has that, else its full one
//! (`urn:…:User:department`). Decided by the schemas alone, so that it is the same for every person. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::scim::{CORE, ENTERPRISE, WSO2_SYSTEM};

/// Short names that more than one schema has.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    ambiguous: BTreeSet<String>,
}

impl Names {
    /// Reads the resources of `/Schemas`. WSO2 declares its own attributes in two extensions, which hold the same
    /// (wso2-scim.md 2.6).
    pub(super) fn read(schemas: &[Value]) -> Self {
        let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for schema in schemas {
            let Some(urn) = schema.get("id").and_then(Value::as_str) else { continue };
            if urn != CORE && (urn.contains(":core:2.0:") || urn.contains(":api:")) {
                continue;
            }
            let owner = if urn == WSO2_SYSTEM { ENTERPRISE } else { urn };
            let attributes = schema.get("attributes").and_then(Value::as_array).into_iter().flatten();
            for name in attributes.filter_map(|attribute| attribute.get("name").and_then(Value::as_str)) {
                owners.entry(name.to_lowercase()).or_default().insert(owner);
            }
        }
        Self { ambiguous: owners.into_iter().filter(|(_, owners)| owners.len() > 1).map(|(name, _)| name).collect() }
    }

    /// The name of an extension's attribute.
    pub(super) fn of(&self, urn: &str, name: &str) -> String {
        if self.ambiguous.contains(&name.to_lowercase()) || is_core(name) {
            format!("{urn}:{name}")
        } else {
            name.to_owned()
        }
    }
}

/// Attributes of a user that have a place or a name of their own (RFC 7643 4.1), whatever the service describes.
fn is_core(name: &str) -> bool {
    const CORE: &[&str] = &[
        "userName",
        "name",
        "displayName",
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "active",
        "password",
        "emails",
        "phoneNumbers",
        "ims",
        "photos",
        "addresses",
        "groups",
        "entitlements",
        "roles",
        "x509Certificates",
        "externalId",
        "id",
        "meta",
        "schemas",
    ];
    CORE.iter().any(|core| core.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attribute_is_kept_under_its_short_name_unless_two_schemas_have_it() {
        let schema = |urn: &str, names: &[&str]| {
            let attributes: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
            json!({"id": urn, "attributes": attributes})
        };
        let names = Names::read(&[
            schema(CORE, &["userName", "title"]),
            schema(ENTERPRISE, &["department", "country"]),
            schema(WSO2_SYSTEM, &["country", "accountLocked"]),
            schema("urn:x:User", &["Department", "level"]),
            schema("urn:ietf:params:scim:schemas:core:2.0:Group", &["level"]),
        ]);
        assert_eq!(names.of("urn:x:User", "level"), "level");
        assert_eq!(names.of("urn:x:User", "Department"), "urn:x:User:Department");
        assert_eq!(names.of(ENTERPRISE, "department"), format!("{ENTERPRISE}:department"));
        assert_eq!(names.of(WSO2_SYSTEM, "country"), "country");
        assert_eq!(Names::default().of("urn:x:User", "title"), "urn:x:User:title");
    }
}
