//! The ledger: the project's database of every account, its planned action, its states and every step.
//!
//! The only SQL on Sterna's own data is here (design.md 4, 6.4, 7, 8). Personal data is sealed, looked up through keyed
//! digests, and gone for good when the data key is. Start at [`Ledger`]; [`status::read`] needs no key. Not here: what
//! the states mean (`sterna_core::state`), the order of things (`sterna-engine`).

mod again;
pub mod audit;
mod error;
mod index;
pub mod key;
mod ledger;
mod lock;
mod made;
pub mod named;
pub mod planning;
pub mod reading;
mod schema;
pub mod seal;
pub mod sending;
pub mod sign_in;
mod sorted;
pub mod status;
pub mod steps;
mod store;

pub use error::LedgerError;
pub use index::PassEnd;
pub use ledger::{Ledger, Presence};
pub use lock::PhaseLock;
