//! The property `emulator_answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("emulator_answer", data));
