//! What directories have in common, whatever way their entries come: as LDIF or over LDAP.
//!
//! Start at [`Rules`] in `account.rs`, which makes an account of an [`Entry`]. `names.rs` takes distinguished
//! names apart (RFC 4514), `password.rs` reads `userPassword`, `groups.rs` keeps who is in which group.
//! Not here: the grammar of LDIF (`crate::ldif`), the network (`crate::ldap`).

mod account;
mod entry;
mod groups;
mod names;
mod password;
mod settings;
mod times;

pub use account::Rules;
pub use entry::{Attribute, Entry};
pub(crate) use groups::{BY_DN, BY_NAME};
pub use groups::{Memberships, TooMany};
pub use names::{first_value, normalised};
pub use settings::{RULES, most, rules};
pub use times::{file_time, generalized_time};
