//! The block of bytes as which a proxy serialises a header map.

#![no_main]

use sidespan_core::headers::RequestHeaders;
use sidespan_core::headers::pairs::HeaderPairs;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let bytes: usize = HeaderPairs::new(input)
        .map(|(name, value)| name.len() + value.len() + 10)
        .sum();
    assert!(bytes <= input.len());
    let _ = RequestHeaders::read(HeaderPairs::new(input));
});
