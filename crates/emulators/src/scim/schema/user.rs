//! The User schema (RFC 7643 4.1, 8.7.1) and the Enterprise User extension (4.3).

use super::attribute::{Attribute, Mutability, Returned};
use super::{ENTERPRISE, Schema, USER};

/// `urn:ietf:params:scim:schemas:core:2.0:User`
pub(crate) fn user() -> Schema {
    let mut attributes = vec![
        Attribute::string("userName", "What the user signs in with, unique at this service.").required().unique(),
        name(),
    ];
    attributes.extend(plain());
    attributes.push(Attribute::boolean("active", "Whether the user may do anything."));
    attributes.push(
        Attribute::string("password", "In clear text on the way in, never on the way out.")
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
    );
    attributes.extend(multi_valued());
    Schema { id: USER.to_owned(), name: "User".to_owned(), description: "User Account".to_owned(), attributes }
}

fn name() -> Attribute {
    Attribute::complex(
        "name",
        "The parts of the user's name.",
        vec![
            Attribute::string("formatted", "The whole name, for display."),
            Attribute::string("familyName", "The family name, or last name."),
            Attribute::string("givenName", "The given name, or first name."),
            Attribute::string("middleName", "The middle names."),
            Attribute::string("honorificPrefix", "A title before the name."),
            Attribute::string("honorificSuffix", "What follows the name."),
        ],
    )
}

fn plain() -> Vec<Attribute> {
    vec![
        Attribute::string("displayName", "The name to show."),
        Attribute::string("nickName", "The casual name."),
        Attribute::reference("profileUrl", &["external"], "A page about the user."),
        Attribute::string("title", "The title in the organization."),
        Attribute::string("userType", "The relation of the user to the organization."),
        Attribute::string("preferredLanguage", "As in Accept-Language."),
        Attribute::string("locale", "A language tag, for dates and currencies."),
        Attribute::string("timezone", "A time zone of the IANA database."),
    ]
}

fn multi_valued() -> Vec<Attribute> {
    let work = &["work", "home", "other"];
    vec![
        values("emails", "E-mail addresses.", Attribute::string("value", "An address."), work),
        values(
            "phoneNumbers",
            "Phone numbers.",
            Attribute::string("value", "A number."),
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        values(
            "ims",
            "Addresses for instant messages.",
            Attribute::string("value", "An address."),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        values(
            "photos",
            "Addresses of pictures.",
            Attribute::reference("value", &["external"], "A picture."),
            &["photo", "thumbnail"],
        ),
        addresses(work),
        groups(),
        values("entitlements", "What the user is entitled to.", Attribute::string("value", "An entitlement."), &[]),
        values("roles", "Roles of the user.", Attribute::string("value", "A role."), &[]),
        values(
            "x509Certificates",
            "Certificates of the user.",
            Attribute::new("value", super::attribute::Type::Binary, "A certificate in DER, in base64."),
            &[],
        ),
    ]
}

/// A multi-valued attribute with the usual sub-attributes (RFC 7643 2.4).
fn values(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    let sub = vec![
        value,
        Attribute::string("display", "The value, for display."),
        Attribute::string("type", "What the value is for.").canonical(types),
        Attribute::boolean("primary", "Whether it is the preferred value."),
    ];
    Attribute::complex(name, description, sub).multi()
}

fn addresses(types: &[&str]) -> Attribute {
    let sub = vec![
        Attribute::string("formatted", "The whole address, for display."),
        Attribute::string("streetAddress", "Street and number."),
        Attribute::string("locality", "The city."),
        Attribute::string("region", "The state or region."),
        Attribute::string("postalCode", "The postal code."),
        Attribute::string("country", "The country, ISO 3166-1 alpha-2."),
        Attribute::string("type", "What the address is for.").canonical(types),
        Attribute::boolean("primary", "Whether it is the preferred value."),
    ];
    Attribute::complex("addresses", "Postal addresses.", sub).multi()
}

fn groups() -> Attribute {
    let sub = vec![
        Attribute::string("value", "The group's id.").exact().read_only(),
        Attribute::reference("$ref", &["User", "Group"], "The group's address.").read_only(),
        Attribute::string("display", "The group's name.").read_only(),
        Attribute::string("type", "Whether the user is a member by itself or through another group.")
            .canonical(&["direct", "indirect"])
            .read_only(),
    ];
    Attribute::complex("groups", "The groups that the user is in; changed at the groups.", sub).multi().read_only()
}

/// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`
pub(crate) fn enterprise() -> Schema {
    let manager = vec![
        Attribute::string("value", "The manager's id.").exact(),
        Attribute::reference("$ref", &["User"], "The manager's address."),
        Attribute::string("displayName", "The manager's name.").read_only(),
    ];
    Schema {
        id: ENTERPRISE.to_owned(),
        name: "EnterpriseUser".to_owned(),
        description: "Enterprise User".to_owned(),
        attributes: vec![
            Attribute::string("employeeNumber", "The number in the organization."),
            Attribute::string("costCenter", "The cost center."),
            Attribute::string("organization", "The organization."),
            Attribute::string("division", "The division."),
            Attribute::string("department", "The department."),
            Attribute::complex("manager", "The user's manager.", manager),
        ],
    }
}
