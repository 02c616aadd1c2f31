//! The schemas and resource types of these products: the RFCs' and the 99 attributes of the extensions (wso2-scim.md 2.6).

use serde::Deserialize;

use super::settings::{Kind, Settings, Version};
use crate::scim::schema::attribute::{Attribute, Mutability, Returned, Type, Uniqueness};
use crate::scim::schema::{Catalogue, ENTERPRISE, GROUP, Link, ResourceType, Schema, USER, group, user};

/// The system schema, since version 7.1.
pub(crate) const SYSTEM: &str = "urn:scim:wso2:schema";

/// The schema of roles.
pub(crate) const ROLE: &str = "urn:ietf:params:scim:schemas:extension:2.0:Role";

/// The product's own file of extension attributes.
const EXTENSIONS: &str = include_str!("data/schema-extension.json");

/// An entry of the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "attributeURI")]
    uri: String,
    attribute_name: String,
    data_type: String,
    multi_valued: String,
    description: String,
    mutability: String,
    returned: String,
}

/// The catalogue of a product.
///
/// # Errors
/// When the product's file is not of its form, which a test excludes.
pub(crate) fn catalogue(kind: Kind, settings: &Settings) -> Result<Catalogue, String> {
    let entries: Vec<Entry> = serde_json::from_str(EXTENSIONS).map_err(|error| error.to_string())?;
    let mut schemas = vec![users(settings), groups(), roles(), extension(&entries, ENTERPRISE, "EnterpriseUser")];
    if settings.version(kind) >= Version::V7_1 {
        schemas.push(extension(&entries, SYSTEM, "SystemUser"));
    }
    let custom = settings.custom_attributes.iter().map(|name| Attribute::string(name, "A custom attribute."));
    match schemas.iter_mut().find(|schema| schema.id == settings.custom_schema) {
        // some set-ups have the custom attributes among the product's own (2.6, CONTRADICTION)
        Some(own) => own.attributes.extend(custom),
        None => schemas.push(Schema {
            id: settings.custom_schema.clone(),
            name: "CustomUser".to_owned(),
            description: "Custom User".to_owned(),
            attributes: custom.collect(),
        }),
    }
    // the order of /ResourceTypes: enterprise, system, custom (2.3)
    let extensions = schemas[3..].iter().map(|schema| (schema.id.clone(), false)).collect();
    Ok(Catalogue::new(schemas, types(extensions)))
}

fn types(extensions: Vec<(String, bool)>) -> Vec<ResourceType> {
    let link = |attribute: &str, to: &str, back: &str| Link {
        attribute: attribute.to_owned(),
        to: vec![to.to_owned()],
        back: Some(back.to_owned()),
    };
    let kind = |name: &str, endpoint: &str, schema: &str| ResourceType {
        name: name.to_owned(),
        endpoint: endpoint.to_owned(),
        description: name.to_owned(),
        schema: schema.to_owned(),
        extensions: Vec::new(),
        links: Vec::new(),
        indexed: Vec::new(),
    };
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    vec![
        ResourceType { extensions, indexed: texts(&["externalId", "emails.value"]), ..kind("User", "/Users", USER) },
        // groups hold users only, of their own user store (2.10)
        ResourceType { links: vec![link("members", "User", "groups")], ..kind("Group", "/Groups", GROUP) },
        ResourceType {
            links: vec![link("users", "User", "roles"), link("groups", "Group", "roles")],
            indexed: texts(&["displayName"]),
            ..kind("Role", "/v2/Roles", ROLE)
        },
    ]
}

fn users(settings: &Settings) -> Schema {
    let mut schema = user();
    for attribute in &mut schema.attributes {
        match attribute.name.as_str() {
            "roles" => attribute.mutability = Mutability::ReadOnly,
            "emails" if settings.unique_emails => attribute.uniqueness = Uniqueness::Server,
            _ => {}
        }
    }
    schema
}

fn groups() -> Schema {
    let mut schema = group();
    for attribute in &mut schema.attributes {
        match attribute.name.as_str() {
            "displayName" => attribute.uniqueness = Uniqueness::Server,
            "members" => attribute.sub_attributes.push(Attribute::string("display", "The member's name.")),
            _ => {}
        }
    }
    let value = vec![Attribute::string("value", "The role's id.").exact(), Attribute::string("display", "Its name.")];
    schema.attributes.push(Attribute::complex("roles", "The roles of the group.", value).multi().read_only());
    schema
}

/// Roles of version 2: with an audience (wso2-scim.md 2.10).
fn roles() -> Schema {
    let member = |name: &str| {
        let sub = vec![
            Attribute::string("value", "The id.").exact(),
            Attribute::string("display", "The name."),
            Attribute::reference("$ref", &["User", "Group"], "The address."),
        ];
        Attribute::complex(name, "Who has the role.", sub).multi()
    };
    let audience = vec![
        Attribute::string("value", "The id of the application or organization.").exact(),
        Attribute::string("type", "What it is.").canonical(&["organization", "application"]),
        Attribute::string("display", "Its name."),
    ];
    let permission = vec![
        Attribute::string("value", "The scope.").exact(),
        Attribute::string("display", "Its name."),
        Attribute::reference("$ref", &["external"], "Its address."),
    ];
    Schema {
        id: ROLE.to_owned(),
        name: "Role".to_owned(),
        description: "Role".to_owned(),
        attributes: vec![
            Attribute::string("displayName", "The name of the role.").required().unique(),
            Attribute::complex("audience", "Where the role counts.", audience).mutability(Mutability::Immutable),
            Attribute::complex("permissions", "What the role allows.", permission).multi(),
            member("users"),
            member("groups"),
        ],
    }
}

fn extension(entries: &[Entry], urn: &str, name: &str) -> Schema {
    let below = |entry: &&Entry| entry.uri.strip_prefix(urn).is_some_and(|rest| rest.starts_with(':'));
    let path = |entry: &Entry| entry.uri[urn.len() + 1..].to_owned();
    let own: Vec<&Entry> = entries.iter().filter(below).collect();
    let top = own.iter().filter(|entry| !path(entry).contains('.'));
    let attributes = top.map(|entry| {
        let mut found = attribute(entry);
        let prefix = format!("{}.", path(entry));
        found.sub_attributes =
            own.iter().filter(|sub| path(sub).starts_with(&prefix)).map(|sub| attribute(sub)).collect();
        found
    });
    Schema { id: urn.to_owned(), name: name.to_owned(), description: name.to_owned(), attributes: attributes.collect() }
}

fn attribute(entry: &Entry) -> Attribute {
    let kind = match entry.data_type.as_str() {
        "boolean" => Type::Boolean,
        "integer" => Type::Integer,
        "complex" => Type::Complex,
        "reference" => Type::Reference,
        _ => Type::String,
    };
    let mut attribute = Attribute::new(&entry.attribute_name, kind, &entry.description);
    attribute.multi_valued = entry.multi_valued == "true";
    if entry.mutability.eq_ignore_ascii_case("readOnly") {
        attribute.mutability = Mutability::ReadOnly;
    }
    if entry.returned == "request" {
        attribute.returned = Returned::Request;
    }
    attribute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_schema_comes_with_7_1_and_the_custom_one_may_be_the_same() {
        let made = |version, custom: &str| {
            let settings = Settings { version, custom_schema: custom.to_owned(), ..Settings::default() };
            catalogue(Kind::IdentityServer, &settings).unwrap()
        };
        let custom = "urn:scim:schemas:extension:custom:User";
        let extensions = |catalogue: &Catalogue| -> Vec<String> {
            catalogue.extensions(0).map(|(schema, _)| schema.id.clone()).collect()
        };
        assert_eq!(extensions(&made(Version::V7_0, custom)), [ENTERPRISE, custom]);
        assert_eq!(extensions(&made(Version::V7_2, custom)), [ENTERPRISE, SYSTEM, custom]);
        let merged = made(Version::V7_2, SYSTEM);
        assert_eq!(extensions(&merged), [ENTERPRISE, SYSTEM]);
        let system = merged.schema(SYSTEM).unwrap();
        let find = |name: &str| crate::scim::schema::attribute::find(&system.attributes, name).cloned();
        assert!(find("is_migrated").is_some());
        let state = find("accountState").unwrap();
        assert_eq!((state.kind, state.mutability), (Type::String, Mutability::ReadOnly));
        assert_eq!(find("oneTimePassword").unwrap().returned, Returned::Request);
        assert!(find("emailAddresses").unwrap().multi_valued);
        assert_eq!(find("pendingEmails").unwrap().sub_attributes.len(), 2);
    }
}
