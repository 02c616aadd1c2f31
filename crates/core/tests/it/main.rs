//! The tests of `core` that need a binary of their own: password hashes against vectors, hostile input, the documents.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod hashes;
