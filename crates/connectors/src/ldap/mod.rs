//! `ldap`: the people of a directory or of Active Directory, read page by page.
//!
//! `reading.rs` searches, `source.rs` makes pages of it; what becomes of an entry is `crate::directory`'s, connections are
//! those of `crate::ldap_bind`.

mod reading;
mod settings;
mod source;

use sterna_core::{
    code::Finding,
    port::Source,
    registry::{Context, SourceKind},
    settings::{Setting, Values},
    support::{Gives, SourceSupport},
};

use crate::directory;

/// The kind in the registry.
pub struct Kind;

impl SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "ldap"
    }

    fn title(&self) -> &'static str {
        "a directory or Active Directory, over LDAP"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SETTINGS
    }

    fn sample(&self) -> &'static str {
        "url = \"ldaps://ldap.example.org\"\n\
         base = \"ou=people,dc=example,dc=org\"\n\
         bind_dn = \"cn=reader,dc=example,dc=org\"      # needs the right to read userPassword, where hashes shall come along\n\
         bind_password = { env = \"LDAP_PASSWORD\" }\n\
         # sign_in = [\"uid\", \"mail\"]                  # attributes that people sign in with\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport {
            gives: &[Gives::Identities, Gives::Groups, Gives::Roles, Gives::Passwords, Gives::Hashes],
            tested_with: &["OpenLDAP"],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let config = settings::Config::new(values, context)?;
        let rules = directory::rules(values)?;
        let secrets = std::sync::Arc::clone(&context.secrets);
        Ok(Box::new(source::LdapSource::new(config, rules, directory::most(values), secrets)))
    }
}
