//! Every parser of outside data with what holds for any input: one function each, which panics when it does not.
//!
//! The fuzz crate calls them with what libFuzzer makes up (`make fuzz`), the test beside them with a bounded number of
//! mutated seeds. `mended.rs` of the program has its property beside itself, for it is in no library.

mod config;
mod directory;
mod emulator;
mod entra_calls;
pub(crate) mod entra_maker;
mod files;
mod graph;
mod hashes;
mod hooks;
mod legacy;
mod scim;
mod sources;
mod web;
mod wso2;

/// A target's name, which is also that of its folder of seeds, and its property.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("b2c_document", files::b2c),
    ("csv_rows", files::csv_rows),
    ("csv_fields", files::csv_fields),
    ("json_lines", files::json_lines),
    ("account_form", files::account_form),
    ("decoding", files::decoding),
    ("graph_users", graph::users),
    ("graph_batch", graph::batch),
    ("graph_errors", graph::errors),
    ("graph_token", graph::token),
    ("retry_after", graph::retry_after),
    ("next_link", graph::next_link),
    ("scim_bulk", scim::bulk),
    ("scim_answer", scim::answer),
    ("scim_page", scim::page),
    ("scim_user", scim::user),
    ("settings", config::settings),
    ("mapping", config::mapping),
    ("sealed", config::sealed),
    ("cursor", config::cursor),
    ("password_hash", hashes::read),
    ("password_check", hashes::check),
    ("ldif", directory::ldif),
    ("ldap_dn_filter", directory::dn_filter),
    ("held_hash", legacy::held),
    ("bind_answer", legacy::bind),
    ("oauth_answer", web::oauth),
    ("http_rules", web::rules),
    ("http_template", web::template),
    ("wso2_call", wso2::call),
    ("scim_users", sources::users),
    ("wso2_person", sources::person),
    ("hook_bodies", hooks::bodies),
    ("entra_password_context", entra_calls::context),
    ("entra_call", entra_calls::call),
    ("emulator_batch", emulator::batch),
    ("emulator_filter", emulator::filter),
    ("emulator_answer", emulator::answer),
    ("emulator_scenario", emulator::scenario),
];
