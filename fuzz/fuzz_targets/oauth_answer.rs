//! The property `oauth_answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("oauth_answer", data));
