//! The property `emulator_batch`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("emulator_batch", data));
