//! The fuzz target: `cargo +nightly fuzz run formats`, in the folder `parsers`.
#![no_main]

use calproof_parsers_fuzz::check;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| check(input));
