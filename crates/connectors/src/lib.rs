//! Everything Sterna knows of each product it reads from or writes to: one folder per product.
//!
//! Start at [`registry`], where every kind of source and target stands in one line.
//! Not here: the order of things (`sterna-engine`), the ledger, and anything that answers a sign-in.

pub mod registry;
