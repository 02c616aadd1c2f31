//! The property `scim_bulk`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("scim_bulk", data));
