//! The emulator `scim` through its network side.

mod access;
mod bulk;
mod changes;
mod create;
mod discovery;
mod faults;
mod filters;
mod foreign;
mod groups;
mod lists;
mod patches;
mod quirks;
mod quota;
mod state;
mod world;
