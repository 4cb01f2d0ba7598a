//! `pluginConfig`: checked values, or errors of one line each.

#![no_main]

use sidespan_core::config::Config;
use sidespan_core::node::Node;
use sidespan_core::tracer::decide::Tracer;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match Config::parse(input) {
        Ok(config) => drop(Tracer::new(&config, &Node::default())),
        Err(errors) => {
            assert!(!errors.is_empty());
            let text: String = errors.iter().map(ToString::to_string).collect();
            assert!(!text.contains('\n'), "an error is one line: {text}");
        }
    }
});
