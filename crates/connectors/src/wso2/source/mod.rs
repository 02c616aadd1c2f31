//! The source `wso2-is`: people of WSO2 Identity Server out of the product's own tables, with their password hashes
//! (wso2-scim.md 7), or over SCIM.
//!
//! Over SCIM it is the source `scim` (`crate::scim_source`) with the product's addresses. For the tables start at
//! `database.rs`. `reading.rs` opens the snapshots and puts a page of people together, `tables.rs` has the tables
//! and the queries, `person.rs` makes accounts (pure), with `claims.rs` (which attribute is what) and `digest.rs` (how
//! passwords are kept). Not here: connections and values of databases (`crate::sql`).

mod claims;
mod database;
mod digest;
pub mod outside;
mod person;
mod preflight;
mod reading;
mod settings;
mod tables;

use sterna_core::{
    code::Finding,
    port::Source,
    registry::{Context, SourceKind},
    settings::{Setting, Values},
    support::{Gives, SourceSupport},
};

use database::DatabaseSource;
use person::Rules;
use settings::{Databases, Where};

use crate::scim_source::ScimSource;

/// The kind in the registry.
pub struct Kind;

impl SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "wso2-is"
    }

    fn title(&self) -> &'static str {
        "WSO2 Identity Server, out of its database or over SCIM"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SETTINGS
    }

    fn sample(&self) -> &'static str {
        "via = \"database\"\n\
         url = \"postgres://reader@db.example.org:5432/userdb\"      # or mysql://…\n\
         password = { env = \"WSO2_DB_PASSWORD\" }                # of a user that may only read\n\
         # identity_url = \"postgres://reader@db.example.org:5432/identitydb\"\n\
         # shared_url = \"postgres://reader@db.example.org:5432/shareddb\"\n\
         # password_digest = \"SHA-256\"                          # as in [user_store] of deployment.toml\n\
         # via = \"scim\"                                        # without hashes: url = \"https://is.example.org:9443\", and a way in\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport {
            gives: &[Gives::Identities, Gives::Groups, Gives::Roles, Gives::Passwords, Gives::Hashes],
            tested_with: &["PostgreSQL", "MariaDB"],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let via_scim = values.text("via") == Some("scim");
        let strangers = settings::strangers(values, via_scim);
        if !strangers.is_empty() {
            return Err(strangers);
        }
        if via_scim {
            return Ok(Box::new(ScimSource::new(settings::over_scim(values)?, context.clone())));
        }
        let place = Where::new(values);
        match (Databases::new(values, context), Rules::new(values, &place.store)) {
            (Ok(databases), Ok(rules)) => {
                let page_size = values.count("page_size").and_then(|size| usize::try_from(size).ok()).unwrap_or(500);
                Ok(Box::new(DatabaseSource { databases, place, rules, page_size, snapshot: None }))
            }
            (databases, rules) => Err([databases.err(), rules.err()].into_iter().flatten().flatten().collect()),
        }
    }
}
