//! The property `emulator_filter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("emulator_filter", data));
