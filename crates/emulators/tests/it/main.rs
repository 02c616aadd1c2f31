//! The emulators through their network side, as a client sees them.

mod support;
mod users;
