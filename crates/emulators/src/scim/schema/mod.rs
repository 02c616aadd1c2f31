//! Schemas and resource types as data (RFC 7643): what validation, answers, filters and discovery are made from.

pub(crate) mod attribute;
mod catalogue;
mod group;
mod user;

use serde::{Deserialize, Serialize};

use self::attribute::{Attribute, Mutability, Returned};
pub(crate) use catalogue::{Catalogue, Kind, Place, Spot};
pub(crate) use group::group;
pub(crate) use user::{enterprise, user};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
pub(crate) const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
pub(crate) const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
pub(crate) const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
pub(crate) const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub(crate) const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(crate) const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
pub(crate) const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// A schema (RFC 7643 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schema {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) attributes: Vec<Attribute>,
}

/// A kind of resource (RFC 7643 6), with what the emulator has to know besides.
#[derive(Debug, Clone)]
pub(crate) struct ResourceType {
    /// `User`
    pub(crate) name: String,
    /// `/Users`; may have several segments.
    pub(crate) endpoint: String,
    pub(crate) description: String,
    /// The core schema.
    pub(crate) schema: String,
    /// Extensions, and whether each has to be there.
    pub(crate) extensions: Vec<(String, bool)>,
    /// Attributes that hold references to other resources of this service.
    pub(crate) links: Vec<Link>,
    /// Paths whose values are indexed beside the unique ones: what clients look up by.
    pub(crate) indexed: Vec<String>,
}

/// A multi-valued core attribute whose values are ids of resources: kept as a set, shown on both sides.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// `members`
    pub(crate) attribute: String,
    /// Names of the resource types that it may lead to.
    pub(crate) to: Vec<String>,
    /// The read-only core attribute of the other side that lists where it is linked from: `groups`.
    pub(crate) back: Option<String>,
}

/// The attributes that every resource has (RFC 7643 3.1).
pub(crate) fn common() -> Vec<Attribute> {
    let meta = vec![
        Attribute::string("resourceType", "The name of the resource's type.").exact().read_only(),
        Attribute::new("created", attribute::Type::DateTime, "When it was made.").read_only(),
        Attribute::new("lastModified", attribute::Type::DateTime, "When it was changed last.").read_only(),
        Attribute::reference("location", &["uri"], "Its address.").read_only(),
        Attribute::string("version", "Its version, as an entity tag.").exact().read_only(),
    ];
    vec![
        Attribute::reference("schemas", &["uri"], "The schemas of the resource.").multi().returned(Returned::Always),
        Attribute::string("id", "The service's name for the resource.")
            .exact()
            .mutability(Mutability::ReadOnly)
            .returned(Returned::Always)
            .unique(),
        Attribute::string("externalId", "The client's name for the resource.").exact(),
        Attribute::complex("meta", "About the resource.", meta).read_only(),
    ]
}

/// The resource types of the RFC: users with the enterprise extension, and groups, which may hold groups.
pub(crate) fn standard() -> Catalogue {
    let users = ResourceType {
        name: "User".to_owned(),
        endpoint: "/Users".to_owned(),
        description: "User Account".to_owned(),
        schema: USER.to_owned(),
        extensions: vec![(ENTERPRISE.to_owned(), false)],
        links: Vec::new(),
        indexed: vec!["externalId".to_owned(), "emails.value".to_owned()],
    };
    let groups = ResourceType {
        name: "Group".to_owned(),
        endpoint: "/Groups".to_owned(),
        description: "Group".to_owned(),
        schema: GROUP.to_owned(),
        extensions: Vec::new(),
        links: vec![Link {
            attribute: "members".to_owned(),
            to: vec!["User".to_owned(), "Group".to_owned()],
            back: Some("groups".to_owned()),
        }],
        indexed: vec!["externalId".to_owned(), "displayName".to_owned()],
    };
    Catalogue::new(vec![user(), enterprise(), group()], vec![users, groups])
}
