//! Where reading goes on, as it is stored between pages.

use serde::{Deserialize, Serialize};

/// Where the next record begins, and what has to be known to go on there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place<X> {
    /// Byte of the file.
    pub at: u64,
    /// Line of the file, from 1.
    pub line: u64,
    /// How many records came before.
    pub records: u64,
    /// What the form has to know besides.
    pub form: X,
}
