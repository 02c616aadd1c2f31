//! The property `hook_bodies`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("hook_bodies", data));
