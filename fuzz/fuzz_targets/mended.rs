//! The file of mended records, whose reader stands in the program and not in a library.

#![no_main]

#[path = "../../crates/app/src/commands/mended.rs"]
#[allow(dead_code)] // the part that writes
mod mended;
#[path = "../../crates/app/src/commands/mended/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    property::holds(data, |data| mended::read_from(data));
});
