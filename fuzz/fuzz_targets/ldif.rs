//! The property `ldif`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("ldif", data));
