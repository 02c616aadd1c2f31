//! The property `password_check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("password_check", data));
