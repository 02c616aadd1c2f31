//! The service of the RFCs: everything that they describe, nothing besides.

use super::product::Product;
use super::profile::{Features, Limits, Profile};
use super::quirk::QUIRKS;
use super::resource::incoming::Leniency;
use super::schema::standard;

struct Strict;

impl Product for Strict {}

/// The profile of the emulator `scim`.
pub(crate) fn profile() -> Profile {
    Profile {
        bases: vec!["/scim/v2".to_owned()],
        token_paths: vec!["/oauth2/token".to_owned()],
        association_path: None,
        organization: None,
        limits: Limits::default(),
        features: Features::default(),
        catalogue: standard(),
        quota: Vec::new(),
        scopes: Vec::new(),
        quirks: QUIRKS.iter().collect(),
        read_delay_ms: 0,
        leniency: Leniency::default(),
        product: Box::new(Strict),
    }
}
