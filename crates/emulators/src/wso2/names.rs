//! Names of users and groups with their user store before them: `DOMAIN/name` (wso2-scim.md 2.5, 2.10).

/// The user stores of a tenant.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    /// The one that names without a store are in.
    default: &'static str,
    others: Vec<String>,
    /// Whether names of the default store are shown with it.
    shows_default: bool,
}

/// A name with its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) store: String,
    pub(crate) name: String,
}

impl Stores {
    pub(crate) fn new(default: &'static str, others: &[String], shows_default: bool) -> Self {
        let others = others.iter().map(|name| name.to_ascii_uppercase()).collect();
        Self { default, others, shows_default }
    }

    /// The store of this name, whatever its case.
    pub(crate) fn find(&self, store: &str) -> Option<&str> {
        if store.eq_ignore_ascii_case(self.default) {
            return Some(self.default);
        }
        self.others.iter().find(|known| known.eq_ignore_ascii_case(store)).map(String::as_str)
    }

    /// Parts a name from its store; an unknown store is an error, with what it was called.
    pub(crate) fn part(&self, text: &str) -> Result<Name, String> {
        let (store, name) = match text.split_once('/') {
            None => (self.default, text),
            Some((store, name)) => (self.find(store).ok_or_else(|| store.to_owned())?, name),
        };
        Ok(Name { store: store.to_owned(), name: name.trim().to_owned() })
    }

    /// As it is stored and shown.
    pub(crate) fn shown(&self, name: &Name) -> String {
        if name.store == self.default && !self.shows_default {
            return name.name.clone();
        }
        format!("{}/{}", name.store, name.name)
    }

    /// A text in the form in which names are stored; texts with an unknown store stay as they are.
    pub(crate) fn canonical(&self, text: &str) -> String {
        self.part(text).map_or_else(|_unknown| text.to_owned(), |name| self.shown(&name))
    }

    /// The store that a stored name is in.
    pub(crate) fn of(&self, stored: &str) -> String {
        self.part(stored).map_or_else(|unknown| unknown, |name| name.store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_store_is_shown_in_asgardeo_and_not_in_identity_server() {
        let others = ["legacy".to_owned()];
        let identity_server = Stores::new("PRIMARY", &others, false);
        let asgardeo = Stores::new("DEFAULT", &others, true);
        for (text, in_is, in_asgardeo) in [
            ("ana", "ana", "DEFAULT/ana"),
            ("PRIMARY/ana", "ana", "PRIMARY/ana"),
            ("Legacy/ana", "LEGACY/ana", "LEGACY/ana"),
            ("other/ana", "other/ana", "other/ana"),
        ] {
            assert_eq!(identity_server.canonical(text), in_is);
            assert_eq!(asgardeo.canonical(text), in_asgardeo);
        }
        assert_eq!(identity_server.part("other/ana"), Err("other".to_owned()));
        assert_eq!((identity_server.of("ana"), asgardeo.of("LEGACY/a")), ("PRIMARY".to_owned(), "LEGACY".to_owned()));
    }
}
