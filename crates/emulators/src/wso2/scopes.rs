//! Scopes: which request needs which (wso2-scim.md 2.2, 6).

use crate::scim::access::Caller;

/// What a request is for, as far as scopes tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Users,
    Groups,
    Roles,
    Links,
    LinksBulk,
}

/// What is done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    List,
    View,
    Create,
    Update,
    Delete,
}

impl Act {
    fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::View => "view",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// The umbrella over all operations of a bulk request.
const BULK: &str = "bulk_resource_create";

/// The scope of a request. Below `/o/` the names have `org_` in them.
pub(crate) fn needed(area: Area, act: Act, is_child: bool) -> String {
    let middle = match area {
        Area::Users => format!("user_mgt_{}", act.word()),
        // lists of groups and roles need no scope of their own
        Area::Groups | Area::Roles => {
            let word = if act == Act::List { "view" } else { act.word() };
            format!("{}_mgt_{word}", if area == Area::Groups { "group" } else { "role" })
        }
        Area::Links => {
            let word = if act == Act::List { "view" } else { act.word() };
            format!("user_association_{word}")
        }
        Area::LinksBulk => "user_fed_association_bulk".to_owned(),
    };
    named(&middle, is_child)
}

fn named(middle: &str, is_child: bool) -> String {
    format!("internal_{}{middle}", if is_child { "org_" } else { "" })
}

/// Whether a bulk request may come at all: with the umbrella, or any scope of the parts.
pub(crate) fn allow_bulk(caller: &Caller, is_child: bool) -> bool {
    let Some(own) = &caller.scopes else { return true };
    let part = named("bulk_", is_child);
    caller.may(&named(BULK, is_child)) || own.iter().any(|known| known.starts_with(&part))
}

/// Whether an operation of a bulk request may be carried out.
pub(crate) fn allow_in_bulk(caller: &Caller, area: Area, act: Act, is_child: bool) -> bool {
    let kind = match area {
        Area::Users | Area::Links | Area::LinksBulk => "user",
        Area::Groups => "group",
        Area::Roles => "role",
    };
    // what is only read in a bulk request needs the scope of reading
    let part = match act {
        Act::List | Act::View => needed(area, act, is_child),
        Act::Create | Act::Update | Act::Delete => named(&format!("bulk_{kind}_{}", act.word()), is_child),
    };
    caller.may(&named(BULK, is_child)) || caller.may(&part)
}

/// Every scope there is, for an application that may do everything.
pub(crate) fn all() -> Vec<String> {
    let mut scopes = Vec::new();
    for is_child in [false, true] {
        for area in [Area::Users, Area::Groups, Area::Roles, Area::Links, Area::LinksBulk] {
            for act in [Act::List, Act::View, Act::Create, Act::Update, Act::Delete] {
                scopes.push(needed(area, act, is_child));
            }
        }
        scopes.push(named(BULK, is_child));
        for kind in ["user", "group", "role"] {
            for act in [Act::Create, Act::Update, Act::Delete] {
                scopes.push(named(&format!("bulk_{kind}_{}", act.word()), is_child));
            }
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_reference() {
        for (area, act, is_child, name) in [
            (Area::Users, Act::List, false, "internal_user_mgt_list"),
            (Area::Users, Act::Create, true, "internal_org_user_mgt_create"),
            (Area::Groups, Act::List, false, "internal_group_mgt_view"),
            (Area::Roles, Act::Update, false, "internal_role_mgt_update"),
            (Area::Links, Act::List, false, "internal_user_association_view"),
            (Area::LinksBulk, Act::Create, false, "internal_user_fed_association_bulk"),
        ] {
            assert_eq!(needed(area, act, is_child), name);
            assert!(all().contains(&name.to_owned()), "{name}");
        }
    }

    #[test]
    fn bulk_needs_the_umbrella_or_a_part() {
        let caller = |names: &[&str]| Caller {
            name: "app".to_owned(),
            scopes: Some(names.iter().map(ToString::to_string).collect()),
        };
        assert!(!allow_bulk(&caller(&["internal_user_mgt_create"]), false));
        assert!(allow_bulk(&caller(&["internal_bulk_user_create"]), false));
        assert!(!allow_bulk(&caller(&["internal_bulk_user_create"]), true));
        let umbrella = caller(&["internal_org_bulk_resource_create"]);
        assert!(allow_bulk(&umbrella, true) && allow_in_bulk(&umbrella, Area::Groups, Act::Delete, true));
        assert!(!allow_in_bulk(&caller(&["internal_bulk_user_create"]), Area::Roles, Act::Create, false));
        let everything = Caller { name: "admin".to_owned(), scopes: None };
        assert!(allow_in_bulk(&everything, Area::Roles, Act::Create, false));
    }
}
