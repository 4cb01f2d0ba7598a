//! A sampling server's answer: a document, or an error of one line.

#![no_main]

use sidespan_core::sampling::remote::strategy::{Answer, Strategy};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let answer = Answer {
        status: Some(b"200"),
        body: input,
        body_bytes: input.len(),
    };
    match answer.document() {
        Ok(document) => {
            let strategy = Strategy::new(document.clone(), None);
            let again = Strategy::new(document, Some(strategy));
            assert!(!again.document().to_string().contains('\n'));
        }
        Err(fault) => assert!(!fault.to_string().contains(char::is_control)),
    }
});
