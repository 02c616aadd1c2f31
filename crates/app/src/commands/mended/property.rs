//! What holds for any file of mended records; the fuzz target `mended` checks the same.

use sterna_core::port::REJECT_BYTES;
use sterna_engine::extract::MendedRecord;

/// Every line that is not blank is one record, in order, or the reading ends with its number; records are bounded.
pub(super) fn holds(data: &[u8], read: impl Fn(&[u8]) -> Result<Vec<MendedRecord>, (usize, String)>) {
    let lines = || data.split(|byte| *byte == b'\n').enumerate();
    let filled = lines().filter(|(_, line)| !line.trim_ascii().is_empty());
    match read(data) {
        Ok(records) => {
            assert_eq!(records.len(), filled.count(), "one record for each line");
            assert!(records.iter().all(|record| record.raw.len() <= 8 * REJECT_BYTES));
        }
        Err((number, why)) => {
            assert!(!why.is_empty());
            let (_, line) = lines().nth(number - 1).expect("a line of the file");
            assert!(!line.trim_ascii().is_empty(), "a blank line is no mistake");
            let before: Vec<&[u8]> = lines().take(number - 1).map(|(_, line)| line).collect();
            assert!(read(&before.join(&b'\n')).is_ok(), "it is the first mistake");
        }
    }
}
