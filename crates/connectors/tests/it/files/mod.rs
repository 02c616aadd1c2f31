//! The file sources.
