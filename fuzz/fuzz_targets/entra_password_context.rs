//! The property `entra_password_context`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("entra_password_context", data));
