//! The Group schema (RFC 7643 4.2, 8.7.1).

use super::attribute::{Attribute, Mutability};
use super::{GROUP, Schema};

/// `urn:ietf:params:scim:schemas:core:2.0:Group`. `displayName` is required, as 4.2 has it.
pub(crate) fn group() -> Schema {
    let members = vec![
        Attribute::string("value", "The member's id.").exact().mutability(Mutability::Immutable),
        Attribute::reference("$ref", &["User", "Group"], "The member's address.").mutability(Mutability::Immutable),
        Attribute::string("type", "What the member is.")
            .canonical(&["User", "Group"])
            .mutability(Mutability::Immutable),
    ];
    Schema {
        id: GROUP.to_owned(),
        name: "Group".to_owned(),
        description: "Group".to_owned(),
        attributes: vec![
            Attribute::string("displayName", "The group's name.").required(),
            Attribute::complex("members", "Users and groups that are in the group.", members).multi(),
        ],
    }
}
