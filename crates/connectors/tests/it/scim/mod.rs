//! SCIM targets, against a server that nobody here wrote, and against one that misbehaves.

mod access;
mod apply;
mod emulated;
mod inventory;
mod misbehaving;
mod odd;
mod responder;
mod world;

pub(crate) use emulated::Emulated;
pub(crate) use world::World;
