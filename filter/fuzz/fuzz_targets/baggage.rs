//! Baggage in W3C's form and the older ones, denied in part, limited, and read by key.

#![no_main]

use sidespan_core::propagation::baggage;
use sidespan_core::propagation::settings::{Baggage, BaggageSource};
use sidespan_core::stats::Stats;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let list = sidespan_fuzz::headers(input);
    let configured = Baggage {
        deny: vec!["secret*".into(), "*-id".into()],
        max_bytes: Some(256),
        from: vec![BaggageSource::Jaeger, BaggageSource::OtTrace],
    };
    let rewrite = |list: &sidespan_core::in_memory::header_list::HeaderList| {
        let all = list.iter().map(|(name, value)| (name.as_bytes(), value));
        let mut after = list.clone();
        configured.rewrite(&list.as_request(), all, &mut after, &mut Stats::default());
        after
    };
    let after = rewrite(&list);
    let headers = after.as_request();
    assert_eq!(baggage::value(&headers, b"secrets"), None);
    let lines = after.iter().filter(|(name, _)| *name == "baggage");
    assert!(lines.map(|(_, value)| value.len()).sum::<usize>() <= 256);
    // The first rewrite removes illegal members, which leaves room for more of the older forms.
    let twice = rewrite(&after);
    assert_eq!(rewrite(&twice), twice);
});
