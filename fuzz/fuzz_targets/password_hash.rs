//! The property `password_hash`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("password_hash", data));
