//! What the file sources share: text of any encoding, read in bounded pieces, with a cursor that outlives a crash.
//!
//! Start at [`FileSource`] in `source.rs`: it opens, detects, pages, resumes; a [`Form`] (one per connector) takes
//! records out of the text. `reader.rs` gives UTF-8 with the file's own byte offsets, `columns.rs` makes accounts of
//! named values, `node.rs` reads one JSON value strictly.

mod columns;
mod encoding;
mod file;
mod line;
mod node;
mod place;
mod reader;
mod settings;
mod source;
mod words;

pub use columns::{Column, Columns, Given};
pub use encoding::{Detected, Encoding, Stated, detect};
pub use file::{Mark, Opened};
pub(crate) use file::{fingerprint, unreadable};
pub use line::{Line, next_line};
#[cfg(test)]
pub(crate) use node::NUL;
pub use node::{Mistake, Node};
pub(crate) use node::{strict_value, through_serde, twice};
pub use place::Place;
pub use reader::{CHUNK, Reader};
pub use settings::{COLUMN_RULES, ENCODING, MAX_RECORD_BYTES, PATH, common};
pub use source::{FileSource, Form, account_or_rejected, cut, plain_text, read_all, rejected};
pub(crate) use source::{MENDED, keep_head};
pub(crate) use words::{NO, YES, instant};
