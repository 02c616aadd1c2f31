//! One resource: how it comes in, how it changes, how it is shown.

pub(crate) mod change;
pub(crate) mod draft;
pub(crate) mod incoming;
pub(crate) mod patch;
mod patch_path;
mod patch_values;
pub(crate) mod projection;
pub(crate) mod view;
